"""The gates on commits at GitHub."""

from odoo.addons.ipai_release_gates.tests.common import sha
from odoo.addons.queue_job.tests.common import trap_jobs

from .common import GithubCase


class TestChecks(GithubCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.repository.report_as = "checks"
        cls.env.cr.flush()

    def report(self, release):
        with trap_jobs() as trap:
            release.with_user(self.ci)._report_to_github()
            self.enqueued = list(trap.enqueued_jobs)
        self.env.flush_all()

    def opened(self, *gates):
        with trap_jobs():
            release = self.open_release()
            self.pass_gates(release, *gates)
            self.env.cr.flush()
        return release

    def outcomes(self, release, commit=None):
        shown = self.standin.shown(commit or release.source_ref)
        return {
            code: run.get("conclusion") or run["status"] for code, run in shown.items()
        }

    def test_each_gate_is_a_check_run_on_the_commit(self):
        release = self.opened("G1", "G2")
        self.report(release)
        self.assertEqual(
            self.outcomes(release),
            {"G1": "success", "G2": "success", "G3": "in_progress", "G4": "queued"},
        )
        run = self.standin.shown(release.source_ref)["G3"]
        self.assertEqual(run["name"], "G3 Promotion Readiness")
        self.assertTrue(run["details_url"].endswith(f"/odoo/releases/{release.id}"))
        self.assertIn("not met", run["output"]["title"])
        self.assertIn("**", run["output"]["summary"])

    def test_only_what_changed_is_sent(self):
        release = self.opened("G1")
        self.report(release)
        self.standin.calls.clear()
        self.report(release)
        self.assertEqual(self.paths(), [])
        self.check(release, "lint", "fail")
        self.report(release)
        self.assertEqual(self.outcomes(release)["G1"], "failure")
        self.assertNotIn("/G4", str(self.paths()))

    def test_a_gate_that_opens_again_gets_a_new_run(self):
        release = self.opened("G1")
        self.report(release)
        former = self.standin.shown(release.source_ref)["G1"]["id"]
        release.check_ids.filtered(lambda c: c.name == "lint")
        self.project.required_checks = "unit_tests, lint, types"
        self.report(release)
        run = self.standin.shown(release.source_ref)["G1"]
        self.assertEqual(run["status"], "in_progress")
        self.assertNotEqual(run["id"], former)

    def test_a_bypassed_gate_is_neutral_and_names_the_exception(self):
        release = self.opened("G1")
        types = ("acceptance_criteria", "defect_register", "test_result")
        self.must_send(
            self.qa, *(self.evidence_event(release, code, "G2") for code in types)
        )
        exception = self.grant(release, "G2:qa_signoff")
        self.report(release)
        run = self.standin.shown(release.source_ref)["G2"]
        self.assertEqual(run["conclusion"], "neutral")
        self.assertIn(f"EX-{exception.id}", run["output"]["title"])

    def test_the_checks_of_a_commit_left_behind_are_closed(self):
        release = self.opened("G1")
        self.report(release)
        former = release.source_ref
        event = self.ci_event(
            "revision",
            {"source_ref": sha("next"), "authors": ["dev@example.com"]},
            release,
        )
        found = self.jobs_of("_report_to_github")(
            lambda: self.must_send(self.ci, event)
        )
        self.assertEqual(set(found), {release.sudo()})
        self.report(release)
        self.assertEqual(set(self.outcomes(release, former).values()), {"neutral"})
        self.assertEqual(len(self.outcomes(release)), 4)
        self.standin.calls.clear()
        self.report(release)
        self.assertEqual(self.paths(), [])

    def test_a_run_that_was_made_but_not_noted_is_found_again(self):
        release = self.opened("G1")
        with self.undone():
            self.report(release)
        self.env.invalidate_all()
        self.report(release)
        names = [run["name"] for run in self.standin.check_runs.values()]
        mine = [
            run["name"]
            for run in self.standin.check_runs.values()
            if run["head_sha"] == release.source_ref
        ]
        self.assertEqual(len(mine), 4, names)

    def test_what_comes_from_outside_is_shown_as_text(self):
        self.env["ipai.incident"].with_user(self.sre).create(
            {
                "release_id": (release := self.opened("G1", "G2")).id,
                "name": "<img src=x> @team [click](https://evil.example.com) `x`",
                "blocking": True,
            }
        )
        self.report(release)
        summary = self.standin.shown(release.source_ref)["G3"]["output"]["summary"]
        self.assertIn("\\<img src=x\\>", summary)
        self.assertNotIn("@team", summary)
        self.assertNotIn("](https://evil", summary)

    def test_commit_statuses_take_the_place_of_check_runs(self):
        self.repository.report_as = "statuses"
        self.standin.statuses.clear()
        release = self.opened("G1")
        self.report(release)
        self.report(release)
        states = {
            body["context"]: body["state"]
            for commit, body in self.standin.statuses
            if commit == release.source_ref
        }
        self.assertEqual(
            states,
            {
                "release-gates/G1": "success",
                "release-gates/G2": "pending",
                "release-gates/G3": "pending",
                "release-gates/G4": "pending",
            },
        )
        self.assertEqual(len(self.standin.statuses), 4)

    def test_nothing_is_shown_where_that_is_switched_off(self):
        self.repository.report_as = "none"
        release = self.open_release()
        self.assertFalse(
            self.jobs_of("_report_to_github")(lambda: self.pass_g1(release))
        )
        self.report(release)
        self.assertFalse(self.standin.calls)

    def test_an_outage_is_waited_for_and_told(self):
        release = self.opened("G1")
        self.standin.fail((503, {"Retry-After": "90"}, "check-runs"))
        self.report(release)
        [job] = self.enqueued
        self.assertEqual(job.method_name, "_report_to_github")
        self.assertFalse(self.outcomes(release))
        self.report(release)
        self.assertFalse(self.outcomes(release))
        with self.later(seconds=100):
            self.report(release)
        self.assertEqual(len(self.outcomes(release)), 4)
        checks = self.env["ipai.github.check"].search([("release_id", "=", release.id)])
        self.assertFalse(any(checks.mapped("problem")))

    def test_a_missing_permission_is_told(self):
        number = self.standin.install("acme/shop", deployments="write")
        self.repository.installation = str(number)
        release = self.opened("G1")
        self.report(release)
        checks = self.env["ipai.github.check"].search([("release_id", "=", release.id)])
        self.assertIn("permissions", " ".join(filter(None, checks.mapped("problem"))))
