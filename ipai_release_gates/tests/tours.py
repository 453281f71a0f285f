"""What the tests share that run tours."""

from odoo.tests import HttpCase

from .common import GateCase


class TourHttpCase(HttpCase, GateCase):
    """Tours that leave no warning on the console; an error ends them anyway."""

    def start_tour(self, *args, **kwargs):
        with self.assertNoLogs(self._logger.getChild("browser"), "WARNING"):
            return super().start_tour(*args, **kwargs)
