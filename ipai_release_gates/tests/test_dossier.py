"""The dossier prints what a decision rests on, to whom may read it."""

from lxml import html

from odoo.exceptions import AccessError
from odoo.tests import HttpCase, tagged

from .common import GateCase

REPORT = "ipai_release_gates.action_report_dossier"


class TestDossier(GateCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.release = cls.bring_to(cls.open_release("Dossier"), "staging_acceptance")

    def printed(self, user, release=None):
        """The dossier as HTML, as a user has it printed."""
        report = self.env["ir.actions.report"].with_user(user)
        ids = (release or self.release).ids
        content, kind = report._render_qweb_html(REPORT, ids)
        self.assertEqual(kind, "html")
        return html.fromstring(content)

    def section(self, page, title):
        """The text from one heading to the next, its white space folded."""
        (heading,) = page.xpath(f"//h3[normalize-space()='{title}']")
        texts = []
        for element in heading.itersiblings():
            if element.tag == "h3":
                break
            texts.append(element.text_content())
        return " ".join(" ".join(texts).split())

    def test_it_holds_the_decision_and_everything_it_rests_on(self):
        waiver = self.grant(self.release, "G3:release_notes")
        page = self.printed(self.auditor)
        self.assertIn(self.release.source_ref, page.text_content())
        self.assertIn("Staging Acceptance", self.section(page, "Decision"))
        self.assertIn("Not all gates are open", self.section(page, "Decision"))
        conditions = self.section(page, "Conditions")
        for gate in self.judged(self.release).gates:
            for condition in gate.conditions:
                self.assertIn(condition.name, conditions)
        self.assertIn("not met", conditions)
        self.assertIn("waived until", conditions)
        evidence = self.section(page, "Evidence")
        for record in self.release.evidence_ids:
            self.assertIn(record.sha256 or record.url, evidence)
        for check in self.release.check_ids:
            self.assertIn(check.name, self.section(page, "Checks"))
        self.assertIn(self.qa.name, self.section(page, "Approvals"))
        exceptions = self.section(page, "Exceptions")
        self.assertIn(waiver.rationale, exceptions)
        self.assertIn("Nothing was deployed", self.section(page, "Deployments"))
        self.assertIn("No incident", self.section(page, "Incidents"))
        timeline = self.section(page, "Timeline")
        for entry in self.ledger(self.release):
            if entry.kind not in ("check", "evidence"):
                self.assertIn(entry.occurred_at[:10], timeline)
        self.assertIn("qa validation", timeline.replace("_", " "))

    def test_it_says_whether_the_chain_is_sound_and_gives_its_head(self):
        ledger = self.section(self.printed(self.rm), "Ledger")
        self.assertIn(self.release.ledger_hash, ledger)
        self.assertIn(f"chain of {self.release.ledger_sequence} entries", ledger)
        self.assertIn("it is sound", ledger)
        self.env.cr.execute(
            "UPDATE ipai_release SET ledger_hash = %s WHERE id = %s",
            ["v1:" + "0" * 64, self.release.id],
        )
        self.env.invalidate_all()
        self.assertIn("it is not sound", self.section(self.printed(self.rm), "Ledger"))

    def test_a_fact_of_a_former_commit_is_marked(self):
        self.assertNotIn("(former)", self.section(self.printed(self.rm), "Checks"))
        self.release.with_user(self.rm).source_ref = "ab" * 20
        self.assertIn("(former)", self.section(self.printed(self.rm), "Checks"))

    def test_what_the_printer_may_not_read_is_left_out_and_said(self):
        eyes = {"rationale_text": "Only for some eyes"}
        self.must_send(
            self.rm,
            self.signoff_event(self.release, "G3", "release_manager", **eyes),
        )
        for user in (self.rm, self.auditor, self.governance):
            with self.subTest(user.login):
                approvals = self.section(self.printed(user), "Approvals")
                self.assertIn("Only for some eyes", approvals)
        # A QA tester reads the decisions on G2.
        approvals = self.section(self.printed(self.qa), "Approvals")
        self.assertNotIn("Only for some eyes", approvals)
        self.assertIn("Not printed, as you have no right to read them: 1.", approvals)
        for user in (self.sre, self.dev):
            with self.subTest(user.login):
                approvals = self.section(self.printed(user), "Approvals")
                self.assertNotIn("Only for some eyes", approvals)
                self.assertIn("you have no right to read", approvals)

    def test_a_release_of_another_company_is_not_printed(self):
        other = self.env["res.company"].create({"name": "Other"})
        stranger = self.new_user(
            "stranger", "group_auditor", company_id=other.id, company_ids=other.ids
        )
        with self.assertRaises(AccessError):
            self.printed(stranger)

    def test_what_was_typed_is_text(self):
        self.evidence(
            self.rm, self.release, "rollback_plan", "G3", metadata={"a": "<b>bold</b>"}
        )
        self.release.with_user(self.rm).name = "<img src=x onerror=alert(1)>"
        page = self.printed(self.rm)
        self.assertFalse(page.xpath("//img[@src='x']"))
        self.assertIn("<img src=x onerror=alert(1)>", page.text_content())

    def test_many_facts_are_cut_and_the_rest_is_counted(self):
        self.must_send(
            self.ci,
            *(
                self.ci_event(
                    "check_result", {"name": f"c{i}", "status": "pass"}, self.release
                )
                for i in range(501)
            ),
        )
        checks = self.section(self.printed(self.rm), "Checks")
        left_out = len(self.release.check_ids) - 500
        self.assertIn("The latest 500 are printed", checks)
        self.assertIn(f"{left_out} earlier ones", checks)


@tagged("post_install", "-at_install")
class TestDossierOverHttp(HttpCase, GateCase):
    def test_the_html_version_opens_as_each_role(self):
        release = self.open_release("Dossier")
        url = f"/report/html/ipai_release_gates.dossier/{release.id}"
        for login in ("dev", "qa", "rm", "sre", "auditor", "governance"):
            self.authenticate(login, login)
            with self.subTest(login):
                answer = self.url_open(url)
                self.assertEqual(answer.status_code, 200)
                self.assertIn(release.source_ref, answer.text)
        # What the façade answers to CI anyway, and nothing else.
        self.authenticate("ci", "ci")
        page = html.fromstring(self.url_open(url).text)
        refused = "you have no right to read"
        self.assertEqual(page.text_content().count(refused), 7)
