"""The consistency check on real records: findings, readers, notifications."""

from odoo.exceptions import AccessError
from odoo.tools import mute_logger

from ..common import GateCase

MODEL = "ipai.consistency.finding"


class TestConsistency(GateCase):
    def requirement(self, name):
        """A requirement by gate and code."""
        gate, code = name.split("/")
        found = self.env["ipai.gate.requirement"].search(
            [("gate_id.code", "=", gate), ("code", "=", code)]
        )
        self.assertEqual(len(found), 1)
        return found

    def shown(self, user=None):
        """What the list shows to a user, as its reader opens it."""
        rows = self.env[MODEL].with_user(user or self.governance)
        spec = {"code": {}, "place": {}, "res_model": {}, "res_id": {}, "severity": {}}
        return rows.web_search_read([("resolved_at", "=", False)], spec)["records"]

    def codes(self):
        return {row["code"] for row in self.shown()}

    # --- what is found ---------------------------------------------------------------

    def test_the_shipped_model_has_no_contradiction(self):
        self.assertEqual(self.shown(), [])

    def test_ten_planted_contradictions_are_found_at_their_records(self):
        stage, gate, need = self.stages, self.gates, self.requirement
        old_type = self.env.ref("ipai_release_gates.evidence_type_release_notes")
        twin = self.env["res.groups"].create({"name": "Release police"})
        planted = {
            "stage_without_mover": (stage["production"], {"persona_ids": [(5,)]}),
            "stage_gate_order": (stage["closed"], {"gate_id": gate["G1"].id}),
            "closing_stage_missing": (stage["closed"], {"is_closing": False}),
            "target_without_stage": (
                stage["staging_acceptance"],
                {"environment_category": False},
            ),
            "prior_gate_order": (gate["G1"], {"sequence": 25}),
            "independence_of_nothing": (
                need("G3/rm_signoff"),
                {"distinct_from_gate_id": gate["G1"].id},
            ),
            "evidence_type_archived": (old_type, {"active": False}),
            "metadata_impossible": (
                need("G4/monitoring_baseline"),
                {"metadata_match": '{"status": "fine"}'},
            ),
            "required_checks_unasked": (
                need("G1/required_checks"),
                {"active": False},
            ),
            "accountable_archived": (self.personas["sre"], {"active": False}),
            "persona_cannot_sign": (
                self.personas["qa_tester"],
                {"group_id": self.env.ref("ipai_release_gates.group_auditor").id},
            ),
            "name_twice": (
                self.env["ipai.persona"].create(
                    {"code": "other", "name": "Other", "group_id": twin.id}
                ),
                {"name": "odoo release  manager"},
            ),
        }
        places = {
            "closing_stage_missing": stage["closed"],
            "target_without_stage": stage["closed"],
            "prior_gate_order": need("G2/g1_passed"),
            "evidence_type_archived": need("G3/release_notes"),
            "required_checks_unasked": self.project,
            "accountable_archived": need("G4/health_checks"),
            "name_twice": self.personas["release_manager"],
        }
        for code, (record, values) in planted.items():
            with self.subTest(code=code), self.undone():
                record.with_user(self.governance).write(values)
                found = [row for row in self.shown() if row["code"] == code]
                place = places.get(code, record)
                self.assertIn(
                    (place._name, place.id),
                    [(row["res_model"], row["res_id"]) for row in found],
                )

    def test_a_persona_that_a_new_member_could_sign_as_no_longer_lacks_people(self):
        need = self.requirement("G3/rm_signoff")
        need.min_count = 3
        self.assertEqual(self.codes(), {"signatories_too_few"})
        self.new_user("rm3", "group_release_manager")
        self.assertEqual(self.codes(), set())
        # Accounts with one address are one person, and a service signs nothing.
        need.min_count = 4
        self.new_user("rm4", "group_release_manager", email="rm@example.com")
        self.new_user("rm5", "group_release_manager", "group_ci_service")
        self.assertEqual(self.codes(), {"signatories_too_few"})

    def test_what_is_put_right_is_resolved_and_found_again_when_it_comes_back(self):
        stage = self.stages["production"]
        movers = stage.persona_ids
        stage.persona_ids = False
        self.assertEqual(self.codes(), {"stage_without_mover"})
        row = self.env[MODEL].search([("code", "=", "stage_without_mover")])
        stage.persona_ids = movers
        self.assertEqual(self.codes(), set())
        self.assertTrue(row.resolved_at)
        stage.persona_ids = False
        self.assertEqual(self.codes(), {"stage_without_mover"})
        self.assertFalse(row.resolved_at)

    def test_the_number_of_queries_does_not_grow_with_the_model(self):
        def queries():
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.env["ipai.consistency"]._findings()
            return self.env.cr.sql_log_count - before

        queries()
        few = queries()
        for number in range(20):
            gate = self.env["ipai.gate"].create(
                {"code": f"X{number}", "name": f"Extra {number}", "sequence": 100}
            )
            self.requirement("G2/qa_signoff").copy(
                {"gate_id": gate.id, "name": f"Signed {number}"}
            )
            self.env["ipai.project"].create({"name": f"acme/extra{number}"})
            self.new_user(f"qa x{number}", "group_qa_tester")
        self.assertLessEqual(queries(), few)

    # --- who sees it -----------------------------------------------------------------

    def test_only_governance_and_auditors_look(self):
        for user in (self.dev, self.qa, self.rm, self.sre, self.ci):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.shown(user)
            with self.assertRaises(AccessError):
                self.env[MODEL].with_user(user).action_check_now()
        self.assertEqual(self.shown(self.auditor), [])

    def test_a_finding_about_a_project_is_seen_in_its_company(self):
        company = self.env["res.company"].create({"name": "Elsewhere"})
        self.requirement("G1/required_checks").active = False
        self.project.company_id = company
        self.assertEqual(self.codes(), set())
        self.governance.company_ids += company
        self.assertEqual(self.codes(), {"required_checks_unasked"})

    def test_the_button_checks_and_the_row_opens_its_record(self):
        rows = self.env[MODEL].with_user(self.auditor)
        self.assertEqual(rows.action_check_now()["params"]["type"], "success")
        self.stages["production"].persona_ids = False
        answer = rows.action_check_now()["params"]
        self.assertEqual(answer["type"], "danger")
        self.assertIn("1 errors", answer["message"])
        action = rows.search([]).action_open_place()
        self.assertEqual(action["res_model"], "ipai.release.stage")
        self.assertEqual(action["res_id"], self.stages["production"].id)

    # --- who is notified -------------------------------------------------------------

    def notified(self, user):
        return self.env["mail.message"].search_count(
            [("notified_partner_ids", "in", user.partner_id.ids)]
        )

    def run_daily(self):
        self.env.flush_all()
        with self.enter_registry_test_mode(), mute_logger("odoo.addons.base"):
            self.env.ref(
                "ipai_release_gates.ir_cron_check_consistency"
            ).method_direct_trigger()
        self.env.invalidate_all()

    def test_governance_is_told_of_a_new_error_once(self):
        before = self.notified(self.governance)
        self.run_daily()
        self.assertEqual(self.notified(self.governance), before)
        self.stages["production"].persona_ids = False
        self.run_daily()
        self.run_daily()
        self.assertEqual(self.notified(self.governance), before + 1)
        self.assertEqual(self.notified(self.auditor), 0)
        self.stages["staging_acceptance"].persona_ids = False
        self.run_daily()
        self.assertEqual(self.notified(self.governance), before + 2)

    def test_a_warning_is_shown_but_nobody_is_told(self):
        before = self.notified(self.governance)
        self.stages["qa_validation"].gate_id = False
        self.run_daily()
        self.assertEqual(self.codes(), {"stage_without_gate"})
        self.assertEqual(self.notified(self.governance), before)

    def test_only_the_scheduler_runs_the_daily_check(self):
        with self.assertRaises(AccessError):
            self.env[MODEL].with_user(self.governance)._check_daily()

    def test_a_condition_whose_domain_nobody_holds_is_found_and_shown(self):
        domain = self.env["ipai.expertise.domain"].create(
            {"code": "odoo.nobody", "name": "Nobody's"}
        )
        requirement = self.env["ipai.gate.requirement"].search(
            [("code", "=", "qa_signoff")]
        )
        requirement.expertise_domain_id = domain
        found = {
            (finding.code, str(finding.place))
            for finding in self.env["ipai.consistency"]._findings()
        }
        self.assertIn(("domain_unheld", "ipai.gate.requirement G2/qa_signoff"), found)
        self.assertIn(("domain_primary", "ipai.expertise.domain odoo.nobody"), found)
        self.assertIn(
            "nobody_holds",
            self.env["ipai.governance.coverage"].search([]).mapped("gap"),
        )
