"""Exceptions: what the database refuses to change, by raw SQL."""

import psycopg2

from odoo.tools import SQL, mute_logger

from ...models.release.exception_tables import (
    NEXT_STATES,
    SEALED,
    STAMPED,
)
from .test_exceptions import ExceptionCase

#: Columns that no longer change once an exception is requested. Written out here, so
#: that a column that is removed from the tuple of the model fails a test.
REQUESTED = {
    "release_id",
    "revision_id",
    "exception_type",
    "risk_level",
    "rationale",
    "risk_statement",
    "compensating_controls",
    "effective_from",
    "expires_at",
    "extension_of_id",
    "source_system",
    "recorded_by_id",
    "recorded_at",
    "requested_at",
}
#: Columns that change only together with the state, and the states they change with.
WITH_STATE = {
    "requested_at": {"requested"},
    "approved_at": {"active"},
    "ended_at": {"rejected", "expired", "revoked", "closed"},
    "ended_by_id": {"rejected", "expired", "revoked", "closed"},
    "end_reason": {"rejected", "expired", "revoked", "closed"},
}
#: Columns that change after the request, and why.
CHANGING = {
    "id": "identifies the row",
    "state": "follows its own order",
    "project_id": "follows the release",
    "remind_at": "follows the approval",
    "reminded_at": "records a reminder",
    "review_status": "follows the review",
    "review_due_at": "follows the approval",
    "review_findings": "follows the review",
    "reviewed_by_id": "follows the review",
    "reviewed_at": "follows the review",
    "review_chased_at": "records a reminder",
    "create_uid": "written by Odoo",
    "create_date": "written by Odoo",
    "write_uid": "written by Odoo",
    "write_date": "written by Odoo",
}
STATES = (
    "draft",
    "requested",
    "active",
    "expired",
    "revoked",
    "closed",
    "rejected",
)


class TestExceptionSealing(ExceptionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.flush_all()
        cls.types = dict(
            cls.env.execute_query(
                SQL(
                    "SELECT column_name, data_type FROM information_schema.columns"
                    " WHERE table_name = 'ipai_exception'"
                    " AND table_schema = current_schema()"
                )
            )
        )

    def in_state(self, state):
        """An exception that reached a state by its ordinary steps."""
        if state == "draft":
            exception = self.draft(compensating_controls="Watched by hand.")
        elif state == "requested":
            exception = self.request(compensating_controls="Watched by hand.")
        elif state == "rejected":
            exception = self.request()
            self.decide(exception, self.rm, "release_manager", "rejected")
        else:
            exception = self.grant(
                self.release, compensating_controls="Watched by hand."
            )
            if state == "expired":
                exception._expire()
            elif state == "revoked":
                exception.with_user(self.rm).action_revoke("Too risky.")
            elif state == "closed":
                exception.with_user(self.rm).action_close("Not needed.")
        self.env.flush_all()
        self.assertEqual(exception.sudo().state, state)
        return exception.sudo()

    def other_value(self, name):
        """An SQL expression that differs from the present value of a column."""
        column = SQL.identifier(name)
        kind = self.types[name]
        if kind.startswith("timestamp"):
            return SQL(
                "coalesce(%s, now() AT TIME ZONE 'UTC') + interval '1 second'", column
            )
        if kind == "integer":
            return SQL("coalesce(%s, 0) + 1", column)
        return SQL("coalesce(%s, '') || '.'", column)

    def update(self, exception, **values):
        assignments = SQL(", ").join(
            SQL("%s = %s", SQL.identifier(name), value)
            for name, value in values.items()
        )
        self.env.cr.execute(
            SQL("UPDATE ipai_exception SET %s WHERE id = %s", assignments, exception.id)
        )

    def assert_sealed(self, exception, **values):
        with (
            self.undone(),
            mute_logger("odoo.sql_db"),
            self.assertRaises(psycopg2.errors.InsufficientPrivilege),
        ):
            self.update(exception, **values)

    def test_every_column_is_sealed_changes_with_the_state_or_has_a_reason(self):
        self.assertEqual(set(SEALED), REQUESTED)
        self.assertEqual(
            {name: set(states) for name, states in STAMPED.items()}, WITH_STATE
        )
        self.assertEqual(set(self.types), REQUESTED | set(WITH_STATE) | set(CHANGING))

    def test_a_draft_changes_and_a_requested_exception_does_not(self):
        draft = self.in_state("draft")
        content = REQUESTED - set(WITH_STATE)
        # Numbers are keys of other tables, which hold no such row.
        for name in sorted(c for c in content if self.types[c] != "integer"):
            with self.subTest(column=name, state="draft"), self.undone():
                self.update(draft, **{name: self.other_value(name)})
        for state in STATES[1:]:
            exception = self.in_state(state)
            for name in sorted(REQUESTED):
                with self.subTest(column=name, state=state):
                    self.assert_sealed(exception, **{name: self.other_value(name)})

    def test_times_and_ends_are_set_only_in_the_step_to_their_state(self):
        for state in STATES:
            exception = self.in_state(state)
            for name in sorted(WITH_STATE):
                with self.subTest(column=name, state=state):
                    self.assert_sealed(exception, **{name: self.other_value(name)})
        requested = self.in_state("requested")
        with self.undone():
            self.update(
                requested,
                state=SQL("'active'"),
                approved_at=self.other_value("approved_at"),
            )
        self.assert_sealed(
            requested,
            state=SQL("'rejected'"),
            approved_at=self.other_value("approved_at"),
        )

    def test_the_order_of_states_is_that_of_the_table(self):
        for state in STATES:
            exception = self.in_state(state)
            for following in STATES:
                if following == state:
                    continue
                values = {"state": SQL("%s", following)}
                if following == "active":
                    values["approved_at"] = self.other_value("approved_at")
                with self.subTest(step=f"{state} → {following}"):
                    if following in NEXT_STATES.get(state, ()):
                        with self.undone():
                            self.update(exception, **values)
                    else:
                        self.assert_sealed(exception, **values)

    def test_the_scope_of_a_request_cannot_move_to_another_exception(self):
        draft, requested = self.in_state("draft"), self.in_state("requested")
        self.env.cr.execute(
            "DELETE FROM ipai_exception_gate_rel WHERE exception_id = %s", [draft.id]
        )
        with (
            self.undone(),
            mute_logger("odoo.sql_db"),
            self.assertRaises(psycopg2.errors.InsufficientPrivilege),
        ):
            self.env.cr.execute(
                "UPDATE ipai_exception_gate_rel SET exception_id = %s"
                " WHERE exception_id = %s",
                [draft.id, requested.id],
            )
