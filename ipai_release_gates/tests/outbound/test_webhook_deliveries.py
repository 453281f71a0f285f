"""Webhook deliveries: signatures, answers, retries and removal."""

import base64
import hashlib
import hmac
from datetime import timedelta

from odoo.exceptions import AccessError

from odoo.addons.queue_job.tests.common import trap_jobs

from ..common import ROLES
from ..receivers import listening
from .webhook_case import WebhookCase


class TestDeliveries(WebhookCase):
    def test_a_receiver_can_verify_the_signature(self):
        endpoint = self.endpoint.with_user(self.governance)
        secret = endpoint.action_rotate_secret()["context"]["default_secret"]
        with listening() as server:
            self.allow_listener(server)
            self.endpoint.url = server.url
            delivery = self.one_delivery()
            self.attempt(delivery)
            [(method, _path, headers, body)] = server.asked
        self.assertEqual((method, body), ("POST", delivery.payload.encode()))
        self.assertEqual(headers["webhook-id"], delivery.uuid)
        signed = b".".join(
            [
                headers["webhook-id"].encode(),
                headers["webhook-timestamp"].encode(),
                body,
            ]
        )
        key = base64.b64decode(secret.removeprefix("whsec_"))
        expected = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
        # The secret was replaced a moment ago, so the former one signs too.
        signatures = headers["webhook-signature"].split()
        self.assertEqual(len(signatures), 2)
        self.assertEqual(signatures[0], f"v1,{expected}")
        self.assertEqual(delivery.status, "delivered")
        with self.later(hours=25):
            self.assertEqual(self.endpoint._secrets(), [secret])

    def test_the_answer_decides_the_status_and_the_retry(self):
        for status, becomes, again in (
            (200, "delivered", False),
            (204, "delivered", False),
            (500, "queued", True),
            (503, "queued", True),
            (408, "queued", True),
            (429, "queued", True),
            (400, "failed", False),
            (404, "failed", False),
            (302, "failed", False),
            (308, "failed", False),
        ):
            with self.subTest(status=status):
                delivery, jobs = self.answered(status)
                self.assertEqual(delivery.status, becomes)
                self.assertEqual(delivery.attempt_ids.http_status, status)
                self.assertEqual(len(jobs), again)
                if again:
                    self.assertEqual(jobs[0].channel, "root.ipai")
                    self.assertTrue(jobs[0].eta)

    def test_the_pause_respects_retry_after(self):
        delivery, _jobs = self.answered(429, {"Retry-After": "3600"})
        waits = delivery.next_try_at - self.env.cr.now()
        self.assertAlmostEqual(waits.total_seconds(), 3600, delta=5)

    def test_an_answer_is_kept_short_and_as_text(self):
        delivery, _jobs = self.answered(400, text=b"<b>no\x00\xff</b>\n" + b"x" * 9000)
        self.assertTrue(delivery.outcome.startswith("400 <b>no"))
        self.assertLess(len(delivery.outcome), 320)

    def test_a_delivery_is_given_up_after_eight_tries_in_about_a_day(self):
        delivery = self.one_delivery()
        with listening((500, {}, b"")) as server:
            self.allow_listener(server)
            self.endpoint.url = server.url
            waited = timedelta()
            for _number in range(8):
                self.assertEqual(delivery.status, "queued")
                self.attempt(delivery)
                if delivery.next_try_at:
                    waited += delivery.next_try_at - self.env.cr.now()
            self.assertEqual(len(server.asked), 8)
        self.assertEqual(delivery.status, "given_up")
        self.assertTrue(timedelta(hours=18) < waited < timedelta(hours=36), waited)
        self.endpoint.invalidate_recordset()
        self.assertEqual(self.endpoint.failure_count, 8)

    def test_an_endpoint_that_answers_gone_is_switched_off(self):
        delivery, jobs = self.answered(410)
        self.assertEqual(delivery.status, "failed")
        [job] = jobs
        job.perform()
        self.assertFalse(self.endpoint.active)
        self.assertEqual(self.endpoint.standing, "off")
        self.assertIn("410", self.endpoint.switched_off_reason)
        message = self.env["mail.message"].search(
            [("model", "=", self.endpoint._name), ("res_id", "=", self.endpoint.id)]
        )
        self.assertIn(self.governance.partner_id, message.notified_partner_ids)
        # Nothing is sent or queued any more.
        self.pass_gates(self.open_release(), "G1")
        self.assertFalse(self.deliveries("gate.passed"))

    def test_an_endpoint_that_fails_for_days_is_switched_off(self):
        with listening((500, {}, b"")) as server:
            self.allow_listener(server)
            self.endpoint.url = server.url
            delivery = self.one_delivery()
            self.assertEqual(len(self.attempt(delivery)), 1)
            with self.later(days=4, hours=23):
                self.assertEqual(len(self.attempt(delivery)), 1)
            self.endpoint.invalidate_recordset()
            with self.later(days=5, hours=1):
                jobs = self.attempt(delivery)
            self.assertEqual(len(jobs), 2)
            next(job for job in jobs if job.method_name == "_switch_off").perform()
            self.assertFalse(self.endpoint.active)
        with self.later(days=5, hours=2):
            self.endpoint.with_user(self.governance).active = True
        self.endpoint.invalidate_recordset()
        self.assertFalse(self.endpoint.switched_off_at)
        self.assertEqual(self.endpoint.standing, "good")

    def test_an_outdated_job_sends_nothing(self):
        with listening() as server:
            self.allow_listener(server)
            self.endpoint.url = server.url
            delivery = self.one_delivery()
            former = delivery.turn
            delivery.with_user(self.governance).action_redeliver()
            delivery._deliver(former)
            self.assertFalse(server.asked)
            self.attempt(delivery)
            self.attempt(delivery)
            self.assertEqual(len(server.asked), 1)

    def test_redelivery_sends_the_same_message_once_more(self):
        delivery, _jobs = self.answered(404)
        with listening() as server:
            self.allow_listener(server)
            self.endpoint.url = server.url
            for login in sorted(set(ROLES) - {"governance"}):
                mine = delivery.with_user(self.users[login])
                with self.assertRaises(AccessError):
                    mine.action_redeliver()
            with trap_jobs() as trap:
                delivery.with_user(self.governance).action_redeliver()
            trap.assert_jobs_count(1)
            self.attempt(delivery)
            [(_method, _path, headers, body)] = server.asked
        self.assertEqual(headers["webhook-id"], delivery.uuid)
        self.assertEqual(body.decode(), delivery.payload)
        self.assertEqual(delivery.status, "delivered")
        self.assertEqual(len(delivery.attempt_ids), 2)

    def test_many_deliveries_are_queued_again_by_one_job(self):
        for _number in range(3):
            self.one_delivery()
        with trap_jobs() as trap:
            self.deliveries().with_user(self.governance).action_redeliver()
        trap.assert_jobs_count(1)
        with trap_jobs() as later:
            trap.perform_enqueued_jobs()
        later.assert_jobs_count(3)

    def test_a_host_that_is_no_longer_allowed_is_not_called(self):
        delivery = self.one_delivery()
        self.env["ipai.outbound.host"].search([]).active = False
        self.assertFalse(self.attempt(delivery))
        self.assertEqual(delivery.status, "failed")
        self.assertIn("Allowed Hosts", delivery.outcome)

    def test_a_delivery_without_a_job_is_queued_again(self):
        delivery = self.one_delivery()
        turn = delivery.turn
        with self.scheduled(minutes=50):
            self.run_scheduled("forgotten_deliveries")
        self.assertEqual(delivery.turn, turn)
        with self.scheduled(minutes=70):
            self.run_scheduled("forgotten_deliveries")
        self.assertEqual(delivery.turn, turn + 1)

    def test_old_deliveries_are_removed_unless_queued(self):
        delivered, _jobs = self.answered(200)
        queued = self.one_delivery()
        self.env.flush_all()
        with self.scheduled(days=89):
            self.run_scheduled("delivery_retention")
        self.assertEqual(len((delivered | queued).exists()), 2)
        with self.scheduled(days=91):
            self.run_scheduled("delivery_retention")
        self.assertEqual((delivered | queued).exists(), queued)
