"""What GitHub is told about deployments that wait, and about gates on commits."""

import json
from datetime import timedelta

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from psycopg2 import IntegrityError

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import mute_logger

from odoo.addons.queue_job.tests.common import trap_jobs

from ..common import ROLES, GateCase, sha
from ..github_standin import Standin


class GithubCase(GateCase):
    """A stand-in for GitHub, and ``acme/shop`` connected to it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.standin = cls.enterClassContext(Standin())
        cls.env["ipai.outbound.host"].create(
            {
                "name": "localhost",
                "port": cls.standin.port,
                "is_internal": True,
                "is_plain": True,
            }
        )
        cls.number = cls.standin.install("acme/shop")
        cls.app = cls.env["ipai.github.app"].create(
            {
                "name": "Gates",
                "client_id": cls.standin.client_id,
                "api_url": cls.standin.api_url,
                "private_key_pem": cls.standin.pem,
            }
        )
        cls.repository = cls.env["ipai.github.repository"].create(
            {
                "project_id": cls.project.id,
                "app_id": cls.app.id,
                "installation": str(cls.number),
                "report_as": "none",
            }
        )
        cls.env.cr.flush()

    def setUp(self):
        super().setUp()
        self.standin.calls.clear()
        self.asked = 0

    def request(self, release=None, environment="production", run=None, **payload):
        """A job begins to wait at GitHub, which tells so.

        :param run: run again, instead of a new one
        :returns: the record, and the run
        """
        commit = release.source_ref if release else sha("unknown")
        commit = payload.pop("commit", commit)
        if run:
            told = self.standin.rerun(run)
        else:
            run = self.standin.start("acme/shop", environment, commit, self.number)
            told = self.standin.payload(run)
        self.asked += 1
        answer = self.take({**told, **payload}, f"delivery-{run}-{self.asked}")
        protections = self.env["ipai.github.protection"]
        return protections.browse(answer.get("protection")), run

    def take(self, payload, delivery):
        """What the webhook's controller does with a verified delivery."""
        self.delivered = delivery
        Protection = self.env["ipai.github.protection"].with_user(self.ci)
        with trap_jobs() as trap:
            # Anything with the project of the secret that signed.
            answer = Protection._requested(self.repository, delivery, payload)
            self.env.cr.flush()
            self.enqueued = list(trap.enqueued_jobs)
        return answer

    def answer(self, protection, user=None):
        """Run the job, as whoever caused it."""
        with trap_jobs() as trap:
            protection.with_user(user or self.ci)._answer()
            self.enqueued = list(trap.enqueued_jobs)
        self.env.flush_all()

    def jobs_of(self, method):
        """A function that tells which records get jobs for a method while it runs."""

        def run(act):
            with trap_jobs() as trap:
                act()
                self.env.cr.flush()
                found = [
                    j.recordset for j in trap.enqueued_jobs if j.method_name == method
                ]
            return found

        return run

    def paths(self):
        """What the stand-in was asked, without tokens."""
        return [
            (call.method, call.path, call.status)
            for call in self.standin.calls
            if "access_tokens" not in call.path
        ]

    def ready(self, *gates):
        release = self.open_release()
        self.pass_gates(release, *(gates or ("G1", "G2", "G3")))
        return release


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
        # GitHub was told, and waits no longer: the rejected job has ended.
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
        cron = self.env.ref("ipai_release_gates.ir_cron_github_overdue")
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

    # --- what GitHub says ------------------------------------------------------------

    def test_a_cancelled_run_is_abandoned(self):
        protection, run = self.request(self.ready())
        self.standin.runs[run].state = "cancelled"
        self.answer(protection)
        self.assertEqual(protection.state, "abandoned")
        self.assertIn("422", protection.problem)

    def test_an_answer_that_was_taken_but_not_noted_is_not_sent_again(self):
        protection, run = self.request(self.ready())
        with self.undone():
            self.answer(protection)
        self.env.invalidate_all()
        self.assertEqual(protection.state, "waiting")
        self.answer(protection)
        self.assertEqual(protection.state, "approved")
        self.assertEqual(len(self.standin.reviews(run)), 1)
        self.assertIn("may be deployed", protection.comment)

    def test_what_fails_on_the_way_is_tried_again_later(self):
        protection, run = self.request(self.ready())
        self.standin.fail((502, {}))
        self.answer(protection)
        [again] = self.enqueued
        self.assertEqual(protection.attempt_count, 1)
        self.assertGreater(again.eta, protection.next_try_at)
        self.assertIn("502", protection.problem)
        # Whatever else happens meanwhile waits for that attempt.
        self.answer(protection)
        self.assertEqual(self.standin.reviews(run), [])
        self.assertEqual(self.enqueued, [])
        with self.later(hours=1):
            self.answer(protection)
        self.assertEqual(protection.state, "approved")
        self.assertEqual((protection.attempt_count, protection.problem), (0, False))

    def test_pauses_grow_but_stay_within_minutes(self):
        self.standin.fail(*[(500, {})] * 8)
        protection, _run = self.request(self.ready())
        pauses = []
        for hours in range(8):
            with self.later(hours=hours) as now:
                self.answer(protection)
                pauses.append((protection.next_try_at - now).total_seconds())
        self.assertLess(pauses[0], 10)
        self.assertGreater(pauses[2], pauses[0])
        self.assertLess(max(pauses), 20 * 60)

    def test_the_pause_that_github_asks_for_is_kept_to(self):
        for status, headers in (
            (429, {"Retry-After": "1800"}),
            (403, {"Retry-After": "1800"}),
        ):
            protection, _run = self.request(self.ready())
            self.standin.fail((status, headers, "deployment_protection_rule"))
            self.answer(protection)
            pause = protection.next_try_at - self.env.cr.now()
            self.assertGreaterEqual(pause, timedelta(seconds=1800))

    def test_a_rate_limit_lasts_until_its_reset(self):
        import time

        protection, _run = self.request(self.ready())
        reset = str(int(time.time()) + 1200)
        self.standin.fail(
            (
                403,
                {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset},
                "deployment_protection_rule",
            )
        )
        self.answer(protection)
        pause = protection.next_try_at - self.env.cr.now()
        self.assertGreater(pause, timedelta(seconds=1000))

    def test_a_token_that_was_taken_back_is_replaced(self):
        first, _run = self.request(self.ready())
        self.answer(first)
        self.standin.installations[self.number].tokens.clear()
        second, _run = self.request(self.ready())
        self.answer(second)
        self.assertEqual(second.state, "approved")

    def test_a_token_is_asked_for_once(self):
        for _time in range(3):
            protection, _run = self.request(self.ready())
            self.answer(protection)
        asked = [c for c in self.standin.calls if "access_tokens" in c.path]
        self.assertLessEqual(len(asked), 1)
        for call in asked:
            self.assertEqual(call.body["repositories"], ["shop"])
            self.assertEqual(
                call.body["permissions"], {"actions": "read", "deployments": "write"}
            )

    def test_a_revoked_installation_is_told_and_answered_once_it_is_back(self):
        number = self.standin.install("acme/shop")
        self.repository.installation = str(number)
        self.number = number
        protection, run = self.request(self.ready())
        self.standin.revoke(number)
        self.answer(protection)
        self.assertEqual(protection.state, "waiting")
        self.assertIn(f"no installation {number}", protection.problem)
        self.assertEqual(self.enqueued, [], "trying again by itself is useless")
        self.standin.installations[number] = self.standin.installations[
            self.standin.install("acme/shop")
        ]
        found = self.jobs_of("_answer")(protection.with_user(self.sre).action_answer)
        self.assertEqual(len(found), 1)
        self.standin.runs[run].installation = self.standin.installations[number].number
        self.answer(protection)
        self.assertEqual(protection.state, "approved")

    def test_a_missing_permission_is_told(self):
        number = self.standin.install("acme/shop", deployments="read", actions="read")
        self.repository.installation = str(number)
        self.number = number
        protection, _run = self.request(self.ready())
        self.answer(protection)
        self.assertEqual(protection.state, "waiting")
        self.assertIn("permissions", protection.problem)

    def test_a_host_that_is_not_allowed_any_more_is_not_called(self):
        protection, _run = self.request(self.ready())
        self.env["ipai.outbound.host"].search([]).active = False
        self.answer(protection)
        self.assertFalse(self.standin.calls)
        self.assertIn("allowed it as a host", protection.problem)

    def test_a_server_that_does_not_answer_is_tried_again(self):
        self.env["ipai.outbound.host"].create(
            {"name": "localhost", "port": 9, "is_internal": True, "is_plain": True}
        )
        protection, _run = self.request(self.ready())
        self.app.api_url = "http://localhost:9"
        protection.system_write(
            {
                "callback_url": protection.callback_url.replace(
                    str(self.standin.port), "9"
                )
            }
        )
        self.answer(protection)
        self.assertEqual(protection.attempt_count, 1)
        self.assertIn("refused", protection.problem)


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

    def test_a_request_that_was_given_up_is_asked_anew_when_it_is_delivered_again(self):
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


class TestConfiguration(GithubCase):
    def test_the_key_is_read_by_nobody(self):
        secret = self.standin.pem.splitlines()[3]
        stored = self.app.private_key
        self.assertIn(secret, stored)
        users = [*self.users.values(), self.env.ref("base.user_admin")]
        for user in users:
            apps = self.env["ipai.github.app"].with_user(user)
            for attempt in (
                lambda apps=apps: apps.browse(self.app.id).read(["private_key"]),
                lambda apps=apps: apps.browse(self.app.id).private_key,
                lambda apps=apps: apps.search([("private_key", "like", secret)]),
                lambda apps=apps: apps.search([], order="private_key"),
                lambda apps=apps: apps.browse(self.app.id).export_data(["private_key"]),
                lambda apps=apps: apps._read_group([], ["private_key"]),
                lambda apps=apps: apps.browse(self.app.id).write({"private_key": "x"}),
            ):
                with self.subTest(user=user.login), self.assertRaises(UserError):
                    attempt()
            if apps.has_access("read"):
                told = json.dumps(apps.browse(self.app.id).read(), default=str)
                self.assertNotIn(secret, told)
                self.assertNotIn("private_key", apps.fields_get())
        entries = self.env["ipai.ledger.entry"].search([("release_id", "=", False)])
        bodies = " ".join(entries.mapped("body"))
        self.assertIn(self.app.key_fingerprint, bodies)
        self.assertNotIn(secret, bodies)

    def test_a_key_that_was_just_entered_is_not_answered_back(self):
        app = self.app.with_user(self.governance)
        [told] = app.web_save(
            {"private_key_pem": self.standin.pem},
            {"private_key_pem": {}, "key_fingerprint": {}},
        )
        self.assertFalse(told["private_key_pem"])
        self.assertEqual(told["key_fingerprint"], self.app.key_fingerprint)

    def test_an_empty_field_does_not_lose_the_key(self):
        self.app.with_user(self.governance).write({"private_key_pem": False})
        self.assertTrue(self.app.has_key)

    def test_the_token_is_in_no_log_and_in_no_record(self):
        protection, _run = self.request(self.ready())
        with self.assertLogs("odoo", "DEBUG") as logs:
            self.standin.installations[self.number].tokens.clear()
            self.answer(protection)
        tokens = self.standin.installations[self.number].tokens
        self.assertTrue(tokens)
        said = "\n".join(logs.output)
        for token in tokens:
            self.assertNotIn(token, said)
        self.assertNotIn("Bearer", said)
        self.assertNotIn(self.standin.pem.splitlines()[3], said)

    def test_what_is_no_key_of_an_app_is_refused(self):
        def pem(key, encryption=None):
            return key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                encryption or serialization.NoEncryption(),
            ).decode()

        small = rsa.generate_private_key(public_exponent=65537, key_size=1024)
        for wrong, words in (
            ("secret", "BEGIN"),
            ("-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END", "whole file"),
            (pem(small), "1024 bits"),
            (pem(ec.generate_private_key(ec.SECP256R1())), "no RSA key"),
            (
                pem(small, serialization.BestAvailableEncryption(b"x")),
                "locked",
            ),
        ):
            with self.assertRaisesRegex(ValidationError, words) as caught:
                self.app.with_user(self.governance).write({"private_key_pem": wrong})
            self.assertNotIn("abc", str(caught.exception))

    def test_the_key_may_be_in_the_environment_of_the_server(self):
        from unittest.mock import patch

        self.app.key_variable = "IPAI_GITHUB_KEY_TEST"
        self.assertIn("IPAI_GITHUB_KEY_TEST", self.app.obstacle)
        protection, _run = self.request(self.ready())
        self.answer(protection)
        self.assertIn("IPAI_GITHUB_KEY_TEST", protection.problem)
        escaped = self.standin.pem.replace("\n", "\\n")
        with patch.dict("os.environ", IPAI_GITHUB_KEY_TEST=escaped):
            self.app.invalidate_recordset()
            self.assertFalse(self.app.obstacle)
            self.answer(protection)
        self.assertEqual(protection.state, "approved")

    def test_a_company_does_not_sign_with_the_key_of_another(self):
        self.app.key_variable = "IPAI_GITHUB_KEY_TEST"
        company = self.env["res.company"].create({"name": "Elsewhere"})
        stranger = self.new_user(
            "stranger",
            "group_governance_admin",
            company_id=company.id,
            company_ids=[(6, 0, company.ids)],
        )
        apps = self.env["ipai.github.app"].with_user(stranger)
        values = {"name": "Theirs", "client_id": self.app.client_id}
        theirs = apps.create(values)
        refusal = "holds the key of another company"
        # Also while it is archived, the variable holds the key of that company's app.
        for self.app.active in (True, False):
            with self.assertRaisesRegex(ValidationError, refusal), self.cr.savepoint():
                theirs.key_variable = "IPAI_GITHUB_KEY_TEST"
        with self.assertRaisesRegex(ValidationError, refusal), self.cr.savepoint():
            apps.create({**values, "key_variable": "IPAI_GITHUB_KEY_TEST"})
        theirs.key_variable = "IPAI_GITHUB_KEY_THEIRS"
        # Within its company several apps may name it.
        self.app.copy({"name": "Second"}).key_variable = "IPAI_GITHUB_KEY_TEST"

    @mute_logger("odoo.sql_db")
    def test_no_other_variable_is_named(self):
        for name in ("PGPASSWORD", "IPAI_GITHUB_KEYS", "IPAI_GITHUB_KEY_a", "HOME"):
            with self.assertRaises(IntegrityError), self.cr.savepoint():
                self.app.key_variable = name
                self.env.flush_all()

    def test_a_missing_key_and_a_host_that_is_not_allowed_are_shown(self):
        app = self.env["ipai.github.app"].create(
            {"name": "New", "client_id": "Iv1.abc", "private_key_pem": False}
        )
        self.assertEqual(app.api_url, "https://api.github.com")
        self.assertIn("no private key", app.obstacle)
        app.private_key_pem = self.standin.pem
        self.assertIn("api.github.com", app.obstacle)
        self.env["ipai.outbound.host"].create({"name": "api.github.com"})
        app.invalidate_recordset()
        self.assertFalse(app.obstacle)

    def test_only_governance_configures(self):
        records = (self.app, self.repository, self.repository.environment_ids[0])
        for login in ROLES:
            for record in records:
                with self.subTest(login=login, model=record._name):
                    mine = record.with_user(self.users[login])
                    for operation in ("write", "create", "unlink"):
                        self.assertEqual(
                            mine.has_access(operation), login == "governance"
                        )

    def test_a_project_has_one_repository_in_use(self):
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaises(IntegrityError),
            self.cr.savepoint(),
        ):
            self.repository.copy({"project_id": self.project.id})

    def test_the_repository_is_that_of_the_project_with_two_environments(self):
        project = self.env["ipai.project"].create({"name": "acme/new"})
        repository = self.env["ipai.github.repository"].create(
            {"project_id": project.id, "app_id": self.app.id, "installation": "5"}
        )
        self.assertEqual(repository.name, "acme/new")
        self.assertEqual(
            sorted(repository.environment_ids.mapped("target")),
            ["production", "staging"],
        )
        self.assertEqual(repository.report_as, "checks")
        self.assertEqual(repository.answer_mode, "reject")


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
