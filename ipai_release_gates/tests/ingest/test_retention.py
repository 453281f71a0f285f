"""Retention removes what was sent, and nothing that anything rests on."""

import json
from datetime import timedelta
from unittest.mock import patch

from psycopg2.errors import CheckViolation, UniqueViolation

from odoo.exceptions import AccessError, UserError
from odoo.tests import test_cursor
from odoo.tools import mute_logger

from ..common import ROLES, GateCase

DAYS = 180


class TestRetention(GateCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.settings = cls.env.ref("ipai_release_gates.settings")
        cls.release = cls.open_release()
        cls.Log = cls.env["ipai.ingest.log"]

    def event_of_check(self, **envelope):
        payload = {"name": "lint", "status": "pass"}
        return self.ci_event("check_result", payload, self.release, **envelope)

    def log_of(self, event, user=None):
        """The log row of an event that is sent now."""
        answer = self.send(user or self.ci, event)[0]
        return self.Log.browse(answer["ingest_id"])

    def run_retention(self, **later):
        """What the scheduled action does after some time."""
        cron = self.env.ref("ipai_release_gates.ir_cron_ingest_retention")
        with self.later(**(later or {"days": DAYS, "minutes": 1})) as now:
            with (
                self.enter_registry_test_mode(),
                # The cursor of the scheduled action has a clock of its own.
                patch.object(test_cursor.TestCursor, "now", lambda cr: now),
            ):
                cron.method_direct_trigger()
            self.env.invalidate_all()
        return now

    # --- what is removed -------------------------------------------------------------

    def test_an_old_payload_is_removed_and_the_rest_of_its_row_stays(self):
        event = self.event_of_check()
        log = self.log_of(event)
        kept = [name for name in log._fields if "payload" not in name]
        kept = set(kept) - {"write_date", "write_uid"} | {"payload_sha256"}
        before = log.read(list(kept))
        self.assertEqual(json.loads(log.payload), event)
        now = self.run_retention()
        self.assertEqual((log.payload, log.payload_removed_at), (False, now))
        self.assertEqual(log.read(list(kept)), before)

    def test_a_young_payload_stays(self):
        log = self.log_of(self.event_of_check())
        self.run_retention(days=DAYS, minutes=-1)
        self.assertTrue(log.payload)

    def test_a_duplicate_is_removed_too(self):
        event = self.event_of_check()
        self.log_of(event)
        duplicate = self.log_of(event)
        self.assertEqual(duplicate.status, "duplicate")
        self.run_retention()
        self.assertFalse(duplicate.payload)

    def test_what_can_be_processed_again_stays(self):
        rejected = self.log_of({"no": "envelope"})
        pending = self.log_of(
            self.ci_event(
                "check_result",
                {"name": "lint", "status": "pass", "source_ref": "ab" * 20},
                project=self.project.name,
            )
        )
        error = self.log_of(self.event_of_check())
        error.system_write({"status": "error"})
        received = self.log_of(self.event_of_check())
        received.system_write({"status": "received"})
        logs = rejected + pending + error + received
        self.assertEqual(
            logs.mapped("status"), ["rejected", "pending", "error", "received"]
        )
        self.run_retention(days=DAYS * 10)
        self.assertTrue(all(logs.mapped("payload")))
        self.assertFalse(any(logs.mapped("payload_removed_at")))

    def test_what_evidence_or_a_signature_rests_on_stays(self):
        self.pass_gates(self.release, "G1", "G2")
        on_evidence = self.release.evidence_ids.ingest_log_id
        on_signature = self.release.approval_ids.ingest_log_id
        self.assertTrue(on_evidence and on_signature)
        self.run_retention()
        self.assertTrue(all((on_evidence + on_signature).mapped("payload")))

    def test_0_days_keep_it_for_ever(self):
        self.settings.with_user(self.governance).payload_retention_days = 0
        log = self.log_of(self.event_of_check())
        self.run_retention(days=36500)
        self.assertTrue(log.payload)

    def test_the_settings_say_how_long(self):
        self.settings.with_user(self.governance).payload_retention_days = 7
        log = self.log_of(self.event_of_check())
        self.run_retention(days=7, minutes=-1)
        self.assertTrue(log.payload)
        self.run_retention(days=7, minutes=1)
        self.assertFalse(log.payload)

    def test_a_second_run_changes_nothing(self):
        self.log_of(self.event_of_check())
        self.run_retention()
        before = self.snapshot("ipai_ingest_log")
        self.run_retention(days=DAYS * 2)
        self.assertEqual(self.snapshot("ipai_ingest_log"), before)

    def test_a_run_that_is_cut_off_goes_on_in_the_next(self):
        logs = self.Log.union(*(self.log_of(self.event_of_check()) for _n in range(3)))
        domain = self.Log._removable_payloads(self.env.cr.now() + timedelta(days=1))
        self.Log.search(domain, order="id", limit=1)._remove_payload()
        self.assertEqual(len(logs.filtered("payload")), 2)
        self.assertEqual(self.Log.search(domain) & logs, logs.filtered("payload"))
        self.run_retention()
        self.assertFalse(logs.filtered("payload"))

    # --- what goes on without it -----------------------------------------------------

    def test_a_removed_event_is_still_recognised(self):
        event = self.event_of_check()
        log = self.log_of(event)
        self.run_retention()
        checks = len(self.release.check_ids)
        again = self.send(self.ci, event)[0]
        self.assertEqual(again["status"], "duplicate")
        self.assertEqual(again["detail"]["duplicate_of"], log.id)
        other = {**event, "payload": {**event["payload"], "status": "fail"}}
        conflict = self.send(self.ci, other)[0]
        self.assertEqual(
            (conflict["status"], conflict["detail"]["code"]),
            ("rejected", "idempotency_conflict"),
        )
        self.assertEqual(len(self.release.check_ids), checks)

    def test_a_removed_event_is_not_processed_again(self):
        log = self.log_of(self.event_of_check())
        self.run_retention()
        with self.assertRaisesRegex(UserError, "processed already"):
            log.with_user(self.rm).action_reprocess()
        self.assertIsNone(log._raw())
        log._process_again()
        self.assertEqual(log.status, "accepted")

    def test_nobody_removes_a_payload_by_hand(self):
        log = self.log_of(self.event_of_check())
        for login in ROLES:
            for vals in ({"payload": False}, {"payload_removed_at": "2026-01-01"}):
                with self.subTest(login), self.assertRaises(AccessError):
                    log.with_user(self.users[login]).write(vals)
        with self.assertRaises(AccessError):
            log.sudo().write({"payload": False})

    def test_the_database_refuses_removal_of_what_can_be_processed_again(self):
        log = self.log_of({"no": "envelope"})
        with self.assertRaises(CheckViolation), mute_logger("odoo.sql_db"):
            log._remove_payload()
            log.flush_recordset()

    # --- settings --------------------------------------------------------------------

    def test_governance_changes_the_settings_and_auditors_read_them(self):
        for login in ROLES:
            mine = self.settings.with_user(self.users[login])
            with self.subTest(login):
                if login in ("governance", "auditor", "rm"):
                    self.assertEqual(mine.read()[0]["payload_retention_days"], DAYS)
                else:
                    with self.assertRaises(AccessError):
                        mine.read()
                if login == "governance":
                    mine.payload_retention_days = DAYS
                else:
                    with self.assertRaises(AccessError):
                        mine.write({"payload_retention_days": 1})
                for attempt in (mine.copy, mine.unlink):
                    with self.assertRaises(AccessError):
                        attempt()

    def test_there_is_one_record_of_settings_with_sensible_days(self):
        with self.assertRaises(UniqueViolation), mute_logger("odoo.sql_db"):
            self.env["ipai.settings"].create({})
        for days in (-1, 36501):
            with self.assertRaises(CheckViolation), mute_logger("odoo.sql_db"):
                self.settings.payload_retention_days = days
                self.settings.flush_recordset()

    def test_without_the_record_the_defaults_count(self):
        self.settings.unlink()
        self.assertEqual(
            self.env["ipai.settings"]._current().payload_retention_days, DAYS
        )
