"""What the engine sets nobody else can set, whoever asks and by whatever way."""

from contextlib import suppress
from unittest.mock import patch

from psycopg2 import IntegrityError

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.service.model import call_kw, get_public_method
from odoo.tools import mute_logger

from odoo.addons.ipai_release_gates import governance
from odoo.addons.ipai_release_gates.models.mixins import guarded, recorded

from ..common import ROLES, GateCase, sha

GUARD = "ipai.guarded.mixin"
#: model → what a person may write there; nothing anywhere else
WRITABLE = {
    "ipai.release": {
        "name",
        "active",
        "user_id",
        "priority",
        "description",
        "planned_date",
        "environment_target",
        "scope_metadata",
        "source_ref",
        "author_emails",
        "artifact_digest",
        "stage_id",
        "move_reason",
    },
    "ipai.deployment": {"status"},
    "ipai.exception": {
        "exception_type",
        "risk_level",
        "rationale",
        "risk_statement",
        "compensating_controls",
        "gate_ids",
        "requirement_ids",
        "effective_from",
        "expires_at",
    },
    "ipai.incident": {"recovery_actions", "outcome", "root_cause"},
    "ipai.persona.contract": {
        *governance.FIELDS,
        "outcomes",
        "governance_overlay",
        "change_note",
        "review_cadence",
    },
    "ipai.webhook.source": {"user_id", "overlap_hours", "active"},
    "ipai.webhook.endpoint": {
        "name",
        "url",
        "project_ids",
        "active",
        "on_gate_passed",
        "on_gate_bypassed",
        "on_gate_failed",
        "on_gate_reopened",
        "on_release_moved",
        "on_release_cancelled",
        "on_exception_expiring",
        "on_exception_expired",
    },
}
#: model → what a person may give when recording
CREATABLE = {
    "ipai.release": WRITABLE["ipai.release"] - {"move_reason"} | {"project_id"},
    "ipai.check": {
        "release_id",
        "name",
        "status",
        "gate_id",
        "artifact_ref",
        "metadata",
    },
    "ipai.evidence": {
        "release_id",
        "type_id",
        "gate_id",
        "deployment_id",
        "drill_id",
        "url",
        "content",
        "filename",
        "sha256",
        "metadata",
        "note",
    },
    "ipai.exception": WRITABLE["ipai.exception"] | {"release_id"},
    "ipai.approval": {
        "release_id",
        "gate_id",
        "exception_id",
        "persona_id",
        "decision",
        "rationale_structured",
        "rationale_text",
    },
    "ipai.deployment": {
        "release_id",
        "environment_id",
        "external_id",
        "status",
        "rollback_of_id",
    },
    "ipai.incident": {
        "release_id",
        "name",
        "external_id",
        "severity",
        "deployment_id",
        "blocking",
        "detected_at",
    },
    "ipai.incident.entry": {"incident_id", "occurred_at", "kind", "text"},
    "ipai.environment.event": {
        "environment_id",
        "event_type",
        "occurred_at",
        "data",
        "note",
        "release_id",
    },
    "ipai.recovery.drill": {
        "environment_id",
        "drill_type",
        "executed_at",
        "outcome",
        "restore_validated",
        "log_url",
        "note",
        "criterion_ids",
        "evidence_ids",
    },
    "ipai.persona.contract": WRITABLE["ipai.persona.contract"] | {"persona_id"},
    "ipai.webhook.source": WRITABLE["ipai.webhook.source"] | {"project_id", "provider"},
    "ipai.webhook.endpoint": WRITABLE["ipai.webhook.endpoint"] - {"active"}
    | {"company_id"},
}
#: what people record that is no fact about one release
NO_FACTS = {
    "ipai.release",
    "ipai.incident.entry",
    "ipai.environment.event",
    "ipai.recovery.drill",
    "ipai.persona.contract",
    "ipai.webhook.source",
    "ipai.webhook.endpoint",
}
#: what governance itself makes
OF_GOVERNANCE = {
    "ipai.persona.contract",
    "ipai.webhook.source",
    "ipai.webhook.endpoint",
}
FORGED_CONTEXTS = (
    {"ipai_engine": True},
    {"ipai_engine": 1},
    {"ipai_engine": "engine"},
    {"ipai_engine": object()},
    {"ipai_engine": {}},
    {"install_mode": True},
    {"import_file": True},
    {"tracking_disable": True},
    {"_force_unlink": True},
    {"active_test": False},
    {"module": "ipai_release_gates", "update": True, "noupdate": True},
    {"force_company": 1, "lang": "en_US", "uid": 1, "su": True},
)


class TestGuards(GateCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.release = cls.open_release("guarded")
        cls.pass_gates(cls.release, "G1", "G2")
        cls.deploy(cls.release, "in_progress", "staging")
        cls.approved = cls.open_release("approved")
        cls.pass_gates(cls.approved, "G1", "G2", "G3")
        cls.env["ipai.incident"].with_user(cls.sre).create(
            {"release_id": cls.release.id, "name": "Down", "blocking": False}
        )
        cls.env["ipai.exception"].with_user(cls.dev).create(
            cls.exception_values(cls.release)
        )
        cls.release.with_user(cls.auditor).action_verify_ledger()
        cls.env["ipai.recovery.drill"].with_user(cls.sre).create(cls.drill_values())
        controls = cls.env["ipai.environment.control"].search(
            [("kind", "!=", "lifetime"), ("project_id", "=", cls.project.id)]
        )
        controls[0].with_user(cls.sre).record_check("pass")
        cls.contradict()
        cls.webhook_source()
        cls.webhook()
        cls.env.flush_all()
        cls.everyone = [
            *(cls.users[login] for login in ROLES),
            cls.env.ref("base.user_admin"),
        ]
        cls.records = {
            model: cls.env[model].search([], limit=1)
            for model in cls.registry
            if model != GUARD
            and not cls.registry[model]._abstract
            and issubclass(cls.registry[model], cls.registry[GUARD])
        }

    @classmethod
    def drill_values(cls):
        """Values of a successful drill."""
        return {
            "environment_id": cls.environments["staging"].id,
            "drill_type": "backup_restore",
            "outcome": "success",
            "restore_validated": True,
            "log_url": "https://ci.example.com/drill",
            "criterion_ids": [(0, 0, {"name": "Starts", "met": True})],
        }

    def refuses(self, attempt, error=UserError):
        """The attempt ends in a refusal; without a savepoint, as nothing is written."""
        try:
            attempt()
        except error:
            return
        self.fail("nothing was refused")

    def as_everyone(self, record):
        """A record as every role, as the administrator, and as superuser."""
        for user in self.everyone:
            yield record.with_user(user)
        yield record.sudo()
        yield record.with_user(self.env.ref("base.user_admin")).sudo()

    def value(self, record, name):
        """Some value of a field, as ``write`` takes it."""
        field = record._fields[name]
        if field.type in ("one2many", "many2many"):
            return [(5,)]
        if field.type == "integer":
            return 7
        value = record[name]
        return field.convert_to_write(value, record) if value else False

    def guarded_fields(self, model, open_):
        return sorted(set(self.env[model]._fields) - open_.get(model, set()) - {"id"})

    # --- what is guarded -------------------------------------------------------------

    def test_every_model_of_facts_and_caches_is_guarded(self):
        self.assertLessEqual(
            {
                "ipai.release",
                "ipai.revision",
                "ipai.release.gate",
                "ipai.check",
                "ipai.evidence",
                "ipai.approval",
                "ipai.exception",
                "ipai.deployment",
                "ipai.incident",
                "ipai.ingest.log",
                "ipai.ledger.head",
                "ipai.ledger.verification",
                "ipai.environment.control",
                "ipai.control.check",
                "ipai.environment.event",
                "ipai.incident.entry",
                "ipai.recovery.drill",
                "ipai.recovery.drill.criterion",
                "ipai.persona.contract",
                "ipai.webhook.source",
                "ipai.webhook.endpoint",
                "ipai.webhook.delivery",
                "ipai.webhook.attempt",
            },
            set(self.records),
        )
        for model, record in self.records.items():
            self.assertTrue(record, f"no {model} to attack")

    def test_people_may_set_what_the_design_lets_them_and_nothing_else(self):
        for model, record in self.records.items():
            self.assertEqual(record._writable, WRITABLE.get(model, set()), model)
            self.assertEqual(record._creatable, CREATABLE.get(model, set()), model)

    # --- write -----------------------------------------------------------------------

    def test_no_guarded_field_can_be_written_by_anybody(self):
        for model, record in self.records.items():
            for name in self.guarded_fields(model, WRITABLE):
                vals = {name: self.value(record, name)}
                with self.subTest(model=model, field=name):
                    for records in self.as_everyone(record):
                        self.refuses(lambda r=records, v=vals: r.write(v), AccessError)

    def test_no_field_that_does_not_exist_can_be_written_either(self):
        for record in self.records.values():
            self.refuses(lambda r=record: r.write({"no_such_field": 1}), AccessError)

    def test_a_guarded_field_spoils_the_fields_written_with_it(self):
        with self.assertRaises(AccessError):
            self.release.with_user(self.rm).write({"name": "x", "status": "promoted"})
        self.assertEqual(self.release.name, "guarded")

    def test_no_context_opens_a_write(self):
        for model, record in self.records.items():
            name = next(
                name
                for name in (
                    "status",
                    "state",
                    "recorded_at",
                    "result",
                    "hash",
                    "met",
                    "severity",
                    "secret_made_at",
                    "switched_off_at",
                    "is_success",
                )
                if name in record._fields
            )
            if name in WRITABLE.get(model, ()):
                name = "confirmed_at"
            vals = {name: record[name] or False}
            for context in FORGED_CONTEXTS:
                for records in (record.with_user(self.rm), record.sudo()):
                    mine = records.with_context(**context)
                    with self.subTest(model=model, context=context):
                        self.refuses(lambda r=mine, v=vals: r.write(v), AccessError)

    def test_assigning_a_field_is_writing_it(self):
        with self.assertRaises(AccessError):
            self.release.with_user(self.rm).status = "promoted"
        with self.assertRaises(AccessError):
            self.release.release_gate_ids[0].status = "passed"

    def test_who_may_not_edit_a_release_does_not(self):
        for login in ROLES:
            mine = self.release.with_user(self.users[login])
            with self.subTest(role=login):
                if login in ("dev", "rm"):
                    mine.write({"priority": "1"})
                else:
                    self.refuses(lambda r=mine: r.write({"priority": "1"}), AccessError)

    def test_a_developer_edits_in_the_first_stage_only_and_archives_nothing(self):
        mine = self.release.with_user(self.dev)
        self.refuses(lambda: mine.write({"active": False}), AccessError)
        self.refuses(mine.action_archive, AccessError)
        self.move(self.release, "qa_validation")
        self.refuses(lambda: mine.write({"name": "mine"}), AccessError)
        self.refuses(
            lambda: mine.write({"author_emails": "x@example.com"}), AccessError
        )

    def test_a_deployment_is_advanced_by_whoever_recorded_it(self):
        deployment = self.release.deployment_ids
        self.assertEqual(len(deployment), 1)
        for login in ROLES:
            mine = deployment.with_user(self.users[login])
            if login != "ci":
                self.refuses(
                    lambda r=mine: r.write({"status": "succeeded"}), AccessError
                )
        own = (
            self.env["ipai.deployment"]
            .with_user(self.sre)
            .create(
                {
                    "release_id": self.release.id,
                    "environment_id": self.environments["staging"].id,
                    "external_id": "by hand",
                }
            )
        )
        self.assertEqual(own.recorded_by_id, self.sre)
        own.write({})
        own.write({"status": "succeeded"})
        self.assertEqual(own.status, "succeeded")
        self.refuses(lambda: own.write({"status": "in_progress"}), UserError)

    # --- create ----------------------------------------------------------------------

    def valid(self, model):
        """A user who may create a record of the model, and values that are valid."""
        release = self.release.id
        type_ = self.env["ipai.evidence.type"].search([("code", "=", "test_result")])
        return {
            "ipai.release": (
                self.rm,
                {
                    "name": "new",
                    "project_id": self.project.id,
                    "source_ref": sha("new"),
                    "author_emails": "dev@example.com",
                },
            ),
            "ipai.check": (
                self.dev,
                {"release_id": release, "name": "lint", "status": "pass"},
            ),
            "ipai.evidence": (
                self.qa,
                {
                    "release_id": release,
                    "type_id": type_.id,
                    "url": "https://ci.example.com/t",
                },
            ),
            "ipai.approval": (
                self.qa,
                {
                    "release_id": release,
                    "gate_id": self.gates["G2"].id,
                    "persona_id": self.personas["qa_tester"].id,
                    "decision": "approved",
                },
            ),
            "ipai.deployment": (
                self.sre,
                {
                    "release_id": self.approved.id,
                    "environment_id": self.environments["production"].id,
                    "external_id": "new",
                    "status": "succeeded",
                },
            ),
            "ipai.incident": (self.sre, {"release_id": release, "name": "new"}),
            "ipai.exception": (self.dev, self.exception_values(self.release)),
            "ipai.incident.entry": (
                self.sre,
                {"incident_id": self.release.incident_ids.id, "text": "Restarted"},
            ),
            "ipai.environment.event": (
                self.sre,
                {
                    "environment_id": self.environments["staging"].id,
                    "event_type": "backup_complete",
                },
            ),
            "ipai.recovery.drill": (self.sre, self.drill_values()),
            "ipai.persona.contract": (
                self.governance,
                {"persona_id": self.personas["sre"].id, "mission": "To run it."},
            ),
            "ipai.webhook.source": (
                self.governance,
                {
                    "project_id": self.project.id,
                    "provider": "gitlab",
                    "user_id": self.ci.id,
                },
            ),
            "ipai.webhook.endpoint": (
                self.governance,
                {"name": "Mail", "url": "https://hooks.example.com/mail"},
            ),
        }.get(model, (self.rm, {}))

    def test_the_valid_values_of_this_test_are_valid(self):
        for model in CREATABLE:
            user, vals = self.valid(model)
            with self.subTest(model=model), self.undone():
                record = self.env[model].with_user(user).create(vals)
                self.assertTrue(record)
                self.assertFalse(record._is_system())

    def test_no_guarded_field_can_be_given_when_creating(self):
        for model, record in self.records.items():
            user, vals = self.valid(model)
            for name in self.guarded_fields(model, CREATABLE):
                forged = {**vals, name: self.value(record, name)}
                with self.subTest(model=model, field=name):
                    for records in (
                        record.with_user(user),
                        record.with_user(self.env.ref("base.user_admin")),
                        record.sudo(),
                    ):
                        self.refuses(
                            lambda r=records, v=forged: r.create(v), AccessError
                        )

    def test_only_the_engine_creates_what_people_give_nothing_of(self):
        for model in set(self.records) - set(CREATABLE):
            for user in self.everyone:
                records = self.env[model].with_user(user)
                self.refuses(lambda r=records: r.create({}), AccessError)

    def test_a_forged_default_in_the_context_is_ignored(self):
        for model in CREATABLE:
            user, vals = self.valid(model)
            record = self.records[model]
            names = self.guarded_fields(model, CREATABLE)
            context = {
                f"default_{name}": self.value(record, name)
                for name in names
                if record._fields[name].type != "one2many"
            }
            with self.subTest(model=model), self.undone():
                plain = self.env[model].with_user(user).create(vals)
                expected = self.comparable(plain)
            with self.subTest(model=model), self.undone():
                forged = self.env[model].with_user(user).with_context(**context)
                self.assertEqual(self.comparable(forged.create(vals)), expected)

    def comparable(self, record):
        """What a record was created with, without what differs each time."""
        record = record.sudo()
        self.env.flush_all()
        record.invalidate_recordset()
        values = record.read(load="")[0]
        for name in (
            "id",
            "uuid",
            "url",
            "display_name",
            "revision_id",
            "revision_ids",
            "release_gate_ids",
            "ledger_entry_ids",
            "ledger_hash",
            "message_ids",
            "message_follower_ids",
            "message_partner_ids",
            "verdict_tree",
            "next_steps",
            "chain",
            "entry_ids",
            "criterion_ids",
        ):
            values.pop(name, None)
        return {k: v for k, v in values.items() if not k.endswith(("_date", "_uid"))}

    def test_a_stored_default_of_a_user_forges_nothing(self):
        """Every user may store defaults for every field of every model."""
        production, old = self.stages["production"].id, "2020-01-01 00:00:00"
        forged = {
            "ipai.release": {
                "stage_id": production,
                "status": "promoted",
                "fact_version": 99,
                "ledger_sequence": 99,
                "ledger_hash": "v1:forged",
                "next_gate_status": "passed",
                "uuid": "forged",
            },
            "ipai.check": {
                "environment_category": "production",
                "environment_id": self.environments["production"].id,
                "recorded_at": old,
            },
            "ipai.evidence": {"sha256": "0" * 64, "size": 7, "recorded_at": old},
            "ipai.approval": {
                "approver_id": self.qa2.id,
                "service_account": True,
                "scope": "release",
            },
            "ipai.deployment": {
                "g4_status": "passed",
                "confirmed_at": old,
                "confirmation_due_at": "2999-01-01 00:00:00",
                "deployed_at": old,
            },
            "ipai.incident": {"resolved_at": "2999-01-01 00:00:00"},
            "ipai.environment.event": {"source_system": "engine", "recorded_at": old},
            "ipai.recovery.drill": {"executed_by_id": self.rm.id, "recorded_at": old},
            "ipai.incident.entry": {"author_id": self.rm.id, "recorded_at": old},
        }
        for model, values in forged.items():
            user, vals = self.valid(model)
            with self.subTest(model=model), self.undone():
                expected = self.comparable(self.env[model].with_user(user).create(vals))
            with self.subTest(model=model), self.undone():
                defaults = self.env["ir.default"].with_user(user)
                for name, value in values.items():
                    defaults.set(model, name, value, user_id=True)
                created = self.env[model].with_user(user).create(vals)
                self.assertEqual(self.comparable(created), expected)
                if model == "ipai.release":
                    self.assertNotEqual(created.uuid, "forged")

    def test_a_stored_default_of_ci_makes_no_health_check_of_a_check(self):
        defaults = self.env["ir.default"].with_user(self.ci)
        production = self.environments["production"]
        defaults.set("ipai.check", "environment_category", "production", user_id=True)
        defaults.set("ipai.check", "environment_id", production.id, user_id=True)
        self.check(self.release, "health_check")
        self.assertIn("G4:health_checks", self.unmet(self.release))

    # --- other ways in ---------------------------------------------------------------

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

    # --- facts -----------------------------------------------------------------------

    def test_a_fact_by_hand_is_bound_signed_and_dated_by_the_engine(self):
        with self.later(hours=1) as now:
            for model in ("ipai.check", "ipai.evidence", "ipai.approval"):
                user, vals = self.valid(model)
                record = self.env[model].with_user(user).create(vals)
                self.assertEqual(record.recorded_by_id, user)
                self.assertEqual(record.recorded_at, now)
                self.assertEqual(record.source_system, "manual")
                self.assertEqual(record.revision_id, self.release.revision_id)

    def test_every_fact_moves_the_row_of_its_release(self):
        for model in set(CREATABLE) - NO_FACTS:
            user, vals = self.valid(model)
            release = self.env["ipai.release"].browse(vals["release_id"])
            with self.subTest(model=model), self.undone():
                before = release.fact_version
                record = self.env[model].with_user(user).create(vals)
                if model == "ipai.exception":
                    record.action_request()  # a draft is no fact yet
                release.invalidate_recordset()
                self.assertGreater(release.fact_version, before)

    def test_no_context_keeps_a_fact_from_moving_the_row(self):
        user, vals = self.valid("ipai.check")
        for value in (True, 1, "batch", object(), {"drafts": []}):
            before = self.release.fact_version
            context = {recorded.FactBatch.key: value}
            checks = self.env["ipai.check"].with_user(user).with_context(**context)
            checks.create({**vals, "status": "fail"})
            self.release.invalidate_recordset()
            self.assertGreater(self.release.fact_version, before)
            self.assertEqual(self.stored(self.release)["G1"], "failed")

    def test_every_fact_model_inherits_the_one_mixin(self):
        facts = {
            model
            for model in self.registry
            if not self.registry[model]._abstract
            and issubclass(self.registry[model], self.registry["ipai.recorded.mixin"])
        }
        self.assertLessEqual(set(CREATABLE) - NO_FACTS, facts)
        self.assertLessEqual(facts, set(self.records))

    def test_roles_record_by_hand_what_the_security_table_lets_them(self):
        for model, recorders in (
            ("ipai.check", {"dev"}),
            ("ipai.evidence", {"dev", "qa", "rm", "sre"}),
            ("ipai.deployment", {"sre"}),
            ("ipai.incident", {"sre"}),
            ("ipai.incident.entry", {"sre"}),
            ("ipai.environment.event", {"sre"}),
            ("ipai.recovery.drill", {"sre"}),
        ):
            _user, vals = self.valid(model)
            for login in ROLES:
                records = self.env[model].with_user(self.users[login])
                with self.subTest(model=model, role=login), self.undone():
                    if login in recorders:
                        if (model, login) == ("ipai.evidence", "sre"):
                            # What an SRE proves is for the last gate.
                            vals = {**vals, "gate_id": self.gates["G4"].id}
                        record = records.create(vals)
                        name = next(
                            name
                            for name in (
                                "recorded_by_id",
                                "author_id",
                                "executed_by_id",
                            )
                            if name in record
                        )
                        self.assertEqual(record[name], self.users[login])
                    else:
                        self.refuses(lambda r=records, v=vals: r.create(v), AccessError)

    def test_evidence_by_hand_is_checked_like_evidence_over_the_facade(self):
        user, vals = self.valid("ipai.evidence")
        evidence = self.env["ipai.evidence"].with_user(user)
        timer = self.env["ipai.evidence.type"].search([("code", "=", "fallback_timer")])
        for wrong in (
            {"url": "javascript:alert(1)"},
            {"url": "ftp://example.com/x"},
            {"url": "not a url"},
            {"url": False, "content": "not base64!"},
            {"url": False, "content": "aGVsbG8=", "sha256": "0" * 64},
            {"type_id": timer.id, "metadata": {"minutes": 0}},
            {"type_id": False},
        ):
            with self.subTest(**wrong), self.assertRaises(UserError):
                evidence.create({**vals, **wrong})

    # --- private methods -------------------------------------------------------------

    def test_private_methods_cannot_be_called_from_outside(self):
        names = {
            "ipai.release": (
                "_move_to",
                "_move_or_refuse",
                "_revise",
                "_append_to_ledger",
                "_rejudge",
                "_record_afterwards",
                "system_write",
                "system_create",
                "_write",
            ),
            "ipai.check": ("system_create", "system_write", "_record"),
            "ipai.approval": ("_sign", "system_create"),
            "ipai.deployment": (
                "_advance",
                "system_write",
                "_obstacles",
                "_miss_deadline",
                "_fail_overdue",
                "_report_unauthorised",
            ),
            "ipai.environment.control": (
                "_record_result",
                "_discard",
                "_judge_lifetime",
            ),
            "ipai.environment.event": ("_note", "system_create"),
            "ipai.incident": ("_resolve", "_reopen", "_change", "_propose_fallback"),
            "ipai.recovery.drill": ("_add_parts", "system_create"),
            "ipai.ledger.entry": ("_extend", "_store", "_forbid"),
            "ipai.ingest.log": ("system_write", "_process_again"),
            "ipai.control.plane": ("_process_logged", "_take_revision", "_create_logs"),
        }
        for model, methods in names.items():
            for name in methods:
                self.assertTrue(callable(getattr(self.env[model], name)), name)
                with self.subTest(model=model, method=name):
                    for user in (self.rm, self.env.ref("base.user_admin")):
                        records = self.env[model].with_user(user)
                        with self.assertRaises(AccessError):
                            get_public_method(records, name)
                        with self.assertRaises(AccessError):
                            call_kw(records, name, [self.release.ids, {}], {})

    def test_over_rpc_a_forged_context_is_refused_too(self):
        releases = self.env["ipai.release"].with_user(self.rm)
        for context in FORGED_CONTEXTS:
            with self.subTest(context=context), self.assertRaises(AccessError):
                call_kw(
                    releases,
                    "write",
                    [self.release.ids, {"status": "promoted"}],
                    {"context": context},
                )

    def test_the_mark_of_the_engine_does_not_leave_it(self):
        user, vals = self.valid("ipai.check")
        check = self.env["ipai.check"].with_user(user).create(vals)
        release = self.open_release("unmarked", user=self.rm)
        for record in (check, release, release.release_gate_ids):
            self.assertFalse(record._is_system())
            self.assertNotIn("ipai_engine", record.env.context)
        self.assertNotIn("ipai_engine", self.env.context)

    def test_a_mark_serves_one_write_and_what_runs_after_it_has_none(self):
        marked = self.release.with_context(ipai_engine=guarded._Mark())
        marked.write({"next_gate_status": "passed"})
        # What an automation rule would do with the records it is handed.
        with self.assertRaises(AccessError):
            marked.write({"status": "promoted"})
        self.assertNotEqual(self.release.status, "promoted")

    # --- policy and rights -----------------------------------------------------------

    def test_only_governance_changes_policy(self):
        for model in (
            "ipai.gate",
            "ipai.gate.requirement",
            "ipai.release.stage",
            "ipai.persona",
            "ipai.evidence.type",
            "ipai.environment",
            "ipai.project",
        ):
            record = self.env[model].search([], limit=1)
            for login in ROLES:
                mine = record.with_user(self.users[login])
                with self.subTest(model=model, role=login):
                    if login == "governance":
                        mine.write({"name": mine.name})
                    else:
                        self.refuses(lambda r=mine: r.write({"name": "x"}), AccessError)
                        self.refuses(mine.unlink, AccessError)
        for login in set(ROLES) - {"governance"}:
            for model in ("ipai.freeze.window", "ipai.author.alias"):
                records = self.env[model].with_user(self.users[login])
                self.refuses(lambda r=records: r.create({}), AccessError)

    def test_nobody_gives_themselves_a_role(self):
        group = self.env.ref("ipai_release_gates.group_release_manager")
        for login in ROLES:
            user = self.users[login]
            mine = user.with_user(user)
            with self.subTest(role=login):
                with self.assertRaises(AccessError):
                    mine.write({"group_ids": [(4, group.id)]})
                with self.assertRaises(AccessError):
                    group.with_user(user).write({"user_ids": [(4, user.id)]})

    def test_governance_can_neither_move_nor_sign_nor_record(self):
        mine = self.release.with_user(self.governance)
        self.refuses(lambda: mine.write({"stage_id": self.stages["closed"].id}))
        for model in set(CREATABLE) - OF_GOVERNANCE:
            _user, vals = self.valid(model)
            records = self.env[model].with_user(self.governance)
            with self.subTest(model=model):
                self.refuses(lambda r=records, v=vals: r.create(v), AccessError)

    def test_a_metadata_schema_can_make_the_server_fetch_nothing(self):
        type_ = self.env["ipai.evidence.type"].search([("code", "=", "sbom")])
        for schema in (
            '{"$ref": "http://localhost:1/x"}',
            '{"\\u0024ref": "http://localhost:1/x"}',
            '{"$dynamicRef": "http://localhost:1/x"}',
            '{"allOf": [{"\\u0024\\u0072ef": "file:///etc/passwd"}]}',
        ):
            with (
                self.subTest(schema=schema),
                patch("urllib.request.urlopen", side_effect=AssertionError("fetched")),
                self.assertRaises(ValidationError),
            ):
                type_.with_user(self.governance).metadata_schema = schema
