"""Server actions on releases: their methods check access, which Odoo may skip."""

from lxml import etree

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged

from ...errors import GateRefused
from ..common import MODULE, GateCase


class ServerActionCase(GateCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.release = cls.open_release()

    def run_action(self, action, user, releases=None):
        """Run a server action as the Actions menu of a list does."""
        releases = releases or self.release
        return (
            action.with_user(user)
            .with_context(
                active_model="ipai.release",
                active_ids=releases.ids,
                active_id=releases[:1].id,
            )
            .run()
        )

    def run_by_rule(self, action, user, releases):
        """Run a server action as an automation rule does that a user triggers.

        That is as superuser, on one record after the other, without a return value.
        """
        for release in releases:
            action.with_user(user).sudo().with_context(
                active_model="ipai.release",
                active_ids=release.ids,
                active_id=release.id,
            ).run()


@tagged("post_install", "-at_install")
class TestBoundActions(ServerActionCase):
    def action(self, name):
        return self.env.ref(f"{MODULE}.ipai_release_server_action_{name}")

    def test_every_action_is_bound_to_releases_in_list_board_and_form(self):
        for name in (
            "evaluate",
            "record_evidence",
            "decide",
            "request_exception",
            "advance",
            "move",
            "deploy",
            "roll_back",
            "open_incident",
        ):
            with self.subTest(action=name):
                action = self.action(name)
                self.assertEqual(action.binding_model_id.model, "ipai.release")
                self.assertEqual(action.binding_view_types, "list,form,kanban")

    def test_advance_moves_many_releases_each_to_its_own_next_stage(self):
        other = self.bring_to(self.open_release(), "qa_validation")
        self.pass_gates(self.release, "G1")
        self.pass_gates(other, "G2")
        self.run_action(self.action("advance"), self.rm, self.release | other)
        self.assertEqual(self.release.stage_id, self.stages["qa_validation"])
        self.assertEqual(other.stage_id, self.stages["staging_acceptance"])

    def test_advance_names_the_unmet_conditions(self):
        with self.assertRaises(GateRefused) as caught:
            self.run_action(self.action("advance"), self.rm)
        refused = caught.exception.context["refusal"]["releases"]
        self.assertEqual(
            self.named(*refused, message=str(caught.exception)),
            self.unmet(self.release, "G1"),
        )
        self.assertEqual(self.release.stage_id, self.stages["build"])

    def test_an_automation_rule_advances_some_and_names_refused_ones(self):
        ready = self.open_release()
        self.pass_gates(ready, "G1")
        self.run_by_rule(self.action("advance"), self.rm, ready)
        self.assertEqual(ready.stage_id, self.stages["qa_validation"])
        with self.assertRaisesRegex(GateRefused, "build log"):
            self.run_by_rule(self.action("advance"), self.rm, self.release)
        self.assertEqual(self.release.stage_id, self.stages["build"])
        # The rule runs as superuser; its methods check the user who triggers it.
        self.pass_gates(self.release, "G1")
        stranger = self.new_user("stranger", "group_developer")
        for user in (self.auditor, stranger):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.run_by_rule(self.action("advance"), user, self.release)
        self.assertEqual(self.release.stage_id, self.stages["build"])

    def test_advance_in_the_last_stage_is_refused(self):
        self.bring_to(self.release, "closed")
        with self.assertRaisesRegex(UserError, "last stage"):
            self.run_action(self.action("advance"), self.rm)

    def test_evaluate_judges_the_gates_again(self):
        self.run_action(self.action("evaluate"), self.qa)
        self.assertEqual(self.stored(self.release)["G1"], "pending")

    def test_wizards_open_on_the_chosen_releases(self):
        releases = self.release | self.open_release()
        for name in ("record_evidence", "decide", "request_exception", "move"):
            with self.subTest(action=name):
                opened = self.run_action(self.action(name), self.rm, releases)
                self.assertEqual(opened["target"], "new")
                self.assertEqual(opened["context"]["default_release_ids"], releases.ids)

    def test_the_wizards_of_operations_open_on_the_chosen_releases(self):
        releases = self.release | self.open_release()
        for name in ("deploy", "roll_back", "open_incident"):
            with self.subTest(action=name):
                opened = self.run_action(self.action(name), self.sre, releases)
                self.assertEqual(
                    opened["context"], {"default_release_ids": releases.ids}
                )
        self.run_action(self.action("roll_back"), self.rm, releases)
        for name in ("deploy", "open_incident"):
            with self.subTest(action=name), self.assertRaises(AccessError):
                self.run_action(self.action(name), self.rm)
        for user in (self.dev, self.qa):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.run_action(self.action("roll_back"), user)

    def test_users_outside_the_groups_cannot_run_an_action(self):
        for user in (self.qa, self.sre):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.run_action(self.action("request_exception"), user)
        for name in (
            "evaluate",
            "record_evidence",
            "decide",
            "request_exception",
            "advance",
            "move",
        ):
            for user in (self.auditor, self.governance, self.ci):
                with (
                    self.subTest(action=name, user=user.login),
                    self.assertRaises(AccessError),
                ):
                    self.run_action(self.action(name), user)

    def test_a_release_the_user_cannot_read_is_refused(self):
        stranger = self.new_user("stranger", "group_developer")
        self.pass_gates(self.release, "G1")
        for name in ("evaluate", "record_evidence", "advance", "move"):
            with self.subTest(action=name), self.assertRaises(AccessError):
                self.run_action(self.action(name), stranger)
        self.assertEqual(self.release.stage_id, self.stages["build"])

    def test_widening_the_groups_of_an_action_gives_nobody_its_rights(self):
        actions = self.action("evaluate") | self.action("advance")
        actions.group_ids = [(4, self.env.ref(f"{MODULE}.group_auditor").id)]
        self.pass_gates(self.release, "G1")
        for action in actions:
            with self.subTest(action=action.name), self.assertRaises(AccessError):
                self.run_action(action, self.auditor)
        self.assertEqual(self.release.stage_id, self.stages["build"])


@tagged("post_install", "-at_install")
class TestRecordEvidenceKind(ServerActionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.action = cls.env["ir.actions.server"].create(cls.values())

    @classmethod
    def values(cls, **values):
        return {
            "name": "Record the baseline",
            "model_id": cls.env.ref(f"{MODULE}.model_ipai_release").id,
            "state": "ipai_record_evidence",
            "ipai_evidence_type_id": cls.env.ref(
                f"{MODULE}.evidence_type_monitoring_baseline"
            ).id,
            "ipai_gate_id": cls.env.ref(f"{MODULE}.gate_g4").id,
            "ipai_evidence_url": "https://m.example.com/{project}/{source_ref}",
            "ipai_evidence_metadata": '{"status": "normal"}',
            **values,
        }

    def everybody(self, action):
        """Let all roles run an action, which makes Odoo skip the access check."""
        groups = self.env["res.groups"].search(
            [
                (
                    "privilege_id",
                    "=",
                    self.env.ref(f"{MODULE}.privilege_release_gates").id,
                )
            ]
        )
        action.group_ids = groups
        return action

    def test_the_action_records_evidence_as_its_user(self):
        releases = self.release | self.open_release()
        self.run_action(self.action, self.sre, releases)
        for release in releases:
            evidence = release.evidence_ids
            self.assertEqual(evidence.type_code, "monitoring_baseline")
            self.assertEqual(evidence.gate_id, self.gates["G4"])
            self.assertEqual(evidence.metadata, {"status": "normal"})
            self.assertEqual(evidence.recorded_by_id, self.sre)
            self.assertEqual(
                evidence.url, f"https://m.example.com/acme/shop/{release.source_ref}"
            )

    def test_an_automation_rule_records_evidence_as_the_user_who_triggers_it(self):
        releases = self.release | self.open_release()
        self.run_by_rule(self.action, self.sre, releases)
        for release in releases:
            evidence = release.evidence_ids
            self.assertEqual(evidence.type_code, "monitoring_baseline")
            self.assertEqual(evidence.recorded_by_id, self.sre)
        with self.assertRaises(AccessError):
            self.run_by_rule(self.action, self.auditor, releases)

    def test_users_who_may_not_record_evidence_cannot_by_an_action(self):
        for user in (self.auditor, self.governance, self.ci):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.run_action(self.action, user)

    def test_rights_are_checked_when_everybody_may_run_the_action(self):
        self.everybody(self.action)
        stranger = self.new_user("stranger", "group_developer")
        for user in (self.auditor, self.governance, self.ci, stranger):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.run_action(self.action, user)
        self.assertFalse(self.release.evidence_ids)
        self.run_action(self.action, self.sre)
        self.assertEqual(self.release.evidence_ids.recorded_by_id, self.sre)

    def test_an_action_run_as_superuser_keeps_the_rights_of_its_user(self):
        self.everybody(self.action)
        stranger = self.new_user("stranger", "group_developer")
        for user in (self.auditor, self.ci, stranger):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.run_by_rule(self.action, user, self.release)
        self.assertFalse(self.release.evidence_ids)

    def test_an_action_records_no_evidence_that_an_sre_may_not(self):
        self.action.ipai_gate_id = self.gates["G1"]
        with self.assertRaisesRegex(
            UserError, "may send evidence for gate G4 or for no gate"
        ):
            self.run_action(self.action, self.sre)

    def test_the_action_works_on_releases_only(self):
        with self.assertRaisesRegex(ValidationError, "releases only"):
            self.action.create(
                self.values(model_id=self.env.ref("base.model_res_partner").id)
            )

    def test_metadata_that_is_no_json_is_refused_on_saving(self):
        with self.assertRaisesRegex(ValidationError, "not valid JSON"):
            self.action.ipai_evidence_metadata = "status: normal"

    def test_an_unknown_placeholder_is_refused(self):
        self.action.ipai_evidence_url = "https://m.example.com/{branch}"
        with self.assertRaisesRegex(UserError, "placeholder"):
            self.run_action(self.action, self.sre)

    def test_the_form_shows_its_fields_to_administrators_with_a_role(self):
        system = self.env.ref("base.group_system")
        view = self.env.ref("base.view_server_action_form")
        for name, group, shown in (
            ("plain", "base.group_system", False),
            ("governing", "group_governance_admin", True),
        ):
            user = self.new_user(f"{name}_admin", group)
            user.group_ids = [(4, system.id)]
            actions = self.env["ir.actions.server"].with_user(user)
            arch = etree.fromstring(actions.get_view(view.id, "form")["arch"])
            with self.subTest(user=name):
                self.assertEqual(
                    bool(arch.xpath("//field[@name='ipai_evidence_type_id']")), shown
                )
                group = arch.xpath(
                    "//*[@invisible=\"state != 'ipai_record_evidence'\"]"
                )
                self.assertEqual(len(group), 1)
