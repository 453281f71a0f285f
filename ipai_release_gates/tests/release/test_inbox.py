"""Events that were not taken: waited for, tried again, given up, reprocessed."""

from datetime import timedelta
from unittest.mock import patch

from psycopg2.errors import CheckViolation

from odoo.exceptions import AccessError, UserError
from odoo.tools import mute_logger

from ..common import GateCase, sha

PIPELINE = "odoo.addons.ipai_release_gates.models.ingest.pipeline"
UPKEEP = "odoo.addons.ipai_release_gates.models.ingest.ingest_upkeep"


class InboxCase(GateCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.release = cls.open_release()
        cls.Log = cls.env["ipai.ingest.log"]

    def log_of(self, answer):
        return self.Log.browse(answer["ingest_id"])

    def run_cron(self, name, **later):
        """What the scheduled action does after some time."""
        cron = self.env.ref(f"ipai_release_gates.ir_cron_{name}")
        with self.scheduled(**later):
            cron.method_direct_trigger()

    def broken(self):
        """A context in which storing any check fails through our fault."""
        plane = type(self.env["ipai.control.plane"])

        def fault(*arguments, **options):
            raise ZeroDivisionError("a fault of ours")

        return patch.object(plane, "_create_planned", fault)

    def failed_event(self):
        """A check that could not be stored: its envelope, its log row."""
        event = self.ci_event(
            "check_result", {"name": "lint", "status": "pass"}, self.release
        )
        with self.broken(), mute_logger(PIPELINE):
            answer = self.send(self.ci, event)[0]
        self.assertEqual(answer["http_status"], 500)
        return event, self.log_of(answer)

    def checks(self):
        return self.env["ipai.check"].search_count(
            [("release_id", "=", self.release.id), ("name", "=", "lint")]
        )


class TestRetry(InboxCase):
    def test_what_failed_through_our_fault_is_tried_again_and_counts_once(self):
        event, log = self.failed_event()
        self.assertEqual(log.status, "error")
        self.assertEqual(log.failures, 1)
        self.assertEqual(log.retry_at, self.env.cr.now() + timedelta(minutes=5))
        self.run_cron("retry_events", minutes=4)
        self.assertEqual((log.status, self.checks()), ("error", 0))
        self.run_cron("retry_events", minutes=6)
        self.assertEqual((log.status, log.retry_at), ("accepted", False))
        self.assertEqual(self.checks(), 1)
        self.run_cron("retry_events", minutes=30)
        self.assertEqual(self.checks(), 1)
        again = self.send(self.ci, event)[0]
        self.assertEqual(again["status"], "duplicate")
        self.assertEqual(again["detail"]["duplicate_of"], log.id)

    def test_the_pauses_grow_and_end(self):
        _event, log = self.failed_event()
        pauses, minutes = [], 0
        with self.broken(), mute_logger(PIPELINE):
            while log.retry_at:
                pauses.append((log.retry_at - self.env.cr.now()).total_seconds() / 60)
                pauses[-1] -= minutes
                minutes += pauses[-1]
                self.run_cron("retry_events", minutes=minutes)
        self.assertEqual(pauses, [5, 15, 60, 240, 720, 1440, 1440])
        self.assertEqual((log.status, log.failures), ("error", 8))
        self.run_cron("retry_events", days=30)
        self.assertEqual((log.failures, self.checks()), (8, 0))
        log.with_user(self.rm).action_reprocess()
        self.assertEqual((log.status, self.checks()), ("accepted", 1))

    def test_one_that_breaks_the_run_costs_no_other_and_has_failed_once_more(self):
        _event, bad = self.failed_event()
        _event, good = self.failed_event()
        process = type(self.Log)._process_again

        def fail_for_bad(logs):
            if bad in logs:
                raise ZeroDivisionError("before it came to the pipeline")
            return process(logs)

        with (
            patch.object(type(self.Log), "_process_again", fail_for_bad),
            mute_logger(UPKEEP),
        ):
            self.run_cron("retry_events", minutes=6)
        self.assertEqual((good.status, bad.status), ("accepted", "error"))
        self.assertEqual(bad.failures, 2)
        self.assertTrue(bad.retry_at)

    def test_it_is_processed_with_the_rights_its_sender_has_now(self):
        _event, log = self.failed_event()
        self.ci.group_ids -= self.env.ref("ipai_release_gates.group_ci_service")
        self.run_cron("retry_events", minutes=6)
        self.assertEqual((log.status, log.code), ("rejected", "forbidden"))
        self.assertFalse(log.retry_at)

    def test_a_call_that_comes_to_its_next_try_finds_the_row_taken_already(self):
        event, log = self.failed_event()
        self.run_cron("retry_events", minutes=6)
        plane = self.plane(self.ci)
        with patch.object(
            type(plane), "_logs_of_former_try", lambda plane, digests: log
        ):
            answer = plane.ingest([event])[0]
        self.assertEqual((answer["status"], answer["ingest_id"]), ("accepted", log.id))
        self.assertEqual(answer["detail"]["created"], log.detail["created"])
        self.assertEqual(self.checks(), 1)

    def test_nobody_puts_off_or_brings_about_a_try_by_hand(self):
        _event, log = self.failed_event()
        for user in (self.ci, self.rm, self.sre, self.governance):
            with self.subTest(user.login), self.assertRaises(AccessError):
                log.with_user(user).write({"retry_at": "2001-01-01"})
            with self.subTest(user.login), self.assertRaises(AccessError):
                self.Log.with_user(user)._retry_failed()
        with self.assertRaises(CheckViolation), mute_logger("odoo.sql_db"):
            log.system_write({"status": "rejected"})
            log.flush_recordset()


class TestOrphans(InboxCase):
    def pending_event(self):
        event = self.ci_event(
            "check_result",
            {"name": "lint", "status": "pass", "source_ref": sha("later")},
            project=self.project.name,
        )
        return event, self.log_of(self.send(self.ci, event)[0])

    def release_of_the_commit(self):
        return self.open_release("late", source_ref=sha("later"))

    def test_an_event_that_no_release_comes_for_is_marked_and_shown(self):
        _event, log = self.pending_event()
        self.assertEqual(log.status, "pending")
        self.run_cron("orphan_events", days=29)
        self.assertEqual(log.status, "pending")
        self.run_cron("orphan_events", days=31)
        self.assertEqual((log.status, log.code), ("orphaned", "orphaned"))
        self.assertIn("30 days", log.reason)
        self.assertTrue(log.payload)
        attention = self.env.ref("ipai_release_gates.ipai_ingest_log_view_search")
        self.assertIn("'orphaned'", attention.arch)

    def test_an_orphan_waits_no_more_but_can_be_reprocessed(self):
        _event, log = self.pending_event()
        self.run_cron("orphan_events", days=31)
        release = self.release_of_the_commit()
        self.assertEqual(log.status, "orphaned")
        self.assertFalse(release.check_ids)
        notice = log.with_user(self.rm).action_reprocess()
        self.assertEqual(log.status, "accepted")
        self.assertEqual(release.check_ids.mapped("name"), ["lint"])
        self.assertEqual(notice["params"]["message"], "Accepted: 1")

    def test_who_reprocesses_one_too_early_gives_it_another_term(self):
        _event, log = self.pending_event()
        self.run_cron("orphan_events", days=31)
        with self.later(days=31):
            log.with_user(self.rm).action_reprocess()
            self.assertEqual(log.status, "pending")
        self.run_cron("orphan_events", days=32)
        self.assertEqual(log.status, "pending")
        self.run_cron("orphan_events", days=62)
        self.assertEqual(log.status, "orphaned")

    def test_the_key_of_an_orphan_is_free_and_it_still_counts_once(self):
        event, log = self.pending_event()
        self.run_cron("orphan_events", days=31)
        again = self.send(self.ci, event)[0]
        self.assertEqual(again["status"], "pending")
        release = self.release_of_the_commit()
        self.assertEqual(len(release.check_ids), 1)
        log.with_user(self.rm).action_reprocess()
        self.assertEqual(log.status, "duplicate")
        self.assertEqual(log.original_id, self.log_of(again))
        self.assertEqual(len(release.check_ids), 1)

    def test_without_a_limit_it_waits_for_ever(self):
        _event, log = self.pending_event()
        settings = self.env.ref("ipai_release_gates.settings")
        settings.with_user(self.governance).pending_days = 0
        self.run_cron("orphan_events", days=4000)
        self.assertEqual(log.status, "pending")


class TestReprocess(InboxCase):
    def test_many_at_once_are_told_by_what_came_of_them(self):
        _event, good = self.failed_event()
        bad = self.log_of(self.send(self.ci, {"no": "envelope"})[0])
        notice = (good | bad).with_user(self.sre).action_reprocess()
        self.assertEqual(notice["params"]["message"], "Accepted: 1, Rejected: 1")
        self.assertEqual(notice["params"]["type"], "warning")

    def test_those_that_cannot_be_are_skipped_and_cost_no_other(self):
        _event, good = self.failed_event()
        done = self.log_of(
            self.send(
                self.ci,
                self.ci_event(
                    "check_result", {"name": "unit", "status": "pass"}, self.release
                ),
            )[0]
        )
        signature = self.refused_signature()
        unreadable = self.unreadable()
        bad = self.log_of(self.send(self.ci, {"no": "envelope"})[0])
        chosen = done | good | signature | unreadable | bad
        notice = chosen.with_user(self.sre).action_reprocess()["params"]
        self.assertEqual((good.status, self.checks()), ("accepted", 1))
        self.assertTrue(
            notice["message"].startswith("Accepted: 1, Rejected: 1. Skipped: 3. "),
            notice["message"],
        )
        for reason in ("processed already", "a sign-off that was refused", "too large"):
            self.assertIn(reason, notice["message"])
        self.assertEqual((notice["type"], notice["sticky"]), ("warning", True))
        self.assertEqual(signature.status, "rejected")

    def test_of_many_reasons_the_first_are_told(self):
        logs = self.Log.concat(*(self.unreadable() for _ in range(5)))
        notice = logs.with_user(self.rm).action_reprocess()["params"]
        self.assertEqual(notice["title"], "Nothing was reprocessed")
        self.assertTrue(notice["message"].startswith("Skipped: 5. "))
        self.assertTrue(notice["message"].endswith(" …"))
        self.assertEqual(notice["message"].count("too large"), 3)

    def test_a_single_one_that_cannot_be_is_refused_with_the_reason(self):
        for log, reason in (
            (self.refused_signature(), "only its signatory"),
            (self.unreadable(), "too large"),
        ):
            with self.assertRaisesRegex(UserError, reason):
                log.with_user(self.rm).action_reprocess()

    def refused_signature(self):
        payload = {"persona": "release_manager", "decision": "approved"}
        event = self.ci_event("gate_signoff", payload, self.release, gate_code="G3")
        log = self.log_of(self.send(self.ci, event)[0])
        self.assertEqual(log.status, "rejected")
        return log

    def unreadable(self):
        """An event that was too large to be kept in full: its end is cut off."""
        log = self.log_of(self.send(self.ci, {"no": "envelope"})[0])
        log.system_write({"payload": log.payload[:-1]})
        return log
