"""Gates that ask for controls, drills and change windows get what is recorded."""

from datetime import timedelta

from odoo.exceptions import ValidationError

from ..common import GateCase


class OperationalCase(GateCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.release = cls.open_release()
        cls.pass_gates(cls.release, "G1", "G2", "G3")
        cls.staging = cls.environments["staging"]
        cls.production = cls.environments["production"]

    @classmethod
    def require(cls, kind, **values):
        """One more requirement of G3."""
        personas = cls.env["ipai.persona"].search([("code", "=", "sre")])
        return cls.env["ipai.gate.requirement"].create(
            {
                "gate_id": cls.gates["G3"].id,
                "code": "asked",
                "name": "Asked",
                "kind": kind,
                "accountable_persona_id": personas.id,
                "expertise_domain_id": cls.env["ipai.expertise.domain"]
                .search([], limit=1)
                .id,
                **values,
            }
        )

    def asked(self):
        """The condition of the requirement that was added, on fresh facts."""
        conditions = self.judged(self.release).gate("G3").conditions
        return next(c for c in conditions if c.code == "asked")

    def assert_asked(self, state):
        """The condition stands so, and the row of the gate was judged with it."""
        self.assertEqual(self.asked().state, state)
        self.status(self.release, "G3")


class TestMetadataMatch(OperationalCase):
    def test_metadata_that_no_evidence_can_match_is_refused(self):
        for match in ("NaN", '{"status": NaN}', '{"minutes": Infinity}', "[1]", "{"):
            with self.subTest(match=match), self.assertRaises(ValidationError):
                self.require("evidence", metadata_match=match)


class TestControls(OperationalCase):
    def check_all(self, status="pass", but=()):
        controls = self.staging.control_ids.filtered(
            lambda control: control.kind != "lifetime" and control.kind not in but
        )
        controls.with_user(self.sre).record_check(status, "Looked.")

    def test_every_control_of_the_category_must_hold(self):
        self.staging.write({"keep": True, "keep_reason": "The only one."})
        self.require("environment_controls", environment_category="staging")
        self.assert_asked("unmet")
        self.check_all(but=("masking",))
        self.assert_asked("unmet")
        self.assertIn("masking is `unknown`", self.asked().reason)
        self.check_all()
        self.assert_asked("met")
        masking = self.staging.control_ids.filtered(lambda c: c.kind == "masking")
        masking.with_user(self.sre).record_check("fail", "Real names in it.")
        self.assert_asked("unmet")
        self.assertEqual(self.stored(self.release)["G3"], "failed")

    def test_ci_reports_a_control_by_an_event(self):
        self.staging.write({"keep": True, "keep_reason": "The only one."})
        self.require("environment_controls", environment_category="staging")
        self.check_all(but=("masking",))
        payload = {"environment": "staging", "type": "masking_run"}
        event = self.ci_event(
            "environment_event", {**payload, "data": {"status": "pass"}}, self.release
        )
        self.must_send(self.ci, event)
        self.assert_asked("met")

    def test_a_lifetime_is_judged_by_the_clock_although_nothing_ran(self):
        until = self.env.cr.now() + timedelta(days=2)
        self.staging.write({"expires_at": until})
        self.require("environment_controls", environment_category="staging")
        self.check_all()
        self.assert_asked("met")
        with self.later(days=2):
            self.assertEqual(self.asked().state, "unmet")
            self.assertIn("lifetime is `over`", self.asked().reason)
            row = self.release.release_gate_ids.filtered(
                lambda row: row.gate_id.code == "G3"
            )
            self.assertEqual(row._status_at(self.env.cr.now()), "failed")

    def test_a_check_may_be_too_old(self):
        self.production.control_ids.with_user(self.sre).record_check("pass", "Looked.")
        self.require(
            "environment_controls",
            environment_category="production",
            freshness_hours=24,
        )
        self.assert_asked("met")
        with self.later(hours=25):
            self.assertEqual(self.asked().state, "unmet")

    def test_an_archived_environment_is_not_asked_about(self):
        self.require("environment_controls", environment_category="staging")
        self.assert_asked("unmet")
        self.env["ipai.environment"].create(
            {"name": "other", "project_id": self.project.id, "category": "staging"}
        )
        self.assertIn("staging: masking", self.asked().reason)
        self.staging.active = False
        self.assertNotIn("staging: masking", self.asked().reason)
        self.assertIn("other: masking", self.asked().reason)


class TestDrills(OperationalCase):
    def setUp(self):
        super().setUp()
        self.env.ref("ipai_release_gates.requirement_g3_restore_drill").active = True

    def drill(self, outcome="success", **values):
        return (
            self.env["ipai.recovery.drill"]
            .with_user(self.sre)
            .create(
                {
                    "environment_id": self.production.id,
                    "drill_type": "backup_restore",
                    "outcome": outcome,
                    "restore_validated": outcome == "success",
                    "note": "Restored beside the live one.",
                    "criterion_ids": [
                        (0, 0, {"name": "It starts", "met": outcome == "success"})
                    ],
                    **values,
                }
            )
        )

    def unmet_drill(self):
        return "G3:restore_drill" in self.unmet(self.release)

    def test_production_can_require_a_successful_restore_of_the_last_30_days(self):
        self.assertTrue(self.unmet_drill())
        self.drill()
        self.assertFalse(self.unmet_drill())
        self.assertEqual(self.status(self.release, "G3"), "passed")
        with self.later(days=30, seconds=1):
            self.assertTrue(self.unmet_drill())

    def test_an_old_drill_does_not_count(self):
        self.drill(executed_at=self.env.cr.now() - timedelta(days=31))
        self.assertTrue(self.unmet_drill())

    def test_the_latest_drill_decides(self):
        self.drill()
        self.drill("failure")
        self.assertTrue(self.unmet_drill())
        self.assertEqual(self.status(self.release, "G3"), "failed")

    def test_neither_another_type_nor_another_environment_counts(self):
        self.drill(drill_type="failover")
        self.drill(environment_id=self.staging.id)
        self.assertTrue(self.unmet_drill())

    def test_a_drill_of_another_project_does_not_count(self):
        other = self.env["ipai.project"].create({"name": "acme/other"})
        environment = self.env["ipai.environment"].create(
            {"name": "live", "project_id": other.id, "category": "production"}
        )
        self.drill(environment_id=environment.id)
        self.assertTrue(self.unmet_drill())


class TestChangeWindows(OperationalCase):
    def window(self, start, end, **values):
        now = self.env.cr.now()
        return self.env["ipai.freeze.window"].create(
            {
                "name": values.pop("name", "Tuesdays"),
                "kind": "allow",
                "starts_at": now + timedelta(hours=start),
                "ends_at": now + timedelta(hours=end),
                **values,
            }
        )

    def frozen(self):
        return "G3:no_freeze" in self.unmet(self.release)

    def test_where_there_is_a_change_window_promotion_is_possible_in_it_only(self):
        self.window(1, 3)
        self.assertTrue(self.frozen())
        with self.later(hours=2):
            self.assertFalse(self.frozen())
        with self.later(hours=3):
            self.assertTrue(self.frozen())

    def test_a_freeze_beats_it(self):
        self.window(-1, 3)
        self.assertFalse(self.frozen())
        self.window(-1, 1, kind="deny", name="Year end")
        self.assertTrue(self.frozen())
        self.assertIn("Year end", self.reason_of(self.release, "G3", "no_freeze"))

    def test_it_holds_for_what_it_names_only(self):
        self.window(1, 2, environment_ids=[(6, 0, self.staging.ids)])
        self.assertFalse(self.frozen())
        self.window(1, 2, environment_ids=[(6, 0, self.production.ids)])
        self.assertTrue(self.frozen())

    def test_an_emergency_passes_by_an_exception_only(self):
        self.window(-1, 30, kind="deny", name="Year end")
        self.assertTrue(self.frozen())
        self.grant(
            self.release,
            "G3:no_freeze",
            exception_type="emergency",
            compensating_controls="Two of us watch.",
        )
        self.assertFalse(self.frozen())
        self.assertEqual(self.status(self.release, "G3"), "bypassed")

    def test_the_row_of_the_gate_knows_when_it_opens_and_closes(self):
        self.window(1, 3)
        row = self.release.release_gate_ids.filtered(
            lambda row: row.gate_id.code == "G3"
        )
        now = self.env.cr.now()
        self.assertEqual(row._status_at(now), row.status)
        self.assertEqual(row._status_at(now + timedelta(hours=2)), "passed")
        self.assertNotEqual(row._status_at(now + timedelta(hours=3)), "passed")
