"""Production takes what was approved; what happened all the same is seen."""

import json
from datetime import timedelta

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged

from odoo.addons.ipai_release_gates.exceptions import GateRefused

from ..common import GateCase, sha

EVIDENCE = {"note": "The old version answers again."}


class DeploymentCase(GateCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.release = cls.open_release("deployed")
        cls.pass_gates(cls.release, "G1", "G2", "G3")

    def by_hand(self, release=None, environment="production", **vals):
        """An SRE records a deployment."""
        release = release or self.release
        return (
            self.env["ipai.deployment"]
            .with_user(self.sre)
            .create(
                {
                    "release_id": release.id,
                    "environment_id": self.environments[environment].id,
                    "external_id": f"by hand {release.name} {len(vals)}",
                    **vals,
                }
            )
        )

    def report(self, release, status="succeeded", user=None, **more):
        """The answer to a report of a production deployment; by CI unless said."""
        payload = {
            "environment": "production",
            "status": status,
            "external_id": "reported",
            **more,
        }
        event = (self.event if user else self.ci_event)(
            "deployment_event", payload, release
        )
        return self.send(user or self.ci, event)[0]

    def events(self, *types):
        events = self.env["ipai.environment.event"].search(
            [("environment_id", "=", self.environments["production"].id)], order="id"
        )
        return events.filtered(lambda event: not types or event.event_type in types)


class TestApproval(DeploymentCase):
    def test_a_person_deploys_what_every_gate_of_production_lets_through(self):
        deployment = self.by_hand(status="succeeded")
        self.assertFalse(deployment.is_unauthorised)
        self.assertFalse(self.release.incident_ids)

    def test_a_person_is_refused_and_told_every_unmet_condition(self):
        release = self.open_release()
        self.pass_g1(release)
        for status in ("in_progress", "succeeded", "failed", "rolled_back"):
            with self.assertRaises(GateRefused) as caught:
                self.by_hand(release, status=status)
            refusal = caught.exception.context["refusal"]
            self.assertIn("cannot be deployed", refusal["title"])
            self.assertEqual(
                self.named(*refusal["releases"], message=str(caught.exception)),
                self.unmet(release, "G1", "G2", "G3"),
            )
        self.assertFalse(release.deployment_ids)

    def test_by_hand_nothing_is_rolled_back_without_what_belongs_to_it(self):
        deployment = self.by_hand(status="succeeded")
        with self.assertRaisesRegex(UserError, "use Roll Back"):
            deployment.write({"status": "rolled_back"})
        with self.assertRaisesRegex(UserError, "use Roll Back"):
            self.by_hand(environment="staging", status="rolled_back")
        answer = self.report(
            self.release,
            "rolled_back",
            user=self.sre,
            external_id=deployment.external_id,
        )
        self.assertEqual(answer["status"], "rejected")
        self.assertEqual(answer["detail"]["field"], "payload.status")
        self.assertEqual(deployment.status, "succeeded")

    def test_a_refusal_is_left_to_both_ends_of_the_transaction_for_the_ledger(self):
        cr = self.env.cr
        release = self.open_release()
        before = len(cr.postcommit._funcs)
        with self.assertRaises(GateRefused):
            self.by_hand(release)
        self.assertEqual(len(cr.postcommit._funcs), before + 1)
        self.assertIs(cr.postcommit._funcs[-1], cr.postrollback._funcs[-1])

    def test_what_happened_unauthorised_does_not_count_for_g4(self):
        release = self.open_release()
        self.report(release)
        (incident,) = release.incident_ids
        self.assertTrue(release.deployment_ids.is_unauthorised)
        incident.with_user(self.sre).action_resolve()
        self.assertIn("G4:production_deployment", self.unmet(release))

    def test_a_person_is_refused_over_the_facade_too(self):
        release = self.open_release()
        for status in ("in_progress", "succeeded"):
            answer = self.report(release, status, user=self.sre)
            self.assertEqual(answer["http_status"], 403)
            for reason in self.judged(release).only(["G1", "G2", "G3"]).unmet:
                self.assertIn(reason[1].reason, answer["detail"]["message"])
        self.assertFalse(release.deployment_ids)

    def test_one_failing_check_is_enough_to_be_refused(self):
        self.check(self.release, "lint", "fail")
        with self.assertRaisesRegex(GateRefused, "`lint`"):
            self.by_hand()

    def test_a_cancelled_release_is_not_deployed(self):
        self.release.with_user(self.rm).action_cancel()
        with self.assertRaisesRegex(GateRefused, "cancelled"):
            self.by_hand()

    def test_other_environments_are_not_gated(self):
        release = self.open_release()
        for environment in ("dev", "staging"):
            self.assertTrue(self.by_hand(release, environment))
        self.assertFalse(release.incident_ids)

    def test_without_the_right_to_deploy_the_gates_are_not_even_told(self):
        release = self.open_release()
        for user in (self.dev, self.rm, self.auditor, self.ci):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.env["ipai.deployment"].with_user(user).create(
                    {
                        "release_id": release.id,
                        "environment_id": self.environments["production"].id,
                        "external_id": "x",
                    }
                )

    def test_ci_that_is_about_to_deploy_is_stopped(self):
        release = self.open_release()
        answer = self.report(release, "in_progress")
        self.assertEqual(
            (answer["status"], answer["http_status"], answer["detail"]["code"]),
            ("rejected", 403, "forbidden"),
        )
        self.assertIn("No build log", answer["detail"]["message"])
        self.assertFalse(release.deployment_ids)
        self.assertEqual(self.report(self.release, "in_progress")["status"], "accepted")

    def test_what_ci_did_all_the_same_is_recorded_with_an_incident(self):
        for status in ("succeeded", "failed", "rolled_back"):
            with self.subTest(status=status), self.undone():
                release = self.open_release()
                answer = self.report(release, status)
                self.assertEqual(answer["status"], "accepted")
                self.assertIs(answer["detail"]["unauthorised"], True)
                deployment = release.deployment_ids
                self.assertTrue(deployment.is_unauthorised)
                incident = release.incident_ids
                self.assertEqual(incident.deployment_id, deployment)
                self.assertEqual(
                    (incident.severity, incident.blocking, incident.status),
                    ("high", True, "open"),
                )
                self.assertEqual(incident.postmortem_status, "pending")
                self.assertIn("No build log", incident.entry_ids[-1].text)
                # It holds the promotions of every release of the project.
                self.assertIn("G3:no_open_incident", self.unmet(self.release, "G3"))
                entry = self.ledger(release, "deployment", "rollback")[-1]
                self.assertIs(json.loads(entry.body)["unauthorised"], True)

    def test_a_revision_that_is_no_longer_current_is_not_approved(self):
        old = self.release.source_ref
        self.release.with_user(self.rm).write({"source_ref": sha("newer")})
        self.pass_gates(self.release, "G1", "G2", "G3")
        answer = self.report(self.release, "in_progress", source_ref=old)
        self.assertEqual(answer["http_status"], 403)
        self.assertIn("not the release's current one", answer["detail"]["message"])
        self.report(self.release, "succeeded", source_ref=old)
        self.assertTrue(self.release.deployment_ids.is_unauthorised)

    def test_what_was_approved_when_it_began_is_not_judged_again_when_it_ends(self):
        self.report(self.release, "in_progress")
        self.check(self.release, "lint", "fail")
        answer = self.report(self.release, "succeeded")
        self.assertIs(answer["detail"]["unauthorised"], False)
        self.assertFalse(self.release.incident_ids)

    def test_without_a_stage_that_promotes_there_nothing_is_approved(self):
        self.stages["production"].environment_category = False
        with self.assertRaisesRegex(GateRefused, "No stage promotes"):
            self.by_hand()


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
        answer = self.report(self.release, "in_progress", rollback_of="bad")
        self.assertEqual(answer["status"], "accepted")
        self.assertEqual(self.bad.status, "succeeded")
        self.report(self.release, "succeeded", rollback_of="bad")
        self.assertEqual(self.bad.status, "rolled_back")
        self.assertFalse(self.release.deployment_ids.filtered("is_unauthorised"))

    def test_the_way_back_leads_to_nothing_that_never_ran_there(self):
        fresh = self.open_release()
        self.deploy(fresh, environment="staging")
        with self.assertRaises(GateRefused):
            self.by_hand(fresh, rollback_of_id=self.bad.id)
        answer = self.report(fresh, "in_progress", rollback_of="bad")
        self.assertEqual(answer["http_status"], 403)

    def test_what_ran_unauthorised_is_no_place_to_return_to(self):
        wild = self.open_release()
        self.report(wild, "succeeded", external_id="wild")
        with self.assertRaises(GateRefused):
            self.by_hand(wild, rollback_of_id=self.bad.id)

    def test_a_failed_deployment_is_no_place_to_return_to(self):
        answer = self.report(self.next, "succeeded", rollback_of="bad")
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
