"""Exceptions: who asks, who approves, what is covered, and how it ends."""

from datetime import timedelta

from odoo.exceptions import AccessError

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
