from odoo import api, models


class PolicyFile(models.AbstractModel):
    _inherit = "ipai.policy.file"
