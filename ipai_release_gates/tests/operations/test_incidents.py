"""An incident from its detection to its post-mortem, by hand and over the façade."""

import json
from datetime import timedelta

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged

from ..common import GateCase


class IncidentCase(GateCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.release = cls.open_release()
        cls.pass_gates(cls.release, "G1", "G2", "G3")

    def open(self, **vals):
        return (
            self.env["ipai.incident"]
            .with_user(self.sre)
            .create({"release_id": self.release.id, "name": "Down", **vals})
        )

    def report(self, status="open", user=None, release=None, **payload):
        """The answer to an incident event; from CI unless said otherwise."""
        payload = {
            "external_id": "INC-1",
            "severity": "medium",
            "status": status,
            "summary": "Checkout is slow",
            "detected_at": "2026-01-31T09:00:00Z",
            **payload,
        }
        event = (self.event if user else self.ci_event)(
            "incident", payload, release or self.release
        )
        del event["payload"]["source_ref"]
        return self.send(user or self.ci, event)[0]

    def incident(self):
        return self.env["ipai.incident"].search([("external_id", "=", "INC-1")])


class TestByHand(IncidentCase):
    def test_an_incident_is_open_until_it_is_resolved(self):
        incident = self.open()
        self.assertEqual(incident.status, "open")
        incident.action_resolve()
        self.assertEqual(incident.status, "resolved")
        self.assertEqual(incident.entry_ids.mapped("kind"), ["detected", "resolved"])
        with self.assertRaises(UserError):
            incident.action_resolve()

    def test_the_severe_ones_need_a_post_mortem(self):
        for severity, status in (
            ("low", "not_needed"),
            ("medium", "not_needed"),
            ("high", "pending"),
            ("critical", "pending"),
        ):
            incident = self.open(severity=severity)
            self.assertEqual(incident.postmortem_status, status)
            self.assertEqual(bool(incident.postmortem_due_at), status == "pending")

    def test_a_post_mortem_names_root_cause_and_outcome_of_a_resolved_incident(self):
        incident = self.open(severity="high")
        incident.write({"root_cause": "Full disk", "outcome": "Orders were late"})
        with self.assertRaisesRegex(UserError, "not resolved"):
            incident.action_complete_postmortem()
        incident.action_resolve()
        for missing in ("root_cause", "outcome"):
            with self.undone():
                incident.write({missing: False})
                with self.assertRaisesRegex(UserError, "root cause and the outcome"):
                    incident.action_complete_postmortem()
        incident.action_complete_postmortem()
        self.assertEqual(incident.postmortem_status, "complete")
        self.assertEqual(incident.postmortem_by_id, self.sre)
        self.assertEqual(incident.postmortem_at, self.env.cr.now())
        body = json.loads(self.ledger(self.release, "incident")[-1].body)
        self.assertEqual(body["postmortem"], "complete")
        with self.assertRaisesRegex(UserError, "complete"):
            incident.write({"root_cause": "Something else"})
        with self.assertRaisesRegex(UserError, "complete"):
            incident.action_complete_postmortem()

    def test_what_is_told_afterwards_is_in_the_ledger_too(self):
        incident = self.open()
        entries = len(self.ledger(self.release, "incident"))
        incident.write({"recovery_actions": "Cleaned the disk"})
        self.assertEqual(len(self.ledger(self.release, "incident")), entries + 1)

    def test_only_an_sre_works_on_an_incident(self):
        incident = self.open(severity="high")
        incident.action_resolve()
        for login in ("dev", "qa", "rm", "ci", "auditor", "governance"):
            mine = incident.with_user(self.users[login])
            for attempt in (
                lambda r=mine: r.write({"root_cause": "x"}),
                lambda r=mine: r.action_complete_postmortem(),
                lambda r=mine: r.action_resolve(),
                lambda r=mine: r.entry_ids.create({"incident_id": r.id, "text": "x"}),
            ):
                with self.subTest(role=login), self.assertRaises(AccessError):
                    attempt()

    def test_an_sre_adds_to_the_timeline_and_nobody_rewrites_it(self):
        incident = self.open()
        entry = incident.entry_ids.create(
            {"incident_id": incident.id, "kind": "action", "text": "Restarted"}
        )
        self.assertEqual(entry.author_id, self.sre)
        for attempt in (
            lambda: entry.write({"text": "x"}),
            lambda: entry.sudo().system_write({"text": "x"}),
            lambda: entry.sudo().unlink(),
        ):
            with self.assertRaises(AccessError):
                attempt()

    def test_an_entry_of_a_person_says_nothing_that_the_engine_says(self):
        incident = self.open()
        for wrong in (
            {"kind": "resolved"},
            {"kind": "detected"},
            {"kind": "review"},
            {"occurred_at": self.env.cr.now() + timedelta(minutes=1)},
            {"text": " "},
        ):
            vals = {"incident_id": incident.id, "text": "x", **wrong}
            with self.subTest(**wrong), self.assertRaises(ValidationError):
                incident.entry_ids.create(vals)

    def test_an_incident_lies_in_the_past_and_on_its_own_release(self):
        with self.assertRaises(ValidationError):
            self.open(detected_at=self.env.cr.now() + timedelta(minutes=1))
        other = self.open_release()
        deployment = self.deploy(other, environment="staging")
        with self.assertRaises(ValidationError):
            self.open(deployment_id=deployment.id)


class TestOverTheFacade(IncidentCase):
    def test_it_is_opened_updated_and_resolved_by_its_reference(self):
        self.deploy(self.release, external_id="d-1")
        answer = self.report(deployment="d-1")
        self.assertEqual(answer["status"], "accepted", answer)
        incident = self.incident()
        self.assertEqual(answer["detail"]["created"]["incidents"], incident.ids)
        self.assertEqual(answer["detail"]["incident_status"], "open")
        self.assertEqual(incident.name, "Checkout is slow")
        self.assertEqual(incident.deployment_id, self.release.deployment_ids)
        self.assertTrue(incident.blocking)
        self.assertEqual(incident.recorded_by_id, self.ci)
        self.assertIn("G3:no_open_incident", self.unmet(self.release))

        self.report(severity="critical", summary="Checkout is down")
        self.assertEqual(len(self.incident()), 1)
        self.assertEqual(incident.name, "Checkout is down")
        self.assertEqual(incident.postmortem_status, "pending")
        self.assertIn("critical", incident.entry_ids[-1].text)

        answer = self.report(
            "resolved",
            severity="critical",
            summary="Checkout is down",
            resolved_at="2026-01-31T10:00:00Z",
        )
        self.assertEqual(answer["detail"]["incident_status"], "resolved")
        self.assertEqual(str(incident.resolved_at), "2026-01-31 10:00:00")
        self.assertNotIn("G3:no_open_incident", self.unmet(self.release))
        bodies = [json.loads(e.body) for e in self.ledger(self.release, "incident")]
        self.assertEqual(
            [body["status"] for body in bodies], ["open", "open", "resolved"]
        )

    def test_a_severity_that_was_lowered_does_not_spare_the_post_mortem(self):
        self.report(severity="critical")
        self.report(severity="low")
        self.assertEqual(self.incident().severity, "low")
        self.assertEqual(self.incident().postmortem_status, "pending")

    def test_what_is_there_again_holds_again(self):
        self.report()
        self.report("resolved")
        self.assertNotIn("G3:no_open_incident", self.unmet(self.release))
        self.report()
        self.assertEqual(self.incident().status, "open")
        self.assertIn("G3:no_open_incident", self.unmet(self.release))
        self.assertIn("reopened", self.incident().entry_ids.mapped("kind"))

    def test_one_that_does_not_block_holds_nothing(self):
        self.report(blocking=False)
        self.assertFalse(self.incident().blocking)
        self.assertNotIn("G3:no_open_incident", self.unmet(self.release))
        self.report(blocking=True)
        self.assertIn("G3:no_open_incident", self.unmet(self.release))
        self.report()
        self.assertTrue(self.incident().blocking)

    def test_another_project_has_references_of_its_own(self):
        self.env["ipai.project"].create({"name": "acme/other"})
        other = self.open_release(project="acme/other")
        self.report()
        self.report(release=other)
        self.assertEqual(len(self.incident()), 2)

    def test_another_release_of_the_project_speaks_of_the_same_incident(self):
        self.report()
        self.report("resolved", release=self.open_release())
        self.assertEqual(self.incident().status, "resolved")
        self.assertEqual(self.incident().release_id, self.release)

    def test_a_fault_is_named(self):
        self.report("resolved")
        for field, wrong in (
            ("payload.deployment", {"deployment": "unheard-of"}),
            ("payload.detected_at", {"detected_at": "2999-01-01T00:00:00Z"}),
            (
                "payload.resolved_at",
                {"status": "resolved", "resolved_at": "2999-01-01T00:00:00Z"},
            ),
            (
                "payload.resolved_at",
                {"status": "resolved", "resolved_at": "2026-01-30T00:00:00Z"},
            ),
            ("payload.severity", {"severity": "urgent"}),
            ("payload.resolved_at", {"resolved_at": "2026-02-01T00:00:00Z"}),
        ):
            with self.subTest(**wrong):
                answer = self.report(**wrong)
                self.assertEqual(answer["http_status"], 400)
                self.assertEqual(answer["detail"]["field"], field)

    def test_an_sre_sends_incidents_and_other_people_do_not(self):
        self.assertEqual(self.report(user=self.sre)["status"], "accepted")
        for login in ("dev", "qa", "rm", "auditor", "governance"):
            answer = self.report(user=self.users[login])
            self.assertEqual(answer["http_status"], 403, login)

    def test_an_incident_on_a_commit_no_release_has_yet_waits(self):
        event = self.ci_event(
            "incident",
            {
                "external_id": "INC-2",
                "severity": "low",
                "status": "open",
                "summary": "Early",
                "detected_at": "2026-01-31T09:00:00Z",
                "source_ref": "ab" * 20,
            },
            project="acme/shop",
        )
        self.assertEqual(self.send(self.ci, event)[0]["status"], "pending")
        release = self.open_release(source_ref="ab" * 20)
        self.assertEqual(release.incident_ids.external_id, "INC-2")

    def test_a_kept_event_does_not_undo_what_came_since(self):
        answer = self.report(user=self.dev)
        self.assertEqual(answer["http_status"], 403)
        log = self.env["ipai.ingest.log"].browse(answer["ingest_id"])
        with self.later(minutes=1):
            self.report()
            self.report("resolved")
            self.dev.group_ids += self.env.ref("ipai_release_gates.group_sre")
            log.with_user(self.rm).action_reprocess()
        self.assertEqual(log.status, "rejected")
        self.assertEqual(self.incident().status, "resolved")


@tagged("post_install", "-at_install")
class TestFallbackTimer(IncidentCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.deployment = cls.deploy(cls.release)

    def ago(self, minutes):
        return self.env.cr.now() - timedelta(minutes=minutes)

    def broken(self, minutes, **vals):
        """An incident of the production deployment, detected some minutes ago."""
        vals = {"deployment_id": self.deployment.id, **vals}
        return self.open(detected_at=self.ago(minutes), **vals)

    def timer(self, minutes):
        self.evidence(
            self.sre,
            self.release,
            "fallback_timer",
            "G4",
            metadata={"minutes": minutes},
        )

    def run_cron(self):
        with self.enter_registry_test_mode():
            self.env.ref(
                "ipai_release_gates.ir_cron_fallback_timer"
            ).method_direct_trigger()

    def test_a_timer_that_ran_out_proposes_the_rollback_once(self):
        incident = self.broken(31)
        for _again in range(2):
            self.run_cron()
        self.assertTrue(incident.fallback_at)
        events = self.environments["production"].event_ids.filtered(
            lambda event: event.event_type == "alert_fired"
        )
        self.assertEqual(events.incident_id, incident)
        self.assertEqual(len(events), 1)
        proposed = self.release.activity_ids
        self.assertEqual(len(proposed), 1)
        self.assertEqual(proposed.user_id, self.sre)
        self.assertIn("fallback", incident.entry_ids.mapped("kind"))
        body = json.loads(self.ledger(self.release, "incident")[-1].body)
        self.assertIs(body["fallback_due"], True)

    def test_it_waits_half_an_hour_unless_the_evidence_says_otherwise(self):
        incident = self.broken(29)
        self.run_cron()
        self.assertFalse(incident.fallback_at)
        self.timer(10)
        self.run_cron()
        self.assertTrue(incident.fallback_at)

    def test_the_latest_timer_counts(self):
        incident = self.broken(31)
        self.timer(10)
        self.timer(60)
        self.run_cron()
        self.assertFalse(incident.fallback_at)

    def test_what_is_resolved_elsewhere_or_rolled_back_needs_no_fallback(self):
        staged = self.deploy(self.release, environment="staging")
        resolved = self.broken(40)
        resolved.action_resolve()
        elsewhere = self.broken(40, deployment_id=staged.id)
        nowhere = self.broken(40, deployment_id=False)
        back = self.broken(40)
        self.deployment.with_user(self.sre).action_roll_back(
            "incident", "Down", "restored", {"note": "It answers"}
        )
        self.run_cron()
        incidents = resolved | elsewhere | nowhere | back
        self.assertFalse(incidents.filtered("fallback_at"))
        self.assertFalse(self.release.activity_ids)
