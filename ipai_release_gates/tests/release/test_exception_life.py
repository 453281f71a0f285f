"""Exceptions: how they end, their reviews, scheduled actions and ledger entries."""

from datetime import timedelta

import psycopg2

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import mute_logger

from .test_exceptions import ExceptionCase


class TestHowItEnds(ExceptionCase):
    def test_a_revoked_exception_covers_nothing_at_once(self):
        exception = self.grant(self.release)
        with self.assertRaises(UserError):
            exception.with_user(self.rm).action_revoke(" ")
        exception.with_user(self.rm).action_revoke("The tester is back.")
        self.assertEqual(exception.state, "revoked")
        self.assertIn("G2:qa_signoff", self.unmet(self.release))
        (entry,) = self.ledger(self.release, "exception_revoked")
        self.assertIn("The tester is back.", entry.body)

    def test_release_managers_and_approvers_revoke(self):
        exception = self.grant(
            self.release, risk_level="high", compensating_controls="Watched by hand."
        )
        other = self.new_user("sre2", "group_sre")
        for user in (self.dev, self.qa, self.auditor, self.governance, self.ci, other):
            with self.assertRaises(AccessError):
                exception.with_user(user).action_revoke("No.")
        exception.with_user(self.sre).action_revoke("Too risky after all.")
        self.assertEqual(exception.state, "revoked")

    def test_its_requester_closes_what_is_not_needed(self):
        exception = self.grant(self.release)
        exception.with_user(self.dev).action_close("Signed after all.")
        self.assertEqual(exception.state, "closed")
        self.assertIn("G2:qa_signoff", self.unmet(self.release))

    def test_what_has_ended_stays_ended(self):
        exception = self.grant(self.release)
        exception.with_user(self.rm).action_revoke("Done.")
        for act in ("action_revoke", "action_close"):
            with self.assertRaises(UserError):
                getattr(exception.with_user(self.rm), act)("Again.")

    def test_an_extension_is_a_new_exception_with_its_own_approvals(self):
        exception = self.grant(self.release)
        until = self.env.cr.now() + timedelta(days=5)
        extension = exception.with_user(self.dev).action_extend(until, "Still ill.")
        self.assertEqual(extension.state, "requested")
        self.assertEqual(extension.extension_of_id, exception)
        with self.later(hours=41):
            self.assertIn("G2:qa_signoff", self.unmet(self.release))
        self.decide(extension, self.rm, "release_manager")
        with self.later(hours=41):
            self.assertNotIn("G2:qa_signoff", self.unmet(self.release))

    def test_an_expired_exception_is_not_revived(self):
        exception = self.grant(self.release)
        with self.later(hours=41):
            exception.invalidate_recordset()
            until = self.env.cr.now() + timedelta(days=1)
            with self.assertRaisesRegex(UserError, "not revived"):
                exception.with_user(self.dev).action_extend(until, "Still ill.")
            with self.assertRaises(UserError):
                exception.with_user(self.rm).action_revoke("Too late.")

    def test_an_extension_keeps_to_the_longest_life(self):
        exception = self.grant(self.release)
        with (
            self.undone(),
            mute_logger("odoo.sql_db"),
            self.assertRaises(psycopg2.errors.CheckViolation),
        ):
            exception.with_user(self.dev).action_extend(
                self.env.cr.now() + timedelta(days=31), "Forever."
            )
            self.env.flush_all()

    def test_every_step_is_in_the_ledger(self):
        exception = self.grant(self.release)
        exception.with_user(self.rm).action_revoke("Done.")
        kinds = self.ledger(self.release).mapped("kind")
        kinds = [k for k in kinds if k.startswith("exception") or k == "approval"]
        self.assertEqual(
            kinds,
            [
                "exception_requested",
                "approval",
                "exception_approved",
                "exception_revoked",
            ],
        )


class TestReviews(ExceptionCase):
    def emergency(self, **values):
        return self.grant(
            self.release,
            "G2",
            exception_type="emergency",
            compensating_controls="Watched by hand.",
            **values,
        )

    def test_a_critical_exception_owes_a_review_within_five_days(self):
        exception = self.emergency()
        self.assertEqual(exception.review_status, "pending")
        self.assertEqual(exception.review_due_at, self.env.cr.now() + timedelta(days=5))
        (activity,) = exception.activity_ids
        # The requester is refused as a reviewer; an approver is not.
        self.assertEqual(activity.user_id, self.rm)
        self.assertEqual(activity.date_deadline, exception.review_due_at.date())

    def test_lesser_risks_owe_none(self):
        self.assertEqual(self.grant(self.release).review_status, "waived")

    def test_the_database_does_not_let_the_review_be_skipped(self):
        exception = self.emergency()
        with (
            self.undone(),
            mute_logger("odoo.sql_db"),
            self.assertRaises(psycopg2.errors.CheckViolation),
        ):
            self.env.cr.execute(
                "UPDATE ipai_exception SET review_status = 'waived' WHERE id = %s",
                [exception.id],
            )

    def test_an_overdue_review_holds_g3_of_the_next_release_until_it_is_given(self):
        exception = self.emergency()
        following = self.open_release()
        self.pass_gates(following, "G1", "G2", "G3")
        self.assertEqual(self.judged(following).gate("G3").status, "passed")
        with self.later(days=5, seconds=1):
            self.assertEqual(self.unmet(following, "G3"), {"G3:no_overdue_review"})
            exception.invalidate_recordset()
            self.assertTrue(exception.review_overdue)
            exception.with_user(self.sre).action_complete_review("A disk was full.")
            self.assertEqual(self.unmet(following, "G3"), set())
        self.assertEqual(exception.reviewed_by_id, self.sre)
        self.assertFalse(exception.activity_ids)

    def test_no_exception_covers_an_overdue_review(self):
        with self.assertRaisesRegex(ValidationError, "no_overdue|No overdue"):
            self.request(waived=("G3:no_overdue_review",))

    def test_the_review_is_given_by_an_approving_persona_who_did_not_ask(self):
        exception = self.emergency()
        for user in (self.dev, self.qa, self.auditor, self.governance, self.ci):
            with self.assertRaises(AccessError):
                exception.with_user(user).action_complete_review("Fine.")
        with self.assertRaises(UserError):
            exception.with_user(self.rm).action_complete_review("  ")
        exception.with_user(self.rm).action_complete_review("A disk was full.")
        self.assertEqual(exception.review_status, "complete")
        with self.assertRaises(UserError):
            exception.with_user(self.rm).action_complete_review("Once more.")


class TestSchedule(ExceptionCase):
    def test_what_has_expired_is_recorded_once_and_its_gate_reopened(self):
        exception = self.grant(self.release, "G2")
        self.assertEqual(self.stored(self.release)["G2"], "bypassed")
        with self.later(hours=41):
            exception._expire()
            self.assertEqual(exception.state, "expired")
            self.assertEqual(self.stored(self.release)["G2"], "pending")
            with self.assertRaises(UserError):
                exception._expire()
        self.assertEqual(len(self.ledger(self.release, "exception_expired")), 1)
        (reopened,) = self.ledger(self.release, "gate_reopened")
        self.assertIn("G2", reopened.body)

    def test_a_reminder_comes_once_and_in_time(self):
        exception = self.grant(self.release)
        self.assertEqual(exception.remind_at, exception.expires_at - timedelta(hours=8))
        with self.later(hours=33):
            exception._remind()
        self.assertTrue(exception.reminded_at)
        self.assertEqual(exception.activity_ids.user_id, self.dev)

    def test_the_scheduled_actions_do_their_work_and_find_nothing_the_second_time(self):
        active = self.grant(self.release, "G2")
        undecided = self.request()
        cron = self.env.ref("ipai_release_gates.ir_cron_expire_exceptions")
        with self.scheduled(hours=41):
            for _run in range(2):
                cron.method_direct_trigger()
        self.env.invalidate_all()
        self.assertEqual(active.state, "expired")
        self.assertEqual(undecided.sudo().state, "rejected")
        self.assertEqual(len(self.ledger(self.release, "exception_expired")), 1)

    def test_releases_are_judged_anew_when_their_forecast_says_so(self):
        self.grant(self.release, "G2")
        release = self.release
        self.assertEqual(release.rejudge_at, release.exception_ids.expires_at)
        with self.later(hours=41):
            release._rejudge([], starts=False)
            self.assertEqual(self.stored(release)["G2"], "pending")
            self.assertGreater(release.rejudge_at, self.env.cr.now())


class TestExceptionsInTheLedger(ExceptionCase):
    def verified(self):
        self.env.flush_all()
        verification = self.env["ipai.ledger.verification"].with_user(self.auditor)
        return verification._verify_release(self.release.with_user(self.auditor))

    def test_the_chain_agrees_with_exceptions_in_every_state(self):
        self.draft()
        self.request()
        self.grant(self.release)
        self.grant(self.release).with_user(self.rm).action_revoke("Done.")
        self.grant(self.release)._expire()
        self.draft().action_close("Not needed.")
        self.assertEqual(self.verified().result, "sound")

    def test_a_state_changed_behind_the_ledgers_back_is_found(self):
        exception = self.grant(self.release)
        exception._expire()
        self.env.flush_all()
        self.env.cr.execute("ALTER TABLE ipai_exception DISABLE TRIGGER USER")
        self.env.cr.execute(
            "UPDATE ipai_exception SET state = 'active' WHERE id = %s", [exception.id]
        )
        self.env.cr.execute("ALTER TABLE ipai_exception ENABLE TRIGGER USER")
        exception.invalidate_recordset()
        verification = self.verified()
        self.assertNotEqual(verification.result, "sound")
        self.assertIn(f"ipai.exception,{exception.id}", str(verification.faults))
