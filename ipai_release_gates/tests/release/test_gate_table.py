"""The gate table: take one requirement away, and that gate is closed."""

from datetime import timedelta

from ..common import GateCase, sha
from ..tables import tables

#: Requirements that follow from others, or that a release without facts meets.
FOLLOWING = ("evidence_package", "confirmed_in_time", "prior_gate")
#: what is recorded for each requirement → what the gate's refusal then names without it
REQUIREMENTS = {
    f"{gate.code}:{code}": tables.without(gate.code, code)
    for gate in tables.GATES.values()
    for code, values in gate.requirements.items()
    if not {code, values["kind"]} & set(FOLLOWING) and code not in gate.fresh
}
STAGE_BEHIND = {code: gate.guards for code, gate in tables.GATES.items()}


class TestGateTable(GateCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.release = cls.open_release("under test")

    def record(self, requirement, release=None):
        """Record what one requirement asks for, and nothing that serves another."""
        release = release or self.release
        gate, code = requirement.split(":")
        evidence = {
            "build_log": (self.dev, {}),
            "acceptance_criteria": (self.qa, {}),
            "defect_register": (self.qa, {}),
            "test_evidence": (self.qa, {}),
            "rollback_plan": (self.rm, {}),
            "release_notes": (self.rm, {}),
            "monitoring_baseline": (self.sre, {"metadata": {"status": "normal"}}),
            "fallback_timer": (self.sre, {"metadata": {"minutes": 30}}),
        }
        if code in evidence:
            user, more = evidence[code]
            type_code = "test_result" if code == "test_evidence" else code
            self.evidence(user, release, type_code, gate, **more)
        elif code == "branch_build":
            self.check(release, "build")
        elif code == "required_checks":
            self.check(release, "unit_tests")
            self.check(release, "lint")
        elif code in ("qa_signoff", "rm_signoff"):
            self.sign(self.qa if gate == "G2" else self.rm, release, gate)
        elif code == "production_deployment":
            self.deploy(release)
        elif code == "health_checks":
            self.health(release)

    def record_all(self, upto="G4", but=(), release=None):
        for requirement in REQUIREMENTS:
            if requirement[:2] <= upto and requirement not in but:
                self.record(requirement, release)

    def closed_by(self, gate, *expected):
        """The gate is not passed, and the refusal to go through names exactly that."""
        self.assertNotIn(self.status(self.release, gate), ("passed", "bypassed"))
        found = self.refused(self.release, STAGE_BEHIND[gate])
        self.assertEqual(found, set(expected))

    def opened(self, gate):
        self.assertEqual(self.status(self.release, gate), "passed")
        with self.undone():
            self.move(self.release, STAGE_BEHIND[gate])

    # --- one requirement at a time ---------------------------------------------------

    def test_with_everything_recorded_every_gate_is_passed(self):
        self.record_all()
        for gate in STAGE_BEHIND:
            self.opened(gate)
        self.assertEqual(
            self.stored(self.release), dict.fromkeys(STAGE_BEHIND, "passed")
        )

    def test_each_requirement_taken_away_closes_its_gate_and_is_named_alone(self):
        for gate in STAGE_BEHIND:
            mine = {code for code in REQUIREMENTS if code.startswith(gate)}
            for missing in mine:
                with self.subTest(missing=missing), self.undone():
                    for requirement in mine - {missing}:
                        self.record(requirement)
                    self.closed_by(gate, *REQUIREMENTS[missing])
                    self.record(missing)
                    self.opened(gate)
            self.pass_gates(self.release, gate)

    def test_a_gate_demands_the_one_before_it(self):
        for gate, prior, requirement in (
            ("G2", "G1", "G1:build_log"),
            ("G3", "G2", "G2:defect_register"),
        ):
            with self.subTest(gate=gate), self.undone():
                self.record_all(upto=gate, but=[requirement])
                number = f"{gate}:{prior.lower()}_passed"
                self.assertIn(number, self.unmet(self.release, gate))
                self.assertNotEqual(self.status(self.release, gate), "passed")

    def test_the_evidence_package_of_g3_wants_the_evidence_of_all_gates_before(self):
        self.record_all(upto="G3", but=["G1:build_log", "G2:defect_register"])
        self.assertEqual(
            self.unmet(self.release),
            {
                "G1:build_log",
                "G2:defect_register",
                "G2:g1_passed",
                "G3:evidence_package",
                "G3:g2_passed",
                *(c for c in self.unmet(self.release, "G4")),
            },
        )
        reason = self.reason_of(self.release, "G3", "evidence_package")
        self.assertIn("build log (G1)", reason)
        self.assertIn("defect register (G2)", reason)

    def test_evidence_named_for_one_gate_does_not_serve_another(self):
        self.record_all(upto="G2", but=["G2:test_evidence"])
        self.evidence(self.qa, self.release, "test_result", "G3")
        self.closed_by("G2", "G2:test_evidence")
        self.evidence(self.qa, self.release, "test_result")
        self.opened("G2")

    def test_a_required_check_counts_under_its_name_only(self):
        self.record_all(upto="G1", but=["G1:required_checks"])
        self.check(self.release, "unit_tests")
        self.check(self.release, "lint2")
        self.closed_by("G1", "G1:required_checks")
        reason = self.reason_of(self.release, "G1", "required_checks")
        self.assertIn("`lint`", reason)
        self.assertNotIn("unit_tests", reason)

    def test_a_project_that_requires_more_checks_closes_g1(self):
        self.record_all(upto="G1")
        self.project.required_checks = "unit_tests, lint, sast"
        self.closed_by("G1", "G1:required_checks")

    # --- facts that speak against it -------------------------------------------------

    def test_a_check_that_did_not_pass_is_no_passed_check(self):
        for status in ("fail", "warning", "skipped"):
            with self.subTest(status=status), self.undone():
                self.record_all(upto="G1")
                self.check(self.release, "unit_tests", status)
                self.closed_by("G1", "G1:required_checks")
                expected = "failed" if status == "fail" else "in_progress"
                self.assertEqual(self.status(self.release, "G1"), expected)

    def test_the_latest_check_of_a_name_counts(self):
        self.record_all(upto="G1")
        self.check(self.release, "lint", "fail")
        self.assertEqual(self.status(self.release, "G1"), "failed")
        self.check(self.release, "lint")
        self.opened("G1")
        self.assertEqual(
            len(self.release.check_ids.filtered_domain([("name", "=", "lint")])), 3
        )

    def test_a_failed_build_closes_g1(self):
        self.record_all(upto="G1")
        payload = {
            "status": "fail",
            "checks": [],
            "log_url": "https://ci.example.com/run/2",
        }
        self.must_send(self.ci, self.ci_event("build_complete", payload, self.release))
        self.closed_by("G1", "G1:branch_build")

    def test_a_failed_check_nobody_requires_closes_g2_but_not_g1(self):
        self.record_all(upto="G2")
        self.check(self.release, "accessibility", "fail")
        self.assertEqual(self.status(self.release, "G1"), "passed")
        self.closed_by("G2", "G2:no_failed_check")
        self.assertEqual(self.status(self.release, "G2"), "failed")

    def test_a_failure_reported_again_for_a_later_gate_hides_no_earlier_one(self):
        self.pass_gates(self.release, "G1", "G2")
        payload = {"name": "security_scan", "status": "fail"}
        for gate in ("G2", "G4"):
            event = self.ci_event("check_result", payload, self.release, gate_code=gate)
            self.must_send(self.ci, event)
            self.assertEqual(self.status(self.release, "G2"), "failed")

    def test_a_failed_health_check_in_production_does_not_reach_back_to_g2(self):
        self.record_all()
        self.health(self.release, "fail")
        self.assertEqual(self.status(self.release, "G2"), "passed")
        self.closed_by("G4", "G4:health_checks")

    def test_a_freeze_window_closes_g3_while_it_lasts(self):
        self.record_all(upto="G3")
        now = self.env.cr.now()
        freeze = self.env["ipai.freeze.window"].create(
            {
                "name": "Black Friday",
                "starts_at": now - timedelta(hours=1),
                "ends_at": now + timedelta(hours=1),
            }
        )
        self.closed_by("G3", "G3:no_freeze")
        self.assertIn("Black Friday", self.reason_of(self.release, "G3", "no_freeze"))
        with self.later(hours=1):
            self.assertEqual(self.unmet(self.release, "G3"), set())
        with self.later(hours=-2):
            self.assertEqual(self.unmet(self.release, "G3"), set())
        freeze.active = False
        self.opened("G3")

    def test_a_freeze_window_of_another_project_closes_nothing(self):
        self.record_all(upto="G3")
        other = self.env["ipai.project"].create({"name": "acme/other"})
        now = self.env.cr.now()
        freeze = self.env["ipai.freeze.window"].create(
            {
                "name": "Audit",
                "starts_at": now,
                "ends_at": now + timedelta(hours=1),
                "project_ids": [(6, 0, other.ids)],
            }
        )
        self.opened("G3")
        freeze.project_ids = self.project
        self.closed_by("G3", "G3:no_freeze")

    def _incident(self, release=None, **vals):
        return (
            self.env["ipai.incident"]
            .with_user(self.sre)
            .create(
                {"release_id": (release or self.release).id, "name": "Down", **vals}
            )
        )

    def test_an_open_blocking_incident_closes_g3_until_it_is_resolved(self):
        self.record_all(upto="G3")
        incident = self._incident()
        self.closed_by("G3", "G3:no_open_incident")
        self.assertEqual(self.status(self.release, "G3"), "failed")
        incident.action_resolve()
        self.opened("G3")

    def test_an_incident_on_another_release_of_the_project_closes_g3_too(self):
        self.record_all(upto="G3")
        version = self.release.fact_version
        self._incident(self.open_release("older"))
        self.closed_by("G3", "G3:no_open_incident")
        self.assertGreater(self.release.fact_version, version)

    def test_an_incident_that_does_not_block_closes_nothing(self):
        self.record_all(upto="G3")
        self._incident(blocking=False)
        self.opened("G3")

    def test_a_baseline_that_is_not_normal_closes_g4(self):
        self.record_all(but=["G4:monitoring_baseline"])
        for metadata in ({"status": "degraded"}, {}):
            self.evidence(
                self.sre, self.release, "monitoring_baseline", "G4", metadata=metadata
            )
            self.closed_by("G4", "G4:monitoring_baseline")
        self.record("G4:monitoring_baseline")
        self.opened("G4")

    def test_an_outcome_reached_after_the_deadline_closes_g4(self):
        self.record_all(but=["G4:production_deployment"])
        deployed_at = self.env.cr.now() - timedelta(hours=25)
        deployment = self.deploy(
            self.release, deployed_at=f"{deployed_at.isoformat()}Z"
        )
        self.assertEqual(
            deployment.confirmation_due_at, deployment.deployed_at + timedelta(hours=24)
        )
        self.closed_by("G4", "G4:confirmed_in_time")
        self.assertNotEqual(deployment.g4_status, "passed")
        resolved = self.ledger(self.release, "gate_resolved").mapped("body")
        (failed,) = [body for body in resolved if '"G4"' in body]
        self.assertIn('"status":"failed"', failed)

    def test_the_deadline_passes_by_the_clock_alone(self):
        self.record_all(but=["G4:fallback_timer"])
        with self.later(hours=24, seconds=1):
            self.assertIn("G4:confirmed_in_time", self.unmet(self.release))
            self.record("G4:fallback_timer")
            self.closed_by("G4", "G4:confirmed_in_time")

    def test_an_outcome_reached_in_time_stays_in_time(self):
        self.record_all()
        deployment = self.release.deployment_ids
        self.assertEqual(deployment.g4_status, "passed")
        self.assertTrue(deployment.confirmed_at)
        with self.later(hours=48):
            self.assertEqual(self.unmet(self.release), set())

    def test_the_deadline_is_the_projects(self):
        self.project.confirmation_hours = 1
        self.record_all(but=["G4:health_checks"])
        with self.later(hours=1, seconds=1):
            self.record("G4:health_checks")
            self.closed_by("G4", "G4:confirmed_in_time")

    def test_a_deployment_whose_outcome_is_contradicted_and_mended_says_so(self):
        self.record_all()
        deployment = self.release.deployment_ids
        self.health(self.release, "fail")
        self.assertEqual(deployment.g4_status, "failed")
        self.health(self.release)
        self.assertEqual(deployment.g4_status, "passed")

    def test_a_deployment_elsewhere_or_unfinished_or_failed_is_no_production_one(self):
        self.record_all(but=["G4:production_deployment"])
        for status, environment in (
            ("succeeded", "staging"),
            ("in_progress", "production"),
            ("failed", "production"),
            ("rolled_back", "production"),
        ):
            with self.subTest(status=status, environment=environment), self.undone():
                self.deploy(self.release, status, environment)
                self.closed_by("G4", "G4:production_deployment", "G4:confirmed_in_time")

    def test_a_health_check_elsewhere_is_none_of_production(self):
        self.record_all(but=["G4:health_checks"])
        self.health(self.release, environment="staging")
        self.check(self.release, "health_check")
        self.closed_by("G4", "G4:health_checks")

    def test_a_deployment_of_another_revision_does_not_count(self):
        self.record_all(upto="G3")
        self.move(self.release, "production")
        self.deploy(self.release)
        self.release.with_user(self.rm).write({"source_ref": sha("hotfix")})
        self.assertEqual(self.release.stage_id.code, "production")
        self.record_all(but=["G4:production_deployment"])
        self.closed_by("G4", "G4:production_deployment", "G4:confirmed_in_time")
        self.deploy(self.release)
        self.opened("G4")

    def test_a_rolled_back_deployment_takes_the_release_with_it(self):
        self.record_all()
        first = self.release.deployment_ids
        self.deploy(self.release, rollback_of=first.external_id)
        self.assertEqual(first.status, "rolled_back")

    # --- other kinds of requirement --------------------------------------------------

    def _requirement(self, gate, kind, **vals):
        return self.env["ipai.gate.requirement"].create(
            {
                "gate_id": self.gates[gate].id,
                "code": f"extra_{kind}",
                "name": f"Extra {kind}",
                "kind": kind,
                "accountable_persona_id": self.personas["sre"].id,
                "expertise_domain_id": self.env["ipai.expertise.domain"]
                .search([], limit=1)
                .id,
                **vals,
            }
        )

    def test_a_soak_waits_for_time_in_the_environment(self):
        self.record_all(upto="G3")
        self._requirement(
            "G3", "soak_time", soak_hours=2, environment_category="staging"
        )
        self.closed_by("G3", "G3:extra_soak_time")
        self.deploy(self.release, environment="staging")
        self.closed_by("G3", "G3:extra_soak_time")
        with self.later(hours=2):
            self.assertEqual(self.unmet(self.release, "G3"), set())

    def test_two_signatures_are_of_two_persons(self):
        self.record_all(upto="G2")
        requirement = self.env.ref("ipai_release_gates.requirement_g2_qa_signoff")
        requirement.min_count = 2
        self.closed_by("G2", "G2:qa_signoff")
        self.sign(self.qa, self.release, "G2")
        self.closed_by("G2", "G2:qa_signoff")
        self.sign(self.qa2, self.release, "G2")
        self.opened("G2")

    def test_an_archived_requirement_is_demanded_no_more_whatever_a_context_says(self):
        self.record_all(upto="G1", but=["G1:build_log"])
        self.env.ref("ipai_release_gates.requirement_g1_build_log").active = False
        self.opened("G1")
        event = self.ci_event(
            "check_result", {"name": "lint", "status": "pass"}, self.release
        )
        plane = self.plane(self.ci).with_context(active_test=False)
        self.assertEqual(plane.ingest([event])[0]["status"], "accepted")
        self.assertEqual(self.stored(self.release)["G1"], "passed")

    def test_a_changed_requirement_moves_the_row_of_every_open_release(self):
        version = self.release.fact_version
        self.env.ref("ipai_release_gates.requirement_g1_build_log").active = False
        self.assertGreater(self.release.fact_version, version)

    def test_an_environment_that_changes_its_category_moves_the_row_too(self):
        self.record_all()
        self.environments["production"].category = "dev"
        self.assertEqual(
            self.stored(self.release)["G4"], self.status(self.release, "G4")
        )
        self.closed_by("G4", "G4:production_deployment", "G4:confirmed_in_time")
