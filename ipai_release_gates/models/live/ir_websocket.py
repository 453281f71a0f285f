from odoo import models


class IrWebsocket(models.AbstractModel):
    """Who hears of which releases: who may read them."""

    _inherit = "ir.websocket"

    def _build_bus_channel_list(self, channels):
        channels = super()._build_bus_channel_list(channels)
        return [*channels, *self.env["ipai.project"]._live_channels()]
