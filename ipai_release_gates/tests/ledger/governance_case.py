"""What the tests of the governance chain share."""

import json

from odoo.tools import SQL

from ... import ledger
from ..common import GateCase


class GovernanceCase(GateCase):
    def chain(self):
        """The chain as the database has it, in the fields of ``ledger.Entry``."""
        self.env.flush_all()
        columns = (
            "sequence, kind, actor, occurred_at, subject, body, previous_hash, hash"
        )
        rows = self.env.execute_query(
            SQL(
                "SELECT %s FROM ipai_ledger_entry WHERE release_id IS NULL"
                " ORDER BY sequence",
                SQL(columns),
            )
        )
        names = columns.split(", ")
        return [
            {
                **dict(zip(names, row, strict=True)),
                "chain": "governance",
                "body": json.loads(row[5]),
            }
            for row in rows
        ]

    def added(self, happen):
        """The entries that something adds; the chain verifies with them."""
        before = self.chain()
        happen()
        after = self.chain()
        head = self.env["ipai.ledger.head"]._of_governance()
        self.assertEqual(ledger.verify(after, head), [])
        self.assertEqual(after[: len(before)], before)
        return after[len(before) :]

    def only(self, happen):
        """The one entry that something adds."""
        (row,) = self.added(happen)
        return row

    def versions(self, *releases):
        self.env.flush_all()
        self.env.invalidate_all()
        return [release.fact_version for release in releases]
