"""The analytics views agree with the policy core, also after time has passed.

PostgreSQL's clock cannot be moved, so the facts are dated back: a release goes through
its stages some days ago, and nothing judges it again before the views are read.
"""

from datetime import timedelta

from ... import policy
from ...models.selections import GATE_STATUSES
from ..common import sha
from ..lives import Lives
from .analytics_case import AnalyticsCase

TARGETS = ("dev", "staging", "production")


class TestAnalyticsAgreement(AnalyticsCase):
    # --- agreement -------------------------------------------------------------------

    def test_the_views_agree_with_the_policy_core_on_random_releases(self):
        seen = {name: set() for name in ("gate", "target", "evidence", "exception")}
        overtaken = waived = 0
        for seed in range(2):
            with self.undone():
                releases = Lives(self, seed).live(18, 12)
                verdicts = releases._verdicts()
                summary = self.rows("gate.summary", *releases)
                overtaken += len(summary.filtered("is_overtaken"))
                seen["gate"] |= self._compare_gates(releases, verdicts, summary)
                seen["target"] |= self._compare_targets(releases)
                found, waivers = self._compare_evidence(releases, verdicts)
                seen["evidence"] |= found
                waived += waivers
                seen["exception"] |= self._compare_exceptions(releases)
                self._compare_deployments(releases)
                self._compare_when_judged(releases)
        # The comparison proves nothing unless every status occurs.
        self.assertEqual(seen["gate"], set(dict(GATE_STATUSES)))
        self.assertEqual(seen["target"], {"eligible", "bypassed", "blocked"})
        self.assertEqual(
            seen["evidence"],
            {"present", "missing", "stale", "too_old", "not_matching", "incomplete"},
        )
        self.assertLessEqual(
            {"draft", "requested", "scheduled", "active", "expired", "revoked"},
            seen["exception"],
        )
        self.assertGreater(overtaken, 10)
        self.assertGreater(waived, 3)

    def _compare_gates(self, releases, verdicts, rows):
        facts = {value.release: value for value in releases._gather_facts()}
        self.assertEqual(len(rows), len(releases) * len(self.gates))
        for row in rows:
            code = row.gate_id.code
            judged = verdicts[row.release_id.id].gate(code)
            with self.subTest(release=row.release_id.name, gate=code):
                self.assertEqual(row.status, judged.status)
                self.assertEqual(row.condition_count, len(judged.conditions))
                if judged.open:
                    self.assertEqual(row.met_count, len(judged.conditions))
                self.assertEqual(
                    row.is_overtaken, row.release_gate_id.status != judged.status
                )
                self._compare_facts(row, facts[row.release_id.id], judged)
        return set(rows.mapped("status"))

    def _compare_facts(self, row, facts, judged):
        """Compare the counts of a row with the facts of the policy core."""
        counts = {"pass": 0, "fail": 0, "warning": 0, "skipped": 0}
        later = {g.code for g in self.gates.values() if g.sequence > row.gate_sequence}
        latest = {}
        for check in sorted(facts.checks, key=lambda check: check.id):
            if check.status != "fail" or check.gate not in later:
                latest[check.name, check.environment] = check
        for check in latest.values():
            counts[check.status] += 1
        for status, count in counts.items():
            self.assertEqual(row[f"{status}_count"], count, status)
        for condition in judged.conditions:
            if condition.kind == "no_failed_check":
                self.assertEqual(condition.state == policy.MET, row.fail_count == 0)
        latest = {}
        for approval in sorted(facts.approvals, key=lambda a: a.id):
            if approval.gate == judged.code:
                latest[approval.person] = approval.decision
        self.assertEqual(
            row.approval_count, list(latest.values()).count("approved"), "approvals"
        )
        release = row.release_id
        mine = release.evidence_ids.filtered(
            lambda e: (
                e.revision_id == release.revision_id
                and e.gate_id in (self.env["ipai.gate"], row.gate_id)
            )
        )
        self.assertEqual(row.evidence_count, len(mine), "evidence")

    def _compare_targets(self, releases):
        rows = self.rows("promotion.eligibility", *releases)
        self.assertEqual(len(rows), len(releases) * len(TARGETS))
        for row in rows:
            verdict = self.verdict(row.release_id, target=row.target)
            status = {gate["code"]: gate["status"] for gate in verdict["gates"]}
            bypassed = [code for code in status if status[code] == "bypassed"]
            closed = [
                code for code in status if status[code] not in ("passed", "bypassed")
            ]
            with self.subTest(release=row.release_id.name, target=row.target):
                self.assertEqual(row.is_eligible, verdict["eligible"])
                self.assertEqual(
                    row.is_bypassed, verdict["eligible"] and bool(bypassed)
                )
                self.assertEqual(
                    row.eligibility,
                    "blocked" if closed else "bypassed" if bypassed else "eligible",
                )
                self.assertEqual(row.blocking_gates or "", ", ".join(closed))
                self.assertEqual(row.bypassed_gates or "", ", ".join(bypassed))
                self.assertEqual(row.gate_count, len(status))
                self.assertEqual(row.open_gate_count, len(status) - len(closed))
        return set(rows.mapped("eligibility"))

    def _compare_evidence(self, releases, verdicts):
        rows = self.rows("evidence.completeness", *releases)
        compared = set()
        for row in rows:
            gate, code = row.gate_id.code, row.requirement_id.code
            conditions = verdicts[row.release_id.id].gate(gate).conditions
            condition = next(c for c in conditions if c.code == code)
            compared.add((row.release_id.id, gate, code))
            with self.subTest(release=row.release_id.name, requirement=code):
                self.assertEqual(row.is_complete, condition.state == policy.MET)
                self.assertEqual(row.is_waived, condition.state == policy.WAIVED)
                self.assertEqual(
                    row.waived_until or None, condition.waived_until or None
                )
                if row.is_package:
                    gap = condition.reason.partition("is incomplete: ")[2]
                    self.assertEqual(row.gap or "", gap)
                    gaps = gap.split(", ") if gap else []
                    self.assertEqual(row.gap_count, len(gaps))
                else:
                    self.assertEqual(row.status, self._status_of(condition, row))
                    latest = [("evidence", row.evidence_id.id)]
                    facts = list(condition.facts)
                    self.assertEqual(facts, latest if row.evidence_id else [])
        asked = {
            (release_id, gate.code, condition.code)
            for release_id, verdict in verdicts.items()
            for gate in verdict.gates
            for condition in gate.conditions
            if condition.kind == "evidence"
        }
        self.assertEqual(compared, asked)
        return set(rows.mapped("status")), len(rows.filtered("is_waived"))

    def _status_of(self, condition, row):
        """The status in the view that a reason of the policy core means."""
        if condition.state == policy.MET:
            return "present"
        if "it says" in condition.reason:
            return "not_matching"
        if "older than" in condition.reason:
            return "too_old"
        self.assertIn("No ", condition.reason)
        type_, gates = row.evidence_type_id, (self.env["ipai.gate"], row.gate_id)
        former = row.release_id.evidence_ids.filtered(
            lambda evidence: evidence.type_id == type_ and evidence.gate_id in gates
        )
        return "stale" if former else "missing"

    def _compare_exceptions(self, releases):
        rows = self.rows("exception.status", *releases)
        self.assertEqual(rows.exception_id, rows.exception_id.search([]))
        for row in rows:
            exception = row.exception_id
            with self.subTest(exception=exception.id):
                self.assertEqual(row.status, exception.status)
                self.assertEqual(row.in_force, exception.in_force)
                self.assertAlmostEqual(row.hours_left, exception.hours_left, 4)
                self.assertEqual(row.gate_ids, exception.gate_ids)
                owed = exception.review_status
                expected = "overdue" if exception.review_overdue else owed
                self.assertEqual(row.review, expected if owed != "waived" else "none")
        return set(rows.mapped("status"))

    def _compare_deployments(self, releases):
        rows = self.rows("deployment.history", *releases)
        self.assertEqual(rows.deployment_id, rows.deployment_id.search([]))
        now = self.env.cr.now()
        for row in rows:
            deployment = row.deployment_id
            with self.subTest(deployment=deployment.id):
                self.assertEqual(row.status, deployment.status)
                self.assertEqual(row.source_ref, deployment.source_ref)
                self.assertEqual(row.is_current, not deployment.is_stale)
                first = deployment.release_id.revision_ids.sorted("id")[0]
                lead = deployment.deployed_at - first.recorded_at
                hours = lead.total_seconds() / 3600
                self.assertAlmostEqual(row.lead_time_hours, hours, 4)
                due = deployment.confirmation_due_at
                if row.environment_category != "production":
                    self.assertFalse(row.g4_status)
                elif deployment.is_stale and due and due < now:
                    self.assertNotEqual(row.g4_status, "pending")

    def _compare_when_judged(self, releases):
        """Compare the views before with the statuses stored by a new judgement."""
        said = {
            row.deployment_id: row.g4_status
            for row in self.rows("deployment.history", *releases)
        }
        releases._rejudge([], starts=False)
        self.env.flush_all()
        verdicts = releases._verdicts()
        for row in self.rows("gate.summary", *releases):
            judged = verdicts[row.release_id.id].gate(row.gate_id.code)
            self.assertFalse(row.is_overtaken)
            self.assertEqual(row.met_count, len(judged.conditions) - len(judged.unmet))
        compared = 0
        for deployment, status in said.items():
            latest = deployment.release_id.deployment_ids.filtered(
                lambda d: not d.is_stale and d.environment_category == "production"
            ).sorted(lambda d: (d.deployed_at, d.id))[-1:]
            if deployment == latest:
                compared += 1
                self.assertEqual(status, deployment.g4_status)
        self.assertGreater(compared, 2)

    # --- time ------------------------------------------------------------------------

    def test_an_exception_that_expires_now_has_no_effect(self):
        now = self.env.cr.now()
        for left, status, eligibility in (
            (timedelta(0), "expired", "blocked"),
            (timedelta(microseconds=1), "active", "bypassed"),
        ):
            with self.later(hours=-2):
                release = self.open_release()
                self.pass_gates(release, "G1")
                self.grant(release, "G2", expires_at=now + left)
            row = self.rows("exception.status", release)
            self.assertEqual((row.status, row.in_force), (status, status == "active"))
            row = self.rows("promotion.eligibility", release, target="staging")
            self.assertEqual(row.eligibility, eligibility)
            row = self.rows("gate.summary", release, gate_id=self.gates["G2"].id)
            self.assertEqual(row.status == "bypassed", status == "active")
            self.assertEqual(row.release_gate_id.status, "bypassed")
            self.assertEqual(bool(row.waived_until), status == "active")

    def test_a_scheduled_exception_opens_the_gate_when_it_begins(self):
        now = self.env.cr.now()
        with self.later(hours=-9):
            release = self.open_release()
            self.pass_gates(release, "G1")
            self.grant(
                release,
                "G2",
                effective_from=now - timedelta(hours=2),
                expires_at=now + timedelta(hours=2),
            )
        row = self.rows("gate.summary", release, gate_id=self.gates["G2"].id)
        self.assertEqual(row.status, "bypassed")
        self.assertTrue(row.is_overtaken)
        self.assertEqual(row.resolved_at, now - timedelta(hours=2))
        self.assertAlmostEqual(row.hours_to_pass, 7, 3)

    def test_a_deployment_past_its_deadline_has_failed(self):
        with self.later(hours=-30):
            release = self.open_release()
            self.pass_gates(release, "G1", "G2", "G3")
            deployment = self.deploy(release)
        self.assertEqual(deployment.g4_status, "pending")
        row = self.rows("deployment.history", release)
        self.assertEqual(row.g4_status, "failed")
        with self.later(hours=-29):
            release.with_user(self.rm).write({"source_ref": sha("another")})
        row = self.rows("deployment.history", release)
        self.assertFalse(row.is_current)
        self.assertEqual(row.g4_status, "failed")

    def test_a_deployment_confirmed_in_time_stays_passed(self):
        with self.later(hours=-30):
            release = self.open_release()
            self.pass_gates(release, "G1", "G2", "G3", "G4")
        row = self.rows("gate.summary", release, gate_id=self.gates["G4"].id)
        self.assertEqual(row.status, "passed")
        self.assertEqual(self.rows("deployment.history", release).g4_status, "passed")
