"""Lists of events: one that fails, the others, and the log of all of them."""

import json

from odoo.exceptions import AccessError, UserError, ValidationError

from ..common import sha
from .answers import PAYLOADS, PIPELINE, AnswersCase


class TestAnswersLists(AnswersCase):
    # --- 500 --------------------------------------------------------------------------

    def test_our_own_fault_is_answered_kept_and_can_be_reprocessed(self):
        original = self._break_checks_named("lint")
        event = self.lint()
        with (
            self.assertLogs(PIPELINE, "ERROR"),
            self.assertLogs("odoo.sql_db", "ERROR"),
        ):
            answer = self.answer(event)
        self.assertEqual((answer["status"], answer["http_status"]), ("error", 500))
        self.assertEqual(answer["detail"]["code"], "internal_error")
        self.assertNotIn("null value", json.dumps(answer))
        log = self.log_of(answer)
        self.assertEqual(json.loads(log.payload), event)
        self.assertFalse(self.release.check_ids)
        for login in ("dev", "qa", "ci", "auditor", "governance"):
            with self.assertRaises(AccessError):
                log.with_user(self.users[login]).action_reprocess()
        self.patch(self.registry["ipai.control.plane"], "_check_values", original)
        log.with_user(self.rm).action_reprocess()
        self.assertEqual((log.status, log.http_status), ("accepted", 200))
        self.assertEqual(self.release.check_ids.recorded_by_id, self.ci)
        with self.assertRaises(UserError):
            log.with_user(self.rm).action_reprocess()

    def test_the_sender_may_send_again_what_failed_through_our_fault(self):
        original = self._break_checks_named("lint")
        event = self.lint()
        with (
            self.assertLogs(PIPELINE, "ERROR"),
            self.assertLogs("odoo.sql_db", "ERROR"),
        ):
            self.answer(event)
        self.patch(self.registry["ipai.control.plane"], "_check_values", original)
        self.assertEqual(self.answer(event)["status"], "accepted")

    # --- lists ------------------------------------------------------------------------

    def test_in_a_list_each_event_stands_alone_and_order_is_kept(self):
        good = self.lint()
        early = self._early("some day")
        newer = self.ci_event(
            "revision",
            {"source_ref": sha("newer"), "authors": ["dev@example.com"]},
            self.release,
        )
        late, current = self.lint("fail"), self.lint()
        current["payload"]["source_ref"] = sha("newer")
        answers = self.answers(
            self.ci,
            good,
            self.lint("green"),
            good,
            "nonsense",
            self.lint(schema_version="v9"),
            early,
            self.lint(release_id=2**31 - 1),
            self.event("gate_signoff", PAYLOADS["gate_signoff"], self.release),
            newer,
            late,
            current,
        )
        self.assertEqual(
            [(answer["status"], answer["http_status"]) for answer in answers],
            [
                ("accepted", 200),
                ("rejected", 400),
                ("duplicate", 200),
                ("rejected", 400),
                ("rejected", 422),
                ("pending", 202),
                ("rejected", 409),
                ("rejected", 400),
                ("accepted", 200),
                ("accepted", 200),
                ("accepted", 200),
            ],
        )

    def test_an_event_after_a_revision_in_the_same_list_is_bound_to_it(self):
        newer = self.ci_event(
            "revision",
            {"source_ref": sha("newer"), "authors": ["dev@example.com"]},
            self.release,
        )
        late, current = self.lint("fail"), self.lint()
        current["payload"]["source_ref"] = sha("newer")
        self.answers(self.ci, newer, late, current)
        checks = self.release.check_ids.sorted("id")
        self.assertEqual(
            {(c.status, c.is_stale) for c in checks}, {("fail", True), ("pass", False)}
        )

    def test_an_event_before_its_revision_in_the_same_list_does_not_wait_for_ever(self):
        newer = self.ci_event(
            "revision",
            {"source_ref": sha("newer"), "authors": ["dev@example.com"]},
            self.release,
        )
        early = self.lint()
        early["payload"]["source_ref"] = sha("newer")
        answers = self.answers(self.ci, early, newer)
        self.assertEqual([a["status"] for a in answers], ["accepted"] * 2)
        self.assertIs(answers[0]["detail"]["stale"], False)
        self.assertFalse(self.release.check_ids.is_stale)

    def test_one_event_that_cannot_be_stored_costs_no_other(self):
        self._break_checks_named("boom")
        events = [
            self.ci_event(
                "check_result", {"name": name, "status": "pass"}, self.release
            )
            for name in ("a", "b", "boom", "c")
        ]
        with (
            self.assertLogs(PIPELINE, "ERROR"),
            self.assertLogs("odoo.sql_db", "ERROR"),
        ):
            answers = self.answers(self.ci, *events)
        self.assertEqual(
            [answer["status"] for answer in answers],
            ["accepted", "accepted", "error", "accepted"],
        )
        self.assertEqual(
            self.release.check_ids.sorted("id").mapped("name"), ["a", "b", "c"]
        )
        for answer in answers[:2]:
            ids = answer["detail"]["created"]["checks"]
            self.assertEqual(len(ids), 1)
            self.assertTrue(self.env["ipai.check"].browse(ids).exists())

    def test_a_closed_release_refuses_a_revision_and_the_rest_of_the_list_goes_on(self):
        self.release.with_user(self.rm).action_cancel()
        newer = self.ci_event(
            "revision",
            {"source_ref": sha("newer"), "authors": ["dev@example.com"]},
            self.release,
        )
        first, second = self.answers(self.ci, newer, self.lint())
        self.assertEqual(first["detail"]["code"], "release_closed")
        self.assertEqual(first["http_status"], 409)
        self.assertEqual(second["status"], "accepted")

    def test_events_must_be_a_list_of_1_to_1000(self):
        for events in ([], {}, None, "x", [{}] * 1001):
            with self.subTest(kind=type(events)), self.assertRaises(ValidationError):
                self.plane(self.ci).ingest(events)

    # --- the log ----------------------------------------------------------------------

    def test_every_submission_has_a_row_with_what_was_sent(self):
        event = self.lint("green")
        log = self.log_of(self.answer(event))
        self.assertEqual(json.loads(log.payload), event)
        self.assertEqual(log.idempotency_key, event["idempotency_key"])
        self.assertEqual(log.event_type, "check_result")
        self.assertEqual(log.source_system, "github_actions")
        self.assertEqual(log.received_at, self.env.cr.now())

    def test_what_no_database_can_hold_is_logged_all_the_same(self):
        for raw in ("a\0b", "\ud800", {"event_type": "x\0"}, {"payload": {"a": 1.5}}):
            with self.subTest(raw=repr(raw)):
                answer = self.send(self.ci, raw)[0]
                self.assertEqual(answer["status"], "rejected")
                self.on_the_wire(answer)
                self.env.flush_all()
                self.assertEqual(len(self.log_of(answer).payload_sha256), 64)

    def test_a_log_row_belongs_to_the_company_of_its_release(self):
        company = self.env["res.company"].create({"name": "Elsewhere"})
        self.ci.company_ids += company
        self.project.company_id = company
        answer = self.answer(self.lint())
        self.assertEqual(answer["status"], "accepted")
        self.assertEqual(self.log_of(answer).company_id, company)
