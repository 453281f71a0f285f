"""When a waiting deployment is answered, and what cannot be judged yet."""

from datetime import timedelta

from odoo.addons.ipai_release_gates.tests.common import sha

from .common import GithubCase


class TestOccasions(GithubCase):
    # --- what cannot be judged yet ---------------------------------------------------

    def test_a_commit_that_no_release_has_is_reported_and_answered_when_one_has(self):
        commit = sha("later")
        protection, run = self.request(commit=commit)
        self.answer(protection)
        [(state, comment)] = self.standin.reviews(run)
        self.assertEqual((state, protection.state), ("pending", "waiting"))
        self.assertIn("No release has commit", comment)
        self.assertFalse(protection.release_id)

        found = self.jobs_of("_answer")(
            lambda: self.open_release("shop later", source_ref=commit)
        )
        self.assertEqual(set(found), {protection.sudo()})
        self.answer(protection)
        self.assertEqual(protection.state, "rejected")
        self.assertEqual(protection.release_id.name, "shop later")

    def test_a_release_that_is_revised_to_the_commit_is_judged(self):
        release = self.ready("G1")
        commit = sha("revised")
        protection, _run = self.request(commit=commit)
        self.answer(protection)
        event = self.ci_event(
            "revision",
            {"source_ref": commit, "authors": ["dev@example.com"]},
            release,
        )
        found = self.jobs_of("_answer")(lambda: self.must_send(self.ci, event))
        self.assertIn(protection.sudo(), found)
        self.answer(protection)
        self.assertEqual(protection.release_id, release)

    def test_a_commit_that_the_release_has_left_is_rejected(self):
        release = self.ready()
        former = release.source_ref
        event = self.ci_event(
            "revision",
            {"source_ref": sha("newer"), "authors": ["dev@example.com"]},
            release,
        )
        self.must_send(self.ci, event)
        protection, _run = self.request(commit=former)
        self.answer(protection)
        self.assertEqual(protection.state, "rejected")
        self.assertIn("has moved on to commit", protection.comment)

    def test_a_cancelled_release_is_rejected(self):
        release = self.ready()
        release.system_write({"status": "cancelled"})
        protection, _run = self.request(release)
        self.answer(protection)
        self.assertEqual(protection.state, "rejected")
        self.assertIn("is cancelled", protection.comment)

    def test_the_newest_open_release_speaks_for_a_commit(self):
        commit = sha("shared")
        older = self.open_release("shared 1", source_ref=commit)
        self.pass_gates(older, "G1", "G2", "G3")
        newer = self.open_release("shared 2", source_ref=commit)
        protection, _run = self.request(commit=commit)
        self.answer(protection)
        self.assertEqual(protection.release_id, newer)
        self.assertEqual(protection.state, "rejected")

    def test_an_environment_nobody_mapped_is_reported_and_answered_once_it_is(
        self,
    ):
        protection, run = self.request(self.ready(), "canary")
        self.answer(protection)
        self.assertEqual(protection.state, "waiting")
        self.assertIn("canary", self.standin.reviews(run)[0][1])

        def map_it():
            self.env["ipai.github.environment"].with_user(self.governance).create(
                {
                    "repository_id": self.repository.id,
                    "name": "Canary",
                    "target": "production",
                }
            )

        self.assertIn(protection.sudo(), self.jobs_of("_answer")(map_it))
        self.answer(protection)
        self.assertEqual(protection.state, "approved")

    # --- when ------------------------------------------------------------------------

    def test_time_and_policy_have_github_answered_too(self):
        self.repository.answer_mode = "wait"
        release = self.ready()
        protection, _run = self.request(release)
        self.answer(protection)
        self.assertEqual(protection.state, "approved")
        now = self.env.cr.now()

        def freeze():
            self.env["ipai.freeze.window"].with_user(self.governance).create(
                {
                    "name": "Feast",
                    "starts_at": now - timedelta(hours=1),
                    "ends_at": now + timedelta(hours=1),
                }
            )

        self.assertIn(protection.sudo(), self.jobs_of("_answer")(freeze))
        self.assertIn(
            protection.sudo(),
            self.jobs_of("_answer")(lambda: release._rejudge([], starts=False)),
        )

    def test_other_releases_have_nothing_answered(self):
        protection, _run = self.request(self.ready("G1"))
        self.answer(protection)
        other = self.open_release()
        self.assertFalse(self.jobs_of("_answer")(lambda: self.pass_g1(other)))

    def test_one_transaction_enqueues_one_job(self):
        release = self.ready("G1")
        protection, _run = self.request(release)
        self.env.cr.flush()
        jobs = self.env["queue.job"].search([]).ids
        self.pass_gates(release, "G2", "G3")
        self.env.cr.flush()
        new = self.env["queue.job"].search(
            [("id", "not in", jobs), ("method_name", "=", "_answer")]
        )
        self.assertEqual(len(new), 1)
        self.assertEqual(new.channel, "root.ipai")
        self.assertEqual(protection.state, "waiting")

    def test_a_job_that_asks_again_takes_the_place_of_its_former_request(self):
        self.repository.answer_mode = "wait"
        release = self.ready("G1")
        former, run = self.request(release)
        self.answer(former)
        later, _run = self.request(release, run=run)
        self.pass_gates(release, "G2", "G3")
        self.answer(former)
        self.assertEqual(former.state, "abandoned")
        self.assertTrue(former.is_settled)
        self.answer(later)
        self.assertEqual(later.state, "approved")

    def test_after_thirty_days_nothing_is_answered(self):
        protection, run = self.request(commit=sha("never"))
        with self.later(days=30, seconds=1):
            self.answer(protection)
        self.assertEqual(protection.state, "abandoned")
        self.assertEqual(self.standin.reviews(run), [])
