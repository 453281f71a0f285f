from odoo import api, models

from odoo.addons.ipai_release_gates.ledger import LedgerKind

from ..rules import FACT, MODULE

KIND = LedgerKind(
    FACT,
    "Walkthrough",
    ("outcome", "source_ref", "stale"),
    "fa-map-signs",
    module=MODULE,
)


class LedgerEntry(models.Model):
    """The chain of a release records its walkthroughs."""

    _inherit = "ipai.ledger.entry"

    @api.model
    def _kinds(self):
        return (*super()._kinds(), KIND)
