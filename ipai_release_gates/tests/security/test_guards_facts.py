"""Facts by hand are bound, signed and dated by the system."""

from odoo.exceptions import AccessError, UserError

from ...models.mixins import recorded
from ..common import ROLES
from .guarded import CREATABLE, NO_FACTS, GuardCase


class TestGuardsFacts(GuardCase):
    def test_a_fact_by_hand_is_bound_signed_and_dated_by_the_system(self):
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
