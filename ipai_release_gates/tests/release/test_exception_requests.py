"""Exceptions: what is requested, and what the model and the database seal of it."""

from datetime import timedelta

import psycopg2

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import SQL, mute_logger

from ...models.release import exception_tables
from .test_exceptions import ExceptionCase


class TestWhatIsAsked(ExceptionCase):
    def test_the_draft_belongs_to_its_author_and_can_change(self):
        exception = self.draft()
        exception.write({"rationale": "The tester is on leave."})
        self.assertEqual(exception.rationale, "The tester is on leave.")
        with self.assertRaises(AccessError):
            exception.with_user(self.rm).write({"rationale": "Something else."})

    def test_a_requested_exception_is_sealed_for_everybody(self):
        exception = self.request()
        later = self.env.cr.now() + timedelta(days=20)
        for vals in (
            {"expires_at": later},
            {"rationale": "Other."},
            {"gate_ids": [(4, self.gates["G3"].id)]},
            {"requirement_ids": [(5, 0, 0)]},
            {"risk_level": "medium"},
        ):
            with self.assertRaises(UserError):
                exception.write(vals)

    def test_nobody_writes_the_state_or_what_follows_from_it(self):
        exception = self.draft()
        for vals in (
            {"state": "active"},
            {"approved_at": self.env.cr.now()},
            {"review_status": "complete"},
            {"recorded_by_id": self.qa.id},
            {"revision_id": self.release.revision_id.id},
            {"extension_of_id": exception.id},
        ):
            for user in (self.dev, self.env.ref("base.user_admin")):
                with self.assertRaises(AccessError):
                    exception.with_user(user).write(vals)
            with self.assertRaises(AccessError):
                self.draft(**vals)

    def test_the_database_seals_what_was_requested(self):
        exception = self.request()
        for statement in (
            "UPDATE ipai_exception SET expires_at = expires_at + interval '1 day'",
            "UPDATE ipai_exception SET rationale = 'Other.'",
            "UPDATE ipai_exception SET state = 'expired'",
            "DELETE FROM ipai_exception_gate_rel",
            "DELETE FROM ipai_exception_requirement_rel",
            "UPDATE ipai_exception_gate_rel SET gate_id = gate_id",
        ):
            with (
                self.undone(),
                mute_logger("odoo.sql_db"),
                self.assertRaises(psycopg2.errors.InsufficientPrivilege),
            ):
                self.env.cr.execute(statement)
        self.assertEqual(exception.state, "requested")

    def test_the_database_seals_each_column_of_a_requested_exception(self):
        for exception in (self.request(), self.grant(self.release, "G2")):
            for column in exception_tables.SEALED:
                self.assert_sealed(exception, column)

    def test_the_database_lets_dates_and_ends_change_with_the_state_only(self):
        for exception in (self.request(), self.grant(self.release, "G2")):
            for column in exception_tables.STAMPED:
                self.assert_sealed(exception, column)

    def assert_sealed(self, exception, column):
        """An UPDATE of the column is refused; of a draft it is not."""
        field = exception._fields[column]
        other = {
            "datetime": SQL("coalesce(%s, now()) + interval '1 hour'", SQL(column)),
            "many2one": SQL("coalesce(%s, 0) + 1", SQL(column)),
        }.get(field.type, SQL("coalesce(%s, '') || '!'", SQL(column)))
        statement = SQL(
            "UPDATE ipai_exception SET %s = %s WHERE id = %s",
            SQL.identifier(column),
            other,
            exception.id,
        )
        with (
            self.subTest(column=column, state=exception.state),
            self.undone(),
            mute_logger("odoo.sql_db"),
            self.assertRaises(psycopg2.errors.InsufficientPrivilege),
        ):
            self.env.cr.execute(statement)

    def test_no_exception_lives_longer_than_its_risk_allows(self):
        for level, life in (("low", 30), ("medium", 14), ("high", 7), ("critical", 2)):
            start = self.env.cr.now().replace(microsecond=0)
            fits = start + timedelta(days=life)
            self.draft(risk_level=level, effective_from=start, expires_at=fits)
            with (
                self.undone(),
                mute_logger("odoo.sql_db"),
                self.assertRaises(psycopg2.errors.CheckViolation),
            ):
                self.draft(
                    risk_level=level,
                    effective_from=start,
                    expires_at=fits + timedelta(seconds=1),
                )
                self.env.flush_all()

    def test_an_exception_always_expires(self):
        with (
            self.undone(),
            mute_logger("odoo.sql_db"),
            self.assertRaises(psycopg2.errors.NotNullViolation),
        ):
            self.draft(expires_at=False)
            self.env.flush_all()

    def test_an_emergency_is_critical_whatever_was_said(self):
        exception = self.draft(exception_type="emergency", risk_level="low")
        self.assertEqual(exception.risk_level, "critical")
        other = self.draft()
        other.write({"exception_type": "emergency"})
        self.assertEqual(other.risk_level, "critical")

    def test_what_could_never_cover_anything_is_not_requested(self):
        for message, values in (
            ("Impacted gates", {"waived": ()}),
            (
                "Compensating controls",
                {"risk_level": "high", "compensating_controls": False},
            ),
            ("Waived requirements", {"waived": ("G2:g1_passed",)}),
            (
                "Waived requirements",
                {"waived": ("G2",), "exception_type": "evidence_waiver"},
            ),
            ("Type", {"exception_type": "timing_override"}),
            (
                "Expires at",
                {
                    "expires_at": self.env.cr.now() - timedelta(hours=1),
                    "effective_from": self.env.cr.now() - timedelta(hours=2),
                },
            ),
        ):
            exception = self.draft(**values)
            with self.assertRaisesRegex(ValidationError, message):
                exception.action_request()

    def test_waived_requirements_are_of_the_impacted_gates(self):
        exception = self.draft(waived=("G3",))
        exception.write(
            {"requirement_ids": [(6, 0, self.requirements("G2:qa_signoff").ids)]}
        )
        with self.assertRaisesRegex(ValidationError, "Waived requirements"):
            exception.action_request()

    def test_only_developers_and_release_managers_ask(self):
        for user in (self.qa, self.sre, self.ci, self.auditor, self.governance):
            with self.assertRaises(AccessError):
                self.draft(user)

    def test_a_waived_requirement_cannot_be_deleted_to_widen_the_exception(self):
        self.grant(self.release)
        with (
            self.undone(),
            mute_logger("odoo.sql_db"),
            self.assertRaises(psycopg2.errors.InsufficientPrivilege),
        ):
            self.requirements("G2:qa_signoff").unlink()
