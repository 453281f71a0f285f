"""The registry goes out as YAML and comes back; with an error nothing changes."""

import base64
from pathlib import Path

from odoo.exceptions import AccessError, UserError

from ... import governance
from ..common import ROLES
from ..ledger.test_governance_chain import GovernanceCase

TABLES = (
    "ipai_persona",
    "ipai_persona_expertise",
    "ipai_expertise_domain",
    "ipai_agent_capability",
    "ipai_ledger_entry",
)
MORE = """\
  odoo.legal:
    name: "Legal"
    primary: qa_tester
    shared:
      - sre
"""
CAPABILITIES = """\
capabilities:
  build.triage:
    name: "Triage of failing builds"
    domain: odoo.devx.ci_cd
    persona: qa_tester
  review.licences:
    name: "Review of licences"
    domain: odoo.legal
"""


class TestRegistry(GovernanceCase):
    def exported(self):
        self.env.flush_all()
        wizard = self.env["ipai.export.registry.wizard"].with_user(self.auditor)
        return base64.b64decode(wizard.create({}).content).decode()

    def edited(self):
        """An export in which something of every kind was changed."""
        text = self.exported()
        for old, new in (
            ('name: "CI/CD"', 'name: "Pipelines"'),
            ('"DNS, mail routing and network."', '"Größe: “DNS”, mail."'),
            ("capabilities: {}\n", CAPABILITIES),
            # The two swap the domain, a third shares in it.
            (
                "    primary: qa_tester\n    shared:\n      - developer\n",
                "    primary: developer\n    shared:\n      - qa_tester\n      - sre\n",
            ),
            ("  odoo.platform", f"{MORE}  odoo.platform"),
        ):
            self.assertIn(old, text)
            text = text.replace(old, new)
        return text

    def wizard(self, text, user=None, filename="mine.yaml"):
        wizards = self.env["ipai.import.registry.wizard"].with_user(
            user or self.governance
        )
        content = base64.b64encode(text.encode())
        return wizards.create({"content": content, "filename": filename})

    def imported(self, text):
        wizard = self.wizard(text)
        wizard.action_preview()
        self.assertFalse(wizard.problems)
        wizard.action_import()
        return wizard

    # --- there and back --------------------------------------------------------------

    def test_an_edited_export_comes_back_and_goes_out_the_same(self):
        text = self.edited()
        self.imported(text)
        self.assertEqual(self.exported(), text)
        again = self.wizard(text)
        again.action_preview()
        self.assertEqual((again.change_count, again.problems), (0, False))
        # And the way back, where a persona loses what a capability needed.
        back = text.replace("domain: odoo.devx.ci_cd", "domain: odoo.qa.automation")
        back = back.replace("    shared:\n      - qa_tester\n", "", 1)
        self.imported(back)
        self.assertEqual(self.exported(), back)

    def test_what_would_change_is_shown_before_anything_does(self):
        before = self.snapshot(*TABLES)
        wizard = self.wizard(self.edited())
        wizard.action_preview()
        self.assertEqual(self.snapshot(*TABLES), before)
        for line in (
            "update domains.odoo.devx.ci_cd\n    name: CI/CD → Pipelines",
            "create domains.odoo.legal\n    name: Legal\n    primary: qa_tester",
            "    shared: developer → qa_tester, sre",
            "create capabilities.review.licences",
        ):
            self.assertIn(line, wizard.preview)

    def test_what_is_imported_is_in_the_governance_chain(self):
        text = self.edited()
        rows = self.added(lambda: self.imported(text))
        told = {row["body"]["what"] for row in rows}
        self.assertEqual({row["actor"] for row in rows}, {"governance"})
        for what in (
            "ipai.expertise.domain odoo.devx.ci_cd",
            "ipai.expertise.domain odoo.legal",
            "ipai.persona.expertise developer/odoo.qa.automation",
            "ipai.agent.capability build.triage",
        ):
            self.assertIn(what, told)

    # --- errors ----------------------------------------------------------------------

    def test_a_file_with_an_error_in_a_line_says_so_and_changes_nothing(self):
        text = self.edited().replace("domain: odoo.legal", "domain: odoo.nowhere")
        line = text[: text.index("odoo.nowhere")].count("\n") + 1
        before = self.snapshot(*TABLES)
        wizard = self.wizard(text)
        wizard.action_preview()
        self.assertEqual(
            wizard.problems,
            f"mine.yaml, line {line}, capabilities.review.licences.domain: "
            "No domain odoo.nowhere.",
        )
        self.assertFalse(wizard.preview or wizard.change_count)
        with self.assertRaises(UserError) as caught:
            wizard.action_import()
        self.assertIn(f"line {line}", str(caught.exception))
        self.assertEqual(self.snapshot(*TABLES), before)

    def test_nothing_but_what_was_shown_is_done(self):
        text = self.edited()
        unseen = self.wizard(text)
        with self.assertRaises(UserError):
            unseen.action_import()
        wizard = self.wizard(text)
        wizard.action_preview()
        self.env["ipai.expertise.domain"].search([], limit=1).name = "Changed meanwhile"
        with self.assertRaisesRegex(UserError, "not what was shown"):
            wizard.action_import()

    def test_a_file_too_large_is_refused(self):
        wizard = self.wizard("#" * (governance.MAX_BYTES + 1))
        wizard.action_preview()
        self.assertIn("mine.yaml, line 1", wizard.problems)

    def test_only_governance_imports(self):
        text = self.edited()
        mine = self.wizard(text)
        for login in set(ROLES) - {"governance"}:
            user = self.users[login]
            for attempt in (
                lambda u=user: self.wizard(text, u),
                mine.with_user(user).action_preview,
                mine.with_user(user).action_import,
            ):
                with self.subTest(role=login), self.assertRaises(AccessError):
                    attempt()

    # --- what is published -----------------------------------------------------------

    def test_there_is_a_file_for_the_template_each_contract_and_the_registry(self):
        files = self.env["ipai.expertise.registry"]._published()
        self.assertEqual(
            set(files),
            {
                "template.md",
                "developer.md",
                "qa_tester.md",
                "release_manager.md",
                "sre.md",
                "expertise_registry.yaml",
            },
        )
        self.assertEqual(files["expertise_registry.yaml"], self.exported())

    def test_what_is_published_is_what_the_records_say(self):
        # Fails when the addon's data was changed without python3 -m tools publish.
        folder = Path(governance.__file__).parents[2] / "docs/reference/personas"
        found = {path.name: path.read_text() for path in folder.iterdir()}
        self.assertEqual(self.env["ipai.expertise.registry"]._published(), found)
