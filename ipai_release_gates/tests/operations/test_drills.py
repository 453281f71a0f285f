"""A drill says what it showed; what it did not show is no success."""

from datetime import timedelta

from odoo.exceptions import AccessError, UserError, ValidationError

from ..common import GateCase


class TestDrills(GateCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.release = cls.open_release()

    def record(self, user=None, **vals):
        return (
            self.env["ipai.recovery.drill"]
            .with_user(user or self.sre)
            .create(
                {
                    "environment_id": self.environments["production"].id,
                    "drill_type": "backup_restore",
                    "outcome": "success",
                    "restore_validated": True,
                    "log_url": "https://ci.example.com/drill/1",
                    "criterion_ids": [
                        (0, 0, {"name": "Restored within an hour", "met": True})
                    ],
                    **vals,
                }
            )
        )

    def test_an_sre_records_their_own_drill(self):
        drill = self.record()
        self.assertEqual(drill.executed_by_id, self.sre)
        self.assertEqual(drill.project_id, self.project)
        self.assertEqual(drill.executed_at, self.env.cr.now())
        self.assertTrue(drill.criterion_ids.met)

    def test_it_is_an_event_of_the_environment(self):
        drill = self.record()
        event = self.environments["production"].event_ids
        self.assertEqual((event.event_type, event.drill_id), ("restore_drill", drill))
        self.assertEqual(event.data["outcome"], "success")

    def test_it_moves_the_row_of_every_open_release_of_the_project(self):
        other = self.open_release()
        versions = {each: each.fact_version for each in self.release | other}
        self.record()
        for release, version in versions.items():
            release.invalidate_recordset()
            self.assertGreater(release.fact_version, version)

    def test_what_was_not_shown_is_no_success(self):
        met, unmet = (0, 0, {"name": "A", "met": True}), (0, 0, {"name": "B"})
        for wrong in (
            {"criterion_ids": []},
            {"criterion_ids": [unmet]},
            {"criterion_ids": [met, unmet]},
            {"restore_validated": False},
        ):
            with self.subTest(**wrong), self.assertRaises(ValidationError):
                self.record(**wrong)

    def test_a_failure_or_another_kind_of_drill_needs_no_validated_restore(self):
        self.assertTrue(self.record(outcome="failure", restore_validated=False))
        self.assertTrue(self.record(drill_type="failover", restore_validated=False))

    def test_something_shows_it(self):
        with self.assertRaises(ValidationError):
            self.record(log_url=False)
        self.assertTrue(self.record(log_url=False, note="Log: restored 3 databases"))
        drill = self.record(
            log_url=False, evidence_ids=[(0, 0, {"url": "https://ci.example.com/x"})]
        )
        self.assertEqual(drill.evidence_ids.type_code, "restore_drill")
        self.assertEqual(drill.evidence_ids.recorded_by_id, self.sre)

    def test_it_lies_in_the_past(self):
        with self.assertRaises(ValidationError):
            self.record(executed_at=self.env.cr.now() + timedelta(minutes=1))
        before = self.env.cr.now() - timedelta(days=3)
        self.assertEqual(self.record(executed_at=before).executed_at, before)

    def test_once_recorded_nothing_of_it_changes(self):
        drill = self.record(outcome="partial")
        criterion = drill.criterion_ids
        for attempt in (
            lambda: drill.write({"outcome": "success"}),
            lambda: drill.write({"criterion_ids": [(0, 0, {"name": "C"})]}),
            lambda: criterion.write({"met": False}),
            lambda: criterion.create({"drill_id": drill.id, "name": "C", "met": True}),
            lambda: criterion.sudo().unlink(),
        ):
            with self.assertRaises(AccessError):
                attempt()

    def test_a_drill_takes_no_criteria_of_another(self):
        other = self.record()
        for command in (
            (4, other.criterion_ids.id),
            (6, 0, other.criterion_ids.ids),
            (1, other.criterion_ids.id, {"met": False}),
        ):
            with self.subTest(command=command), self.assertRaises(UserError):
                self.record(criterion_ids=[command])
        with self.assertRaises(AccessError):
            self.record(
                criterion_ids=[(0, 0, {"name": "A", "met": True, "drill_id": other.id})]
            )

    def test_nobody_records_a_drill_for_somebody_else(self):
        with self.assertRaises(AccessError):
            self.record(executed_by_id=self.rm.id)
        for login in ("dev", "qa", "rm", "ci", "auditor", "governance"):
            with self.subTest(role=login), self.assertRaises(AccessError):
                self.record(self.users[login])

    def test_evidence_is_not_hung_on_a_drill_of_another_project(self):
        drill = self.record()
        self.env["ipai.project"].create({"name": "acme/other"})
        other = self.open_release(project="acme/other")
        type_ = self.env.ref("ipai_release_gates.evidence_type_restore_drill")
        vals = {"type_id": type_.id, "note": "x", "drill_id": drill.id}
        evidence = self.env["ipai.evidence"].with_user(self.sre)
        with self.assertRaises(UserError):
            evidence.create({**vals, "release_id": other.id})
        self.assertEqual(evidence.create(vals).drill_id, drill)
        with self.assertRaises(AccessError):
            evidence.with_user(self.dev).create(vals)

    def test_drills_of_another_company_stay_out_of_sight(self):
        drill = self.record(evidence_ids=[(0, 0, {"url": "https://ci.example.com/x"})])
        self.project.company_id = self.env["res.company"].create({"name": "Elsewhere"})
        self.env.flush_all()
        drill = drill.sudo()
        for record in (drill, drill.criterion_ids, drill.evidence_ids):
            mine = record.with_user(self.sre)
            self.assertNotIn(mine, mine.search([]))
        with self.assertRaises(AccessError):
            self.record()
