"""KPIs of facts with known results."""

from datetime import timedelta

from odoo.exceptions import AccessError, ValidationError

from ..common import GateCase

MODEL = "ipai.report.persona.kpi"


class TestKpis(GateCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        now = cls.env.cr.now()
        # In the middle of a past month, and of the month before.
        last = now.replace(day=1, hour=12) - timedelta(days=15)
        before = last.replace(day=1) - timedelta(days=15)
        cls.month, cls.former = (at.date().replace(day=1) for at in (last, before))
        cls.offset, cls.former_offset = last - now, before - now

    def hour(self, hours, former=False):
        """Set the clock to some hours after the start, in a past month."""
        offset = self.former_offset if former else self.offset
        return self.later(seconds=offset.total_seconds() + hours * 3600)

    def opened(self, name, former=False):
        with self.hour(0, former):
            return self.open_release(name)

    def built(self, release, at, former=False, **statuses):
        """CI sends a build with its checks, some hours after the start."""
        statuses = {"build": "pass", "unit_tests": "pass", "lint": "pass"} | statuses
        payload = {
            "status": statuses.pop("build"),
            "checks": [{"name": k, "status": v} for k, v in statuses.items()],
            "log_url": "https://ci.example.com/run/1",
        }
        with self.hour(at, former):
            self.must_send(self.ci, self.ci_event("build_complete", payload, release))

    def promoted(self, name, staging=3, production=8, evidence=()):
        """A release in Production, with evidence recorded in earlier stages."""
        release = self.opened(name)
        self.built(release, 1)
        with self.hour(2):
            self.move(release, "qa_validation")
            self.pass_g2(release)
            for code, metadata in evidence:
                event = self.evidence_event(release, code, metadata=metadata)
                self.must_send(self.qa, event)
        with self.hour(staging):
            self.move(release, "staging_acceptance")
        with self.hour(production):
            self.pass_g3(release)
            self.move(release, "production")
        return release

    def row(self, kpi, month=None, user=None):
        """The row of a KPI of the project, in the month of the facts."""
        self.env.flush_all()
        self.env.invalidate_all()
        rows = self.env[MODEL].with_user(user or self.auditor)
        return rows.search(
            [
                ("kpi", "=", kpi),
                ("project_id", "=", self.project.id),
                ("month", "=", month or self.month),
            ]
        )

    def counts(self, kpi, value, records, month=None):
        """Assert the value of a KPI, and that it opens exactly the counted records."""
        row = self.row(kpi, month)
        self.assertEqual(len(row), 1, kpi)
        self.assertAlmostEqual(row.value, value, 3, kpi)
        self.assertEqual(row.record_count, len(records))
        action = row.action_open_records()
        self.assertEqual(action["res_model"], records._name)
        self.assertEqual(
            self.env[action["res_model"]].search(action["domain"]), records.sorted()
        )
        return row

    # --- developer -------------------------------------------------------------------

    def test_the_first_build_of_a_revision_counts_not_the_last(self):
        good, bad, unbuilt = (self.opened(name) for name in ("a", "b", "c"))
        self.built(good, 2)
        self.built(bad, 1, lint="fail")
        self.built(bad, 4)
        self.assertTrue(unbuilt.revision_id)
        row = self.counts("g1_first_build", 0.5, (good | bad).revision_id)
        self.assertEqual((row.numerator, row.denominator), (1, 2))
        self.assertEqual(row.persona_id, self.personas["developer"])
        self.assertEqual(row.target_state, "missed")

    def test_a_required_check_that_never_came_is_not_passed(self):
        release = self.opened("a")
        self.project.required_checks = "unit_tests, lint, e2e"
        self.built(release, 1)
        self.counts("g1_first_build", 0.0, release.revision_id)

    def test_the_time_to_green_ends_with_the_first_build_that_passes(self):
        first, second, red = (self.opened(name) for name in ("a", "b", "c"))
        self.built(first, 2)
        self.built(first, 9)
        self.built(second, 1, build="fail")
        self.built(second, 4)
        self.built(red, 1, build="fail")
        self.counts("hours_to_green", 3.0, (first | second).revision_id)

    # --- QA tester and release manager -----------------------------------------------

    def test_uat_and_packages_are_those_of_the_revision_at_its_promotion(self):
        with_uat = self.promoted("a", evidence=[("uat_summary", {})])
        without = self.promoted("b")
        with self.hour(9):
            self.must_send(self.qa, self.evidence_event(without, "uat_summary"))
        both = with_uat | without
        self.counts("uat_completion", 0.5, both)
        self.counts("g2_evidence", 1.0, both)
        self.assertEqual(self.counts("g3_package", 1.0, both).target_state, "met")
        # Required for both now; only one of them had it at the time.
        self.env["ipai.gate.requirement"].create(
            {
                "gate_id": self.gates["G2"].id,
                "code": "uat",
                "name": "UAT summary",
                "kind": "evidence",
                "evidence_type_id": self.env.ref(
                    "ipai_release_gates.evidence_type_uat_summary"
                ).id,
                "accountable_persona_id": self.personas["qa_tester"].id,
                "expertise_domain_id": self.env.ref(
                    "ipai_release_gates.domain_qa_staging_validation"
                ).id,
            }
        )
        row = self.counts("g2_evidence", 7 / 8, both)
        self.assertEqual((row.numerator, row.denominator), (7, 8))
        self.counts("g3_package", 0.5, both)

    def test_defects_are_those_of_the_register_against_later_incidents(self):
        release = self.promoted("a", evidence=[("defect_register", {"found": 3})])
        self.promoted("b")
        for at in (4, 10):  # before the promotion, and after it
            with self.hour(at):
                self.env["ipai.incident"].with_user(self.sre).create(
                    {"release_id": release.id, "name": f"Down at {at}"}
                )
        self.counts("defects_early", 0.75, release)

    def test_the_cycle_is_measured_by_the_moves_in_the_ledger(self):
        one = self.promoted("a", staging=3, production=8)
        two = self.promoted("b", staging=5, production=6)
        self.counts("hours_to_staging", 4.0, one | two)
        self.counts("hours_to_production", 3.0, one | two)

    def test_a_rollback_takes_from_the_incident_until_it_is_done(self):
        release = self.promoted("a")
        with self.hour(9):
            deployment = self.deploy(release)
        with self.hour(10):
            self.env["ipai.incident"].with_user(self.sre).create(
                {
                    "release_id": release.id,
                    "deployment_id": deployment.id,
                    "name": "Down",
                }
            )
        with self.hour(12):
            deployment.with_user(self.sre).action_roll_back(
                "incident", "Down", "restored", {"note": "It is back."}
            )
        self.counts("hours_to_roll_back", 2.0, deployment)

    # --- SRE -------------------------------------------------------------------------

    def test_recovery_ends_when_the_incident_is_resolved(self):
        release = self.opened("a")
        incidents = self.env["ipai.incident"].with_user(self.sre)
        for hours in (1, 4):
            with self.hour(1):
                incident = incidents.create(
                    {"release_id": release.id, "name": f"Down for {hours}"}
                )
            with self.hour(1 + hours):
                incident.action_resolve()
            incidents |= incident
        with self.hour(1):
            incidents.create({"release_id": release.id, "name": "Still down"})
        row = self.counts("hours_to_recover", 2.5, incidents.with_env(self.env))
        self.assertEqual(row.target_state, "missed")

    def test_drills_are_counted_and_so_is_their_success(self):
        drills = self.env["ipai.recovery.drill"]
        for outcome in ("success", "failure", "failure", "success"):
            with self.hour(1):
                drills |= drills.with_user(self.sre).create(
                    {
                        "environment_id": self.environments["staging"].id,
                        "drill_type": "failover",
                        "outcome": outcome,
                        "log_url": "https://ci.example.com/drill",
                        "criterion_ids": [
                            (0, 0, {"name": "Starts", "met": outcome == "success"})
                        ],
                    }
                )
        self.counts("drills", 4, drills.with_env(self.env))
        self.counts("drill_success", 0.5, drills.with_env(self.env))

    def test_controls_stand_as_they_are_now(self):
        controls = self.env["ipai.environment.control"].search(
            [("environment_id", "in", self.project.environment_ids.ids)]
        )
        self.env.cr.execute("SELECT date_trunc('month', now() AT TIME ZONE 'utc')")
        this_month = self.env.cr.fetchone()[0].date()
        passing = controls.filtered(lambda control: control.status == "pass")
        self.assertTrue(controls)
        share = len(passing) / len(controls)
        self.counts("controls", share, controls, this_month)

    # --- target and trend ------------------------------------------------------------

    def test_the_trend_is_against_the_month_before(self):
        for name, at, former in (("a", 4, True), ("b", 1, False)):
            self.built(self.opened(name, former), at, former)
        self.assertFalse(self.row("hours_to_green", self.former).trend)
        row = self.row("hours_to_green")
        self.assertEqual((row.value, row.former_value), (1.0, 4.0))
        self.assertEqual(row.trend, "better")
        self.assertEqual(self.row("g1_first_build").trend, "same")
        self.built(self.opened("c"), 9, lint="fail")
        self.assertEqual(self.row("hours_to_green").trend, "worse")
        self.assertEqual(self.row("g1_first_build").trend, "worse")

    def test_governance_sets_targets_and_the_ledger_records_them(self):
        self.built(self.opened("a"), 4)
        self.assertEqual(self.row("hours_to_green").target_state, "missed")
        target = self.env["ipai.kpi.target"].search([("kpi", "=", "hours_to_green")])
        with self.assertRaises(AccessError):
            target.with_user(self.rm).write({"target": 5})
        target.with_user(self.governance).write({"target": 5})
        self.assertEqual(self.row("hours_to_green").target_state, "met")
        entry = self.env["ipai.ledger.entry"].search(
            [("kind", "=", "policy_changed")], order="id desc", limit=1
        )
        self.assertEqual(entry.subject, f"ipai.kpi.target,{target.id}")
        target.with_user(self.governance).unlink()
        row = self.row("hours_to_green")
        self.assertFalse(row.target_state)

    def test_a_share_is_at_most_all(self):
        target = self.env["ipai.kpi.target"].search([("kpi", "=", "g3_package")])
        with self.assertRaises(ValidationError):
            target.target = 1.5

    # --- who reads -------------------------------------------------------------------

    def test_a_row_is_read_by_whoever_may_read_what_it_counts(self):
        release = self.opened("a")
        self.built(release, 1)
        with self.hour(1):
            incident = (
                self.env["ipai.incident"]
                .with_user(self.sre)
                .create({"release_id": release.id, "name": "Down"})
            )
            incident.action_resolve()
        for user, incidents in (
            (self.dev, False),
            (self.qa, False),
            (self.rm, True),
            (self.sre, True),
        ):
            with self.subTest(user=user.login):
                self.assertTrue(self.row("g1_first_build", user=user))
                self.assertEqual(
                    bool(self.row("hours_to_recover", user=user)), incidents
                )
        with self.assertRaises(AccessError):
            self.row("g1_first_build", user=self.ci)
        self.project.member_ids = False
        self.assertFalse(self.row("g1_first_build", user=self.dev))
        self.project.company_id = self.env["res.company"].create({"name": "Elsewhere"})
        self.assertFalse(self.row("g1_first_build", user=self.rm))

    def test_nobody_writes_a_kpi(self):
        self.built(self.opened("a"), 1)
        row = self.row("g1_first_build").sudo()
        for write in (
            lambda: row.create({"kpi": "drills"}),
            lambda: row.write({"value": 1}),
            lambda: row.unlink(),
        ):
            with self.assertRaises(AccessError):
                write()

    def test_a_register_without_a_number_of_defects_has_no_share(self):
        for number, found in enumerate(("many", -1, None, [3], True, 0)):
            self.promoted(
                f"r{number}", evidence=[("defect_register", {"found": found})]
            )
        self.assertFalse(self.row("defects_early"))
