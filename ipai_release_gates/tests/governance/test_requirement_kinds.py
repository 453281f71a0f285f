"""Kinds of requirements: one entry, from which form, files and verdicts follow."""

from unittest.mock import patch

from psycopg2 import errors

from odoo.exceptions import UserError, ValidationError
from odoo.tests import Form
from odoo.tools import SQL, mute_logger

from ... import policy
from ...governance.gatefile import pages
from ...models.selections import EXCEPTION_TYPES
from ..common import GateCase


def _moon_is_full(case, gate, requirement):
    """The judge of a kind that another addon could bring."""
    if any(check.name == requirement.check_name for check in case.checks):
        return policy.met(policy.Reason("The moon is full"))
    return policy.unmet(policy.Reason("The moon is not full"))


MOON = policy.RequirementKind(
    code="moon_phase",
    label="Moon is full",
    judge=_moon_is_full,
    sentence=lambda entry: "the moon is full: a telescope",
    parameters=(policy.by_code(policy.KINDS)["check"].parameter("check_name"),),
    fact_kinds=("check",),
    waived_by=("timing_override",),
    waits_for=policy.TIME,
)


class TestRequirementKinds(GateCase):
    """The registry of kinds, and what follows from its entries."""

    def setUp(self):
        super().setUp()
        self.model = self.env["ipai.gate.requirement"]
        self.addCleanup(self.registry.clear_cache)

    def installed(self, *kinds):
        """Have the database offer more kinds, as an installed addon would."""
        self.registry.clear_cache()
        return patch.object(
            self.registry["ipai.gate.requirement"],
            "_kinds",
            lambda model: policy.KINDS + kinds,
        )

    def requirement(self, kind, **values):
        return self.model.create(
            {
                "gate_id": self.gates["G1"].id,
                "code": f"a_{kind}",
                "name": f"Of kind {kind}",
                "kind": kind,
                "accountable_persona_id": self.personas["developer"].id,
                "expertise_domain_id": self.env["ipai.expertise.domain"]
                .search([], limit=1)
                .id,
                **values,
            }
        )

    def refused_by_database(self, query, *args):
        """What the database says of a statement that it refuses."""
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaises(errors.CheckViolation) as caught,
            self.env.cr.savepoint(),
        ):
            self.env.cr.execute(SQL(query, *args))
        return caught.exception.diag

    # --- entries ---------------------------------------------------------------------

    def test_every_entry_names_fields_methods_and_words_that_exist(self):
        """A misspelt name in an entry is found here, not by a user."""
        words = self.env["ipai.policy.file"]._known()
        types = dict(EXCEPTION_TYPES)
        releases = self.env["ipai.release"]
        for kind in self.model._kinds_by_code().values():
            with self.subTest(kind=kind.code):
                for parameter in kind.parameters:
                    column = self.model._parameter_column(parameter.name)
                    self.assertIn(column, self.model._fields)
                    self.assertIn(parameter.of, {None, *words})
                for name in filter(None, (kind.next_step, kind.actor_check)):
                    self.assertTrue(callable(getattr(releases, name)))
                self.assertLessEqual(set(kind.waived_by), types.keys())

    def test_a_kind_of_another_addon_is_offered_judged_and_published(self):
        """One entry is all that an addon adds."""
        with self.installed(MOON):
            self.assertIn(
                ("moon_phase", "Moon is full"),
                self.model._fields["kind"]._description_selection(self.env),
            )
            moon = self.requirement("moon_phase", check_name="telescope")
            release = self.open_release()
            self.assertEqual(self.state_of(release, moon), "unmet")
            self.assertEqual(
                self.reason_of(release, "G1", moon.code), "The moon is not full"
            )
            self.assertEqual(moon._waiving_type(), "timing_override")
            self.assertFalse(moon._waits_for_people())
            self.assertIn("moon_phase", self.model._kinds_waived_by("timing_override"))
            text = self.env["ipai.policy.file"]._export("gate_schema")
            self.assertIn("kind: moon_phase", text)
            self.assertIn("name: Moon is full", text)
            table = self.env["ipai.policy.file"]._parts()["requirements"]
            self.assertIn("the moon is full: a telescope", table)

    def state_of(self, release, requirement):
        gate = release._verdicts()[release.id].gate(requirement.gate_id.code)
        (found,) = (c for c in gate.conditions if c.code == requirement.code)
        return found.state

    def test_a_kind_that_is_uninstalled_closes_its_gate_and_keeps_its_row(self):
        """Nothing opens because an addon is gone; archiving is the way out."""
        with self.installed(MOON):
            moon = self.requirement("moon_phase", check_name="telescope")
        self.registry.clear_cache()
        self.env.invalidate_all()
        release = self.open_release()
        self.assertEqual(moon.kind, "moon_phase")
        self.assertFalse(moon.parameter_names)
        verdict = release._verdicts()[release.id].gate("G1")
        self.assertFalse(verdict.open)
        self.assertIn(
            "'moon_phase' is not a known kind of requirement; a governance "
            "administrator must install the addon",
            self.reason_of(release, "G1", moon.code),
        )
        found = self.env["ipai.consistency"]._findings()
        self.assertIn("kind_unknown", {finding.code for finding in found})
        moon.active = False
        self.assertNotIn(f"G1:{moon.code}", self.unmet(release, "G1"))

    def test_the_board_shows_a_gate_closed_soon_after_its_addon_went(self):
        """The scheduled action judges again what the kind concerns."""
        with self.installed(MOON):
            self.requirement("moon_phase", check_name="telescope")
            release = self.open_release()
            self.pass_g1(release)
            self.check(release, "telescope")
            self.assertEqual(self.stored(release)["G1"], "passed")
        self.registry.clear_cache()
        self.model._judge_again_soon(["tide"])
        due = release.search([("rejudge_at", "<=", self.env.cr.now())])
        self.assertNotIn(release, due)
        self.model._judge_again_soon(["moon_phase"])
        due = release.search([("rejudge_at", "<=", self.env.cr.now())])
        self.assertIn(release, due)
        release._rejudge_by_the_clock()
        self.assertEqual(self.stored(release)["G1"], "in_progress")

    def test_no_requirement_is_made_of_a_kind_that_does_not_exist(self):
        with (
            self.assertRaisesRegex(ValidationError, "no installed addon has the kind"),
            self.env.cr.savepoint(),
        ):
            self.requirement("moon_phase")
        with self.installed(MOON):
            self.assertEqual(self.requirement("moon_phase").kind, "moon_phase")

    # --- parameters ------------------------------------------------------------------

    def test_what_a_kind_needs_is_demanded_with_its_own_words(self):
        """The database refuses an empty one, and the message names it."""
        for kind, message, column, value in (
            (
                "approval",
                "A sign-off needs its persona.",
                "approval_persona_id",
                self.personas["qa_tester"].id,
            ),
            ("soak_time", "A soak needs its hours, more than 0.", "soak_hours", 2.0),
        ):
            with self.subTest(kind=kind):
                made = self.requirement(kind, code="made", **{column: value})
                diag = self.refused_by_database(
                    "UPDATE ipai_gate_requirement SET %s = NULLIF(%s, %s) WHERE id = %s"
                    if column.endswith("_id")
                    else "UPDATE ipai_gate_requirement SET %s = %s - %s WHERE id = %s",
                    SQL.identifier(column),
                    value,
                    value,
                    made.id,
                )
                self.assertEqual(
                    diag.constraint_name, f"ipai_gate_requirement_needs_{kind}"
                )
                with (
                    mute_logger("odoo.sql_db"),
                    self.assertRaises(errors.CheckViolation) as caught,
                    self.env.cr.savepoint(),
                ):
                    self.requirement(kind)
                self.assertEqual(
                    self.model._sql_error_to_message(caught.exception), message
                )
                made.unlink()

    def test_the_form_shows_the_parameters_of_the_kind(self):
        with Form(self.model.with_user(self.governance)) as form:
            form.name, form.code = "Nothing is red", "red"
            form.gate_id = self.gates["G1"]
            form.accountable_persona_id = self.personas["developer"]
            form.expertise_domain_id = self.env["ipai.expertise.domain"].search(
                [], limit=1
            )
            form.kind = "check"
            form.check_name, form.freshness_hours = "build", 24.0
            self.assertEqual(
                form.parameter_names,
                ["check_name", "environment_category", "freshness_hours"],
            )
            form.kind = "no_failed_check"
            self.assertFalse(form.parameter_names)
            with self.assertRaises(AssertionError):
                form.freshness_hours = 12.0
        # What was entered for the other kind is not kept.
        self.assertFalse(form.record.check_name)
        self.assertEqual(form.record.freshness_hours, 0.0)

    def test_a_stored_value_of_another_kind_is_neither_printed_nor_judged(self):
        """A freshness on “No failed check”, as rows from before may have it."""
        red = self.requirement("no_failed_check")
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE ipai_gate_requirement SET freshness_hours = 7 WHERE id = %s",
            [red.id],
        )
        red.invalidate_recordset()
        self.assertEqual(red.freshness_hours, 7.0)
        self.assertIsNone(red._policy_value().freshness)
        files = self.env["ipai.policy.file"]
        schema = files._schemas()["gate_schema"]
        entry = files._present(schema)["gates"]["G1"]["requirements"][red.code]
        self.assertEqual(entry["freshness_hours"], 0.0)
        self.assertNotIn("older", pages.counts(entry, self.model._kinds_by_code()))
        self.assertFalse(red.parameter_names)
        # It does not come to life with the next kind, either.
        red.kind = "check"
        self.assertEqual(red.freshness_hours, 0.0)
        red.freshness_hours = 5.0
        self.assertEqual(red._policy_value().freshness.total_seconds(), 5 * 3600)

    def test_a_value_for_a_parameter_that_the_kind_lacks_is_not_stored(self):
        made = self.requirement("no_freeze", freshness_hours=3.0, check_name="build")
        self.assertEqual((made.freshness_hours, made.check_name), (0.0, False))
        made.write({"soak_hours": 5.0, "environment_category": "staging"})
        self.assertEqual((made.soak_hours, made.environment_category), (0.0, "staging"))


class TestEvidenceTypeCode(GateCase):
    """The code of an evidence type stays while something names it."""

    def setUp(self):
        super().setUp()
        self.types = self.env["ipai.evidence.type"].with_user(self.governance)

    def rename_by_sql(self, type_):
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaises(errors.InsufficientPrivilege) as caught,
            self.env.cr.savepoint(),
        ):
            self.env.cr.execute(
                "UPDATE ipai_evidence_type SET code = 'other' WHERE id = %s", [type_.id]
            )
        self.assertIn("is in use", caught.exception.diag.message_primary)

    def test_a_code_that_nothing_names_can_be_changed(self):
        free = self.types.create({"code": "penetration_test", "name": "Pen test"})
        free.code = "pentest"
        self.env.flush_all()
        self.assertEqual(free.code, "pentest")

    def test_a_code_that_a_requirement_names_is_kept(self):
        asked = self.types.create({"code": "penetration_test", "name": "Pen test"})
        self.env["ipai.gate.requirement"].create(
            {
                "gate_id": self.gates["G2"].id,
                "code": "pentest",
                "name": "Pen test",
                "kind": "evidence",
                "evidence_type_id": asked.id,
                "accountable_persona_id": self.personas["developer"].id,
                "expertise_domain_id": self.env["ipai.expertise.domain"]
                .search([], limit=1)
                .id,
            }
        )
        with self.assertRaisesRegex(UserError, "G2/pentest use it.*archive this one"):
            asked.code = "pentest"
        asked.name = "Penetration test"
        self.env.flush_all()
        self.rename_by_sql(asked)

    def test_a_code_under_which_evidence_is_recorded_is_kept(self):
        used = self.types.create({"code": "penetration_test", "name": "Pen test"})
        release = self.open_release()
        self.evidence(self.qa, release, "penetration_test")
        with self.assertRaisesRegex(UserError, r"recorded evidence \(1\)"):
            used.code = "pentest"
        self.env.flush_all()
        self.rename_by_sql(used)

    def test_a_code_that_an_addon_brings_is_kept(self):
        """Events record some of them by their code: ``build_log``, for one."""
        shipped = self.types.search([("code", "=", "check_status")])
        with self.assertRaisesRegex(UserError, "ipai_release_gates use it"):
            shipped.code = "status"
        self.rename_by_sql(shipped)
