from odoo import fields, models

from ..rules import FACT


class Walkthrough(models.Model):
    """A walk of a person through a revision: the latest one counts."""

    _name = "ipai.toy.walkthrough"
    _inherit = "ipai.fact.mixin"
    _description = "Walkthrough"
    _rec_name = "outcome"

    outcome = fields.Selection(
        [("success", "Success"), ("failure", "Failure")], required=True
    )

    _creatable = frozenset({"release_id", "outcome"})

    def _ledger_draft(self):
        body = {
            "outcome": self.outcome,
            "source_ref": self.source_ref,
            "stale": self.is_stale,
        }
        return self.release_id.id, FACT, self, body
