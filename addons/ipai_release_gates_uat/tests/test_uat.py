"""A customer's UAT: by a link, for one revision, as evidence and as nothing more."""

import base64
import json
import logging
import re
from datetime import timedelta
from unittest.mock import patch

from lxml import html

from odoo import http
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.service.server import CommonRequestHandler
from odoo.tests import HttpCase, tagged

from odoo.addons.ipai_release_gates.tests.common import ROLES

from .common import CRITERIA, UatCase


class TestUat(UatCase):
    # --- asking ----------------------------------------------------------------------

    def test_a_tester_and_a_release_manager_ask_and_nobody_else(self):
        for login in ROLES:
            user = self.users[login]
            with self.subTest(login):
                if login in ("qa", "rm"):
                    self.assertEqual(self.invite(user)[0].status, "open")
                else:
                    with self.assertRaises(AccessError):
                        self.invite(user)

    def test_what_is_missing_or_too_much_is_named(self):
        silent = self.env["res.partner"].create({"name": "No address"})
        for values, named in (
            ({"partner": silent}, "e-mail address"),
            ({"criteria": ["  "]}, "Criteria: give 1 to 100"),
            ({"criteria": ["x"] * 101}, "Criteria: give 1 to 100"),
            ({"days": 0}, "1 to 90 days"),
            ({"days": 91}, "1 to 90 days"),
        ):
            with self.subTest(named), self.assertRaisesRegex(ValidationError, named):
                self.invite(**values)

    def test_the_link_is_mailed_to_the_customer_and_kept_by_nobody(self):
        invitation, link = self.invite(by_hand=False)
        self.assertIsNone(link)
        mail = self.env["mail.mail"].search([], order="id desc", limit=1)
        self.assertEqual(mail.email_to, "customer@example.com")
        self.assertTrue(mail.auto_delete)
        token = re.search(r"/ipai/uat/([\w-]+)", mail.body_html)[1]
        self.assertEqual(self.Invitation._of_token(token), invitation)
        for table in ("ipai_uat_invitation", "mail_message", "ipai_ledger_entry"):
            self.assertNotIn(token, str(self.snapshot(table)))
        for login in ("qa", "rm", "auditor", "governance"):
            mine = invitation.with_user(self.users[login])
            with self.subTest(login):
                self.assertNotIn("token_digest", mine.read()[0])
                with self.assertRaises(AccessError):
                    mine.read(["token_digest"])
                with self.assertRaises(AccessError):
                    mine.search([("token_digest", "=like", "a%")])

    def test_a_link_to_pass_on_is_shown_to_its_inviter_and_kept_by_nobody(self):
        wizard = (
            self.env["ipai.uat.wizard"]
            .with_user(self.qa)
            .create(
                {
                    "release_id": self.release.id,
                    "partner_id": self.partner.id,
                    "criteria": "\n".join(CRITERIA),
                    "by_hand": True,
                }
            )
        )
        action = wizard.action_ask()
        shown = wizard.with_context(**action.get("context", {}))
        token = re.search(r"/ipai/uat/([\w-]+)", shown.link)[1]
        self.assertTrue(self.Invitation._of_token(token))
        # Who reads it answers in the customer's name.
        for login in ("qa2", "rm"):
            mine = self.env["ipai.uat.wizard"].with_user(self.users[login])
            with self.subTest(login):
                self.assertFalse(mine.search([]))
                with self.assertRaises(AccessError):
                    mine.browse(wizard.id).read(["link"])
        self.env.flush_all()
        self.assertNotIn(token, str(self.snapshot("ipai_uat_wizard")))

    def test_a_colleague_is_no_customer(self):
        alias = self.env["res.partner"].create(
            {"name": "Customer's name", "email": "QA@example.com"}
        )
        for partner in (self.qa.partner_id, self.dev.partner_id, alias):
            for by_hand in (True, False):
                with (
                    self.subTest(partner.name, by_hand=by_hand),
                    self.assertRaisesRegex(ValidationError, "works here"),
                ):
                    self.invite(partner=partner, by_hand=by_hand)

    def test_nobody_writes_an_invitation_or_an_answer_by_hand(self):
        invitation, _link = self.invite()
        for login in (*ROLES, "admin"):
            user = self.users.get(login) or self.env.ref("base.user_admin")
            for records, vals in (
                (invitation, {"state": "answered"}),
                (invitation, {"expires_at": "2099-01-01"}),
                (invitation.criterion_ids, {"result": "passed"}),
            ):
                with self.subTest(login), self.assertRaises(AccessError):
                    records.with_user(user).write(vals)
        with self.assertRaises(AccessError):
            invitation.sudo().write({"state": "answered"})

    # --- answering -------------------------------------------------------------------

    def test_what_the_customer_says_is_evidence_of_g2_and_no_approval(self):
        before = self.judged(self.release)
        approvals = self.release.approval_ids
        invitation, link = self.invite()
        evidence = self.of_link(link)._answer(
            self.answers(invitation, "passed", ("failed", "The tax is 7 %")),
            "Carla Customer",
            "Nearly there",
        )
        self.assertEqual(evidence.gate_id.code, "G2")
        self.assertEqual(evidence.type_code, "uat_summary")
        self.assertEqual(evidence.revision_id, self.release.revision_id)
        self.assertEqual(
            evidence.metadata,
            {
                "result": "failed",
                "passed": 1,
                "failed": 1,
                "customer": "Customer",
                "signed_name": "Carla Customer",
                "link": "hand",
            },
        )
        statement = json.loads(base64.b64decode(evidence.content))
        self.assertEqual(
            statement["criteria"],
            [
                {"criterion": CRITERIA[0], "result": "passed", "comment": ""},
                {
                    "criterion": CRITERIA[1],
                    "result": "failed",
                    "comment": "The tax is 7 %",
                },
            ],
        )
        self.assertEqual(statement["comment"], "Nearly there")
        self.assertEqual(self.release.approval_ids, approvals)
        self.assertEqual(
            self.unmet(self.release, "G2"),
            {
                f"G2:{condition.code}"
                for condition in before.gate("G2").conditions
                if condition.state == "unmet"
            },
        )
        entry = self.ledger(self.release, "evidence")[-1]
        self.assertIn(evidence.sha256, entry.body)
        self.assertEqual(
            (invitation.status, invitation.signed_name), ("failed", "Carla Customer")
        )

    def test_governance_can_have_g2_ask_for_a_passed_uat(self):
        domain = self.gates["G2"].requirement_ids[0].expertise_domain_id
        self.env["ipai.gate.requirement"].with_user(self.governance).create(
            {
                "gate_id": self.gates["G2"].id,
                "code": "uat",
                "name": "Accepted by the customer",
                "kind": "evidence",
                "evidence_type_id": self.env.ref(
                    "ipai_release_gates.evidence_type_uat_summary"
                ).id,
                "metadata_match": '{"result": "passed"}',
                "accountable_persona_id": self.personas["qa_tester"].id,
                "expertise_domain_id": domain.id,
            }
        )
        self.assertIn("G2:uat", self.unmet(self.release, "G2"))
        failed, _link = self.invite()
        said = self.answers(failed, "passed", ("failed", "No"))
        failed.sudo()._answer(said, "Carla")
        self.assertIn("G2:uat", self.unmet(self.release, "G2"))
        passed, _link = self.invite()
        passed.sudo()._answer(self.answers(passed, "passed", "passed"), "Carla")
        self.assertNotIn("G2:uat", self.unmet(self.release, "G2"))

    def test_an_answer_is_whole_or_refused_and_nothing_is_kept_of_it(self):
        invitation, _link = self.invite()
        whole = self.answers(invitation, "passed", "passed")
        tax = CRITERIA[1]
        for results, name, named in (
            (whole, "", "Name: sign"),
            (whole, "x" * 101, "Name: sign"),
            (whole, "Car\0la", "Name: sign"),
            (whole, "alraC\u202e", "Name: sign"),
            (self.answers(invitation, "passed", None), "Carla", f"{tax}: choose"),
            (self.answers(invitation, "passed", "good"), "Carla", f"{tax}: choose"),
            (self.answers(invitation, "passed", "failed"), "Carla", f"{tax}: say"),
            ({}, "Carla", f"{CRITERIA[0]}: choose"),
            (
                self.answers(invitation, "passed", ("passed", "x" * 10_001)),
                "Carla",
                "at most 10000",
            ),
        ):
            with (
                self.subTest(named),
                self.undone(),
                self.assertRaisesRegex(ValidationError, named),
            ):
                invitation.sudo()._answer(results, name)
        self.assertEqual(invitation.status, "open")
        self.assertFalse(any(invitation.criterion_ids.mapped("result")))

    def test_a_link_works_once_in_its_time_for_its_revision(self):
        answered, _link = self.invite()
        said = self.answers(answered, "passed", "passed")
        answered.sudo()._answer(said, "Carla")
        late, _link = self.invite()
        revoked, _link = self.invite()
        revoked.with_user(self.rm).action_revoke()
        superseded, _link = self.invite()

        def refused(invitation, named):
            said = self.answers(invitation, "passed", "passed")
            with self.assertRaisesRegex(UserError, named):
                invitation.sudo()._answer(said, "Carla")

        refused(answered, "answered already")
        refused(revoked, "withdrawn")
        with self.later(days=14):
            late.invalidate_recordset()
            self.assertEqual(late.status, "expired")
            refused(late, "expired")
        self.release.with_user(self.rm).source_ref = "ab" * 20
        superseded.invalidate_recordset()
        self.assertEqual(superseded.status, "superseded")
        refused(superseded, "has changed since")
        with self.assertRaisesRegex(UserError, "not open any more"):
            answered.with_user(self.rm).action_revoke()

    def test_the_invitation_is_of_its_company(self):
        invitation, _link = self.invite()
        other = self.env["res.company"].create({"name": "Other"})
        stranger = self.new_user(
            "stranger", "group_qa_tester", company_id=other.id, company_ids=other.ids
        )
        for model, ids in (
            (invitation, invitation.ids),
            (invitation.criterion_ids, invitation.criterion_ids.ids),
        ):
            self.assertFalse(model.with_user(stranger).search([("id", "in", ids)]))
        with self.assertRaises(AccessError):
            invitation.with_user(stranger).action_revoke()
        with self.assertRaises(AccessError):
            self.invite(stranger)


@tagged("post_install", "-at_install")
class TestUatPage(HttpCase, UatCase):
    """The page, as somebody without any login."""

    def setUp(self):
        super().setUp()
        self.authenticate(None, None)

    def path(self, link):
        return link[link.index("/ipai/") :]

    def page(self, link, **form):
        """What the link shows, or answers to a form."""
        data = None
        if form:
            data = {"csrf_token": http.Request.csrf_token(self), **form}
        answer = self.url_open(self.path(link), data=data)
        return answer, html.fromstring(answer.text)

    def text(self, page):
        return " ".join(page.text_content().split())

    def test_the_page_asks_refuses_half_an_answer_and_records_a_whole_one(self):
        invitation, link = self.invite(message="Please <b>look</b> at this")
        first, second = invitation.criterion_ids.ids
        answer, page = self.page(link)
        self.assertEqual(answer.status_code, 200)
        self.assertEqual(answer.headers["Referrer-Policy"], "no-referrer")
        self.assertEqual(answer.headers["Cache-Control"], "no-store")
        for words in (*CRITERIA, "Please <b>look</b> at this", "User qa"):
            self.assertIn(words, self.text(page))
        form = {
            f"result_{first}": "passed",
            f"result_{second}": "failed",
            f"comment_{second}": "",
            "name": "Carla",
            "comment": "All in all",
        }
        answer, page = self.page(link, **form)
        self.assertEqual(answer.status_code, 422)
        self.assertIn("say what went wrong", self.text(page))
        # What was typed is still there.
        self.assertTrue(page.xpath(f"//input[@id='passed_{first}'][@checked]"))
        self.assertEqual(
            page.xpath("//textarea[@id='uat_comment']/text()")[0].strip(), "All in all"
        )
        self.assertEqual(invitation.state, "open")
        form[f"comment_{second}"] = "Wrong <script>tax</script>"
        answer, page = self.page(link, **form)
        self.assertEqual(answer.status_code, 200)
        self.assertIn("Your answers were recorded", self.text(page))
        self.assertIn("Wrong <script>tax</script>", self.text(page))
        invitation.invalidate_recordset()
        self.assertEqual(
            (invitation.status, invitation.signed_name), ("failed", "Carla")
        )
        self.assertEqual(
            invitation.evidence_id.recorded_by_id, self.env.ref("base.public_user")
        )
        answer, page = self.page(link, **{**form, f"result_{second}": "passed"})
        self.assertEqual(answer.status_code, 422)
        self.assertIn("answered already", self.text(page))
        self.assertEqual(
            len(
                self.release.evidence_ids.filtered(
                    lambda evidence: evidence.type_code == "uat_summary"
                )
            ),
            1,
        )

    def test_a_file_is_no_answer(self):
        invitation, link = self.invite()
        form = {f"result_{c.id}": "passed" for c in invitation.criterion_ids}
        answer = self.url_open(
            self.path(link),
            data={"csrf_token": http.Request.csrf_token(self), **form},
            files={"name": ("Carla", b"Carla")},
        )
        self.assertEqual(answer.status_code, 422)
        self.assertEqual(invitation.state, "open")

    def test_a_link_that_never_was_tells_nothing(self):
        self.invite()
        for token in ("x", "x" * 43, "x" * 500, "%00" * 30):
            with self.subTest(token[:5]):
                answer = self.url_open(f"/ipai/uat/{token}")
                self.assertEqual(answer.status_code, 404)
                self.assertNotIn("UAT", self.text(html.fromstring(answer.text)))

    def test_the_log_of_the_server_does_not_hold_the_link(self):
        _invitation, link = self.invite()
        token = link.rpartition("/")[2]
        # As the server of Odoo logs each request.
        handler = CommonRequestHandler.__new__(CommonRequestHandler)
        handler.client_address = ("127.0.0.1", 1)
        handler.command, handler.request_version = "GET", "HTTP/1.1"
        log = logging.getLogger("werkzeug")
        for path, code in ((self.path(link), 200), (f"/fr{self.path(link)}?x=1", 404)):
            handler.path = path
            handler.requestline = f"GET {path} HTTP/1.1"
            with self.subTest(path), patch("werkzeug.serving._log") as logged:
                handler.log_request(code)
                _level, message, *args = logged.call_args.args
                record = log.makeRecord("", 20, "", 1, message, tuple(args), None)
                self.assertTrue(log.filter(record))
                self.assertIn("/ipai/uat/", record.getMessage())
                self.assertIn(str(code), record.getMessage())
                self.assertNotIn(token, record.getMessage())

    def test_the_page_is_shown_in_no_frame(self):
        _invitation, link = self.invite()
        answer, _page = self.page(link)
        self.assertEqual(answer.headers["X-Frame-Options"], "DENY")

    def test_without_the_token_of_the_form_nothing_is_taken(self):
        invitation, link = self.invite()
        form = {f"result_{c.id}": "passed" for c in invitation.criterion_ids}
        answer = self.url_open(self.path(link), data={**form, "name": "Carla"})
        self.assertEqual(answer.status_code, 400)
        self.assertEqual(invitation.state, "open")

    def test_it_says_when_the_link_has_expired(self):
        invitation, link = self.invite()
        past = self.env.cr.now() - timedelta(minutes=1)
        invitation.sudo().system_write({"expires_at": past})
        answer, page = self.page(link)
        self.assertEqual(answer.status_code, 200)
        self.assertIn("has expired", self.text(page))
        self.assertFalse(page.xpath("//form[contains(@action, '/ipai/uat')]"))
