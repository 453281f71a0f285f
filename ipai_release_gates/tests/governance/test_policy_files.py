"""The gate policy goes out as YAML and comes back; with an error nothing changes."""

import base64
import hashlib

from odoo.exceptions import AccessError, UserError

from ...models.governance.policy_file import MODELS
from ..common import ROLES
from ..ledger.test_governance_chain import GovernanceCase

TABLES = (
    "ipai_gate",
    "ipai_gate_requirement",
    "ipai_release_stage",
    "ipai_evidence_type",
    "ipai_ledger_entry",
)
NEW_GATE = """\
  G5:
    name: Security Review
    sequence: 35
    requirements:
      scanned:
        name: Scanned
        kind: evidence
        evidence_type: vulnerability_scan
        metadata_match:
          critical: 0
        accountable_persona: sre
        expertise_domain: odoo.qa.automation
stages:
"""


class TestPolicyFiles(GovernanceCase):
    def exported(self, schema="gate_schema", user=None):
        self.env.flush_all()
        wizards = self.env["ipai.export.policy.wizard"].with_user(user or self.auditor)
        wizard = wizards.create({"schema": schema})
        self.assertEqual(wizard.filename, f"{schema}.yaml")
        return base64.b64decode(wizard.content).decode()

    def wizard(self, text, user=None, note="Agreed in the review."):
        wizards = self.env["ipai.import.policy.wizard"].with_user(
            user or self.governance
        )
        content = base64.b64encode(text.encode())
        return wizards.create(
            {"content": content, "filename": "mine.yaml", "note": note}
        )

    def imported(self, text):
        wizard = self.wizard(text)
        wizard.action_preview()
        self.assertFalse(wizard.problems)
        wizard.action_import()
        return wizard

    def edited(self, *replacements, schema="gate_schema"):
        text = self.exported(schema)
        for old, new in replacements:
            self.assertEqual(text.count(old), 1, old)
            text = text.replace(old, new)
        return text

    def requirement(self, name):
        gate, code = name.split("/")
        return self.env["ipai.gate.requirement"].search(
            [
                ("gate_id.code", "=", gate),
                ("code", "=", code),
                ("active", "in", [True, False]),
            ]
        )

    # --- there and back --------------------------------------------------------------

    def test_what_goes_out_changes_nothing_when_it_comes_back(self):
        for schema in self.env["ipai.policy.file"]._schemas():
            with self.subTest(schema=schema):
                wizard = self.wizard(self.exported(schema))
                wizard.action_preview()
                self.assertEqual((wizard.change_count, wizard.problems), (0, False))
                self.assertEqual(wizard.preview, "No change.")

    def test_every_field_of_a_definition_is_in_its_file(self):
        left_out = {
            # Derived, or the other side of a relation.
            "ipai.evidence.type": {"code"},
            "ipai.gate": {"code"},
            "ipai.gate.requirement": {"code", "gate_id"},
            "ipai.release.stage": {"code"},
        }
        schemas = self.env["ipai.policy.file"]._schemas()
        parts = {part.name: part for s in schemas.values() for part in s.parts}
        parts["requirements"] = parts["gates"].fields["requirements"].entry
        files = self.env["ipai.policy.file"]
        for name, model in MODELS.items():
            stored = {
                files._column(self.env[model], field)
                for field, about in parts[name].fields.items()
                if not about.derived and about.kind != "entries"
            }
            told = set(self.env[model]._policy_field_names())
            self.assertEqual(stored, told - left_out[model], name)

    def test_any_change_comes_back_and_goes_out_the_same(self):
        text = self.edited(
            ("name: Build Integrity", "name: 'Größe: “Build”'"),
            ("          status: normal\n", "          status:\n            - normal\n"),
            ("stages:\n", NEW_GATE),
        )
        self.imported(text)
        again = self.wizard(text)
        again.action_preview()
        self.assertEqual((again.change_count, again.problems), (0, False))
        gate = self.env["ipai.gate"].search([("code", "=", "G5")])
        self.assertEqual(gate.requirement_ids.metadata_match, '{"critical": 0}')
        # In the order of gates, not of making.
        out = self.exported()
        self.assertLess(out.index("  G3:\n"), out.index("  G5:\n"))
        self.assertLess(out.index("  G5:\n"), out.index("  G4:\n"))

    def test_evidence_types_come_back_too(self):
        schema = "evidence_schema"
        text = self.edited(
            ("name: Release notes\n", "name: Release notes\n    active: false\n"),
            (
                "definitions:\n",
                (
                    "  penetration_test:\n    name: Penetration test\n"
                    "    metadata_schema:\n      type: object\n"
                    "      required: [passed]\ndefinitions:\n"
                ),
            ),
            schema=schema,
        )
        self.imported(text)
        types = self.env["ipai.evidence.type"].with_context(active_test=False)
        self.assertFalse(types.search([("code", "=", "release_notes")]).active)
        new = types.search([("code", "=", "penetration_test")])
        self.assertEqual(new._metadata_errors({})[0][0], "metadata")

    # --- what an import does ---------------------------------------------------------

    def test_what_would_change_is_shown_before_anything_does(self):
        text = self.edited(
            ("check_name: build\n", "check_name: compile\n"), ("stages:\n", NEW_GATE)
        )
        before = self.snapshot(*TABLES)
        wizard = self.wizard(text)
        wizard.action_preview()
        self.assertEqual(self.snapshot(*TABLES), before)
        for line in (
            "update gates.G1.requirements.branch_build\n",
            "    check_name: build → compile\n",
            "create gates.G5\n    name: Security Review\n    sequence: 35",
            "create gates.G5.requirements.scanned",
            '    metadata_match: {"critical": 0}',
        ):
            self.assertIn(line, wizard.preview)

    def test_an_empty_gate_is_remarked_upon(self):
        text = self.edited(
            ("stages:\n", "  G5:\n    name: None\n    sequence: 35\nstages:\n")
        )
        wizard = self.wizard(text)
        wizard.action_preview()
        self.assertIn("G5 would have no requirement in force", wizard.remarks)

    def test_what_is_imported_is_in_the_governance_chain_with_its_reason(self):
        text = self.edited(
            ("check_name: build\n", "check_name: compile\n"), ("stages:\n", NEW_GATE)
        )
        rows = self.added(lambda: self.imported(text))
        self.assertEqual({row["actor"] for row in rows}, {"governance"})
        told = [row["body"] for row in rows]
        self.assertEqual(
            told[0],
            {
                "what": "import of gate_schema.yaml",
                "before": None,
                "after": {
                    "note": "Agreed in the review.",
                    "sha256": hashlib.sha256(text.encode()).hexdigest(),
                    "changes": told[0]["after"]["changes"],
                },
            },
        )
        changed = {body["what"]: body for body in told[1:]}
        self.assertEqual(
            changed["ipai.gate.requirement G1/branch_build"]["after"],
            {"check_name": "compile"},
        )
        self.assertIn("ipai.gate G5", changed)
        self.assertIn("ipai.gate.requirement G5/scanned", changed)

    def test_releases_are_judged_anew_once_with_all_that_changed(self):
        release = self.open_release()
        self.pass_g1(release)
        self.assertEqual(self.status(release, "G1"), "passed")
        text = self.edited(
            ("check_name: build\n", "check_name: compile\n"),
            ("name: Build Integrity", "name: Builds"),
            ("name: Branch build succeeded", "name: It compiles"),
        )
        (before,) = self.versions(release)
        self.imported(text)
        (after,) = self.versions(release)
        self.assertEqual(self.stored(release)["G1"], "in_progress")
        self.assertEqual(after, before + 1)

    def test_what_a_file_leaves_out_stays_unless_it_says_archive(self):
        head = "schema: gate_schema\nversion: 1\n"
        text = f"{head}gates:\n  G1:\n    name: Build Integrity\n"
        before = self.snapshot("ipai_gate_requirement", "ipai_release_stage")
        self.imported(text + "    sequence: 11\n")
        self.assertEqual(
            self.snapshot("ipai_gate_requirement", "ipai_release_stage"), before
        )
        self.imported("archive: true\n" + text)
        for name, active in (
            ("G1/branch_build", False),
            ("G1/build_log", False),
            ("G2/qa_signoff", True),
        ):
            self.assertEqual(self.requirement(name).active, active, name)

    # --- errors ----------------------------------------------------------------------

    def refused_file(self, text, *parts):
        """A file is refused by preview and import, and nothing changes."""
        before = self.snapshot(*TABLES)
        wizard = self.wizard(text)
        wizard.action_preview()
        for part in parts:
            self.assertIn(part, wizard.problems)
        self.assertFalse(wizard.preview or wizard.change_count)
        with self.assertRaises(UserError) as caught:
            wizard.action_import()
        self.assertIn(parts[0], str(caught.exception))
        self.assertEqual(self.snapshot(*TABLES), before)

    def test_a_bad_file_names_line_and_field_and_changes_nothing(self):
        text = self.edited(
            ("check_name: build\n", "check_name: compile\n"),
            ("prior_gate: G2\n", "prior_gate: G9\n"),
        )
        line = text[: text.index("prior_gate: G9")].count("\n") + 1
        self.refused_file(
            text,
            f"mine.yaml, line {line}, gates.G3.requirements.g2_passed.prior_gate: "
            "No gate G9.",
        )

    def test_what_the_program_decides_is_refused_by_its_name(self):
        for schema, old, new, field in (
            (
                "exception_schema",
                "longest_life_hours: 720",
                "longest_life_hours: 9000",
                "definitions.risk_levels.low.longest_life_hours",
            ),
            (
                "environment_controls",
                "controls:\n        - least_privilege\n",
                "controls: []\n",
                "definitions.categories.production.controls",
            ),
            (
                "gate_schema",
                "empty_gate: closed",
                "empty_gate: open",
                "definitions.empty_gate",
            ),
        ):
            with self.subTest(field=field):
                text = self.edited((old, new), schema=schema)
                self.refused_file(text, field, "decided by the program")

    def test_what_a_model_refuses_is_told_by_line_and_undoes_the_rest(self):
        text = self.edited(
            ("name: Release notes\n", "name: Notes\n"),
            ("name: Provenance\n", "name: Origin\n"),
            schema="evidence_schema",
        )
        start = text.index("  provenance:")
        at = text.index("metadata_schema: null", start)
        text = (
            text[:at]
            + "metadata_schema:\n      $ref: http://elsewhere.example/schema"
            + text[at + len("metadata_schema: null") :]
        )
        line = text[: text.index("  provenance:")].count("\n") + 1
        before = self.snapshot(*TABLES)
        wizard = self.wizard(text)
        wizard.action_preview()
        with self.assertRaises(UserError) as caught:
            wizard.action_import()
        message = str(caught.exception)
        self.assertIn(f"mine.yaml, line {line}, evidence_types.provenance: ", message)
        self.assertIn("must not use $ref", message)
        self.assertEqual(self.snapshot(*TABLES), before)

    def test_nothing_but_what_was_shown_is_done(self):
        text = self.edited(("check_name: build\n", "check_name: compile\n"))
        with self.assertRaisesRegex(UserError, "not what was shown"):
            self.wizard(text).action_import()
        wizard = self.wizard(text)
        wizard.action_preview()
        self.requirement("G1/branch_build").check_name = "make"
        with self.assertRaisesRegex(UserError, "not what was shown"):
            wizard.action_import()

    def test_an_import_says_why(self):
        text = self.edited(("check_name: build\n", "check_name: compile\n"))
        for note in (False, "  ", "x" * 1001):
            wizard = self.wizard(text, note=note)
            wizard.action_preview()
            with self.assertRaisesRegex(UserError, "^Why: "):
                wizard.action_import()

    def test_what_is_no_policy_file_is_refused(self):
        for text, message in (
            ("#" * (512 * 1024 + 1), "larger than 512 KB"),
            ("a: 1", "schema: This must be one of"),
            ("a: [", "No YAML"),
        ):
            wizard = self.wizard(text)
            wizard.action_preview()
            self.assertIn("mine.yaml, line 1, ", wizard.problems)
            self.assertIn(message, wizard.problems)

    # --- who -------------------------------------------------------------------------

    def test_only_governance_imports(self):
        text = self.edited(("check_name: build\n", "check_name: compile\n"))
        mine = self.wizard(text)
        mine.action_preview()
        before = self.snapshot(*TABLES)
        for login in set(ROLES) - {"governance"}:
            user = self.users[login]
            files = self.env["ipai.policy.file"].with_user(user)
            for attempt in (
                lambda u=user: self.wizard(text, u),
                mine.with_user(user).action_preview,
                mine.with_user(user).action_import,
                lambda f=files: f._import(text.encode(), "mine.yaml", "Because."),
            ):
                with self.subTest(role=login), self.assertRaises(AccessError):
                    attempt()
        self.assertEqual(self.snapshot(*TABLES), before)

    def test_whoever_reads_the_policy_exports_it_the_same(self):
        texts = {
            login: [
                self.exported(name, self.users[login])
                for name in self.env["ipai.policy.file"]._schemas()
            ]
            for login in ("dev", "qa", "rm", "sre", "auditor", "governance")
        }
        self.assertEqual(len({tuple(each) for each in texts.values()}), 1)
        with self.assertRaises(AccessError):
            self.exported(user=self.ci)
