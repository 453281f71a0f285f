from odoo import models


class Release(models.Model):
    """The ledger of a release, for people to verify."""

    _inherit = "ipai.release"

    def action_verify_ledger(self):
        """Button: verify this release's chain, say that it is sound or open the faults.

        :raises AccessError: for who may not read the ledger
        """
        self.ensure_one()
        return self.env["ipai.ledger.verification"]._verify_release(self)._answer()
