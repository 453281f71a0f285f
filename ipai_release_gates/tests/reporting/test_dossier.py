"""The dossier prints the facts of a decision that its reader may read."""

import base64
import hashlib
from unittest.mock import patch

from lxml import html

from odoo.exceptions import AccessError
from odoo.tests import HttpCase, tagged

from ...pages import Section
from ..common import GateCase

REPORT = "ipai_release_gates.action_report_dossier"


class TestDossier(GateCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.release = cls.bring_to(cls.open_release("Dossier"), "staging_acceptance")

    def printed(self, user, release=None):
        """The dossier as HTML, printed by a user."""
        report = self.env["ir.actions.report"].with_user(user)
        ids = (release or self.release).ids
        content, kind = report._render_qweb_html(REPORT, ids)
        self.assertEqual(kind, "html")
        return html.fromstring(content)

    def section(self, page, title):
        """The text from one heading to the next, with single spaces."""
        (heading,) = page.xpath(f"//h3[normalize-space()='{title}']")
        texts = []
        for element in heading.itersiblings():
            if element.tag == "h3":
                break
            texts.append(element.text_content())
        return self.folded(" ".join(texts))

    def rows(self, page, title):
        """The rows below one heading, each a list of its cells."""
        (heading,) = page.xpath(f"//h3[normalize-space()='{title}']")
        rows = []
        for element in heading.itersiblings():
            if element.tag == "h3":
                break
            rows += element.xpath(".//tbody/tr")
        return [
            [self.folded(cell.text_content()) for cell in row.xpath("td")]
            for row in rows
        ]

    def folded(self, text):
        return " ".join(text.split())

    def printed_time(self, user, moment):
        """A time as the dossier of a user shows it."""
        field = self.env["ir.qweb.field.datetime"].with_user(user)
        return str(field.value_to_html(moment, {}))

    def test_the_dossier_holds_the_decision_and_all_its_facts(self):
        waiver = self.grant(self.release, "G3:release_notes")
        page = self.printed(self.auditor)
        self.assertIn(self.release.source_ref, page.text_content())
        decision = self.section(page, "Decision")
        self.assertIn("Staging Acceptance, since", decision)
        self.assertIn("Not all gates are open", decision)
        self.assertIn(self.release.blocking_summary, decision)
        labels = dict(self.release._fields["status"]._description_selection(self.env))
        status = labels[self.release.status]
        self.assertEqual(self.rows(page, "Decision")[1], [status])
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

    def test_each_fact_is_a_row_with_its_deciding_values(self):
        release, commit = self.release, self.release.source_ref[:7]
        waiver = self.grant(
            release, "G3:release_notes", compensating_controls="Two watch it."
        )
        file = base64.b64encode(b"How to go back").decode()
        self.evidence(
            self.rm,
            release,
            "rollback_plan",
            "G3",
            url=None,
            filename="plan.txt",
            content_base64=file,
        )
        self.check(release, "smoke", "fail")
        deployment = self.deploy(release, external_id="run-4711")
        deployment.with_user(self.sre).action_roll_back(
            "incident", "Checkout fails", "restored", {"note": "It answers again."}
        )
        incident = release.incident_ids.filtered("blocking")
        incident.with_user(self.sre).action_resolve()
        page = self.printed(self.auditor)

        def at(moment):
            return self.printed_time(self.auditor, moment)

        conditions = iter(self.rows(page, "Conditions"))
        states = {"met": "met", "unmet": "not met", "not_applicable": "does not apply"}
        for gate in self.judged(release).gates:
            for condition in gate.conditions:
                name, state, reason = next(conditions)
                self.assertEqual(name, condition.name)
                self.assertIn(condition.reason.replace("`", ""), reason)
                rests = bool(condition.facts or condition.waived_by)
                self.assertEqual("rests on" in reason, rests)
                if condition.state == "waived":
                    until = f"{waiver.expires_at:%Y-%m-%d %H:%M} UTC"
                    self.assertEqual(state, f"waived until {until}")
                else:
                    self.assertEqual(state, states[condition.state])
        self.assertIsNone(next(conditions, None))

        evidence = release.evidence_ids.sorted("id")
        plan = evidence.filtered("sha256")
        what = {fact: fact.url or fact.note for fact in evidence}
        what[plan] = f"plan.txt {plan.sha256}"
        self.assertEqual(plan.sha256, hashlib.sha256(b"How to go back").hexdigest())
        self.assertEqual(
            self.rows(page, "Evidence"),
            [
                [
                    str(fact.id),
                    fact.type_id.name,
                    fact.gate_id.code or "all",
                    commit,
                    f"plan.txt {fact.sha256}"
                    if fact == plan
                    else fact.url or fact.note,
                    f"{at(fact.recorded_at)} {fact.recorded_by_id.name}",
                ]
                for fact in evidence
            ],
        )
        checks = release.check_ids.sorted("id")
        self.assertEqual(
            self.rows(page, "Checks"),
            [
                [
                    str(check.id),
                    check.name,
                    "Fail" if check.name == "smoke" else "Pass",
                    check.gate_id.code or "",
                    commit,
                    f"{at(check.recorded_at)} {self.ci.name}",
                ]
                for check in checks
            ],
        )
        signed, granted = release.approval_ids.sorted("id")
        self.assertEqual(
            self.rows(page, "Approvals"),
            [
                [
                    str(signed.id),
                    "G2",
                    "Approved",
                    self.personas["qa_tester"].name,
                    commit,
                    "",
                    f"{self.qa.name} {at(signed.recorded_at)}",
                ],
                [
                    str(granted.id),
                    waiver.display_name,
                    "Approved",
                    self.personas["release_manager"].name,
                    commit,
                    "Looked into it.",
                    f"{self.rm.name} {at(granted.recorded_at)}",
                ],
            ],
        )
        self.assertEqual(
            self.rows(page, "Exceptions"),
            [
                [
                    str(waiver.id),
                    "Gate Bypass, Low",
                    "Active",
                    f"G3, {waiver.requirement_ids.name}",
                    f"{at(waiver.effective_from)} to {at(waiver.expires_at)}",
                    f"{waiver.rationale} Two watch it.",
                    self.dev.name,
                ]
            ],
        )
        self.assertEqual(
            self.rows(page, "Deployments"),
            [
                [
                    str(deployment.id),
                    deployment.environment_id.display_name,
                    "run-4711",
                    "Rolled Back (not authorised) Checkout fails",
                    commit,
                    at(deployment.deployed_at),
                    deployment.g4_status.title(),
                ]
            ],
        )
        self.assertEqual(
            self.rows(page, "Incidents"),
            [
                [
                    str(incident.id),
                    incident.name,
                    incident.severity.title(),
                    "Resolved",
                    at(incident.detected_at),
                    at(incident.resolved_at),
                ]
            ],
        )
        kind = self.env["ipai.ledger.entry"]._fields["kind"]
        kinds = dict(kind._description_selection(self.env))
        entries = self.ledger(release).filtered(
            lambda entry: entry.kind not in ("check", "evidence")
        )
        timeline = self.rows(page, "Timeline")
        self.assertEqual(
            [row[:4] for row in timeline],
            [
                [
                    str(entry.sequence),
                    at(entry.recorded_at),
                    kinds[entry.kind],
                    entry.actor,
                ]
                for entry in entries
            ],
        )
        rolled_back = entries.filtered(lambda entry: entry.kind == "rollback")
        (details,) = (row[4] for row in timeline if row[0] == str(rolled_back.sequence))
        self.assertIn("reason: Checkout fails", details)

    def test_an_addon_adds_a_section_in_its_place(self):
        self.env["ir.ui.view"].create(
            {
                "type": "qweb",
                "key": "ipai_test.sample",
                "arch": "<t t-name='x'><h3>Sample</h3><p t-out='section'/></t>",
            }
        )
        Dossier = type(self.env["report.ipai_release_gates.dossier"])
        former = Dossier._sections
        mine = Section("sample", "ipai_test.sample", 15, data="_sample")
        with (
            patch.object(Dossier, "_sections", lambda model: (*former(model), mine)),
            patch.object(
                Dossier, "_sample", lambda model, release: release.name, create=True
            ),
        ):
            page = self.printed(self.rm)
        self.assertEqual(self.section(page, "Sample"), "Dossier")
        titles = [each.text_content().strip() for each in page.xpath("//h3")]
        place = titles.index("Sample")
        self.assertEqual(
            titles[place - 1 : place + 2], ["Evidence", "Sample", "Checks"]
        )

    def test_the_dossier_shows_the_head_and_the_state_of_the_chain(self):
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

    def test_records_the_user_may_not_read_are_left_out_with_a_note(self):
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

    def test_entered_text_is_escaped(self):
        self.evidence(
            self.rm, self.release, "rollback_plan", "G3", metadata={"a": "<b>bold</b>"}
        )
        self.release.with_user(self.rm).name = "<img src=x onerror=alert(1)>"
        page = self.printed(self.rm)
        self.assertFalse(page.xpath("//img[@src='x']"))
        self.assertIn("<img src=x onerror=alert(1)>", page.text_content())

    def test_of_many_facts_the_first_are_shown_and_the_rest_counted(self):
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
        # A CI service gets what the façade returns to it, and nothing else.
        self.authenticate("ci", "ci")
        page = html.fromstring(self.url_open(url).text)
        refused = "you have no right to read"
        self.assertEqual(page.text_content().count(refused), 7)
