"""Copies, imports, web_save and nested commands meet the guard too."""

from contextlib import suppress

from psycopg2 import IntegrityError

from odoo.exceptions import AccessError, UserError
from odoo.tools import mute_logger

from ..common import sha
from .guarded import FORGED_CONTEXTS, GuardCase


class TestGuardsDoors(GuardCase):
    def test_nothing_can_be_duplicated(self):
        for record in self.records.values():
            for records in self.as_everyone(record):
                self.refuses(records.copy)

    def test_nothing_can_be_deleted(self):
        for model, record in self.records.items():
            for records in self.as_everyone(record):
                for context in ({}, *FORGED_CONTEXTS):
                    with self.subTest(model=model):
                        self.refuses(
                            records.with_context(**context).unlink, AccessError
                        )

    def test_an_import_meets_the_guard(self):
        for model, header, row in (
            ("ipai.release", ["id", "status"], ["ipai_test.guarded", "promoted"]),
            ("ipai.release", [".id", "fact_version"], [str(self.release.id), "1"]),
            (
                "ipai.approval",
                ["release_id/.id", "approver_id/.id", "decision"],
                [str(self.release.id), str(self.qa2.id), "Approved"],
            ),
            (
                "ipai.release.gate",
                [".id", "status"],
                [str(self.release.release_gate_ids[0].id), "Passed"],
            ),
        ):
            user = self.qa if model == "ipai.approval" else self.rm
            with self.subTest(model=model, header=header):
                result = self.env[model].with_user(user).load(header, [row])
                self.assertFalse(result["ids"])
                self.assertEqual(result["messages"][0]["type"], "error")

    def test_an_import_that_moves_meets_the_rule(self):
        result = (
            self.env["ipai.release"]
            .with_user(self.rm)
            .load([".id", "stage_id"], [[str(self.release.id), "Production"]])
        )
        self.assertFalse(result["ids"])
        self.assertEqual(self.release.stage_id.code, "build")

    def test_name_create_makes_nothing(self):
        for model in self.records:
            records = self.env[model].with_user(self.rm)
            count = self.env[model].search_count([])
            with (
                self.subTest(model=model),
                mute_logger("odoo.sql_db", "odoo.models"),
                suppress(UserError, IntegrityError),
                self.env.cr.savepoint(),
            ):
                self.assertFalse(records.name_create("sneaky"))
            self.assertEqual(self.env[model].search_count([]), count)

    def test_web_save_meets_the_guard(self):
        for model, record in self.records.items():
            mine = record.with_user(self.rm)
            name = "confirmed_at" if model == "ipai.deployment" else "create_date"
            vals = {name: "2020-01-01 00:00:00"}
            with self.subTest(model=model):
                self.refuses(lambda r=mine, v=vals: r.web_save(v, {}), AccessError)
                empty = mine.browse()
                _user, valid = self.valid(model)
                vals = {**valid, **vals}
                self.refuses(lambda r=empty, v=vals: r.web_save(v, {}), AccessError)

    def test_resequencing_meets_the_guard(self):
        mine = self.release.with_user(self.rm)
        self.refuses(
            lambda: mine.web_resequence({}, field_name="fact_version"), AccessError
        )

    def test_commands_nested_in_a_release_are_refused(self):
        check, row = self.release.check_ids[0], self.release.release_gate_ids[0]
        for name, command in (
            ("check_ids", (0, 0, {"name": "lint", "status": "pass"})),
            ("check_ids", (1, check.id, {"status": "pass"})),
            ("check_ids", (2, check.id)),
            ("check_ids", (3, check.id)),
            ("check_ids", (6, 0, [])),
            ("evidence_ids", (5,)),
            ("approval_ids", (0, 0, {"decision": "approved"})),
            ("release_gate_ids", (1, row.id, {"status": "passed"})),
            ("deployment_ids", (0, 0, {"status": "succeeded"})),
            ("incident_ids", (5,)),
            ("revision_ids", (5,)),
            ("ledger_entry_ids", (5,)),
            ("message_ids", (5,)),
        ):
            for mine in self.as_everyone(self.release):
                vals = {name: [command]}
                with self.subTest(field=name, command=command):
                    self.refuses(lambda r=mine, v=vals: r.write(v), AccessError)
        _user, valid = self.valid("ipai.release")
        releases = self.env["ipai.release"].with_user(self.rm)
        vals = {**valid, "check_ids": [(0, 0, {"name": "lint", "status": "pass"})]}
        self.refuses(lambda: releases.create(vals), AccessError)

    def test_commands_nested_in_a_project_meet_the_rule_of_the_release(self):
        project = self.project.with_user(self.governance)
        for command in (
            (1, self.release.id, {"name": "x"}),
            (1, self.release.id, {"status": "promoted"}),
            (1, self.release.id, {"stage_id": self.stages["closed"].id}),
            (2, self.release.id),
            (0, 0, {"name": "x", "source_ref": sha("x"), "author_emails": "a@b.c"}),
        ):
            with self.subTest(command=command), self.assertRaises(AccessError):
                project.write({"release_ids": [command]})

    def test_the_file_of_evidence_cannot_be_changed_behind_its_hash(self):
        evidence = (
            self.env["ipai.evidence"]
            .with_user(self.qa)
            .create(
                {
                    **self.valid("ipai.evidence")[1],
                    "url": False,
                    "content": "aGVsbG8=",
                    "filename": "a.txt",
                }
            )
        )
        self.assertEqual(len(evidence.sha256), 64)
        attachment = self.env["ir.attachment"].search(
            [("res_model", "=", "ipai.evidence"), ("res_id", "=", evidence.id)]
            + [("res_field", "=", "content")]
        )
        self.assertTrue(attachment)
        for user in self.everyone[:-1]:
            mine = attachment.with_user(user)
            with self.subTest(role=user.login):
                for attempt in (
                    lambda r=mine: r.write({"datas": "eA=="}),
                    lambda r=mine: r.write({"res_id": 0}),
                    lambda r=mine: r.unlink(),
                    lambda r=mine: r.create(
                        {
                            "name": "content",
                            "res_model": "ipai.evidence",
                            "res_field": "content",
                            "res_id": evidence.id,
                            "datas": "eA==",
                        }
                    ),
                ):
                    with self.assertRaises(AccessError):
                        attempt()
