"""Time in each stage, and until when what is fresh stays so."""

from datetime import timedelta

from ..common import GateCase


class TestDurations(GateCase):
    def test_time_in_each_stage_is_counted_from_the_ledger(self):
        release = self.open_release()
        with self.later(hours=5):
            self.bring_to(release, "qa_validation")
        with self.later(hours=7):
            release.invalidate_recordset()
            spent = release.with_user(self.dev).duration_tracking
        self.assertEqual(
            spent,
            {
                str(self.stages["build"].id): 5 * 3600,
                str(self.stages["qa_validation"].id): 2 * 3600,
            },
        )

    def test_switching_tracking_off_leaves_no_move_out(self):
        release = self.open_release()
        self.pass_g1(release)
        stage = self.stages["qa_validation"]
        with self.later(hours=1):
            release.with_user(self.rm).with_context(
                tracking_disable=True, mail_notrack=True
            ).write({"stage_id": stage.id})
        with self.later(hours=4):
            release.invalidate_recordset()
            self.assertEqual(release.duration_tracking[str(stage.id)], 3 * 3600)

    def test_a_cancelled_release_spends_no_more_time_in_its_stage(self):
        release = self.open_release()
        with self.later(hours=2):
            release.with_user(self.rm).action_cancel()
        with self.later(hours=9):
            release.invalidate_recordset()
            spent = release.with_user(self.dev).duration_tracking
        self.assertEqual(spent, {str(self.stages["build"].id): 2 * 3600})

    def test_time_in_the_stages_of_many_releases_takes_no_more_queries(self):
        few = self.open_release() | self.open_release()
        many = few.union(*(self.open_release() for _number in range(10)))
        for releases in (few, many):
            self.env.invalidate_all()
            with self.assertQueryCount(3):
                releases.mapped("duration_tracking")

    def test_a_form_not_yet_saved_has_spent_no_time(self):
        self.assertFalse(self.env["ipai.release"].new().duration_tracking)

    def condition(self, release, gate, code):
        release.invalidate_recordset(["verdict_tree"])
        tree = release.with_user(self.rm).verdict_tree
        conditions = next(g["conditions"] for g in tree if g["code"] == gate)
        return next(c for c in conditions if c["code"] == code)

    def test_the_panel_is_told_until_when_evidence_is_fresh_enough(self):
        requirement = self.env.ref("ipai_release_gates.requirement_g2_test_evidence")
        release = self.open_release()
        self.evidence(self.qa, release, "test_result", "G2")
        self.assertNotIn("fresh_until", self.condition(release, "G2", "test_evidence"))
        requirement.freshness_hours = 24
        condition = self.condition(release, "G2", "test_evidence")
        until = release.evidence_ids.recorded_at + timedelta(hours=24)
        self.assertEqual(condition["fresh_until"], f"{until.isoformat()}Z")
        # The contract of the façade is not the panel's.
        told = self.verdict(release)["gates"][1]["conditions"]
        self.assertFalse([each for each in told if "fresh_until" in each])

    def test_what_is_missing_has_no_life_left(self):
        requirement = self.env.ref("ipai_release_gates.requirement_g2_test_evidence")
        requirement.freshness_hours = 24
        self.assertNotIn(
            "fresh_until", self.condition(self.open_release(), "G2", "test_evidence")
        )
