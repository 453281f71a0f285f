"""The answers to deployments that wait at GitHub."""

from .common import GithubCase


class TestAnswers(GithubCase):
    def test_a_deployment_is_rejected_with_reasons_and_approved_when_run_again(
        self,
    ):
        release = self.ready("G1")
        protection, run = self.request(release)
        self.assertEqual([j.method_name for j in self.enqueued], ["_answer"])
        self.answer(protection)
        self.assertEqual(protection.state, "rejected")
        self.assertEqual(protection.release_id, release)
        [(state, comment)] = self.standin.reviews(run)
        self.assertEqual(state, "rejected")
        self.assertIn("Rejected: ", comment)
        self.assertIn("- G2: ", comment)
        self.assertIn("- G3: ", comment)
        self.assertIn(f"/odoo/releases/{release.id})", comment)

        found = self.jobs_of("_answer")(lambda: self.pass_gates(release, "G2", "G3"))
        self.assertTrue(found)
        self.assertEqual(set(found), {protection.sudo()})
        self.answer(protection)
        # GitHub got the approval too late: the rejected job has ended.
        approved = [c for c in self.standin.calls if (c.body or {}).get("state")][-1]
        self.assertEqual((approved.body["state"], approved.status), ("approved", 422))
        self.assertTrue(protection.is_settled)
        self.assertIn("run it again", protection.problem)

        again, _run = self.request(release, run=run)
        self.answer(again)
        self.assertEqual(again.state, "approved")
        self.assertEqual(
            [state for state, _comment in self.standin.reviews(run)],
            ["rejected", "approved"],
        )

    def test_a_deployment_that_may_wait_gets_reports_and_then_the_approval(self):
        self.repository.answer_mode = "wait"
        release = self.ready("G1", "G2")
        protection, run = self.request(release)
        self.answer(protection)
        self.assertEqual(protection.state, "waiting")
        self.assertEqual(protection.report_count, 1)
        [(state, comment)] = self.standin.reviews(run)
        self.assertEqual(state, "pending")
        self.assertIn("Waiting: ", comment)
        self.answer(protection)
        self.assertEqual(len(self.standin.reviews(run)), 1, "the same was told twice")
        self.evidence(self.rm, release, "rollback_plan", "G3")
        self.answer(protection)
        self.assertEqual(protection.report_count, 2)
        self.pass_g3(release)
        self.answer(protection)
        self.assertEqual(protection.state, "approved")
        self.assertEqual(self.standin.reviews(run)[-1][0], "approved")

    def test_no_more_reports_are_sent_than_github_takes(self):
        self.repository.answer_mode = "wait"
        release = self.ready("G1")
        protection, run = self.request(release)
        self.answer(protection)
        for number in range(11):
            self.check(release, f"extra {number}", "fail")
            self.answer(protection)
        self.assertEqual(protection.report_count, 10)
        self.assertEqual(len(self.standin.reviews(run)), 10)
        self.assertFalse(protection.problem)

    def test_at_the_deadline_what_waited_is_rejected(self):
        self.repository.write({"answer_mode": "wait", "deadline_hours": 2})
        release = self.ready("G1")
        protection, run = self.request(release)
        # No job is put off until then: the runner would sleep for as long.
        self.assertFalse(any(j.eta for j in self.enqueued))
        self.answer(protection)
        cron = self.env.ref("ipai_release_gates_github.ir_cron_github_overdue")
        for hours, found in ((1, []), (2.1, protection.ids), (3, [])):
            with self.scheduled(hours=hours):
                due = self.jobs_of("_answer")(cron.method_direct_trigger)
                self.assertEqual([job.id for job in due], found)
        with self.later(hours=2, seconds=1):
            self.answer(protection)
        self.assertEqual(protection.state, "rejected")
        self.assertEqual(self.standin.reviews(run)[-1][0], "rejected")

    def test_a_deployment_whose_gates_are_open_is_approved_at_once(self):
        release = self.ready()
        protection, run = self.request(release)
        self.answer(protection)
        [(state, comment)] = self.standin.reviews(run)
        self.assertEqual((state, protection.state), ("approved", "approved"))
        self.assertIn("may be deployed to production", comment)

    def test_the_target_decides_which_gates_count(self):
        release = self.ready("G1", "G2")
        for environment, state in (("staging", "approved"), ("production", "rejected")):
            protection, _run = self.request(release, environment)
            self.answer(protection)
            self.assertEqual(protection.state, state, environment)
        self.env["ipai.github.environment"].create(
            {"repository_id": self.repository.id, "name": "Dev", "target": "dev"}
        )
        protection, _run = self.request(self.ready("G2"), "dev")
        self.answer(protection)
        self.assertEqual(protection.state, "approved")

    def test_the_same_answer_is_not_sent_twice(self):
        release = self.ready("G1")
        protection, run = self.request(release)
        for _time in range(3):
            self.answer(protection)
        self.check(release, "lint", "fail")
        self.answer(protection)
        self.assertEqual(len(self.standin.reviews(run)), 1)
        self.assertEqual(len(self.paths()), 1)

    def test_an_approval_is_taken_back_while_github_lets_it(self):
        release = self.ready()
        protection, run = self.request(release)
        self.answer(protection)
        self.check(release, "lint", "fail")
        # Something else at GitHub still holds the job.
        self.standin.runs[run].state = "waiting"
        self.answer(protection)
        self.assertEqual(protection.state, "rejected")
        self.assertEqual(self.standin.reviews(run)[-1][0], "rejected")

    def test_an_approval_that_github_has_acted_on_stays_one(self):
        release = self.ready()
        protection, _run = self.request(release)
        self.answer(protection)
        self.check(release, "lint", "fail")
        self.answer(protection)
        self.assertEqual(protection.state, "approved")
        self.assertTrue(protection.is_settled)
        asked = len(self.standin.calls)
        self.answer(protection)
        self.assertEqual(len(self.standin.calls), asked)

    def test_what_was_failed_comes_first_among_the_reasons(self):
        release = self.ready("G1")
        self.check(release, "lint", "fail")
        protection, _run = self.request(release)
        self.answer(protection)
        first = next(li for li in protection.comment.splitlines() if li[:2] == "- ")
        self.assertIn("lint", first)
        self.assertLessEqual(len(protection.comment), 1024)
