"""What the system sets nobody else can set: writes and private methods."""

from unittest.mock import patch

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.service.model import call_kw, get_public_method

from ...models.mixins import guarded
from ..common import ROLES
from .guarded import CREATABLE, FORGED_CONTEXTS, OF_GOVERNANCE, WRITABLE, GuardCase


class TestGuards(GuardCase):
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

    def test_a_deployment_is_advanced_by_the_person_who_recorded_it(self):
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

    def test_the_mark_of_a_system_write_does_not_leave_it(self):
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
