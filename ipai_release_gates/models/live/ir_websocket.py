from odoo import models


class IrWebsocket(models.AbstractModel):
    """Subscribes each user to the channels of the releases they may read."""

    _inherit = "ir.websocket"

    def _build_bus_channel_list(self, channels):
        channels = super()._build_bus_channel_list(channels)
        return [*channels, *self.env["ipai.project"]._live_channels()]
