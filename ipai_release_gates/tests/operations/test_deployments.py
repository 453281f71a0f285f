"""Deployments: production accepts approved revisions, and others are recorded."""

import json

from odoo.exceptions import AccessError, UserError

from ...errors import GateRefused
from ..common import sha
from .deployment_case import DeploymentCase


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
        answer = self.ci_deployment(
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
        self.ci_deployment(release)
        (incident,) = release.incident_ids
        self.assertTrue(release.deployment_ids.is_unauthorised)
        incident.with_user(self.sre).action_resolve()
        self.assertIn("G4:production_deployment", self.unmet(release))

    def test_a_person_is_refused_over_the_facade_too(self):
        release = self.open_release()
        for status in ("in_progress", "succeeded"):
            answer = self.ci_deployment(release, status, user=self.sre)
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
        answer = self.ci_deployment(release, "in_progress")
        self.assertEqual(
            (answer["status"], answer["http_status"], answer["detail"]["code"]),
            ("rejected", 403, "forbidden"),
        )
        self.assertIn("No build log", answer["detail"]["message"])
        self.assertFalse(release.deployment_ids)
        self.assertEqual(
            self.ci_deployment(self.release, "in_progress")["status"], "accepted"
        )

    def test_what_ci_did_all_the_same_is_recorded_with_an_incident(self):
        for status in ("succeeded", "failed", "rolled_back"):
            with self.subTest(status=status), self.undone():
                release = self.open_release()
                answer = self.ci_deployment(release, status)
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
        answer = self.ci_deployment(self.release, "in_progress", source_ref=old)
        self.assertEqual(answer["http_status"], 403)
        self.assertIn("not the release's current one", answer["detail"]["message"])
        self.ci_deployment(self.release, "succeeded", source_ref=old)
        self.assertTrue(self.release.deployment_ids.is_unauthorised)

    def test_what_was_approved_when_it_began_is_not_judged_again_when_it_ends(self):
        self.ci_deployment(self.release, "in_progress")
        self.check(self.release, "lint", "fail")
        answer = self.ci_deployment(self.release, "succeeded")
        self.assertIs(answer["detail"]["unauthorised"], False)
        self.assertFalse(self.release.incident_ids)

    def test_without_a_stage_that_promotes_there_nothing_is_approved(self):
        self.stages["production"].environment_category = False
        with self.assertRaisesRegex(GateRefused, "No stage promotes"):
            self.by_hand()
