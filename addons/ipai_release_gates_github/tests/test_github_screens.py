"""The screens about GitHub: their lists, and each of them for every role."""

from odoo.tests import tagged

from odoo.addons.ipai_release_gates.tests.common import ROLES, GateCase
from odoo.addons.ipai_release_gates.tests.screens.list_tests import ListTests
from odoo.addons.ipai_release_gates.tests.tours import TourHttpCase

from .common import connect_github


class TestGithubLists(ListTests, GateCase):
    addon = "ipai_release_gates_github"
    at_least = 4
    whole = {
        "ipai_github_app_action": "one or two, and each is needed",
        "ipai_github_repository_action": "which project is connected, and which is not",
    }


@tagged("post_install", "-at_install")
class TestGithubScreens(TourHttpCase):
    def test_every_role_sees_the_menus_and_forms_it_has_without_an_error(self):
        connect_github(self.open_release("Tour"))
        for login in ROLES:
            with self.subTest(role=login):
                self.start_tour(
                    "/odoo/releases",
                    "ipai_every_screen",
                    login=self.users[login].login,
                    timeout=120,
                )
