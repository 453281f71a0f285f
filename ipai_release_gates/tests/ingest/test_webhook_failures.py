"""Deliveries that failed or were refused, and their reprocessing."""

from datetime import timedelta
from unittest.mock import patch

from psycopg2.errors import SerializationFailure

from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .webhooks import DELIVERY, WebhookCase


@tagged("post_install", "-at_install")
class TestWebhookFailures(WebhookCase):
    # --- what goes wrong on our side --------------------------------------------------

    def test_a_fault_of_ours_costs_no_delivery_and_it_is_tried_again(self):
        payload = self.run_payload()
        with self.failing(), mute_logger(DELIVERY):
            answer = self.deliver(payload, delivery="faulty")
        self.assertEqual((answer.status_code, answer.json()["status"]), (202, "error"))
        self.assertIn("tried again", answer.json()["message"])
        self.assertNotIn("fault of ours", answer.text)
        log = self.deliveries()
        self.assertEqual((log.status, log.http_status), ("error", 202))
        self.assertEqual((log.code, log.failures), ("internal_error", 1))
        self.assertTrue(log.retry_at)
        self.assertFalse(self.checks())
        self.retry(minutes=6)
        self.assertEqual((log.status, log.retry_at), ("accepted", False))
        self.assertEqual(log.detail["delivery"], "faulty")
        event = self.checks().ingest_log_id
        self.assertEqual((len(event), event.delivery_id), (1, log))
        self.retry(minutes=60)
        self.assertEqual(self.deliver(payload).json()["status"], "duplicate")
        self.assertEqual(len(self.checks()), 1)

    def test_what_fails_again_waits_longer(self):
        with self.failing(), mute_logger(DELIVERY):
            self.deliver(self.run_payload())
            log = self.deliveries()
            first = log.retry_at
            self.retry(minutes=6)
        self.assertEqual((log.status, log.failures), ("error", 2))
        self.assertGreater(log.retry_at, first + timedelta(minutes=10))
        self.assertFalse(self.checks())

    def test_a_transaction_that_is_tried_again_takes_the_delivery_once(self):
        method, tries = type(self.github)._record, []

        def fail_once(source, *arguments):
            said = method(source, *arguments)
            tries.append(source)
            if len(tries) == 1:
                raise SerializationFailure()
            return said

        with (
            patch.object(type(self.github), "_record", fail_once),
            patch("odoo.service.model.time.sleep"),
            patch("odoo.service.model.errorcodes.lookup", return_value="40001"),
        ):
            answer = self.deliver(self.run_payload())
        self.assertEqual(
            (answer.status_code, answer.json()["status"]), (200, "accepted")
        )
        self.assertEqual(len(tries), 2)
        log = self.deliveries()
        self.assertEqual(log.mapped("status"), ["accepted"])
        self.assertEqual(len(self.checks()), 1)

    def test_a_transaction_that_is_rolled_back_for_good_keeps_the_delivery(self):
        with (
            self.failing(name="_write_outcome"),
            mute_logger("odoo.http", "odoo.addons.base.models.ir_http"),
        ):
            answer = self.deliver(self.run_payload())
        self.assertEqual(answer.status_code, 500)
        log = self.deliveries()
        self.assertEqual((log.status, log.code), ("error", "interrupted"))
        self.assertFalse(self.checks())
        self.retry(minutes=6)
        self.assertEqual(log.status, "accepted")
        self.assertEqual(self.checks().ingest_log_id.delivery_id, log)

    def test_a_request_that_failed_is_asked_again_with_its_id(self):
        asked = []

        def answer_request(_source, _event, delivery, _payload):
            asked.append(delivery)
            if len(asked) == 1:
                raise ZeroDivisionError("a fault of ours")
            return {"status": "accepted", "message": None}

        payload = {
            "action": "requested",
            "environment": "production",
            "repository": {"full_name": self.project.name},
        }
        Source = type(self.github)
        with (
            patch.object(Source, "_answer_request", answer_request),
            mute_logger(DELIVERY),
        ):
            answer = self.deliver(
                payload, event="deployment_protection_rule", delivery="rule"
            )
            self.assertEqual(answer.json()["status"], "error")
            self.retry(minutes=6)
        self.assertEqual(asked, ["rule", "rule"])
        self.assertEqual(self.deliveries().status, "accepted")

    # --- reprocessing -----------------------------------------------------------------

    def test_a_refused_delivery_is_reprocessed_once_its_service_is_back(self):
        payload = self.run_payload()
        log = self.refused_delivery(payload, delivery="late")
        notice = log.with_user(self.rm).action_reprocess()
        self.assertEqual(notice["params"]["message"], "Accepted: 1")
        self.assertEqual((log.status, log.http_status), ("accepted", 200))
        self.assertFalse(log.code or log.reason)
        check = self.checks()
        self.assertEqual((check.status, check.recorded_by_id), ("pass", self.ci))
        self.assertTrue(check.ingest_log_id.idempotency_key.endswith("/late"))
        self.assertEqual(check.ingest_log_id.received_at, log.received_at)
        with self.assertRaisesRegex(UserError, "processed already"):
            log.with_user(self.rm).action_reprocess()
        log._process_again()
        for delivery in ("late", "later"):
            again = self.deliver(payload, delivery=delivery).json()
            self.assertEqual(again["status"], "duplicate")
        self.assertEqual(len(self.checks()), 1)

    def test_what_was_delivered_again_meanwhile_is_a_duplicate(self):
        log = self.refused_delivery(delivery="twice")
        self.deliver(self.run_payload(), delivery="twice")
        log.with_user(self.sre).action_reprocess()
        self.assertEqual(log.status, "duplicate")
        self.assertEqual(log.original_id, self.deliveries()[-1])
        self.assertEqual(len(self.checks()), 1)

    def test_a_reprocessed_delivery_does_not_replace_what_came_since(self):
        log = self.refused_delivery()
        self.deliver(self.run_payload("failure"))
        log.with_user(self.rm).action_reprocess()
        self.assertEqual(log.detail["results"][0]["status"], "rejected")
        self.assertEqual(self.checks().mapped("status"), ["fail"])

    def test_of_two_reprocessed_deliveries_the_later_one_stands(self):
        first = self.refused_delivery()
        last = self.refused_delivery(self.run_payload("failure"))
        notice = (last | first).with_user(self.rm).action_reprocess()
        self.assertEqual(notice["params"]["message"], "Accepted: 2")
        self.assertEqual(self.checks().mapped("status"), ["fail", "pass"])

    def test_a_delivery_and_an_event_keep_the_order_they_arrived_in(self):
        delivery = self.refused_delivery()
        payload = {"name": "workflow/Lint", "status": "fail"}
        event = self.ci_event("check_result", payload, self.release)
        plane = type(self.env["ipai.control.plane"])
        with (
            patch.object(plane, "_create_planned", side_effect=ZeroDivisionError),
            mute_logger("odoo.addons.ipai_release_gates.models.ingest.pipeline"),
        ):
            answer = self.send(self.ci, event)[0]
        later = self.env["ipai.ingest.log"].browse(answer["ingest_id"])
        notice = (later | delivery).with_user(self.rm).action_reprocess()
        self.assertEqual(notice["params"]["message"], "Accepted: 2")
        self.assertEqual(self.checks().mapped("status"), ["fail", "pass"])

    def test_a_delivery_is_judged_by_what_its_webhook_is_now(self):
        log = self.refused_delivery()
        other = self.new_user("ci-other", "group_ci_service")
        self.github.with_user(self.governance).user_id = other
        log.with_user(self.rm).action_reprocess()
        self.assertEqual(self.checks().recorded_by_id, other)
        self.assertEqual(log.user_id, other)
        log = self.refused_delivery(self.run_payload("failure"))
        self.github.with_user(self.governance).active = False
        log.with_user(self.rm).action_reprocess()
        self.assertEqual((log.status, log.code), ("rejected", "forbidden"))
        self.assertIn("archived", log.reason)

    def test_what_was_not_kept_as_it_was_delivered_says_so(self):
        self.deliver(None, body=b'{"a": "\xff"}')
        log = self.deliveries()
        with self.assertRaisesRegex(UserError, "not kept as it was delivered"):
            log.with_user(self.rm).action_reprocess()
        self.assertEqual(log.status, "rejected")
