from odoo import fields, models


class ResUsersSettings(models.Model):
    """What a user last asked the control room for."""

    _inherit = "res.users.settings"

    ipai_control_room = fields.Json(string="Filters of the control room")
