from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ... import ledger

#: The name of the chain that records changes of policy and roles.
GOVERNANCE = "governance"


class LedgerHead(models.Model):
    """Where the governance chain ends: the one row that all its writers update.

    A release carries its head itself. Nobody has a right on this model; only the
    ledger reads and moves the row.
    """

    _name = "ipai.ledger.head"
    _inherit = "ipai.guarded.mixin"
    _description = "Head of a ledger chain"
    _rec_name = "chain"
    _log_access = False

    chain = fields.Char(required=True, readonly=True)
    sequence = fields.Integer(required=True, readonly=True)
    hash = fields.Char(required=True, readonly=True)

    _chain_unique = models.Constraint("UNIQUE (chain)", "A chain has one head.")

    def init(self):
        # Before any policy is loaded. A row that is there stays as it is.
        self.env.cr.execute(
            SQL(
                "INSERT INTO ipai_ledger_head (chain, sequence, hash)"
                " VALUES (%s, 0, %s) ON CONFLICT (chain) DO NOTHING",
                GOVERNANCE,
                ledger.GENESIS,
            )
        )

    @api.model
    def _of_governance(self, lock=False):
        """The head of the governance chain.

        :param lock: whether it is about to be moved
        :returns: ``(sequence, hash)``; that of an empty chain when the row is gone
        :raises UserError: when it is to be moved and is gone
        """
        rows = self.env.execute_query(
            SQL(
                "SELECT sequence, hash FROM ipai_ledger_head WHERE chain = %s %s",
                GOVERNANCE,
                SQL("FOR UPDATE") if lock else SQL(),
            )
        )
        if lock and not rows:
            raise UserError(
                self.env._(
                    "The governance chain of the ledger has lost its head: nothing "
                    "can be recorded in it."
                )
            )
        return rows[0] if rows else (0, ledger.GENESIS)

    @api.model
    def _move(self, sequence, digest):
        self.env.cr.execute(
            SQL(
                "UPDATE ipai_ledger_head SET sequence = %s, hash = %s WHERE chain = %s",
                sequence,
                digest,
                GOVERNANCE,
            )
        )
        self.invalidate_model(flush=False)
