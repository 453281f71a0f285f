from odoo import fields, models


class UatCriterion(models.Model):
    """One acceptance criterion of an invitation, and the customer's answer to it."""

    _name = "ipai.uat.criterion"
    _inherit = "ipai.guarded.mixin"
    _description = "Acceptance criterion"
    _order = "invitation_id, sequence, id"

    invitation_id = fields.Many2one(
        "ipai.uat.invitation", required=True, ondelete="restrict", index=True
    )
    sequence = fields.Integer(required=True)
    name = fields.Char(string="Criterion", required=True)
    result = fields.Selection([("passed", "Passed"), ("failed", "Failed")])
    comment = fields.Text()
