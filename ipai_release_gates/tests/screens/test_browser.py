"""The screens in a real browser, as each role: contents, refusals and next steps.

A tour fails on a console error, a warning or an open error dialog.
"""

import os
from datetime import timedelta
from tempfile import TemporaryDirectory
from unittest.mock import patch

from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.base.models import ir_actions_report

from ..common import ROLES
from ..tours import TourHttpCase


@tagged("post_install", "-at_install")
class TestBrowser(TourHttpCase):
    def tour(self, name, user, url="/odoo/releases"):
        """Run a tour as a user; the log ignores refusals, which the tour expects."""
        with mute_logger("odoo.http"):
            self.start_tour(url, name, login=user.login)

    def test_a_card_snaps_back_from_a_closed_gate_until_its_evidence_is_recorded(self):
        release = self.bring_to(self.open_release("Tour"), "qa_validation")
        self.evidence(self.qa, release, "test_result", "G2")
        self.evidence(self.qa, release, "defect_register", "G2")
        self.sign(self.qa, release, "G2")
        self.assertEqual(self.unmet(release, "G2"), {"G2:acceptance_criteria"})
        self.tour("ipai_drag_into_closed_gate", self.rm)
        self.assertEqual(release.stage_id, self.stages["staging_acceptance"])
        recorded = release.evidence_ids.filtered(
            lambda evidence: evidence.type_code == "acceptance_criteria"
        )
        self.assertEqual(recorded.recorded_by_id, self.rm)
        self.assertEqual(recorded.gate_id, self.gates["G2"])
        self.assertEqual(len(self.ledger(release, "move_refused")), 1)

    def test_a_refusal_names_every_unmet_condition_by_gate(self):
        self.open_release("Tour")
        self.tour("ipai_refusal_names_everything", self.rm)

    def test_a_refusal_names_the_personas_that_may_move(self):
        release = self.bring_to(self.open_release("Tour"), "qa_validation")
        self.pass_g2(release)
        self.tour("ipai_refusal_of_the_mover", self.dev)
        self.assertEqual(release.stage_id, self.stages["qa_validation"])

    def test_a_card_dragged_back_asks_for_a_reason_and_then_moves(self):
        release = self.bring_to(self.open_release("Tour"), "qa_validation")
        self.tour("ipai_drag_back", self.rm)
        self.assertEqual(release.stage_id, self.stages["build"])
        self.assertEqual(release.move_reason, "Wrong branch")

    def test_the_status_bar_shows_the_stage_again_when_a_move_is_refused(self):
        with self.later(days=-3):
            release = self.open_release("Tour")
        self.tour("ipai_status_bar_refused", self.rm, f"/odoo/releases/{release.id}")
        self.assertEqual(release.stage_id, self.stages["build"])

    def test_a_gate_is_signed_from_its_panel(self):
        release = self.bring_to(self.open_release("Tour"), "qa_validation")
        for kind in ("acceptance_criteria", "defect_register", "test_result"):
            self.evidence(self.qa, release, kind, "G2")
        self.tour("ipai_sign_off", self.qa2, f"/odoo/releases/{release.id}")
        self.assertEqual(release.approval_ids.approver_id, self.qa2)
        self.assertEqual(self.status(release, "G2"), "passed")

    def test_a_release_is_opened_on_the_board(self):
        self.tour("ipai_open_release", self.dev)
        release = self.env["ipai.release"].search([("name", "=", "Opened")])
        self.assertEqual(release.stage_id, self.stages["build"])
        self.assertEqual(release.revision_id.author_emails, ["dev@example.com"])

    def test_the_guided_tour_leads_to_a_refusal_and_changes_nothing(self):
        release = self.open_release("2026.12.0")
        self.tour("ipai_first_hour", self.dev)
        self.assertEqual(release.stage_id, self.stages["build"])
        self.assertEqual(len(self.ledger(release, "move_refused")), 1)
        self.assertFalse(release.evidence_ids)

    def test_users_who_only_read_cannot_drag_cards(self):
        release = self.bring_to(self.open_release("Tour"), "qa_validation")
        self.pass_g2(release)
        self.tour("ipai_cards_lie_still", self.auditor)

    def test_a_release_too_long_in_a_stage_has_a_warning_and_a_filter(self):
        days = self.stages["build"].rotting_threshold_days + 1
        self.assertEqual(days, 15, "the tour reads this number")
        with self.later(days=-days):
            self.open_release("Long")
        self.open_release("Fresh")
        self.tour("ipai_too_long_in_its_stage", self.dev)

    def test_an_sre_reprocesses_deploys_handles_an_incident_and_rolls_back(self):
        release = self.bring_to(self.open_release("Tour"), "production")
        payload = {"environment": "canary", "status": "pass"}
        event = self.ci_event("health_check", payload, release)
        (answer,) = self.send(self.ci, event)
        self.assertEqual(answer["status"], "rejected")
        self.env["ipai.environment"].create(
            {"name": "canary", "project_id": self.project.id, "category": "staging"}
        )
        self.tour("ipai_sre_at_work", self.sre, "/odoo/release-events")
        log = self.env["ipai.ingest.log"].browse(answer["ingest_id"])
        self.assertEqual(log.status, "accepted")
        deployment = release.deployment_ids
        self.assertEqual(deployment.external_id, "run-4711")
        self.assertEqual(deployment.recorded_by_id, self.sre)
        self.assertFalse(deployment.is_unauthorised)
        self.assertEqual(deployment.status, "rolled_back")
        self.assertEqual(deployment.rolled_back_by_id, self.sre)
        self.assertEqual(deployment.rollback_reason, "Pages stayed slow")
        incident = release.incident_ids
        self.assertEqual(incident.name, "Slow pages")
        self.assertEqual(incident.status, "resolved")

    def test_a_developer_requests_an_exception_and_a_release_manager_decides(self):
        release = self.open_release("Tour")
        for check in ("build", "unit_tests", "lint"):
            self.check(release, check)
        self.assertEqual(self.unmet(release, "G1"), {"G1:build_log"})
        self.tour("ipai_exception_is_requested", self.dev)
        exception = release.exception_ids
        self.assertEqual(exception.state, "requested")
        self.assertEqual(exception.recorded_by_id, self.dev)
        self.assertEqual(exception.requirement_ids.code, "build_log")
        self.tour("ipai_exception_is_decided", self.rm, "/odoo/release-exceptions")
        self.assertEqual(exception.state, "active")
        decision = exception.approval_ids
        self.assertEqual(decision.approver_id, self.rm)
        self.assertEqual(decision.rationale_text, "Built again, with the same digest.")
        self.tour("ipai_exception_opens_the_gate", self.dev)
        self.assertEqual(release.stage_id, self.stages["qa_validation"])

    def test_without_wkhtmltopdf_the_dossier_opens_as_a_page_with_the_reason(self):
        # Odoo looks for the program once; the test runs as if there were none.
        self.addCleanup(ir_actions_report._wkhtml.cache_clear)
        ir_actions_report._wkhtml.cache_clear()
        with TemporaryDirectory() as empty, patch.dict(os.environ, PATH=empty):
            state = self.env["ir.actions.report"].get_wkhtmltopdf_state()
        self.assertEqual(state, "install")
        release = self.open_release("Tour")
        self.tour(
            "ipai_dossier_without_pdf", self.auditor, f"/odoo/releases/{release.id}"
        )

    def test_every_role_opens_its_menus_forms_and_tabs_without_an_error(self):
        # One release with a fact of every kind, so that every form has a record.
        other = self.open_release()
        self.bring_to(self.open_release("Tour"), "closed")
        self.env["ipai.incident"].with_user(self.sre).create(
            {"name": "Slow pages", "release_id": other.id}
        )
        self.env["ipai.freeze.window"].with_user(self.governance).create(
            {
                "name": "Year end",
                "starts_at": "2020-12-20 00:00:00",
                "ends_at": "2099-12-31 00:00:00",
            }
        )
        self.env["ipai.author.alias"].with_user(self.governance).create(
            {"email": "dev@laptop.example.com", "user_id": self.dev.id}
        )
        self.contradict()
        for login in ROLES:
            with self.subTest(role=login):
                self.start_tour(
                    "/odoo/releases",
                    "ipai_every_screen",
                    login=self.users[login].login,
                    timeout=120,
                )

    def test_governance_makes_a_ci_service_and_is_shown_its_key(self):
        self.tour(
            "ipai_ci_service_is_made", self.governance, "/odoo/release-ci-services"
        )
        made = self.env["res.users"].search([("login", "=", "ci-tour")])
        self.assertTrue(made.has_group("ipai_release_gates.group_ci_service"))

    def test_a_freeze_is_shown_on_the_card_and_on_the_form(self):
        self.open_release("Tour")
        now = self.env.cr.now()
        self.env["ipai.freeze.window"].with_user(self.governance).create(
            {
                "name": "Year-end closing",
                "starts_at": now - timedelta(hours=1),
                "ends_at": now + timedelta(hours=1),
            }
        )
        self.tour("ipai_freeze_is_shown", self.dev)

    def test_governance_chooses_the_weekdays_of_a_recurring_freeze(self):
        self.tour("ipai_freeze_recurs", self.governance, "/odoo/release-freezes")

    def test_the_governance_page_shows_its_gaps_first(self):
        domain = self.env["ipai.expertise.domain"].create(
            {"code": "odoo.legal", "name": "Legal"}
        )
        requirement = self.env.ref("ipai_release_gates.requirement_g3_no_freeze")
        requirement.expertise_domain_id = domain
        self.tour("ipai_gap_is_shown", self.auditor, "/odoo/release-governance")

    def test_governance_makes_a_persona_from_the_template(self):
        self.tour("ipai_persona_is_made", self.governance, "/odoo/release-personas")
        made = self.env["ipai.persona"].search([("code", "=", "security_reviewer")])
        self.assertEqual(made.contract_ids.state, "draft")

    def test_an_import_names_the_line_of_an_error(self):
        self.tour(
            "ipai_registry_names_the_line", self.governance, "/odoo/release-expertise"
        )

    def test_a_file_of_the_policy_is_previewed_before_it_is_imported(self):
        self.tour(
            "ipai_policy_is_imported", self.governance, "/odoo/release-gate-definitions"
        )
        gate = self.env["ipai.gate"].search([("code", "=", "G1")])
        self.assertEqual(gate.name, "Builds")

    def test_users_who_read_the_policy_download_it(self):
        self.tour(
            "ipai_policy_is_exported", self.auditor, "/odoo/release-gate-definitions"
        )
        wizards = self.env["ipai.export.policy.wizard"].with_user(self.auditor)
        wizard = wizards.create({"schema": "gate_schema"})
        self.authenticate("auditor", "auditor")
        answer = self.url_open(wizard.action_download()["url"])
        self.assertIn("gate_schema.yaml", answer.headers["Content-Disposition"])
        files = self.env["ipai.policy.file"].with_user(self.auditor)
        self.assertEqual(answer.text, files._export("gate_schema"))
