"""Requests of GitHub to judge a deployment."""

from odoo.exceptions import AccessError

from odoo.addons.ipai_release_gates.tests.common import ROLES, sha

from .common import GithubCase


class TestRequests(GithubCase):
    def test_a_delivery_counts_once(self):
        protection, run = self.request(self.ready("G1"))
        answer = self.take(self.standin.payload(run), self.delivered)
        self.assertEqual(answer["status"], "duplicate")
        self.assertEqual(answer["protection"], protection.id)
        self.assertEqual(self.enqueued, [])

    def test_a_forged_callback_is_not_answered(self):
        release = self.ready()
        own = self.standin.api_url
        for forged in (
            "https://evil.example.com/repos/acme/shop/actions/runs/1/deployment_protection_rule",
            f"{own}.evil.example.com/repos/acme/shop/actions/runs/1/deployment_protection_rule",
            f"http://x@localhost:{self.standin.port}/repos/acme/shop/actions/runs/1/deployment_protection_rule",
            f"{own}/repos/acme/other/actions/runs/1/deployment_protection_rule",
            f"{own}/repos/acme/shop/../other/actions/runs/1/deployment_protection_rule",
            f"{own}/repos/acme/shop/actions/runs/1/deployment_protection_rule?x=1",
            f"{own}/repos/acme/shop/actions/runs/1/cancel",
            f"{own}/repos/acme/shop/actions/runs/0/deployment_protection_rule",
        ):
            with self.subTest(forged=forged):
                protection, _run = self.request(release, deployment_callback_url=forged)
                self.assertEqual(protection.state, "abandoned")
                self.assertIn("elsewhere", protection.problem)
                self.assertEqual(self.enqueued, [])
                # Nor when a person asks for it.
                protection.with_user(self.rm).action_answer()
                self.answer(protection)
                self.assertEqual(protection.state, "abandoned")
        self.assertFalse(self.standin.calls)

    def test_another_installation_is_not_answered(self):
        protection, _run = self.request(self.ready(), installation={"id": 7})
        self.assertEqual(protection.state, "abandoned")
        self.assertIn("installation 7", protection.problem)
        self.assertFalse(self.enqueued)

    def test_a_project_without_repository_says_so(self):
        self.repository.active = False
        protection, _run = self.request(self.ready())
        self.assertEqual(protection.state, "abandoned")
        self.assertIn("no repository at GitHub", protection.problem)
        self.repository.active = True
        protection.with_user(self.rm).action_answer()
        self.answer(protection)
        self.assertEqual(protection.state, "approved")

    def test_a_request_that_was_given_up_is_taken_again_with_its_delivery(
        self,
    ):
        self.repository.active = False
        protection, run = self.request(self.ready())
        told = self.standin.payload(run)
        again = self.take(told, self.delivered)
        self.assertEqual(again["status"], "rejected")
        self.assertIn("no repository at GitHub", again["message"])
        self.repository.active = True
        again = self.take(told, self.delivered)
        self.assertEqual(again["status"], "accepted")
        self.assertEqual(
            (again["protection"], again["state"]), (protection.id, "waiting")
        )
        self.assertEqual(len(self.enqueued), 1)
        self.answer(protection)
        self.assertEqual(protection.state, "approved")

    def test_a_payload_that_is_none_names_its_field(self):
        run = self.standin.start("acme/shop", "production", sha("x"), self.number)
        good = self.standin.payload(run)
        for field, wrong in (
            ("action", "created"),
            ("environment", None),
            ("environment", "x" * 256),
            ("environment", "a\0b"),
            ("environment", 7),
            ("deployment", []),
            ("deployment.sha", {"id": 1, "sha": "main"}),
            ("repository.full_name", {"full_name": "acme"}),
            ("installation.id", {"id": "1"}),
            ("installation.id", {"id": True}),
            ("installation.id", None),
            ("deployment_callback_url", None),
        ):
            with self.subTest(field=field, wrong=wrong):
                payload = {**good, field.split(".")[0]: wrong}
                answer = self.take(payload, f"wrong-{field}")
                self.assertEqual(answer["status"], "rejected")
                self.assertEqual(answer["field"], field)
        self.assertEqual(self.take([], "list")["status"], "rejected")

    def test_without_a_deployment_the_commit_of_the_workflow_counts(self):
        release = self.ready()
        protection, _run = self.request(release, deployment=None)
        self.answer(protection)
        self.assertEqual(protection.state, "approved")

    def test_nobody_makes_changes_or_deletes_a_request(self):
        protection, _run = self.request(self.ready("G1"))
        for user in [*self.users.values(), self.env.ref("base.user_root")]:
            record = protection.with_user(user)
            with self.assertRaises(AccessError):
                record.write({"state": "approved"})
            with self.assertRaises(AccessError):
                record.unlink()
            with self.assertRaises(AccessError):
                record.create({"project_id": self.project.id, "delivery": "x"})

    def test_those_who_may_have_github_answered_again(self):
        protection, _run = self.request(self.ready("G1"))
        for login in ROLES:
            record = protection.with_user(self.users[login])
            if login in ("rm", "sre", "governance"):
                self.assertEqual(len(self.jobs_of("_answer")(record.action_answer)), 1)
            else:
                with self.assertRaises(AccessError):
                    record.action_answer()
