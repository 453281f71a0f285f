from odoo import fields, models


class Release(models.Model):
    """What customers were asked about a release."""

    _inherit = "ipai.release"

    uat_invitation_ids = fields.One2many(
        "ipai.uat.invitation", "release_id", string="UAT invitations"
    )
