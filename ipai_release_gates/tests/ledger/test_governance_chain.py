"""The governance chain: changes of the policy."""

import hashlib
import json
from datetime import timedelta

from psycopg2 import errors

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tools import mute_logger

from ... import ledger
from ..common import MODULE
from .governance_case import GovernanceCase


class TestGovernanceChain(GovernanceCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.requirement = cls.gates["G1"].requirement_ids.filtered(
            lambda requirement: requirement.code == "build_log"
        )

    # --- the chain -------------------------------------------------------------------

    def test_a_settings_change_is_recorded_and_judges_no_release(self):
        settings = self.env.ref("ipai_release_gates.settings")
        former = settings.payload_retention_days
        release = self.open_release()
        before = self.versions(release)
        row = self.only(lambda: settings.write({"payload_retention_days": 9}))
        self.assertEqual(row["body"]["before"], {"payload_retention_days": former})
        self.assertEqual(row["body"]["after"], {"payload_retention_days": 9})
        self.assertEqual(self.versions(release), before)

    def test_the_data_of_the_addon_is_in_the_chain(self):
        rows = self.chain()
        self.assertEqual(rows[0]["previous_hash"], ledger.GENESIS)
        recorded = {row["body"].get("what") for row in rows}
        for what in (
            "ipai.gate G1",
            "ipai.gate.requirement G1/build_log",
            "ipai.release.stage production",
            "ipai.persona sre",
            "ipai.evidence.type sbom",
            "ipai.expertise.domain odoo.qa.automation",
        ):
            self.assertIn(what, recorded)

    def test_a_change_is_recorded_with_the_former_values(self):
        row = self.only(
            lambda: self.requirement.with_user(self.governance).write(
                {"freshness_hours": 2.5, "waivable": False}
            )
        )
        self.assertEqual(row["kind"], "policy_changed")
        self.assertEqual(row["actor"], "governance")
        self.assertEqual(row["subject"], f"ipai.gate.requirement,{self.requirement.id}")
        self.assertEqual(
            row["body"],
            {
                "what": "ipai.gate.requirement G1/build_log",
                "before": {"freshness_hours": "0.0", "waivable": True},
                "after": {"freshness_hours": "2.5", "waivable": False},
            },
        )

    def test_only_changed_fields_are_recorded(self):
        row = self.only(
            lambda: self.requirement.write({"code": "build_log", "sequence": 99})
        )
        self.assertEqual(set(row["body"]["after"]), {"sequence"})
        self.assertEqual(
            self.added(
                lambda: self.requirement.write({"code": "build_log", "sequence": 99})
            ),
            [],
        )

    def test_related_records_are_recorded_by_name(self):
        stage = self.stages["production"]
        row = self.only(
            lambda: stage.write(
                {
                    "persona_ids": [Command.link(self.personas["sre"].id)],
                    "gate_id": self.gates["G2"].id,
                }
            )
        )
        self.assertEqual(
            row["body"]["before"],
            {"gate_id": "G3", "persona_ids": ["release_manager"]},
        )
        self.assertEqual(
            row["body"]["after"],
            {"gate_id": "G2", "persona_ids": ["release_manager", "sre"]},
        )
        row = self.only(lambda: self.project.write({"member_ids": [(5,)]}))
        self.assertEqual(row["body"]["before"], {"member_ids": ["dev"]})
        self.assertEqual(row["body"]["after"], {"member_ids": []})

    def test_each_record_of_a_bulk_write_has_its_entry_in_a_fixed_number_of_queries(
        self,
    ):
        requirements = self.env["ipai.gate.requirement"].search([])
        counts = []
        for some, sequence in ((requirements[:2], 77), (requirements, 78)):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            added = self.added(
                lambda some=some, sequence=sequence: some.write({"sequence": sequence})
            )
            counts.append(self.env.cr.sql_log_count - before)
            self.assertEqual(len(added), len(some))
        self.assertLessEqual(counts[1] - counts[0], 2)

    def test_creation_and_deletion_are_recorded_for_every_policy_model(self):
        now = self.env.cr.now()
        domain = self.env["ipai.expertise.domain"].search([], limit=1)
        mail = self.env.ref(f"{MODULE}.domain_sre_network_dns_mail")
        group = self.env["res.groups"].create({"name": "Observers"})
        for model, vals, name in (
            ("ipai.gate", {"code": "G9", "name": "Nine", "sequence": 90}, "G9"),
            (
                "ipai.gate.requirement",
                {
                    "gate_id": self.gates["G2"].id,
                    "code": "extra",
                    "name": "Extra",
                    "kind": "check",
                    "check_name": "extra",
                    "accountable_persona_id": self.personas["sre"].id,
                    "expertise_domain_id": domain.id,
                },
                "G2/extra",
            ),
            ("ipai.release.stage", {"code": "late", "name": "Late"}, "late"),
            ("ipai.project", {"name": "acme/new"}, "acme/new"),
            (
                "ipai.environment",
                {
                    "name": "spare",
                    "project_id": self.project.id,
                    "category": "staging",
                },
                "acme/shop/spare",
            ),
            (
                "ipai.freeze.window",
                {
                    "name": "Holidays",
                    "starts_at": now,
                    "ends_at": now + timedelta(days=1),
                    "project_ids": [(6, 0, self.project.ids)],
                },
                "Holidays",
            ),
            (
                "ipai.author.alias",
                {"email": "x@example.com", "user_id": self.dev.id},
                "x@example.com",
            ),
            ("ipai.evidence.type", {"code": "photo", "name": "Photo"}, "photo"),
            (
                "ipai.persona",
                {"code": "observer", "name": "Observer", "group_id": group.id},
                "observer",
            ),
            ("ipai.expertise.domain", {"code": "odoo.x", "name": "X"}, "odoo.x"),
            (
                "ipai.persona.expertise",
                {
                    "persona_id": self.personas["developer"].id,
                    "domain_id": mail.id,
                },
                "developer/odoo.sre.network_dns_mail",
            ),
            (
                "ipai.agent.capability",
                {"code": "look", "name": "Look", "domain_id": domain.id},
                "look",
            ),
            (
                "ipai.persona.contract",
                {"persona_id": self.personas["sre"].id, "mission": "To run it."},
                "sre/draft",
            ),
        ):
            with self.subTest(model=model):
                records = self.env[model].with_user(self.governance)
                found = []
                row = self.only(
                    lambda r=records, v=vals, f=found: f.append(r.create(v))
                )
                self.assertEqual(row["body"]["what"], f"{model} {name}")
                self.assertIsNone(row["body"]["before"])
                self.assertTrue(row["body"]["after"])
                self.assertEqual(row["subject"], f"{model},{found[0].id}")
                if model == "ipai.gate":
                    continue  # open releases are judged by it from now on
                rows = self.added(found[0].unlink)
                self.assertEqual(rows[-1]["body"]["what"], f"{model} {name}")
                self.assertIsNone(rows[-1]["body"]["after"])

    def test_deleting_a_gate_records_its_requirements_too(self):
        gate = self.env["ipai.gate"].create(
            {"code": "G9", "name": "Nine", "sequence": 90}
        )
        self.requirement.copy({"gate_id": gate.id, "code": "nine", "active": False})
        recorded = [row["body"]["what"] for row in self.added(gate.unlink)]
        self.assertEqual(recorded, ["ipai.gate.requirement G9/nine", "ipai.gate G9"])

    def test_a_project_with_a_freeze_cannot_be_deleted(self):
        now = self.env.cr.now()
        project = self.env["ipai.project"].create({"name": "acme/frozen"})
        self.env["ipai.freeze.window"].create(
            {
                "name": "Holidays",
                "starts_at": now,
                "ends_at": now + timedelta(days=1),
                "project_ids": [(6, 0, project.ids)],
            }
        )
        refused = self.assertRaises(errors.RestrictViolation)
        with mute_logger("odoo.sql_db"), refused, self.env.cr.savepoint():
            project.unlink()
        self.assertTrue(project.exists())

    def test_a_chain_without_a_head_takes_no_entry(self):
        with self.undone():
            self.env.cr.execute("DELETE FROM ipai_ledger_head")
            with self.assertRaisesRegex(UserError, "lost its head"):
                self.requirement.write({"sequence": 98})

    def test_nobody_reads_or_changes_the_head(self):
        head = self.env["ipai.ledger.head"].search([])
        self.assertEqual(len(head), 1)
        for user in (*self.users.values(), self.env.ref("base.user_admin")):
            mine = head.with_user(user)
            for attempt in (
                lambda h=mine: h.read(["hash"]),
                lambda h=mine: h.write({"sequence": 0}),
                lambda h=mine: h.unlink(),
                lambda h=mine: h.create({"chain": "x", "sequence": 0, "hash": "x"}),
            ):
                with self.assertRaises(AccessError):
                    attempt()
        for attempt in (
            lambda: head.write({"sequence": 0}),
            lambda: head.with_context(ipai_engine=True).write({"sequence": 0}),
            lambda: head.unlink(),
        ):
            with self.assertRaises(AccessError):
                attempt()

    # --- judging again ---------------------------------------------------------------

    def test_a_policy_change_judges_open_releases_again(self):
        release = self.open_release()
        type_ = self.env["ipai.evidence.type"].search([("code", "=", "build_log")])
        for record, vals in (
            (type_, {"metadata_schema": '{"type": "object"}'}),
            (type_, {"active": False}),
            (self.personas["qa_tester"], {"active": False}),
            (self.requirement, {"active": False}),
        ):
            with self.subTest(vals=vals):
                (before,) = self.versions(release)
                record.with_user(self.governance).write(vals)
                self.assertGreater(self.versions(release)[0], before)

    def test_a_change_without_effect_on_verdicts_judges_nothing(self):
        release = self.open_release()
        before = self.versions(release)
        self.personas["qa_tester"].write({"sequence": 99})
        self.env["ipai.expertise.domain"].search([], limit=1).write({"scope": "All."})
        self.assertEqual(self.versions(release), before)

    # --- companies and readers -------------------------------------------------------

    def governance_read_by(self, user):
        entries = self.env["ipai.ledger.entry"].with_user(user)
        return entries.search([("release_id", "=", False)]).sudo()

    def test_an_sre_reads_release_chains_but_not_governance(self):
        release = self.open_release()
        self.assertFalse(self.governance_read_by(self.sre))
        entries = self.env["ipai.ledger.entry"].with_user(self.sre)
        self.assertTrue(entries.search([("release_id", "=", release.id)]))
        for login in ("rm", "auditor", "governance"):
            self.assertTrue(self.governance_read_by(self.users[login]))

    def test_entries_of_one_company_are_read_there_only(self):
        company = self.env["res.company"].create({"name": "Elsewhere"})
        project = self.env["ipai.project"].create(
            {"name": "secret/thing", "company_id": company.id}
        )
        self.env["ipai.environment"].create(
            {"name": "dev", "project_id": project.id, "category": "dev"}
        )
        now = self.env.cr.now()
        freeze = self.env["ipai.freeze.window"].create(
            {
                "name": "Both",
                "starts_at": now,
                "ends_at": now + timedelta(days=1),
                "project_ids": [(6, 0, (project + self.project).ids)],
            }
        )
        self.new_user(
            "spy",
            "group_qa_tester",
            company_id=company.id,
            company_ids=[(6, 0, company.ids)],
        )
        seen = self.governance_read_by(self.auditor)
        self.assertFalse(seen.filtered(lambda e: "secret/thing" in e.body))
        self.assertFalse(seen.filtered(lambda e: '"spy"' in e.body))
        recorded = seen.filtered(
            lambda e: e.subject == f"ipai.freeze.window,{freeze.id}"
        )
        self.assertIn(f"ipai.project,{project.id}", recorded.body)
        self.auditor.company_ids += company
        entries = self.env["ipai.ledger.entry"].with_user(self.auditor)
        seen = entries.with_context(allowed_company_ids=company.ids).search(
            [("company_id", "=", company.id)]
        )
        bodies = " ".join(seen.sudo().mapped("body"))
        self.assertIn("secret/thing", bodies)
        self.assertIn('"spy"', bodies)

    def test_the_chain_can_be_searched_by_its_name(self):
        release = self.open_release()
        entries = self.env["ipai.ledger.entry"]
        found = entries.search([("chain", "=", "governance")])
        self.assertEqual(found, entries.search([("release_id", "=", False)]))
        self.assertEqual(set(found.mapped("chain")), {"governance"})
        found = entries.search([("chain", "=", release.uuid)])
        self.assertEqual(found.release_id, release)

    # --- approvals -------------------------------------------------------------------

    def test_the_reasons_of_a_decision_are_in_the_ledger_as_their_digest(self):
        release = self.open_release()
        self.sign(self.qa, release, "G2", rationale_text="Tried it all")
        body = json.loads(self.ledger(release, "approval").body)
        self.assertNotIn("Tried it all", str(body))
        self.assertEqual(
            body["rationale_sha256"],
            hashlib.sha256(b"Tried it all").hexdigest(),
        )
