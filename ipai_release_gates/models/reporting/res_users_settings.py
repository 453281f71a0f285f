from odoo import fields, models


class ResUsersSettings(models.Model):
    """The filters that a user last chose in the control room."""

    _inherit = "res.users.settings"

    ipai_control_room = fields.Json(string="Filters of the control room")
