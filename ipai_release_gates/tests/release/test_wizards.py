"""The wizards do nothing that their user could not do otherwise, and say so clearly."""

import base64

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, tagged

from ...errors import GateRefused
from ..common import GateCase


@tagged("post_install", "-at_install")
class TestRecordEvidence(GateCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.release = cls.open_release()
        cls.types = {
            kind.code: kind for kind in cls.env["ipai.evidence.type"].search([])
        }

    def wizard(self, user, releases=None, **values):
        releases = self.release if releases is None else releases
        return (
            self.env["ipai.record.evidence.wizard"]
            .with_user(user)
            .with_context(active_model="ipai.release", active_ids=releases.ids)
            .create({"type_id": self.types["build_log"].id, **values})
        )

    def test_it_records_one_piece_of_evidence_on_each_chosen_release(self):
        releases = self.release | self.open_release()
        wizard = self.wizard(
            self.rm,
            releases,
            url="https://ci.example.com/log",
            gate_id=self.gates["G1"].id,
        )
        self.assertEqual(wizard.release_ids, releases)
        self.assertEqual(wizard.action_record()["tag"], "display_notification")
        for release in releases:
            evidence = release.evidence_ids
            self.assertEqual(evidence.type_code, "build_log")
            self.assertEqual(evidence.gate_id, self.gates["G1"])
            self.assertEqual(evidence.recorded_by_id, self.rm)
            self.assertEqual(evidence.revision_id, release.revision_id)

    def test_it_hashes_the_file_it_is_given(self):
        wizard = self.wizard(
            self.qa, content=base64.b64encode(b"all green"), filename="log.txt"
        )
        wizard.action_record()
        evidence = self.release.evidence_ids
        self.assertEqual(evidence.filename, "log.txt")
        self.assertEqual(evidence.size, 9)
        self.assertEqual(len(evidence.sha256), 64)

    def test_it_keeps_metadata_written_as_json(self):
        self.wizard(self.qa, metadata_text='{"status": "normal"}').action_record()
        self.assertEqual(self.release.evidence_ids.metadata, {"status": "normal"})

    def test_it_says_where_metadata_stops_being_json(self):
        wizard = self.wizard(self.qa, metadata_text='{"status": normal}')
        with self.assertRaisesRegex(ValidationError, "line 1, column 12"):
            wizard.action_record()

    def test_it_refuses_metadata_that_is_no_object(self):
        wizard = self.wizard(self.qa, metadata_text='["normal"]')
        with self.assertRaisesRegex(ValidationError, "must be a JSON object"):
            wizard.action_record()

    def test_it_says_what_the_metadata_of_a_type_may_hold(self):
        form = Form(self.env["ipai.record.evidence.wizard"].with_user(self.qa))
        form.type_id = self.types["monitoring_baseline"]
        self.assertEqual(form.metadata_hint, "status: normal | degraded | critical")
        form.type_id = self.types["fallback_timer"]
        self.assertEqual(form.metadata_hint, "minutes: 1–1440")
        form.type_id = self.types["build_log"]
        self.assertFalse(form.metadata_hint)

    def test_it_refuses_evidence_that_shows_nothing(self):
        with self.assertRaisesRegex(UserError, "an address, a file"):
            self.wizard(self.qa).action_record()

    def test_only_a_reference_may_speak_of_no_release(self):
        self.wizard(
            self.qa,
            self.release.browse(),
            type_id=self.types["reference"].id,
            url="https://example.com/handbook",
        ).action_record()
        evidence = self.env["ipai.evidence"].search([("type_code", "=", "reference")])
        self.assertFalse(evidence.release_id)

    def test_an_sre_records_evidence_for_g4_only(self):
        wizard = self.wizard(
            self.sre, url="https://ci.example.com/log", gate_id=self.gates["G1"].id
        )
        with self.assertRaisesRegex(
            UserError, "may send evidence for gate G4 or for no gate"
        ):
            wizard.action_record()

    def test_who_records_no_evidence_does_not_get_the_wizard(self):
        for user in (self.auditor, self.governance, self.ci):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.wizard(user, url="https://ci.example.com/log")

    def test_a_developer_cannot_reach_a_project_of_others_through_it(self):
        stranger = self.new_user("stranger", "group_developer")
        with self.assertRaises(AccessError):
            self.wizard(stranger, url="https://ci.example.com/log").action_record()
        self.assertFalse(self.release.evidence_ids)


@tagged("post_install", "-at_install")
class TestDecide(GateCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.release = cls.open_release()
        cls.pass_g1(cls.release)

    def wizard(self, user, **values):
        return (
            self.env["ipai.decide.wizard"]
            .with_user(user)
            .with_context(active_model="ipai.release", active_ids=self.release.ids)
            .create(values)
        )

    def test_it_offers_the_gates_the_users_personas_sign(self):
        for user, gate, persona in (
            (self.qa, "G2", "qa_tester"),
            (self.rm, "G3", "release_manager"),
        ):
            with self.subTest(user=user.login):
                wizard = self.wizard(user)
                self.assertEqual(wizard.allowed_gate_ids, self.gates[gate])
                self.assertEqual(wizard.gate_id, self.gates[gate])
                self.assertEqual(wizard.persona_id, self.personas[persona])

    def test_who_holds_two_personas_starts_at_the_first_gate_that_is_closed(self):
        both = self.new_user("both", "group_qa_tester", "group_release_manager")
        self.assertEqual(self.wizard(both).gate_id, self.gates["G2"])
        self.pass_g2(self.release)
        self.assertEqual(self.wizard(both).gate_id, self.gates["G3"])

    def test_the_criteria_are_those_of_the_gate_with_what_the_facts_say(self):
        lines = self.wizard(self.qa).line_ids
        self.assertEqual(
            lines.mapped("code"),
            ["acceptance_criteria", "defect_register", "test_evidence"]
            + ["no_failed_check"],
        )
        self.assertIn("No acceptance criteria recorded", lines[0].finding)

    def test_over_many_releases_it_counts_those_a_criterion_holds_for(self):
        other = self.open_release()
        self.evidence(self.qa, other, "acceptance_criteria", "G2")
        wizard = self.wizard(self.qa, release_ids=[(6, 0, (self.release | other).ids)])
        self.assertEqual(
            wizard.line_ids.mapped("finding"),
            ["Holds for 1 of 2 releases"]
            + ["Holds for 0 of 2 releases"] * 2
            + ["Holds for 2 of 2 releases"],
        )

    def test_an_approval_keeps_what_was_verified(self):
        wizard = self.wizard(self.qa)
        wizard.line_ids.verified = True
        wizard.action_decide()
        approval = self.release.approval_ids
        self.assertEqual(approval.approver_id, self.qa)
        self.assertEqual(approval.decision, "approved")
        self.assertEqual(
            approval.rationale_structured[0],
            {
                "code": "acceptance_criteria",
                "name": "Acceptance criteria mapped",
                "verified": True,
            },
        )

    def test_approving_what_was_not_verified_needs_a_rationale(self):
        wizard = self.wizard(self.qa)
        wizard.line_ids[1:].verified = True
        with self.assertRaisesRegex(UserError, "Acceptance criteria mapped"):
            wizard.action_decide()
        wizard.rationale_text = "The criteria are in the ticket."
        wizard.action_decide()
        kept = self.release.approval_ids.rationale_structured
        self.assertEqual([item["verified"] for item in kept], [False] + [True] * 3)

    def test_a_decision_against_needs_a_rationale(self):
        for decision in ("rejected", "request_changes"):
            with self.subTest(decision=decision):
                wizard = self.wizard(self.qa, decision=decision)
                with self.assertRaisesRegex(UserError, "what must change"):
                    wizard.action_decide()
                wizard.rationale_text = "Two defects are open."
                wizard.action_decide()
                latest = self.release.approval_ids.sorted("id")[-1]
                self.assertEqual(latest.decision, decision)

    def test_an_author_is_told_beforehand_and_refused_all_the_same(self):
        author = self.new_user(
            "author", "group_qa_tester", email="dev@example.com", name="Ann Author"
        )
        wizard = self.wizard(author)
        self.assertIn("is an author of revision", wizard.obstacle)
        wizard.line_ids.verified = True
        with self.assertRaisesRegex(AccessError, "is an author of revision"):
            wizard.action_decide()
        self.assertFalse(self.wizard(self.qa).obstacle)

    def test_the_criteria_are_judged_of_releases_in_sight_only(self):
        hidden = self.open_release()
        hidden.sudo().project_id.company_id = self.env["res.company"].create(
            {"name": "Other"}
        )
        wizard = (
            self.env["ipai.decide.wizard"]
            .with_user(self.qa)
            .new({"release_ids": [(6, 0, hidden.ids)]})
        )
        self.assertFalse(any(wizard.line_ids.mapped("finding")))

    def test_another_gate_than_those_offered_is_refused(self):
        wizard = self.wizard(self.qa)
        wizard.write({"gate_id": self.gates["G3"].id, "rationale_text": "Now!"})
        with self.assertRaises(UserError):
            wizard.action_decide()
        self.assertFalse(self.release.approval_ids)

    def test_who_signs_nothing_does_not_get_the_wizard(self):
        for user in (self.dev, self.sre, self.auditor, self.governance, self.ci):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.wizard(user)


@tagged("post_install", "-at_install")
class TestMove(GateCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.release = cls.bring_to(cls.open_release(), "qa_validation")

    def wizard(self, user, back=False, **values):
        return (
            self.env["ipai.move.wizard"]
            .with_user(user)
            .with_context(
                active_model="ipai.release",
                active_ids=self.release.ids,
                ipai_move_back=back,
            )
            .create(values)
        )

    def test_it_proposes_the_next_stage_or_the_one_before(self):
        forward, back = self.wizard(self.rm), self.wizard(self.rm, back=True)
        self.assertEqual(forward.stage_id, self.stages["staging_acceptance"])
        self.assertFalse(forward.is_back)
        self.assertEqual(back.stage_id, self.stages["build"])
        self.assertTrue(back.is_back)

    def test_it_offers_the_stages_the_users_personas_may_move_to(self):
        self.assertEqual(
            set(self.wizard(self.qa).allowed_stage_ids.mapped("code")),
            {"qa_validation"},
        )
        self.assertEqual(
            set(self.wizard(self.sre).allowed_stage_ids.mapped("code")), {"closed"}
        )

    def test_back_with_a_reason_moves_and_keeps_the_reason(self):
        self.wizard(self.rm, back=True, reason="Wrong branch").action_move()
        self.assertEqual(self.release.stage_id, self.stages["build"])
        self.assertEqual(self.release.move_reason, "Wrong branch")
        self.assertIn(
            "Wrong branch", self.ledger(self.release, "move_allowed")[-1].body
        )

    def test_back_without_a_reason_is_refused(self):
        with self.assertRaisesRegex(GateRefused, "needs a reason"):
            self.wizard(self.rm, back=True).action_move()
        self.assertEqual(self.release.stage_id, self.stages["qa_validation"])

    def test_forward_through_a_closed_gate_is_refused_with_every_condition(self):
        with self.assertRaises(GateRefused) as caught:
            self.wizard(self.rm).action_move()
        refused = caught.exception.context["refusal"]["releases"]
        self.assertEqual(
            self.named(*refused, message=str(caught.exception)),
            self.unmet(self.release, "G2"),
        )

    def test_forward_through_an_open_gate_moves(self):
        self.pass_g2(self.release)
        self.wizard(self.rm).action_move()
        self.assertEqual(self.release.stage_id, self.stages["staging_acceptance"])

    def test_who_moves_nothing_does_not_get_the_wizard(self):
        for user in (self.auditor, self.governance, self.ci):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.wizard(user)


@tagged("post_install", "-at_install")
class TestOperations(GateCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.release = cls.open_release("operated")
        cls.pass_gates(cls.release, "G1", "G2", "G3")

    def form(self, model, user, releases=None):
        releases = self.release if releases is None else releases
        return Form(
            self.env[model]
            .with_user(user)
            .with_context(active_model="ipai.release", active_ids=releases.ids)
        )

    def deployed(self):
        form = self.form("ipai.deploy.wizard", self.sre)
        form.reference = "run-1"
        form.status = "succeeded"
        form.save().action_deploy()
        return self.release.deployment_ids

    def test_a_deployment_goes_to_production_unless_said_otherwise(self):
        deployment = self.deployed()
        self.assertEqual(deployment.environment_id, self.environments["production"])
        self.assertEqual(deployment.recorded_by_id, self.sre)
        self.assertEqual(
            (deployment.external_id, deployment.status), ("run-1", "succeeded")
        )

    def test_what_holds_a_deployment_is_shown_before_and_refused_after(self):
        release = self.open_release()
        form = self.form("ipai.deploy.wizard", self.sre, release)
        form.reference = "run-1"
        self.assertIn("No build log", form.obstacle)
        with self.assertRaisesRegex(GateRefused, "No build log"):
            form.save().action_deploy()
        form.environment_id = self.environments["staging"]
        self.assertFalse(form.obstacle)
        form.save().action_deploy()
        self.assertEqual(release.deployment_ids.environment_category, "staging")

    def test_many_releases_are_deployed_under_a_reference_each(self):
        other = self.open_release()
        form = self.form("ipai.deploy.wizard", self.sre, self.release | other)
        form.reference = "run"
        form.environment_id = self.environments["staging"]
        form.save().action_deploy()
        for release in self.release | other:
            self.assertEqual(release.deployment_ids.external_id, f"run-{release.id}")

    def test_only_an_sre_deploys(self):
        for user in (self.dev, self.qa, self.rm, self.auditor, self.governance):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.form("ipai.deploy.wizard", user).save()

    def test_a_rollback_takes_what_runs_in_production(self):
        deployment = self.deployed()
        self.deploy(self.release, environment="staging")
        for user in (self.sre, self.rm):
            with self.subTest(user=user.login), self.undone():
                form = self.form("ipai.roll.back.wizard", user)
                form.trigger = "manual"
                form.reason = "Wrong prices"
                form.outcome = "partial"
                form.note = "Prices are right again, two orders were not."
                wizard = form.save()
                self.assertEqual(wizard.deployment_ids, deployment)
                wizard.action_roll_back()
                self.assertEqual(deployment.status, "rolled_back")
                self.assertEqual(deployment.rollback_outcome, "partial")
                self.assertEqual(deployment.rolled_back_by_id, user)
                self.assertTrue(deployment.evidence_ids.rollback_of_deployment)

    def test_a_rollback_without_evidence_is_none(self):
        deployment = self.deployed()
        form = self.form("ipai.roll.back.wizard", self.sre)
        form.trigger, form.reason, form.outcome = "manual", "Wrong", "failed"
        with self.assertRaisesRegex(UserError, "needs evidence"):
            form.save().action_roll_back()
        self.assertEqual(deployment.status, "succeeded")

    def test_a_rollback_opens_from_the_deployment_too(self):
        deployment = self.deploy(self.release, environment="staging")
        action = deployment.with_user(self.rm).action_open_roll_back()
        wizard = (
            self.env["ipai.roll.back.wizard"]
            .with_user(self.rm)
            .with_context(**action["context"])
            .create({"trigger": "manual", "reason": "Wrong", "outcome": "restored"})
        )
        self.assertEqual(wizard.deployment_ids, deployment)
        self.assertEqual(wizard.release_ids, self.release)

    def test_with_nothing_deployed_there_is_nothing_to_roll_back(self):
        form = self.form("ipai.roll.back.wizard", self.sre)
        form.trigger, form.reason, form.outcome = "manual", "Wrong", "failed"
        form.note = "x"
        with self.assertRaisesRegex(UserError, "Choose the deployments"):
            form.save().action_roll_back()

    def test_an_incident_opens_on_each_release_with_its_own_deployment(self):
        deployment = self.deployed()
        other = self.open_release()
        form = self.form("ipai.open.incident.wizard", self.sre, self.release | other)
        form.name = "Checkout is down"
        form.severity = "critical"
        form.deployment_id = deployment
        form.save().action_open()
        self.assertEqual(self.release.incident_ids.deployment_id, deployment)
        self.assertFalse(other.incident_ids.deployment_id)
        for release in self.release | other:
            self.assertEqual(release.incident_ids.postmortem_status, "pending")
            self.assertEqual(release.incident_ids.recorded_by_id, self.sre)

    def test_only_an_sre_opens_an_incident(self):
        for user in (self.dev, self.qa, self.rm, self.auditor, self.governance):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.form("ipai.open.incident.wizard", user).save()

    def test_the_form_of_a_drill_records_its_criteria(self):
        form = Form(self.env["ipai.recovery.drill"].with_user(self.sre))
        form.environment_id = self.environments["production"]
        form.outcome = "success"
        form.restore_validated = True
        form.log_url = "https://ops.example.com/drill"
        with form.criterion_ids.new() as criterion:
            criterion.name = "Starts"
            criterion.met = True
        self.assertEqual(form.save().criterion_ids.name, "Starts")
