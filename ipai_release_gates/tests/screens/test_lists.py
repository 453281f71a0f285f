"""Every list of a menu has filters and groupings, and opens on the important records.

The test reads an action as the web client does: its search view, as the user gets it,
with the default filters of its context.
"""

import hashlib
from datetime import timedelta

from ..common import GateCase, sha
from .list_tests import Lists, ListTests

#: Lists without a default filter → why they must show every record.
WHOLE = {
    "ipai_release_action": "the board: where every release stands is what it is for; "
    "what needs the reader is next to it, in Waiting for Me",
    "ipai_gate_action": "a vocabulary of a handful, read as a whole",
    "ipai_release_stage_action": "a vocabulary of a handful, in the board's order",
    "ipai_evidence_type_action": "a vocabulary that forms and events choose from",
    "ipai_persona_action": "a vocabulary of a handful, read as a whole",
    "ipai_expertise_domain_action": "a vocabulary that conditions choose from",
    "ipai_agent_capability_action": "a vocabulary, kept by whoever keeps the domains",
    "ipai_kpi_target_action": "one row a KPI at most, edited in place",
    "ipai_governance_coverage_action": "the whole model on one page; its order has "
    "the gaps on top",
    "ipai_project_action": "what is governed at all; whoever keeps projects is a "
    "member of none of them",
    "ipai_environment_action": "kept in place for every project; which of them need "
    "somebody is asked in Operations",
    "ipai_author_alias_action": "looked up by address; one left out would be entered "
    "twice",
    "ipai_outbound_host_action": "what this server may call; one left out would be "
    "an opening nobody sees",
}


class TestLists(ListTests, GateCase):
    whole, at_least = WHOLE, 34


class TestDefaults(Lists, GateCase):
    def test_deployments_open_on_what_runs_what_is_to_confirm_and_what_failed(self):
        release = self.bring_to(self.open_release(), "staging_acceptance")
        self.pass_g3(release)
        running = self.deploy(release, "in_progress", "dev")
        failed = self.deploy(release, "failed", "dev")
        calm = self.deploy(release, "succeeded", "dev")
        waiting = self.deploy(release)
        shown = self.shown("ipai_deployment_action", self.sre)
        shown &= running | waiting | failed | calm
        self.assertEqual(shown, running | waiting | failed)

    def test_a_failed_deployment_is_listed_for_a_week(self):
        with self.later(days=-8):
            failed = self.deploy(self.open_release(), "failed", "dev")
        self.assertNotIn(failed, self.shown("ipai_deployment_action", self.sre))

    def test_approvals_open_on_valid_ones(self):
        release = self.bring_to(self.open_release(), "qa_validation")
        for kind in ("acceptance_criteria", "defect_register", "test_result"):
            self.evidence(self.qa, release, kind, "G2")
        self.sign(self.qa, release, "G2", "rejected")
        [former] = release.approval_ids
        self.sign(self.qa, release, "G2")
        latest = release.approval_ids - former
        self.assertEqual(
            self.shown("ipai_approval_action", self.rm) & release.approval_ids, latest
        )
        for superseded, found in ((True, former), (False, latest)):
            domain = [("release_id", "=", release.id)]
            domain += [("is_superseded", "=", superseded)]
            self.assertEqual(self.env["ipai.approval"].search(domain), found)
        revision = {"source_ref": sha("new"), "authors": ["dev@example.com"]}
        self.must_send(self.ci, self.ci_event("revision", revision, release))
        self.assertFalse(
            self.shown("ipai_approval_action", self.rm) & release.approval_ids
        )

    def test_environments_open_on_those_that_need_work(self):
        ours = self.env["ipai.environment"].browse(
            environment.id for environment in self.environments.values()
        )
        ours.sudo().control_ids.system_write({"status": "pass"})
        name = "ipai_environment_action_operations"
        self.assertFalse(self.shown(name, self.sre) & ours)
        ended, bad = self.environments["dev"], self.environments["production"]
        ended.expires_at = self.env.cr.now() - timedelta(hours=1)
        bad.sudo().control_ids[:1].system_write({"status": "fail"})
        self.assertEqual(self.shown(name, self.sre) & ours, ended | bad)

    def test_webhooks_open_on_failing_disabled_and_incomplete_ones(self):
        name = "ipai_webhook_endpoint_action"
        failing = self.webhook()
        endpoints = failing.with_user(self.governance)
        new = endpoints.create({"name": "New", "url": "https://hooks.example.com/2"})
        off = endpoints.create({"name": "Off", "url": "https://hooks.example.com/3"})
        good = endpoints.create({"name": "Good", "url": "https://hooks.example.com/4"})
        archived = endpoints.create({"name": "Old", "url": "https://hooks.example.com"})
        good.action_rotate_secret()
        off.action_rotate_secret()
        off.sudo()._switch_off("It was not reached.")
        archived.active = False
        shown = self.shown(name, self.governance)
        ours = failing | new | off | good | archived
        self.assertEqual(shown & ours, failing | new | off)

    def test_webhook_sources_open_on_those_that_need_work(self):
        name = "ipai_webhook_source_action"
        source = self.webhook_source()
        self.assertIn(source, self.shown(name, self.governance))
        source.action_new_secret()
        self.assertNotIn(source, self.shown(name, self.governance))
        delivery = {
            "webhook_source_id": source.id,
            "user_id": self.ci.id,
            "payload_sha256": hashlib.sha256().hexdigest(),
            "status": "rejected",
        }
        Log = self.env["ipai.ingest.log"]
        now = self.env.cr.now()
        Log.system_create([{**delivery, "received_at": now - timedelta(days=8)}])
        self.assertNotIn(source, self.shown(name, self.governance))
        Log.system_create([{**delivery, "received_at": now}])
        self.assertIn(source, self.shown(name, self.governance))

    def test_verifications_open_on_all_faults_and_on_the_last_week(self):
        Verification = self.env["ipai.ledger.verification"]
        old = self.env.cr.now() - timedelta(days=30)
        base = {"scope": "governance", "started_at": old, "user_id": self.auditor.id}
        faulty, sound, recent = Verification.system_create(
            [
                {**base, "result": "faulty"},
                {**base, "result": "sound"},
                {**base, "result": "sound", "started_at": self.env.cr.now()},
            ]
        )
        shown = self.shown("ipai_ledger_verification_action", self.auditor)
        self.assertEqual(shown & (faulty | sound | recent), faulty | recent)
