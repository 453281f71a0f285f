"""Facts speak of one revision and count for that one only."""

from datetime import timedelta

from odoo.exceptions import AccessError, UserError, ValidationError

from ..common import (
    G1_MISSING,
    G2_MISSING,
    G3_MISSING,
    G4_MISSING,
    STAGES,
    GateCase,
    sha,
)

FACTS = ("ipai_check", "ipai_evidence", "ipai_approval", "ipai_deployment")


class TestRevisionBinding(GateCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.release = cls.open_release("bound")
        cls.first = cls.release.source_ref
        cls.bring_to(cls.release, "staging_acceptance")
        cls.pass_g3(cls.release)

    def revise(self, seed="second", authors=("dev@example.com",), release=None):
        """CI reports a new revision; returns the detail of the answer."""
        event = self.ci_event(
            "revision",
            {"source_ref": sha(seed), "authors": list(authors)},
            release or self.release,
        )
        return self.must_send(self.ci, event)[0]["detail"]

    def _verdicts(self, release=None):
        """The fresh and the stored verdict, without the instant."""
        release = release or self.release
        judged = self.judged(release)
        return judged.gates, judged.revision, self.stored(release)

    # --- a new commit ----------------------------------------------------------------

    def test_a_new_commit_reopens_every_gate(self):
        self.assertEqual(self.status(self.release, "G3"), "passed")
        detail = self.revise()
        self.assertEqual((detail["changed"], detail["stage"]), (True, "build"))
        self.assertEqual(
            self.unmet(self.release, "G1", "G2", "G3"),
            G1_MISSING | G2_MISSING | G3_MISSING,
        )
        self.assertEqual(
            self.stored(self.release),
            dict.fromkeys(("G1", "G2", "G3", "G4"), "pending"),
        )
        reopened = self.ledger(self.release, "gate_reopened").mapped("body")
        self.assertEqual(len(reopened), 3)

    def test_a_new_commit_pulls_a_release_back_to_build_and_the_ledger_says_so(self):
        for stage in STAGES[1:3]:
            with self.subTest(stage=stage), self.undone():
                release = self.bring_to(self.open_release(f"at {stage}"), stage)
                self.revise("another", release=release)
                self.assertEqual(release.stage_id.code, "build")
                self.assertEqual(release.status, "in_progress")
                self.assertIn(sha("another")[:7], release.move_reason)
                kinds = self.ledger(release).mapped("kind")
                self.assertIn("revision_changed", kinds)
                moved = self.ledger(release, "move_allowed")[-1]
                self.assertIn(f'"from":"{stage}"', moved.body)
                self.assertIn('"to":"build"', moved.body)

    def test_a_new_commit_in_production_reopens_gates_but_does_not_pull_back(self):
        self.move(self.release, "production")
        self.revise()
        self.assertEqual(self.release.stage_id.code, "production")
        self.assertEqual(self.status(self.release, "G1"), "pending")
        # The new revision may not be deployed either, so nothing of G4 can hold.
        self.assertEqual(
            self.refused(self.release, "closed"),
            G1_MISSING | G2_MISSING | G3_MISSING | G4_MISSING,
        )

    def test_a_closed_release_takes_no_new_commit(self):
        self.move(self.release, "production")
        self.pass_g4(self.release)
        self.move(self.release, "closed")
        event = self.ci_event(
            "revision",
            {"source_ref": sha("late"), "authors": ["dev@example.com"]},
            self.release,
        )
        answer = self.send(self.ci, event)[0]
        self.assertEqual(answer["status"], "rejected")
        self.assertEqual(self.release.source_ref, self.first)
        with self.assertRaises(UserError):
            self.release.with_user(self.rm).write({"source_ref": sha("late")})

    def test_a_commit_written_by_hand_binds_like_one_that_ci_reports(self):
        self.release.with_user(self.rm).write({"source_ref": sha("by hand").upper()})
        self.assertEqual(self.release.source_ref, sha("by hand"))
        self.assertEqual(self.release.revision_id.source_ref, sha("by hand"))
        self.assertEqual(self.release.stage_id.code, "build")
        self.assertEqual(self.unmet(self.release, "G1"), G1_MISSING)

    def test_a_developer_revises_by_hand_in_the_first_stage_only(self):
        with self.assertRaises(AccessError):
            self.release.with_user(self.dev).write({"source_ref": sha("mine")})
        release = self.open_release("in build")
        release.with_user(self.dev).write({"source_ref": sha("mine")})
        self.assertEqual(release.source_ref, sha("mine"))

    def test_a_commit_must_be_a_full_sha(self):
        for wrong in ("main", self.first[:7], "", False, "0" * 40, self.first + "0"):
            with self.subTest(wrong=wrong), self.assertRaises(ValidationError):
                self.release.with_user(self.rm).write({"source_ref": wrong})
        self.assertEqual(self.release.source_ref, self.first)

    def test_another_artifact_of_the_same_commit_is_another_revision(self):
        self.release.with_user(self.rm).write({"artifact_digest": "sha256:" + "a" * 64})
        self.assertEqual(self.release.source_ref, self.first)
        self.assertEqual(self.unmet(self.release, "G1"), G1_MISSING)

    # --- what is stale ---------------------------------------------------------------

    def test_approvals_of_the_old_revision_are_kept_as_stale_and_do_not_count(self):
        approvals = self.release.approval_ids
        self.assertEqual(len(approvals), 2)
        self.assertFalse(any(approvals.mapped("is_stale")))
        self.revise()
        self.assertEqual(approvals.exists(), self.release.approval_ids)
        self.assertTrue(all(approvals.mapped("is_stale")))
        self.pass_g1(self.release)
        for code in ("acceptance_criteria", "defect_register", "test_result"):
            self.evidence(self.qa, self.release, code, "G2")
        self.assertEqual(self.unmet(self.release, "G2"), {"G2:qa_signoff"})

    def test_evidence_and_checks_of_the_old_revision_do_not_count(self):
        self.revise()
        self.sign(self.qa, self.release, "G2")
        self.assertEqual(self.unmet(self.release, "G1"), G1_MISSING)
        self.assertEqual(self.unmet(self.release, "G2"), G2_MISSING - {"G2:qa_signoff"})
        self.assertTrue(all(self.release.check_ids.mapped("is_stale")))
        self.assertTrue(all(self.release.evidence_ids.mapped("is_stale")))

    def test_stale_facts_can_be_searched(self):
        self.revise()
        self.check(self.release, "lint")
        checks = self.env["ipai.check"].search([("release_id", "=", self.release.id)])
        stale = checks.search([("id", "in", checks.ids), ("is_stale", "=", True)])
        current = checks.search([("id", "in", checks.ids), ("is_stale", "=", False)])
        self.assertEqual(stale + current, checks.sorted("is_stale", reverse=True))
        self.assertEqual(current.source_ref, sha("second"))

    # --- late results ----------------------------------------------------------------

    def _late_events(self):
        old = {"source_ref": self.first}
        build = {"status": "fail", "checks": [], "log_url": "https://ci.example.com/9"}
        return [
            self.ci_event(
                "check_result", {"name": "lint", "status": "fail", **old}, self.release
            ),
            self.ci_event("build_complete", {**build, **old}, self.release),
            self.ci_event(
                "evidence",
                {"type": "test_result", "url": "https://ci.example.com/t", **old},
                self.release,
            ),
            self.ci_event(
                "health_check",
                {"environment": "production", "status": "fail", **old},
                self.release,
            ),
            self.ci_event(
                "deployment_event",
                {
                    "environment": "staging",
                    "status": "failed",
                    "external_id": "late",
                    **old,
                },
                self.release,
            ),
        ]

    def test_late_results_are_kept_as_history_and_change_no_verdict(self):
        self.revise()
        self.pass_gates(self.release, "G1", "G2", "G3")
        before, status = self._verdicts(), self.release.status
        counts = {table: len(rows) for table, rows in self.snapshot(*FACTS).items()}
        for event in self._late_events():
            answer = self.must_send(self.ci, event)[0]
            self.assertEqual(answer["http_status"], 200)
            self.assertIs(answer["detail"]["stale"], True)
            self.assertEqual(self._verdicts(), before, event["event_type"])
        # check, build, check of the health check; build log, status, result, health
        grown = {table: len(rows) for table, rows in self.snapshot(*FACTS).items()}
        self.assertEqual(
            {table: grown[table] - counts[table] for table in FACTS},
            {
                "ipai_check": 3,
                "ipai_evidence": 4,
                "ipai_approval": 0,
                "ipai_deployment": 1,
            },
        )
        latest = self.release.check_ids.sorted("id")[-3:]
        self.assertEqual(set(latest.mapped("source_ref")), {self.first})
        self.assertTrue(all(latest.mapped("is_stale")))
        self.assertEqual(self.release.status, status)

    def test_a_late_signature_is_history_and_opens_nothing(self):
        self.revise()
        self.pass_g1(self.release)
        before = self._verdicts()
        answer = self.sign(self.qa2, self.release, "G2", source_ref=self.first)
        self.assertIs(answer["detail"]["stale"], True)
        self.assertEqual(self._verdicts(), before)
        approval = self.env["ipai.approval"].browse(
            answer["detail"]["created"]["approvals"]
        )
        self.assertTrue(approval.is_stale)
        self.assertEqual(approval.approver_id, self.qa2)

    def test_a_late_result_says_in_the_ledger_that_it_was_late(self):
        self.revise()
        self.must_send(self.ci, self._late_events()[0])
        self.assertIn('"stale":true', self.ledger(self.release, "check")[-1].body)

    # --- back to an earlier commit ---------------------------------------------------

    def test_going_back_to_an_earlier_commit_revives_nothing(self):
        self.revise("second")
        self.revise("bound")
        self.assertEqual(self.release.source_ref, self.first)
        self.assertEqual(len(self.release.revision_ids), 3)
        self.assertEqual(
            self.unmet(self.release, "G1", "G2", "G3"),
            G1_MISSING | G2_MISSING | G3_MISSING,
        )
        self.assertTrue(all(self.release.approval_ids.mapped("is_stale")))

    def test_a_result_for_the_commit_it_went_back_to_counts(self):
        self.revise("second")
        self.revise("bound")
        self.pass_g1(self.release)
        self.assertEqual(self.status(self.release, "G1"), "passed")

    def test_a_deployment_begun_before_a_detour_is_still_advanced(self):
        deployment = self.deploy(self.release, "in_progress")
        self.revise("second")
        self.revise("bound")
        event = self.ci_event(
            "deployment_event",
            {
                "environment": "production",
                "status": "succeeded",
                "external_id": deployment.external_id,
            },
            self.release,
        )
        answer = self.must_send(self.ci, event)[0]
        self.assertEqual(deployment.status, "succeeded")
        self.assertIs(answer["detail"]["stale"], True)
        self.assertIn("G4:production_deployment", self.unmet(self.release))

    # --- the same commit again -------------------------------------------------------

    def test_the_same_commit_with_fewer_authors_keeps_the_authors(self):
        release = self.open_release(
            "many hands", authors=["dev@example.com", "qa@example.com"]
        )
        detail = self.revise("many hands", ["dev@example.com"], release)
        self.assertIs(detail["changed"], False)
        self.assertEqual(
            release.revision_id.author_emails, ["dev@example.com", "qa@example.com"]
        )
        answer = self.send(self.qa, self.signoff_event(release, "G2", "qa_tester"))[0]
        self.assertEqual(answer["detail"]["code"], "forbidden")

    def test_authors_of_a_commit_are_known_to_every_release_of_the_project(self):
        self.open_release("one", source_ref=sha("shared"), authors=["qa@example.com"])
        other = self.open_release("two", source_ref=sha("shared"))
        self.assertIn("qa@example.com", other.revision_id.author_emails)

    def test_authors_survive_a_detour_over_another_commit(self):
        release = self.open_release("detour", authors=["qa@example.com"])
        self.revise("elsewhere", ["dev@example.com"], release)
        self.revise("detour", ["dev@example.com"], release)
        self.assertIn("qa@example.com", release.revision_id.author_emails)

    def test_the_same_commit_with_more_authors_takes_them_in_and_judges_anew(self):
        self.assertEqual(self.status(self.release, "G2"), "passed")
        detail = self.revise("bound", ["dev@example.com", "qa@example.com"])
        self.assertIs(detail["changed"], False)
        self.assertEqual(self.unmet(self.release, "G1", "G2"), {"G2:qa_signoff"})
        self.assertEqual(self.release.stage_id.code, "staging_acceptance")
        self.assertEqual(self.status(self.release, "G2"), "in_progress")

    # --- freshness -------------------------------------------------------------------

    def test_facts_older_than_a_requirement_allows_do_not_count(self):
        for xmlid, code in (
            ("requirement_g1_required_checks", "G1:required_checks"),
            ("requirement_g2_test_evidence", "G2:test_evidence"),
            ("requirement_g2_qa_signoff", "G2:qa_signoff"),
        ):
            requirement = self.env.ref(f"ipai_release_gates.{xmlid}")
            with self.subTest(code=code), self.undone():
                requirement.freshness_hours = 2
                gate = code[:2]
                with self.later(hours=2):
                    self.assertEqual(self.unmet(self.release, gate), set())
                with self.later(hours=2, seconds=1):
                    self.assertEqual(self.unmet(self.release, gate), {code})
                    reason = self.reason_of(self.release, *code.split(":"))
                    self.assertIn("older than the 2 hours allowed", reason)

    def test_a_stale_fact_recorded_again_is_fresh(self):
        requirement = self.env.ref("ipai_release_gates.requirement_g2_test_evidence")
        requirement.freshness_hours = 2
        with self.later(hours=3) as now:
            self.evidence(self.qa, self.release, "test_result", "G2")
            self.assertEqual(self.unmet(self.release, "G2"), set())
            evidence = self.release.evidence_ids.sorted("id")[-1]
            self.assertLess(abs(evidence.recorded_at - now), timedelta(seconds=1))
