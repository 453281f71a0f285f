"""Asking for an exception, deciding and ending it, as people do it on the screens."""

from datetime import timedelta

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, tagged

from ..common import GateCase


class ExceptionWizardCase(GateCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.release = cls.open_release()
        cls.pass_g1(cls.release)

    def request(self, user, step=None, releases=None, **values):
        """The wizard, opened by a button of the release or by a step it offers."""
        releases = releases or self.release
        context = (
            step["context"]
            if step
            else releases.with_user(user).action_request_exception()["context"]
        )
        wizard = Form(
            self.env["ipai.exception.wizard"].with_user(user).with_context(**context)
        )
        for name, value in {
            "rationale": "The tester is ill.",
            "risk_statement": "A defect may reach staging.",
            **values,
        }.items():
            wizard[name] = value
        return wizard

    def step(self, user, code, release=None):
        release = (release or self.release).with_user(user)
        return next(
            step["exception"] for step in release.next_steps if step["code"] == code
        )


@tagged("post_install", "-at_install")
class TestRequestWizard(ExceptionWizardCase):
    def test_who_may_ask_is_offered_an_exception_from_every_waivable_condition(self):
        waivable = self.env["ipai.gate.requirement"].search([("waivable", "=", True)])
        for login, user in self.users.items():
            offered = {
                f"{step['gate']}:{step['code']}"
                for step in self.release.with_user(user).next_steps
                if step.get("exception")
            }
            expected = {f"{r.gate_id.code}:{r.code}" for r in waivable}
            with self.subTest(login=login):
                asks = login in ("dev", "rm", "rm2")
                self.assertEqual(offered, expected if asks else set())

    def test_a_closed_release_offers_none(self):
        self.release.with_user(self.rm).action_cancel()
        steps = self.release.with_user(self.rm).next_steps
        self.assertFalse([step for step in steps if step.get("exception")])

    def test_the_step_fills_in_gate_requirement_and_the_type_that_fits(self):
        for code, kind in (
            ("qa_signoff", "gate_bypass"),
            ("test_evidence", "evidence_waiver"),
            ("no_freeze", "timing_override"),
        ):
            wizard = self.request(self.dev, self.step(self.dev, code))
            self.assertEqual(wizard.exception_type, kind)
            self.assertEqual(wizard.risk_level, "low")
            saved = wizard.save()
            self.assertEqual(saved.requirement_ids.code, code)
            self.assertEqual(saved.gate_ids, saved.requirement_ids.gate_id)

    def test_the_button_of_the_release_names_the_gate_of_the_next_stage(self):
        wizard = self.request(self.dev).save()
        self.assertEqual(wizard.gate_ids.code, "G1")
        self.assertEqual(wizard.release_ids, self.release)

    def test_it_says_what_the_risk_asks_for_and_keeps_the_life_within_it(self):
        wizard = self.request(self.dev)
        self.assertIn("30 days", wizard.rules)
        wizard.risk_level = "critical"
        self.assertIn("48 hours", wizard.rules)
        self.assertIn("review", wizard.rules)
        latest = self.env.cr.now() + timedelta(hours=48)
        self.assertLessEqual(wizard.expires_at, latest)

    def test_an_emergency_is_critical(self):
        wizard = self.request(self.dev)
        wizard.exception_type = "emergency"
        self.assertEqual(wizard.risk_level, "critical")

    def test_it_requests_one_exception_for_each_release(self):
        releases = self.release | self.open_release()
        wizard = self.request(self.dev, releases=releases)
        answer = wizard.save().action_request()
        exceptions = releases.exception_ids
        self.assertEqual(exceptions.mapped("state"), ["requested"] * 2)
        self.assertEqual(exceptions.recorded_by_id, self.dev)
        for exception in exceptions:
            self.assertIn(exception.display_name, answer["params"]["message"])

    def test_what_is_missing_is_said_and_nothing_is_kept(self):
        wizard = self.request(self.dev).save()
        wizard.gate_ids = False
        with self.undone(), self.assertRaisesRegex(ValidationError, "Impacted gates"):
            wizard.action_request()
        wizard.release_ids = False
        with self.assertRaisesRegex(UserError, "releases"):
            wizard.action_request()
        self.assertFalse(self.release.exception_ids)

    def test_nobody_else_opens_it(self):
        for user in (self.qa, self.sre, self.ci, self.auditor, self.governance):
            with self.assertRaises(AccessError):
                self.env["ipai.exception.wizard"].with_user(user).create({})

    def test_the_server_action_opens_it_on_the_chosen_releases(self):
        action = self.env.ref(
            "ipai_release_gates.ipai_release_server_action_request_exception"
        )
        context = {"active_model": "ipai.release", "active_ids": self.release.ids}
        opened = action.with_user(self.dev).with_context(**context).run()
        self.assertEqual(opened["res_model"], "ipai.exception.wizard")
        with self.assertRaises(AccessError):
            action.with_user(self.qa).with_context(**context).run()


@tagged("post_install", "-at_install")
class TestDecideAndEndWizards(ExceptionWizardCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.exception = (
            cls.env["ipai.exception"]
            .with_user(cls.dev)
            .create(cls.exception_values(cls.release))
        )
        cls.exception.action_request()

    def decide(self, user, **values):
        return (
            self.env["ipai.exception.decide.wizard"]
            .with_user(user)
            .create({"exception_id": self.exception.id, **values})
        )

    def end(self, user, act, words="Because.", **values):
        wizard = (
            self.env["ipai.exception.end.wizard"]
            .with_user(user)
            .create(
                {
                    "exception_id": self.exception.id,
                    "act": act,
                    "words": words,
                    **values,
                }
            )
        )
        return wizard.action_confirm()

    def test_it_decides_as_the_persona_that_is_waited_for(self):
        wizard = self.decide(self.rm, rationale_text="Fine for two days.")
        self.assertEqual(wizard.persona_id.code, "release_manager")
        self.assertFalse(wizard.obstacle)
        wizard.action_decide()
        self.assertEqual(self.exception.state, "active")
        approval = self.exception.sudo().approval_ids
        self.assertEqual(approval.approver_id, self.rm)
        self.assertEqual(approval.scope, "exception")

    def test_a_decision_needs_its_reasons(self):
        with self.assertRaisesRegex(UserError, "Rationale"):
            self.decide(self.rm, rationale_text=" ").action_decide()

    def test_it_says_beforehand_what_stands_in_the_way(self):
        twin = self.new_user("twin", "group_release_manager", email="dev@example.com")
        wizard = self.decide(
            twin,
            rationale_text="Mine.",
            persona_id=self.personas["release_manager"].id,
        )
        self.assertIn("requested this exception", wizard.obstacle)
        with self.assertRaises(AccessError):
            wizard.action_decide()

    def test_it_shows_no_exception_that_its_user_may_not_read(self):
        other = self.new_user("other", "group_developer", "group_sre")
        other.group_ids -= self.env.ref("ipai_release_gates.group_sre")
        with self.assertRaises(AccessError):
            self.env["ipai.exception.end.wizard"].with_user(other).create(
                {"exception_id": self.exception.id, "act": "close", "words": "No."}
            ).action_confirm()

    def test_each_act_goes_through_the_door_of_the_exception(self):
        with self.undone():
            self.end(self.dev, "close")
            self.assertEqual(self.exception.state, "closed")
        self.decide(self.rm, rationale_text="Fine.").action_decide()
        with self.assertRaisesRegex(UserError, "New expiry"):
            self.end(self.dev, "extend")
        until = self.env.cr.now() + timedelta(days=5)
        action = self.end(self.dev, "extend", expires_at=until)
        extension = self.env["ipai.exception"].browse(action["res_id"])
        self.assertEqual(extension.extension_of_id, self.exception)
        with self.assertRaisesRegex(UserError, "no review"):
            self.end(self.rm, "review")
        self.end(self.rm, "revoke")
        self.assertEqual(self.exception.state, "revoked")
