"""A neutralised copy of a database calls nobody and takes nothing from outside."""

from odoo.modules.neutralize import get_neutralization_queries

from ...errors import OutboundRefused
from ..common import MODULE, GateCase


class TestNeutralize(GateCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.endpoint = cls.webhook()
        cls.source = cls.webhook_source()
        cls.env.flush_all()

    def neutralise(self):
        for query in get_neutralization_queries([MODULE]):
            self.env.cr.execute(query)
        self.env.invalidate_all()
        self.env.registry.clear_cache()

    def test_nothing_leaves_and_nothing_comes_in(self):
        transport = self.env["ipai.outbound.transport"]
        transport._check_url(self.endpoint.url)
        self.assertTrue(self.endpoint.sudo().secret)
        self.neutralise()
        with self.assertRaises(OutboundRefused):
            transport._check_url(self.endpoint.url)
        self.assertFalse(self.endpoint.active)
        self.assertFalse(self.endpoint.sudo().secret)
        self.assertFalse(self.source.active)
