"""The control room in a real browser, as each persona; see ``tours``."""

from datetime import timedelta

from odoo.tests import tagged
from odoo.tools import mute_logger

from ..tours import TourHttpCase

URL = "/odoo/control-room"


class RoomTours(TourHttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        release = cls.bring_to(cls.open_release("Tour"), "production")
        waiting = cls.bring_to(cls.open_release("Waiting"), "qa_validation")
        cls.deploy(release)
        cls.check(cls.open_release("Failing"), "lint", "fail")
        cls.grant(waiting, expires_at=cls.env.cr.now() + timedelta(hours=20))
        cls.env["ipai.exception"].with_user(cls.dev).create(
            cls.exception_values(waiting)
        ).action_request()

    def tour(self, name, user):
        with mute_logger("odoo.http"):
            self.start_tour(URL, name, login=user.login)


@tagged("post_install", "-at_install")
class TestControlRoomTours(RoomTours):
    def test_each_persona_filters_and_opens_figures_and_the_filters_are_kept(self):
        for login in ("dev", "qa", "rm", "sre", "auditor"):
            user = self.users[login]
            with self.subTest(user=login):
                self.tour("ipai_control_room", user)
                self.assertEqual(
                    user.res_users_settings_id.ipai_control_room,
                    {
                        "range": "7d",
                        "project_ids": self.project.ids,
                        "member_id": False,
                    },
                )
        self.tour("ipai_control_room_remembers", self.rm)

    def test_an_empty_page_says_what_to_do(self):
        self.env["ipai.project"].search([("name", "=", "acme/shop")]).name = "acme/full"
        self.env["ipai.project"].create({"name": "acme/shop"})
        self.tour("ipai_control_room_is_empty", self.rm)

    def test_data_that_cannot_be_read_is_reported_with_a_remedy(self):
        settings = self.env["res.users.settings"]._find_or_create_for_user(self.rm)
        settings.ipai_control_room = {"range": "forever"}
        self.tour("ipai_control_room_fails", self.rm)
        self.assertFalse(settings.ipai_control_room)


@tagged("post_install", "-at_install")
class TestControlRoomOnAPhone(RoomTours):
    browser_size = "360x800"
    touch_enabled = True

    def test_the_control_room_fits_a_narrow_screen(self):
        self.tour("ipai_control_room_narrow", self.rm)
