"""The reports say what the engine says: on random releases, and after time has passed.

PostgreSQL's clock cannot be moved, so the facts are: a release lives its life some days
ago, through the same doors as ever, and nobody judges it again before it is read.
"""

from datetime import timedelta

from odoo.exceptions import AccessError
from odoo.tools import SQL

from odoo.addons.ipai_release_gates import policy
from odoo.addons.ipai_release_gates.models.selections import GATE_STATUSES

from ..common import ROLES, GateCase, sha
from ..lives import Lives

REPORTS = (
    "ipai.report.gate.summary",
    "ipai.report.promotion.eligibility",
    "ipai.report.evidence.completeness",
    "ipai.report.exception.status",
    "ipai.report.deployment.history",
)
TARGETS = ("dev", "staging", "production")


class TestReports(GateCase):
    def report(self, name, *releases, **values):
        """The rows of a report, on some releases and with some values."""
        domain = [(field, "=", value) for field, value in values.items()]
        if releases:
            ids = [release.id for release in releases]
            domain.append(("release_id", "in", ids))
        self.env.invalidate_all()
        return self.env[f"ipai.report.{name}"].search(domain)

    # --- agreement -------------------------------------------------------------------

    def test_the_reports_agree_with_the_engine_on_random_releases(self):
        seen = {name: set() for name in ("gate", "target", "evidence", "exception")}
        overtaken = waived = 0
        for seed in range(2):
            with self.undone():
                releases = Lives(self, seed).live(18, 12)
                verdicts = releases._verdicts()
                summary = self.report("gate.summary", *releases)
                overtaken += len(summary.filtered("is_overtaken"))
                seen["gate"] |= self._compare_gates(releases, verdicts, summary)
                seen["target"] |= self._compare_targets(releases)
                found, waivers = self._compare_evidence(releases, verdicts)
                seen["evidence"] |= found
                waived += waivers
                seen["exception"] |= self._compare_exceptions(releases)
                self._compare_deployments(releases)
                self._compare_when_judged(releases)
        # Nothing is proven by lives in which little happened.
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
        """Compare the counts of a row with what the engine was given."""
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
        rows = self.report("promotion.eligibility", *releases)
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
        rows = self.report("evidence.completeness", *releases)
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
        """What a reason of the engine comes to, in the words of the report."""
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
        rows = self.report("exception.status", *releases)
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
        rows = self.report("deployment.history", *releases)
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
        """What the reports said before is what the engine stores when it judges now."""
        said = {
            row.deployment_id: row.g4_status
            for row in self.report("deployment.history", *releases)
        }
        releases._rejudge([], starts=False)
        self.env.flush_all()
        verdicts = releases._verdicts()
        for row in self.report("gate.summary", *releases):
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

    def test_what_expires_at_this_instant_counts_no_more(self):
        now = self.env.cr.now()
        for left, status, eligibility in (
            (timedelta(0), "expired", "blocked"),
            (timedelta(microseconds=1), "active", "bypassed"),
        ):
            with self.later(hours=-2):
                release = self.open_release()
                self.pass_gates(release, "G1")
                self.grant(release, "G2", expires_at=now + left)
            row = self.report("exception.status", release)
            self.assertEqual((row.status, row.in_force), (status, status == "active"))
            row = self.report("promotion.eligibility", release, target="staging")
            self.assertEqual(row.eligibility, eligibility)
            row = self.report("gate.summary", release, gate_id=self.gates["G2"].id)
            self.assertEqual(row.status == "bypassed", status == "active")
            self.assertEqual(row.release_gate_id.status, "bypassed")
            self.assertEqual(bool(row.waived_until), status == "active")

    def test_an_exception_to_come_opens_the_gate_in_time(self):
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
        row = self.report("gate.summary", release, gate_id=self.gates["G2"].id)
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
        row = self.report("deployment.history", release)
        self.assertEqual(row.g4_status, "failed")
        with self.later(hours=-29):
            release.with_user(self.rm).write({"source_ref": sha("another")})
        row = self.report("deployment.history", release)
        self.assertFalse(row.is_current)
        self.assertEqual(row.g4_status, "failed")

    def test_a_deployment_confirmed_in_time_has_passed_for_good(self):
        with self.later(hours=-30):
            release = self.open_release()
            self.pass_gates(release, "G1", "G2", "G3", "G4")
        row = self.report("gate.summary", release, gate_id=self.gates["G4"].id)
        self.assertEqual(row.status, "passed")
        self.assertEqual(self.report("deployment.history", release).g4_status, "passed")

    # --- what is shown ---------------------------------------------------------------

    def test_a_bypass_is_shown_as_its_own(self):
        release = self.open_release()
        self.pass_gates(release, "G1")
        self.grant(release, "G2")
        row = self.report("gate.summary", release, gate_id=self.gates["G2"].id)
        self.assertEqual(row.status, "bypassed")
        row = self.report("promotion.eligibility", release, target="staging")
        self.assertEqual(row.eligibility, "bypassed")
        self.assertTrue(row.is_eligible)
        self.assertEqual(row.bypassed_gates, "G2")
        self.assertFalse(row.blocking_gates)
        self.pass_gates(release, "G2")
        row = self.report("promotion.eligibility", release, target="staging")
        self.assertEqual(row.eligibility, "eligible")
        self.assertFalse(row.is_bypassed)

    def test_a_changed_policy_changes_what_a_target_needs(self):
        release = self.open_release()
        self.pass_gates(release, "G1")
        row = self.report("promotion.eligibility", release, target="staging")
        self.assertEqual(row.blocking_gates, "G2")
        self.stages["staging_acceptance"].gate_id = False
        row = self.report("promotion.eligibility", release, target="staging")
        self.assertEqual((row.eligibility, row.gate_count), ("eligible", 1))
        self.stages["staging_acceptance"].environment_category = False
        row = self.report("promotion.eligibility", release, target="staging")
        self.assertEqual((row.eligibility, row.gate_count), ("blocked", 0))
        self.stages["build"].environment_category = False
        row = self.report("promotion.eligibility", release, target="dev")
        self.assertEqual(row.eligibility, "eligible")

    def test_an_archived_requirement_asks_for_no_evidence(self):
        release = self.open_release()
        asked = self.report("evidence.completeness", release).requirement_id
        notes = asked.filtered(lambda requirement: requirement.code == "release_notes")
        notes.active = False
        row = self.report("evidence.completeness", release)
        self.assertEqual(row.requirement_id, asked - notes)
        package = row.filtered("is_package")
        self.assertNotIn("release notes", package.gap)

    def test_metadata_that_no_database_can_read_matches_nothing(self):
        release = self.open_release()
        requirement = self.env["ipai.gate.requirement"].search(
            [("code", "=", "test_evidence")]
        )
        # As a version that let it through may have left it.
        self.env.cr.execute(
            "UPDATE ipai_gate_requirement SET metadata_match = %s WHERE id = %s",
            ['{"share": NaN}', requirement.id],
        )
        requirement.invalidate_recordset()
        self.pass_gates(release, "G2")
        row = self.report(
            "evidence.completeness", release, requirement_id=requirement.id
        )
        self.assertEqual(row.status, "not_matching")
        self.assertIn("G2:test_evidence", self.unmet(release))

    def test_a_check_of_a_later_gate_does_not_fail_an_earlier_one(self):
        release = self.open_release()
        self.pass_gates(release, "G1")
        self.deploy(release)
        self.health(release, "fail")
        failed = {
            row.gate_id.code: row.fail_count
            for row in self.report("gate.summary", release)
        }
        self.assertEqual(failed, {"G1": 0, "G2": 0, "G3": 0, "G4": 1})

    def test_a_deployment_that_was_rolled_back_says_so(self):
        release = self.open_release()
        bad = self.deploy(release, environment="staging")
        good = self.deploy(release, environment="staging")
        row = self.report("deployment.history", deployment_id=bad.id)
        self.assertFalse(row.was_rolled_back)
        back = self.deploy(release, environment="staging", rollback_of=bad.external_id)
        row = self.report("deployment.history", deployment_id=bad.id)
        self.assertTrue(row.was_rolled_back)
        self.assertEqual(row.restored_id, back)
        self.assertEqual(row.failure_share, 1)
        row = self.report("deployment.history", deployment_id=back.id)
        self.assertTrue(row.is_rollback)
        row = self.report("deployment.history", deployment_id=good.id)
        self.assertFalse(row.was_rolled_back)

    def test_a_deployment_nobody_approved_says_so(self):
        release = self.open_release()
        deployment = self.deploy(release)
        row = self.report("deployment.history", release)
        self.assertTrue(deployment.is_unauthorised)
        self.assertTrue(row.is_unauthorised)
        self.deploy(release, environment="staging")
        rows = self.report("deployment.history", release, is_unauthorised=False)
        self.assertEqual(rows.environment_category, "staging")

    def test_a_row_leads_to_its_record(self):
        release = self.open_release()
        self.deploy(release)
        self.grant(release)
        for name, model in zip(
            REPORTS,
            ("release", "release", "release", "exception", "deployment"),
            strict=True,
        ):
            row = self.env[name].search([("release_id", "=", release.id)], limit=1)
            action = row.with_user(self.rm).action_open_record()
            self.assertEqual(action["res_model"], f"ipai.{model}")
            self.assertTrue(action["res_id"])

    # --- read only -------------------------------------------------------------------

    def test_nobody_writes_a_report_the_superuser_included(self):
        release = self.open_release()
        self.deploy(release)
        self.grant(release)
        for name in REPORTS:
            row = self.env[name].search([], limit=1)
            for user in (None, *(self.users[login] for login in ROLES)):
                mine = row.with_user(user) if user else row
                with self.subTest(report=name, user=user):
                    for write in (
                        lambda r=mine: r.create({"release_id": release.id}),
                        lambda r=mine: r.create([{}]),
                        lambda r=mine: r.write({"company_id": False}),
                        lambda r=mine: r.write({}),
                        lambda r=mine: r.unlink(),
                        lambda r=mine: r.copy(),
                        lambda r=mine: r.name_create("another"),
                    ):
                        with self.assertRaises(AccessError):
                            write()
                    if user:
                        for operation in ("create", "write", "unlink"):
                            self.assertFalse(mine.has_access(operation))

    def test_the_views_take_no_row_in_the_database_either(self):
        self.env.cr.execute(
            "SELECT table_name FROM information_schema.views"
            " WHERE table_name LIKE 'ipai_report_%%'"
            " AND is_updatable = 'NO' AND is_insertable_into = 'NO'"
        )
        found = {name for (name,) in self.env.cr.fetchall()}
        reports = {self.env[name]._table for name in REPORTS}
        self.assertEqual(found, reports | {"ipai_report_persona_kpi"})

    def test_the_views_are_made_anew_by_an_upgrade(self):
        release = self.open_release()
        before = self.report("gate.summary", release).read()
        for name in REPORTS:
            self.env[name].init()
        self.assertEqual(self.report("gate.summary", release).read(), before)

    def test_a_row_keeps_its_number_and_no_two_share_one(self):
        releases = self.open_release() + self.open_release()
        self.grant(releases[0])
        for name in REPORTS[:3]:
            rows = self.env[name].search([])
            self.assertEqual(len(set(rows.ids)), len(rows))
            self.env.cr.execute(
                SQL("SELECT count(*) FROM %s", SQL.identifier(rows._table))
            )
            self.assertEqual(self.env.cr.fetchone()[0], len(rows))
            row = rows.filtered(lambda r: r.release_id == releases[0])[0]
            self.assertEqual(rows.search([("id", "=", row.id)]), row)

    # --- cost ------------------------------------------------------------------------

    def test_opening_a_report_takes_no_more_queries_with_more_rows(self):
        specification = {
            name: {
                field: {"fields": {"display_name": {}}} if each.relational else {}
                for field, each in self.env[name]._fields.items()
            }
            for name in REPORTS
        }
        counts = {name: [] for name in REPORTS}
        self._fill(2)
        for _more in range(2):
            for name in REPORTS:
                for _warm in range(2):
                    self.env.flush_all()
                    self.env.invalidate_all()
                    before = self.env.cr.sql_log_count
                    rows = self.env[name].with_user(self.rm)
                    found = rows.web_search_read([], specification[name], limit=80)
                    count = self.env.cr.sql_log_count - before
                counts[name].append((count, len(found["records"])))
            self._fill(6)
        for name, ((few, rows), (many, more)) in counts.items():
            self.assertGreater(more, rows)
            self.assertEqual(few, many, name)

    def _fill(self, count):
        for _number in range(count):
            release = self.open_release()
            self.pass_gates(release, "G1")
            self.deploy(release)
            self.grant(release)
