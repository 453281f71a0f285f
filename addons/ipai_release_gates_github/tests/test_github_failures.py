"""What fails at GitHub or on the way to it, and when it is tried again."""

from datetime import timedelta

from .common import GithubCase


class TestFailures(GithubCase):
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
        # All else waits for that attempt.
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
