"""The methods of the façade besides ingest."""

import json

from odoo.exceptions import AccessError, ValidationError

from ..common import ROLES, sha
from .answers import TABLES, AnswersCase


class TestFacadeMethods(AnswersCase):
    # --- open_release -----------------------------------------------------------------

    def test_open_release_answers_what_the_contract_says(self):
        answer = self._open()
        release = self.env["ipai.release"].browse(answer["id"])
        self.assertEqual(
            answer,
            {
                "id": release.id,
                "uuid": release.uuid,
                "name": "3.0",
                "project": "acme/shop",
                "stage": "build",
                "status": "draft",
                "source_ref": sha("3.0"),
                "created": True,
            },
        )
        self.assertEqual(
            release.release_gate_ids.gate_id.mapped("code"), ["G1", "G2", "G3", "G4"]
        )
        self.assertEqual(self.ledger(release).mapped("kind"), ["release_opened"])

    def test_open_release_is_idempotent_on_project_and_name(self):
        first = self._open()
        before = self.snapshot(*TABLES)
        again = self._open(source_ref=sha("other"), authors=["qa@example.com"])
        self.assertEqual(again, {**first, "created": False})
        self.assertEqual(self.snapshot(*TABLES), before)

    def test_open_release_returns_an_archived_release_of_that_name(self):
        first = self._open()
        release = self.env["ipai.release"].browse(first["id"])
        release.with_user(self.rm).write({"active": False})
        self.assertEqual(self._open()["id"], first["id"])

    def test_open_release_of_an_unknown_project_says_who_adds_it(self):
        with self.assertRaisesRegex(
            ValidationError, "project: .*acme/nowhere.*unknown"
        ):
            self._open(project="acme/nowhere")

    def test_open_release_names_the_field_at_fault(self):
        for name, wrong in (
            ("project", None),
            ("name", " "),
            ("source_ref", "main"),
            ("source_ref", "0" * 40),
            ("environment_target", "moon"),
            ("authors", []),
            ("authors", "dev@example.com"),
            ("authors", ["dev"]),
            ("artifact_digest", 7),
            ("scope_metadata", "text"),
        ):
            with (
                self.subTest(field=name, wrong=wrong),
                self.assertRaisesRegex(ValidationError, f"^{name}"),
            ):
                self._open(**{name: wrong})

    def test_open_release_refuses_fields_it_does_not_know(self):
        for name in ("stage", "stage_id", "status", "fact_version", "uuid", "id"):
            with (
                self.subTest(field=name),
                self.assertRaisesRegex(ValidationError, f"{name}: Is not a field"),
            ):
                self._open(**{name: 1})

    def test_only_openers_open(self):
        for login in ROLES:
            with self.subTest(role=login), self.undone():
                if login in ("ci", "dev", "rm"):
                    self.assertTrue(self._open(self.users[login])["created"])
                else:
                    with self.assertRaises(AccessError):
                        self._open(self.users[login])

    def test_a_developer_opens_in_own_projects_only(self):
        self.project.member_ids = False
        with self.assertRaisesRegex(ValidationError, "unknown"):
            self._open(self.dev)

    # --- verdict ----------------------------------------------------------------------

    def test_a_verdict_has_the_shape_of_the_contract(self):
        verdict = self.on_the_wire(self.verdict(self.release))
        self.assertEqual(
            set(verdict),
            {"eligible", "target", "release", "revision", "evaluated_at", "gates"},
        )
        self.assertEqual(verdict["release"], self.release.uuid)
        self.assertEqual(verdict["revision"], self.release.source_ref)
        self.assertIs(verdict["eligible"], False)
        for gate in verdict["gates"]:
            self.assertLessEqual({"code", "status", "conditions"}, set(gate))
            for condition in gate["conditions"]:
                self.assertLessEqual(
                    {"code", "state", "reason", "waived_until"}, set(condition)
                )
                self.assertIn(condition["state"], ("met", "unmet"))
                self.assertTrue(condition["reason"])

    def test_a_target_needs_the_gates_of_the_design(self):
        for target, gates in (
            ("dev", []),
            ("staging", ["G1", "G2"]),
            ("production", ["G1", "G2", "G3"]),
        ):
            verdict = self.verdict(self.release, target=target)
            self.assertEqual([gate["code"] for gate in verdict["gates"]], gates)
            self.assertEqual(verdict["eligible"], not gates)
        self.pass_gates(self.release, "G1", "G2")
        self.assertTrue(self.verdict(self.release, target="staging")["eligible"])
        self.assertFalse(self.verdict(self.release)["eligible"])
        self.pass_gates(self.release, "G3")
        self.assertTrue(self.verdict(self.release)["eligible"])
        with self.assertRaisesRegex(ValidationError, "target must be one of"):
            self.verdict(self.release, target="moon")

    def test_a_verdict_changes_nothing(self):
        self.pass_gates(self.release, "G1")
        before, version = self.snapshot(*TABLES), self.release.fact_version
        for login in ("dev", "qa", "rm", "sre", "ci", "auditor", "governance"):
            with self.later(hours=30):
                self.verdict(self.release, self.users[login])
        self.assertEqual(self.snapshot(*TABLES), before)
        self.assertEqual(self.release.fact_version, version)

    def test_a_verdict_does_not_depend_on_what_the_asking_person_may_read(self):
        self.pass_gates(self.release, "G1", "G2", "G3")
        asked = [
            self.verdict(self.release, self.users[login])["gates"]
            for login in ("rm", "ci", "dev", "qa", "auditor")
        ]
        for verdict in asked[1:]:
            self.assertEqual(verdict, asked[0])

    # --- request_move -----------------------------------------------------------------

    def test_a_refused_move_is_an_answer_and_an_entry_in_the_ledger(self):
        plane = self.plane(self.rm)
        answer = self.on_the_wire(
            plane.request_move(self.release.uuid, "qa_validation")
        )
        self.assertEqual(
            set(answer),
            {
                "moved",
                "release",
                "stage",
                "requested_stage",
                "status",
                "reasons",
                "message",
            },
        )
        self.assertEqual(
            (answer["moved"], answer["stage"], answer["requested_stage"]),
            (False, "build", "qa_validation"),
        )
        for problem in answer["reasons"]:
            self.assertEqual(set(problem), {"gate", "code", "kind", "reason"})
        entry = self.ledger(self.release)[-1]
        self.assertEqual((entry.kind, entry.actor), ("move_refused", "rm"))
        self.assertEqual(
            set(json.loads(entry.body)["unmet"]),
            {"G1:branch_build", "G1:required_checks", "G1:build_log"},
        )

    def test_an_allowed_move_is_an_answer_too(self):
        self.pass_g1(self.release)
        plane = self.plane(self.rm)
        answer = self.on_the_wire(
            plane.request_move(self.release.uuid, "QA Validation")
        )
        self.assertEqual(
            (answer["moved"], answer["stage"], answer["reasons"], answer["message"]),
            (True, "qa_validation", [], ""),
        )
