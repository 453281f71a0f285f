"""What the system sets nobody can give when creating, and no default forges it."""

from odoo.exceptions import AccessError

from .guarded import CREATABLE, GuardCase


class TestGuardsCreate(GuardCase):
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

    def test_only_system_writes_create_what_people_may_not(self):
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
