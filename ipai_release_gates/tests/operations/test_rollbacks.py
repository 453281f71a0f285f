"""Rollbacks: back to an earlier deployment, by a decision or after a deadline."""

import json
from datetime import timedelta

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged

from ...errors import GateRefused
from ..common import sha
from .deployment_case import DeploymentCase

EVIDENCE = {"note": "The old version answers again."}


class TestTheWayBack(DeploymentCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.good = cls.deploy(cls.release, external_id="good")
        cls.next = cls.open_release("next")
        cls.pass_gates(cls.next, "G1", "G2", "G3")
        cls.bad = cls.deploy(cls.next, external_id="bad")
        # Nothing may be promoted now.
        cls.env["ipai.incident"].with_user(cls.sre).create(
            {"release_id": cls.next.id, "name": "Down", "deployment_id": cls.bad.id}
        )

    def test_the_way_back_is_open_while_every_promotion_is_held(self):
        with self.assertRaises(GateRefused):
            self.by_hand(external_id="no way back")
        back = self.by_hand(rollback_of_id=self.bad.id, status="succeeded")
        self.assertFalse(back.is_unauthorised)
        self.assertEqual(self.bad.status, "rolled_back")
        self.assertEqual(self.bad.restored_id, back)
        self.assertEqual(self.next.status, "rolled_back")

    def test_ci_rolls_back_while_every_promotion_is_held(self):
        answer = self.ci_deployment(self.release, "in_progress", rollback_of="bad")
        self.assertEqual(answer["status"], "accepted")
        self.assertEqual(self.bad.status, "succeeded")
        self.ci_deployment(self.release, "succeeded", rollback_of="bad")
        self.assertEqual(self.bad.status, "rolled_back")
        self.assertFalse(self.release.deployment_ids.filtered("is_unauthorised"))

    def test_the_way_back_leads_to_nothing_that_never_ran_there(self):
        fresh = self.open_release()
        self.deploy(fresh, environment="staging")
        with self.assertRaises(GateRefused):
            self.by_hand(fresh, rollback_of_id=self.bad.id)
        answer = self.ci_deployment(fresh, "in_progress", rollback_of="bad")
        self.assertEqual(answer["http_status"], 403)

    def test_what_ran_unauthorised_is_no_place_to_return_to(self):
        wild = self.open_release()
        self.ci_deployment(wild, "succeeded", external_id="wild")
        with self.assertRaises(GateRefused):
            self.by_hand(wild, rollback_of_id=self.bad.id)

    def test_a_failed_deployment_is_no_place_to_return_to(self):
        answer = self.ci_deployment(self.next, "succeeded", rollback_of="bad")
        self.assertIs(answer["detail"]["unauthorised"], True)

    def test_a_rollback_happens_where_the_deployment_was_made(self):
        staged = self.deploy(self.next, environment="staging")
        with self.assertRaises(ValidationError):
            self.by_hand(environment="dev", rollback_of_id=staged.id)
        with self.assertRaises(GateRefused):
            self.by_hand(rollback_of_id=staged.id)


class TestRollback(DeploymentCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.deployment = cls.deploy(cls.release, external_id="first")

    def roll_back(self, user=None, deployment=None, **values):
        values = {
            "trigger": "incident",
            "reason": "Checkout fails",
            "outcome": "restored",
            "evidence": EVIDENCE,
            **values,
        }
        deployment = deployment or self.deployment
        return deployment.with_user(user or self.sre).action_roll_back(**values)

    def test_it_records_trigger_reason_outcome_and_evidence(self):
        for user in (self.sre, self.rm):
            with self.subTest(user=user.login), self.undone():
                evidence = self.roll_back(user)
                deployment = self.deployment
                self.assertEqual(deployment.status, "rolled_back")
                self.assertEqual(deployment.rollback_trigger, "incident")
                self.assertEqual(deployment.rollback_reason, "Checkout fails")
                self.assertEqual(deployment.rollback_outcome, "restored")
                self.assertEqual(deployment.rolled_back_by_id, user)
                self.assertEqual(deployment.rolled_back_at, self.env.cr.now())
                self.assertEqual(self.release.status, "rolled_back")
                self.assertEqual(evidence.type_code, "incident_report")
                self.assertEqual(evidence.deployment_id, deployment)
                self.assertEqual(evidence.recorded_by_id, user)
                self.assertEqual(evidence.revision_id, deployment.revision_id)
                body = json.loads(self.ledger(self.release, "rollback")[-1].body)
                self.assertEqual(
                    (body["rollback_of"], body["trigger"], body["outcome"]),
                    ("first", "incident", "restored"),
                )
                self.assertEqual(body["reason"], "Checkout fails")
                self.assertEqual(body["evidence"], [f"ipai.evidence,{evidence.id}"])
                event = self.events("rollback_trigger")
                self.assertEqual(event.deployment_id, deployment)
                self.assertEqual(event.data["trigger"], "incident")

    def test_a_decision_is_shown_by_a_reference(self):
        evidence = self.roll_back(
            trigger="manual", evidence={"url": "https://ops.example.com/1"}
        )
        self.assertEqual(evidence.type_code, "reference")

    def test_without_reason_outcome_trigger_or_evidence_nothing_is_recorded(self):
        for wrong in (
            {"trigger": "boredom"},
            {"trigger": None},
            {"reason": ""},
            {"reason": " "},
            {"reason": None},
            {"outcome": "fine"},
            {"evidence": {}},
            {"evidence": None},
            {"evidence": {"note": ""}},
            {"evidence": {**EVIDENCE, "recorded_by_id": 1}},
            {"evidence": {"url": "javascript:alert(1)"}},
        ):
            with self.subTest(**wrong), self.assertRaises(UserError), self.undone():
                self.roll_back(**wrong)
        self.assertEqual(self.deployment.status, "succeeded")
        self.assertFalse(self.deployment.evidence_ids)

    def test_who_is_neither_sre_nor_release_manager_rolls_nothing_back(self):
        for user in (self.dev, self.qa, self.ci, self.auditor, self.governance):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.roll_back(user)

    def test_it_names_the_earlier_deployment_that_runs_again(self):
        other = self.open_release()
        self.pass_gates(other, "G1", "G2", "G3")
        with self.later(hours=1):
            later = self.deploy(other, external_id="later")
        staged = self.deploy(other, environment="staging")
        for wrong in (later, staged):
            with self.assertRaises(UserError):
                self.roll_back(deployment=wrong, restored_id=wrong.id)
        with self.assertRaises(UserError):
            self.roll_back(restored_id=later.id)
        self.roll_back(deployment=later, restored_id=self.deployment.id)
        self.assertEqual(later.restored_id, self.deployment)
        body = json.loads(self.ledger(other, "rollback")[-1].body)
        self.assertEqual(body["restored"], "first")

    def test_nothing_is_rolled_back_twice(self):
        self.roll_back()
        with self.assertRaisesRegex(UserError, "already"):
            self.roll_back()

    def test_a_later_revision_does_not_become_that_of_the_evidence(self):
        revision = self.release.revision_id
        self.release.with_user(self.rm).write({"source_ref": sha("later")})
        self.assertEqual(self.roll_back().revision_id, revision)

    def test_every_step_of_a_deployment_is_an_event_of_its_environment(self):
        self.deploy(self.release, "in_progress", external_id="second")
        self.deploy(self.release, "succeeded", external_id="second")
        self.deploy(self.release, "succeeded", external_id="second")
        second = self.release.deployment_ids.filtered(
            lambda each: each.external_id == "second"
        )
        events = self.events().filtered(lambda event: event.deployment_id == second)
        self.assertEqual(
            events.mapped("event_type"), ["deploy_start", "deploy_complete"]
        )
        self.assertEqual(events.mapped("release_id"), self.release)


@tagged("post_install", "-at_install")
class TestDeadline(DeploymentCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.cron = cls.env.ref("ipai_release_gates.ir_cron_g4_deadline")
        cls.activity_type = cls.env.ref(
            "ipai_release_gates.activity_type_propose_rollback"
        )

    def overdue(self, release=None, **more):
        at = self.env.cr.now() - timedelta(hours=25)
        return self.deploy(
            release or self.release, deployed_at=f"{at.isoformat()}Z", **more
        )

    def run_cron(self):
        with self.enter_registry_test_mode():
            self.cron.method_direct_trigger()

    def proposals(self, release=None):
        release = release or self.release
        return release.activity_ids.filtered(
            lambda activity: activity.activity_type_id == self.activity_type
        )

    def test_what_nobody_confirmed_in_time_fails_g4_and_the_sre_is_told(self):
        deployment = self.overdue()
        version = self.release.fact_version
        self.run_cron()
        self.assertEqual(deployment.g4_status, "failed")
        self.assertTrue(deployment.deadline_missed_at)
        self.assertEqual(self.status(self.release, "G4"), "failed")
        self.assertGreater(self.release.fact_version, version)
        body = json.loads(self.ledger(self.release, "deployment")[-1].body)
        self.assertEqual(body["g4_status"], "failed")
        self.assertEqual(self.proposals().user_id, self.sre)
        self.assertEqual(self.events("alert_fired").deployment_id, deployment)

    def test_run_twice_it_does_nothing_more(self):
        self.overdue()
        self.run_cron()
        entries, events = len(self.ledger(self.release)), len(self.events())
        self.run_cron()
        self.assertEqual(len(self.ledger(self.release)), entries)
        self.assertEqual(len(self.events()), events)
        self.assertEqual(len(self.proposals()), 1)

    def test_the_owner_of_the_environment_is_told_instead_of_every_sre(self):
        self.environments["production"].owner_id = self.rm
        self.overdue()
        self.run_cron()
        self.assertEqual(self.proposals().user_id, self.rm)

    def test_an_owner_who_cannot_see_the_release_is_not_the_only_one_told(self):
        self.environments["production"].owner_id = self.new_user("landlord")
        self.overdue()
        self.run_cron()
        self.assertEqual(self.proposals().user_id, self.sre)

    def test_what_is_confirmed_rolled_back_not_due_or_elsewhere_is_left_alone(self):
        confirmed, due, gone, staged = (self.open_release() for _each in range(4))
        for release in (confirmed, due, gone):
            self.pass_gates(release, "G1", "G2", "G3")
        self.pass_g4(confirmed)
        self.deploy(due)
        self.overdue(gone, external_id="gone")
        self.deploy(gone, "rolled_back", external_id="gone")
        self.overdue(staged, environment="staging")
        self.run_cron()
        releases = confirmed | due | gone | staged
        self.assertFalse(releases.deployment_ids.filtered("deadline_missed_at"))
        self.assertFalse(self.proposals(releases))
        self.assertEqual(confirmed.deployment_ids.g4_status, "passed")

    def test_a_verdict_that_failed_g4_first_does_not_keep_the_sre_in_the_dark(self):
        deployment = self.overdue()
        self.health(self.release)
        self.assertEqual(deployment.g4_status, "failed")
        self.run_cron()
        self.assertTrue(self.proposals())

    def test_what_something_newer_replaced_fails_but_is_nothing_to_roll_back(self):
        deployment = self.overdue()
        newer = self.open_release()
        self.pass_gates(newer, "G1", "G2", "G3")
        self.deploy(newer)
        self.run_cron()
        self.assertEqual(deployment.g4_status, "failed")
        self.assertFalse(self.proposals())

    def test_a_run_that_was_cut_off_goes_on_with_the_rest(self):
        other = self.open_release()
        self.pass_gates(other, "G1", "G2", "G3")
        first, second = self.overdue(), self.overdue(other)
        first._miss_deadline()
        self.run_cron()
        self.assertTrue(first.deadline_missed_at and second.deadline_missed_at)
        self.assertEqual(
            self.events("alert_fired").deployment_id.sorted("id"), first | second
        )
        self.assertEqual(len(self.events("alert_fired")), 2)

    def test_nobody_but_the_scheduler_does_scheduled_work(self):
        deployment = self.overdue()
        for name in ("g4_deadline", "fallback_timer", "environment_lifetime"):
            cron = self.env.ref(f"ipai_release_gates.ir_cron_{name}")
            for user in (self.dev, self.sre, self.governance):
                action = cron.ir_actions_server_id.with_user(user)
                with (
                    self.subTest(cron=name, user=user.login),
                    self.assertRaises(AccessError),
                ):
                    action.run()
        self.assertFalse(deployment.deadline_missed_at)

    def test_a_rollback_settles_the_proposal(self):
        deployment = self.overdue()
        self.run_cron()
        deployment.with_user(self.sre).action_roll_back(
            "g4_deadline", "Not confirmed", "restored", EVIDENCE
        )
        self.assertFalse(self.proposals())

    def test_the_form_counts_down_to_the_deadline(self):
        deployment = self.deploy(self.release)
        self.assertEqual(deployment.g4_countdown, "24:00 h left")
        with self.later(hours=25, minutes=5):
            deployment.invalidate_recordset(["g4_countdown"])
            self.assertEqual(deployment.g4_countdown, "1:05 h overdue")
