from odoo import api, models

from ..rules import PROVIDER


class WebhookSource(models.Model):
    """Webhooks of Toyforge are taken."""

    _inherit = "ipai.webhook.source"

    @api.model
    def _providers(self):
        return (*super()._providers(), PROVIDER)
