"""The list of UAT invitations can be narrowed and grouped, and opens on what waits."""

from odoo.addons.ipai_release_gates.tests.common import GateCase
from odoo.addons.ipai_release_gates.tests.screens.list_tests import ListTests


class TestUatLists(ListTests, GateCase):
    addon = "ipai_release_gates_uat"
