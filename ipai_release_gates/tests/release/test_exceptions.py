"""Exceptions: who asks, who approves, what is covered, and how it ends."""

from datetime import timedelta

import psycopg2

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import mute_logger

from ..common import GateCase

G2_EVIDENCE = ("acceptance_criteria", "defect_register", "test_evidence")


class ExceptionCase(GateCase):
    """Helpers shared by the tests of exceptions."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Exception = cls.env["ipai.exception"]
        cls.release = cls.open_release()
        cls.pass_g1(cls.release)

    @classmethod
    def requirements(cls, *codes):
        """Requirements by ``gate:code``."""
        values = cls.exception_values(cls.release, *codes)
        return cls.env["ipai.gate.requirement"].browse(values["requirement_ids"][0][2])

    def draft(self, user=None, release=None, waived=("G2:qa_signoff",), **values):
        """An exception as a person drafts it."""
        vals = self.exception_values(release or self.release, *waived, **values)
        if not waived:
            vals.update(gate_ids=False, requirement_ids=False)
        return self.Exception.with_user(user or self.dev).create(vals)

    def request(self, *args, **values):
        exception = self.draft(*args, **values)
        exception.action_request()
        return exception

    def decide(self, exception, user, persona, decision="approved"):
        return (
            self.env["ipai.approval"]
            .with_user(user)
            .create(
                {
                    "exception_id": exception.id,
                    "persona_id": self.personas[persona].id,
                    "decision": decision,
                    "rationale_text": "Looked into it.",
                }
            )
        )


class TestWhatAnExceptionCovers(ExceptionCase):
    def test_an_approved_exception_bypasses_what_it_names_and_nothing_else(self):
        self.grant(self.release)
        self.assertEqual(
            self.unmet(self.release, "G2"),
            {f"G2:{code}" for code in G2_EVIDENCE},
        )
        for code in ("acceptance_criteria", "defect_register", "test_result"):
            self.evidence(self.qa, self.release, code, "G2")
        self.assertEqual(self.status(self.release, "G2"), "bypassed")
        self.move(self.release, "qa_validation")
        self.move(self.release, "staging_acceptance")

    def test_a_gate_bypass_covers_the_whole_gate_but_not_the_gates_before(self):
        fresh = self.open_release()
        self.grant(fresh, "G2")
        self.assertEqual(self.unmet(fresh, "G2"), {"G2:g1_passed"})
        self.assertIn("G1:branch_build", self.unmet(fresh, "G1"))

    def test_drafts_and_requests_cover_nothing(self):
        before = self.unmet(self.release)
        self.request()
        self.assertEqual(self.unmet(self.release), before)

    def test_it_covers_nothing_before_it_takes_effect(self):
        start = self.env.cr.now() + timedelta(hours=2)
        self.grant(self.release, effective_from=start)
        self.assertIn("G2:qa_signoff", self.unmet(self.release))
        with self.later(hours=3):
            self.assertNotIn("G2:qa_signoff", self.unmet(self.release))

    def test_an_expired_exception_covers_nothing_although_nothing_ran(self):
        exception = self.grant(self.release)
        with self.later(hours=41):
            self.assertEqual(exception.state, "active")
            self.assertIn("G2:qa_signoff", self.unmet(self.release))
            exception.invalidate_recordset()
            self.assertEqual(exception.status, "expired")
            self.assertFalse(exception.in_force)

    def test_a_new_revision_leaves_the_exception_behind(self):
        exception = self.grant(self.release)
        self.release.with_user(self.dev).write({"source_ref": "a" * 40})
        self.assertIn("G2:qa_signoff", self.unmet(self.release))
        exception.invalidate_recordset()
        self.assertFalse(exception.in_force)

    def test_the_card_says_when_the_first_exception_ends(self):
        exception = self.grant(self.release)
        self.release.invalidate_recordset()
        self.assertEqual(self.release.bypassed_until, exception.expires_at)

    def test_the_mark_of_a_bypassed_gate_follows_the_clock(self):
        self.grant(self.release, "G2")
        mark = {m["code"]: m["status"] for m in self.release.gate_marks}
        self.assertEqual(mark["G2"], "bypassed")
        with self.later(hours=41):
            self.release.invalidate_recordset()
            mark = {m["code"]: m["status"] for m in self.release.gate_marks}
            self.assertEqual(mark["G2"], self.judged(self.release).gate("G2").status)
            self.assertNotEqual(mark["G2"], "bypassed")


class TestEligibility(ExceptionCase):
    def test_all_passed_is_eligible_everywhere(self):
        self.pass_gates(self.release, "G2", "G3")
        for target in ("dev", "staging", "production"):
            self.assertTrue(self.verdict(self.release, target=target)["eligible"])

    def test_failed_g2_is_eligible_neither_for_staging_nor_for_production(self):
        self.pass_gates(self.release, "G2", "G3")
        self.check(self.release, "unit_tests", "fail")
        self.assertTrue(self.verdict(self.release, target="dev")["eligible"])
        for target in ("staging", "production"):
            self.assertFalse(self.verdict(self.release, target=target)["eligible"])

    def test_g3_under_an_exception_is_eligible_and_shown_bypassed_until_it_ends(self):
        self.pass_gates(self.release, "G2")
        self.evidence(self.rm, self.release, "rollback_plan", "G3")
        self.sign(self.rm, self.release, "G3")
        self.assertFalse(self.verdict(self.release)["eligible"])
        self.grant(
            self.release,
            "G3:release_notes",
            "G3:evidence_package",
            exception_type="evidence_waiver",
        )
        verdict = self.verdict(self.release)
        self.assertTrue(verdict["eligible"])
        self.assertEqual(verdict["gates"][-1]["status"], "bypassed")
        with self.later(hours=41):
            verdict = self.verdict(self.release)
            self.assertFalse(verdict["eligible"])
            self.assertNotEqual(verdict["gates"][-1]["status"], "bypassed")
        self.move(self.release, "qa_validation")
        self.move(self.release, "staging_acceptance")
        with self.later(hours=41):
            self.assertEqual(
                self.refused(self.release, "production"),
                {"G3:release_notes", "G3:evidence_package"},
            )
        self.move(self.release, "production")


class TestWhoDecides(ExceptionCase):
    def assert_refused(self, exception, user, persona):
        with self.assertRaises(AccessError):
            self.decide(exception, user, persona)
        self.assertEqual(exception.sudo().state, "requested")

    def test_low_and_medium_risk_need_one_release_manager(self):
        for level in ("low", "medium"):
            exception = self.request(risk_level=level)
            self.decide(exception, self.rm, "release_manager")
            self.assertEqual(exception.state, "active")

    def test_high_and_critical_risk_need_a_release_manager_and_an_sre(self):
        for level in ("high", "critical"):
            exception = self.request(
                risk_level=level, compensating_controls="Watched by hand."
            )
            self.assertEqual(
                set(exception.awaited_persona_ids.mapped("code")),
                {"release_manager", "sre"},
            )
            self.decide(exception, self.sre, "sre")
            self.assertEqual(exception.state, "requested")
            self.assertEqual(
                exception.awaited_persona_ids.mapped("code"), ["release_manager"]
            )
            self.decide(exception, self.rm, "release_manager")
            self.assertEqual(exception.state, "active")

    def test_two_release_managers_do_not_make_up_for_an_sre(self):
        exception = self.request(
            risk_level="high", compensating_controls="Watched by hand."
        )
        self.decide(exception, self.rm, "release_manager")
        self.decide(exception, self.rm2, "release_manager")
        self.assertEqual(exception.state, "requested")

    def test_one_person_counts_once_whatever_groups_they_hold(self):
        both = self.new_user("both", "group_release_manager", "group_sre")
        exception = self.request(
            risk_level="high", compensating_controls="Watched by hand."
        )
        self.decide(exception, both, "release_manager")
        self.assert_refused(exception, both, "sre")

    def test_two_accounts_with_one_address_are_one_person(self):
        twin = self.new_user("twin", "group_sre", email="rm@example.com")
        exception = self.request(
            risk_level="high", compensating_controls="Watched by hand."
        )
        self.decide(exception, self.rm, "release_manager")
        self.assert_refused(exception, twin, "sre")

    def test_nobody_decides_on_what_they_requested(self):
        exception = self.request(self.rm)
        self.assert_refused(exception, self.rm, "release_manager")
        self.decide(exception, self.rm2, "release_manager")
        self.assertEqual(exception.sudo().state, "active")

    def test_another_account_of_the_requester_does_not_decide_either(self):
        twin = self.new_user("twin", "group_release_manager", email="rm@example.com")
        self.assert_refused(self.request(self.rm), twin, "release_manager")

    def test_an_author_of_the_revision_does_not_decide(self):
        author = self.new_user("author", "group_release_manager")
        release = self.open_release(authors=["author@example.com"])
        exception = self.request(self.rm, release)
        self.assert_refused(exception, author, "release_manager")

    def test_an_unknown_author_blocks_the_decision(self):
        release = self.open_release(authors=["who@example.com"])
        exception = self.request(self.rm2, release)
        self.assert_refused(exception, self.rm, "release_manager")

    def test_a_persona_that_is_not_asked_does_not_decide(self):
        self.assert_refused(self.request(), self.sre, "sre")

    def test_a_persona_that_is_not_held_is_not_decided_as(self):
        self.assert_refused(self.request(), self.sre, "release_manager")

    def test_a_service_account_does_not_decide(self):
        robot = self.new_user("robot", "group_ci_service", "group_release_manager")
        self.assert_refused(self.request(), robot, "release_manager")

    def test_neither_developer_nor_tester_nor_auditor_decides(self):
        exception = self.request(self.rm)
        for user in (self.dev, self.qa, self.auditor, self.governance, self.ci):
            self.assert_refused(exception, user, "release_manager")

    def test_a_rejection_ends_the_request(self):
        for decision in ("rejected", "request_changes"):
            exception = self.request()
            self.decide(exception, self.rm, "release_manager", decision)
            self.assertEqual(exception.state, "rejected")
            with self.assertRaises(AccessError):
                self.decide(exception, self.rm2, "release_manager")

    def test_a_request_for_an_earlier_revision_is_not_decided(self):
        exception = self.request()
        self.release.with_user(self.dev).write({"source_ref": "a" * 40})
        self.assert_refused(exception, self.rm, "release_manager")

    def test_a_request_that_would_have_expired_is_not_decided(self):
        exception = self.request()
        with self.later(hours=41):
            self.assert_refused(exception, self.rm, "release_manager")

    def test_the_approver_is_the_authenticated_user(self):
        exception = self.request()
        with self.assertRaises(AccessError):
            self.env["ipai.approval"].with_user(self.rm).create(
                {
                    "exception_id": exception.id,
                    "persona_id": self.personas["release_manager"].id,
                    "decision": "approved",
                    "approver_id": self.rm2.id,
                }
            )


class TestWhatIsAsked(ExceptionCase):
    def test_the_draft_belongs_to_its_author_and_can_change(self):
        exception = self.draft()
        exception.write({"rationale": "The tester is on leave."})
        self.assertEqual(exception.rationale, "The tester is on leave.")
        with self.assertRaises(AccessError):
            exception.with_user(self.rm).write({"rationale": "Something else."})

    def test_a_requested_exception_is_sealed_for_everybody(self):
        exception = self.request()
        later = self.env.cr.now() + timedelta(days=20)
        for vals in (
            {"expires_at": later},
            {"rationale": "Other."},
            {"gate_ids": [(4, self.gates["G3"].id)]},
            {"requirement_ids": [(5, 0, 0)]},
            {"risk_level": "medium"},
        ):
            with self.assertRaises(UserError):
                exception.write(vals)

    def test_nobody_writes_the_state_or_what_follows_from_it(self):
        exception = self.draft()
        for vals in (
            {"state": "active"},
            {"approved_at": self.env.cr.now()},
            {"review_status": "complete"},
            {"recorded_by_id": self.qa.id},
            {"revision_id": self.release.revision_id.id},
            {"extension_of_id": exception.id},
        ):
            for user in (self.dev, self.env.ref("base.user_admin")):
                with self.assertRaises(AccessError):
                    exception.with_user(user).write(vals)
            with self.assertRaises(AccessError):
                self.draft(**vals)

    def test_the_database_seals_what_was_requested(self):
        exception = self.request()
        for statement in (
            "UPDATE ipai_exception SET expires_at = expires_at + interval '1 day'",
            "UPDATE ipai_exception SET rationale = 'Other.'",
            "UPDATE ipai_exception SET state = 'expired'",
            "DELETE FROM ipai_exception_gate_rel",
            "DELETE FROM ipai_exception_requirement_rel",
            "UPDATE ipai_exception_gate_rel SET gate_id = gate_id",
        ):
            with (
                self.undone(),
                mute_logger("odoo.sql_db"),
                self.assertRaises(psycopg2.errors.InsufficientPrivilege),
            ):
                self.env.cr.execute(statement)
        self.assertEqual(exception.state, "requested")

    def test_no_exception_lives_longer_than_its_risk_allows(self):
        for level, life in (("low", 30), ("medium", 14), ("high", 7), ("critical", 2)):
            start = self.env.cr.now().replace(microsecond=0)
            fits = start + timedelta(days=life)
            self.draft(risk_level=level, effective_from=start, expires_at=fits)
            with (
                self.undone(),
                mute_logger("odoo.sql_db"),
                self.assertRaises(psycopg2.errors.CheckViolation),
            ):
                self.draft(
                    risk_level=level,
                    effective_from=start,
                    expires_at=fits + timedelta(seconds=1),
                )
                self.env.flush_all()

    def test_an_exception_always_expires(self):
        with (
            self.undone(),
            mute_logger("odoo.sql_db"),
            self.assertRaises(psycopg2.errors.NotNullViolation),
        ):
            self.draft(expires_at=False)
            self.env.flush_all()

    def test_an_emergency_is_critical_whatever_was_said(self):
        exception = self.draft(exception_type="emergency", risk_level="low")
        self.assertEqual(exception.risk_level, "critical")
        other = self.draft()
        other.write({"exception_type": "emergency"})
        self.assertEqual(other.risk_level, "critical")

    def test_what_could_never_cover_anything_is_not_requested(self):
        for message, values in (
            ("Impacted gates", {"waived": ()}),
            (
                "Compensating controls",
                {"risk_level": "high", "compensating_controls": False},
            ),
            ("Waived requirements", {"waived": ("G2:g1_passed",)}),
            (
                "Waived requirements",
                {"waived": ("G2",), "exception_type": "evidence_waiver"},
            ),
            ("Type", {"exception_type": "timing_override"}),
            (
                "Expires at",
                {
                    "expires_at": self.env.cr.now() - timedelta(hours=1),
                    "effective_from": self.env.cr.now() - timedelta(hours=2),
                },
            ),
        ):
            exception = self.draft(**values)
            with self.assertRaisesRegex(ValidationError, message):
                exception.action_request()

    def test_waived_requirements_are_of_the_impacted_gates(self):
        exception = self.draft(waived=("G3",))
        exception.write(
            {"requirement_ids": [(6, 0, self.requirements("G2:qa_signoff").ids)]}
        )
        with self.assertRaisesRegex(ValidationError, "Waived requirements"):
            exception.action_request()

    def test_only_developers_and_release_managers_ask(self):
        for user in (self.qa, self.sre, self.ci, self.auditor, self.governance):
            with self.assertRaises(AccessError):
                self.draft(user)

    def test_a_waived_requirement_cannot_be_deleted_to_widen_the_exception(self):
        self.grant(self.release)
        with (
            self.undone(),
            mute_logger("odoo.sql_db"),
            self.assertRaises(psycopg2.errors.InsufficientPrivilege),
        ):
            self.requirements("G2:qa_signoff").unlink()


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
        # Whoever asked is refused as a reviewer; who approved it is not.
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
