"""What a screen offers is what its user can do, and what waits for them."""

from odoo.tests import tagged

from ..common import GateCase


@tagged("post_install", "-at_install")
class TestNextSteps(GateCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.release = cls.open_release()

    def steps(self, user, release=None):
        """``gate:code`` of each step that is offered, with its label."""
        release = (release or self.release).with_user(user)
        return {
            f"{step['gate']}:{step['code']}": step["label"]
            for step in release.next_steps
            if step.get("label")
        }

    def test_each_persona_is_offered_what_it_can_do(self):
        evidence = {
            "G1:build_log",
            "G2:acceptance_criteria",
            "G2:defect_register",
            "G2:test_evidence",
            "G3:rollback_plan",
            "G3:release_notes",
            "G4:monitoring_baseline",
            "G4:fallback_timer",
        }
        checks = {"G1:branch_build", "G1:required_checks", "G4:health_checks"}
        deployments = {"G4:production_deployment", "G4:confirmed_in_time"}
        g4 = {"G4:monitoring_baseline", "G4:fallback_timer"}
        for user, expected in (
            (self.dev, evidence | checks),
            (self.qa, evidence | {"G2:qa_signoff"}),
            (self.rm, evidence | {"G3:rm_signoff"}),
            (self.sre, g4 | deployments),
            (self.auditor, set()),
            (self.governance, set()),
        ):
            with self.subTest(user=user.login):
                self.assertEqual(set(self.steps(user)), expected)

    def test_a_step_opens_its_wizard_with_release_gate_and_type_set(self):
        step = next(
            step
            for step in self.release.with_user(self.qa).next_steps
            if step["code"] == "defect_register"
        )
        wizard = (
            self.env["ipai.record.evidence.wizard"]
            .with_user(self.qa)
            .with_context(**step["context"])
            .new()
        )
        self.assertEqual(step["action"], self._wizard_action("record_evidence"))
        self.assertEqual(wizard.release_ids._origin, self.release)
        self.assertEqual(wizard.gate_id._origin, self.gates["G2"])
        self.assertEqual(wizard.type_id._origin.code, "defect_register")

    def _wizard_action(self, name):
        action = f"ipai_release_gates.ipai_{name}_wizard_action"
        self.env.ref(action)
        return action

    def test_an_author_is_not_offered_to_sign(self):
        author = self.new_user("author", "group_qa_tester", email="dev@example.com")
        self.assertNotIn("G2:qa_signoff", self.steps(author))

    def test_a_closed_release_offers_nothing(self):
        self.release.with_user(self.rm).action_cancel()
        for user in (self.dev, self.qa, self.rm, self.sre):
            with self.subTest(user=user.login):
                self.assertFalse(self.steps(user))

    def test_every_action_a_step_names_exists(self):
        for user in (self.dev, self.qa, self.rm, self.sre):
            for step in self.release.with_user(user).next_steps:
                if step.get("action"):
                    self.assertEqual(
                        self.env.ref(step["action"])._name, "ir.actions.act_window"
                    )

    def test_a_release_waits_for_the_persona_its_next_gate_needs(self):
        for stage, waiting in (
            ("build", {"dev"}),
            ("qa_validation", {"qa"}),
            ("staging_acceptance", {"rm"}),
            ("production", {"sre"}),
            ("closed", set()),
        ):
            release = self.bring_to(self.open_release(), stage)
            with self.subTest(stage=stage):
                self.assertEqual(self._needed(release), waiting)

    def test_who_answers_for_what_is_met_is_not_waited_for(self):
        release = self.bring_to(self.open_release(), "staging_acceptance")
        self.assertEqual(self._needed(release), {"rm"})
        incident = {"release_id": release.id, "name": "Down", "severity": "high"}
        self.env["ipai.incident"].with_user(self.sre).create(incident)
        self.assertEqual(self._needed(release), {"rm", "sre"})

    def test_a_release_that_may_go_on_waits_for_those_who_move_it(self):
        release = self.bring_to(self.open_release(), "qa_validation")
        self.pass_g2(release)
        self.assertEqual(self._needed(release), {"rm"})

    def _needed(self, release):
        """Logins of those for whom the field and the search agree that it waits."""
        needed = set()
        for user in (self.dev, self.qa, self.rm, self.sre, self.auditor):
            mine = release.with_user(user)
            found = mine.search([("needs_me", "=", True), ("id", "=", release.id)])
            others = mine.search([("needs_me", "=", False), ("id", "=", release.id)])
            self.assertEqual(bool(found), mine.needs_me)
            self.assertEqual(bool(others), not mine.needs_me)
            if mine.needs_me:
                needed.add(user.login)
        return needed

    def test_a_release_too_long_in_its_stage_is_marked_and_found(self):
        stage = self.stages["build"]
        for days, rotting in (
            (stage.rotting_threshold_days - 1, False),
            (stage.rotting_threshold_days + 1, True),
        ):
            with self.subTest(days=days), self.later(days=days, hours=1):
                self.release.invalidate_recordset(["is_rotting", "rotting_days"])
                self.assertEqual(self.release.is_rotting, rotting)
                self.assertEqual(self.release.rotting_days, days)
                domain = [("id", "=", self.release.id), ("is_rotting", "=", True)]
                self.assertEqual(bool(self.release.search(domain)), rotting)

    def test_the_neighbours_of_a_stage_follow_its_sequence(self):
        self.assertFalse(self.release.previous_stage_id)
        self.assertEqual(self.release.next_stage_id, self.stages["qa_validation"])
        self.bring_to(self.release, "closed")
        self.assertEqual(self.release.previous_stage_id, self.stages["production"])
        self.assertFalse(self.release.next_stage_id)

    def test_a_description_is_editable_for_those_who_may_edit_it(self):
        for stage, editors in (("build", {"dev", "rm"}), ("qa_validation", {"rm"})):
            release = self.bring_to(self.open_release(), stage)
            with self.subTest(stage=stage):
                self.assertEqual(
                    {
                        login
                        for login in ("dev", "qa", "rm", "sre", "auditor")
                        if release.with_user(self.users[login]).is_editable
                    },
                    editors,
                )
