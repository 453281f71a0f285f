from odoo import api, models

from ..rules import KIND


class GateRequirement(models.Model):
    """Gates may require a walkthrough."""

    _inherit = "ipai.gate.requirement"

    @api.model
    def _kinds(self):
        return (*super()._kinds(), KIND)
