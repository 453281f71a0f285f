"""The control room: figures lead to their records, and show what the user may read."""

from collections import Counter
from datetime import timedelta
from unittest.mock import patch

from odoo.exceptions import AccessError, ValidationError
from odoo.tests import users

from ...pages import ROW, Panel
from .control_room_case import ControlRoomCase

PEOPLE = ("dev", "qa", "rm", "sre", "auditor", "governance")


class TestControlRoom(ControlRoomCase):
    def _fill(self):
        """Create records for every panel."""
        with self.later(hours=-60):
            release = self.approved()
            waiting = self.bring_to(self.open_release(), "qa_validation")
            other = self.open_release()
        with self.later(hours=-40):
            deployment = self.deploy(release)
        with self.later(hours=-30):
            self.incident(deployment)
        self.check(other, "lint", "fail")
        sound = self.environments["production"].control_ids
        sound.with_user(self.sre).record_check("pass", "Looked at.")
        self.grant(waiting, expires_at=self.env.cr.now() + timedelta(hours=20))
        self.env["ipai.exception"].with_user(self.dev).create(
            self.exception_values(waiting)
        ).action_request()
        return release, waiting, other, deployment

    def test_every_figure_opens_as_many_records_as_it_counts(self):
        self._fill()
        seen = Counter()
        for login in PEOPLE:
            user = self.users[login]
            for filters in ({}, {"project_ids": self.project.ids, "range": "7d"}):
                for figure in self.figures_in(self.room(user, **filters)):
                    if "count" not in figure:
                        continue
                    with self.subTest(user=login, figure=figure):
                        found = self.opened(figure, user)
                        self.assertEqual(len(found), figure["count"])
                    seen[login] += bool(figure["count"])
        self.assertTrue(all(seen[login] > 3 for login in PEOPLE), seen)

    def test_a_kpi_opens_the_records_it_counts(self):
        self._fill()
        room = self.env["ipai.control.room"].with_user(self.rm)
        panels = self.room(self.rm)["kpis"]["panels"]
        self.assertTrue(panels[0]["is_mine"])
        counted = 0
        for kpi in (kpi for panel in panels for kpi in panel["kpis"]):
            action = room.kpi_action(kpi["key"], {})
            records = self.env[action["res_model"]].with_user(self.rm)
            records = records.with_context(**action["context"])
            self.assertEqual(len(records.search(action["domain"])), kpi["count"])
            self.assertEqual(kpi["value"] is None, not kpi["count"])
            counted += bool(kpi["count"])
        self.assertGreater(counted, 3)

    def test_filters_narrow_to_projects_and_to_those_of_a_member(self):
        self._fill()
        other = self.env["ipai.project"].create({"name": "acme/other"})
        total = self.room(project_ids=self.project.ids)["stages"]["total"]["count"]
        self.assertEqual(total, 3)
        none = self.room(project_ids=other.ids)
        self.assertEqual(none["stages"]["total"]["count"], 0)
        self.assertEqual(none["delivery"]["figures"][0]["value"], None)
        # dev belongs to acme/shop alone, qa to no project.
        self.assertEqual(
            self.room(member_id=self.dev.id)["stages"]["total"]["count"], 3
        )
        self.assertEqual(self.room(member_id=self.qa.id)["stages"]["total"]["count"], 0)

    def test_an_addon_adds_a_panel(self):
        Room = type(self.env["ipai.control.room"])
        former = Room._panels
        mine = Panel("mine", "mine", "_mine", ROW, 15)
        with (
            patch.object(Room, "_panels", lambda room: (*former(room), mine)),
            patch.object(
                Room, "_mine", lambda room, asked: asked.scope.days, create=True
            ),
        ):
            data = self.room(range="7d")
        self.assertEqual(data["mine"], 7)
        in_row = [each["key"] for each in data["panels"] if each["place"] == ROW]
        self.assertEqual(in_row, ["exceptions", "mine", "environments", "deployments"])
        self.assertNotIn("mine", self.room(range="7d"))

    def test_an_invalid_filter_is_refused_by_name(self):
        for filters, word in (
            ({"range": "forever"}, "Range"),
            ({"range": "custom"}, "from"),
            ({"range": "custom", "from": "2026-01-01", "to": "soon"}, "to"),
            ({"range": "custom", "from": "2100-01-01", "to": "2100-01-02"}, "future"),
            ({"range": "custom", "from": "1990-01-01", "to": "2020-01-01"}, "731"),
            ({"project_ids": "all"}, "project_ids"),
            ({"member_id": "me"}, "member_id"),
            ({"company": 1}, "project_ids"),
        ):
            with self.assertRaisesRegex(ValidationError, word):
                self.room(**filters)

    def test_a_range_is_whole_days_in_the_time_zone_of_the_user(self):
        self.rm.tz = "Pacific/Auckland"
        told = self.room(range="custom", **{"from": "2026-01-05", "to": "2026-01-06"})
        self.assertEqual(told["days"], 2)
        (low,) = [
            term[2]
            for term in told["delivery"]["figures"][0]["open"]["domain"]
            if term[0] == "deployed_at" and term[1] == ">="
        ]
        self.assertEqual(low, "2026-01-04 11:00:00")

    # --- what needs me ---------------------------------------------------------------

    def test_each_persona_sees_the_work_that_waits_for_it(self):
        _release, waiting, other, deployment = self._fill()
        asked = waiting.exception_ids.filtered(lambda x: x.state == "requested")
        needs = self.needs(self.rm)
        self.assertIn("incidents", needs)
        decide = self.opened(needs["exceptions_to_decide"])
        self.assertEqual(decide, asked.with_user(self.rm))
        self.assertTrue(decide.i_can_decide)
        self.assertIn("exceptions_expiring", needs)
        needs = self.needs(self.qa)
        self.assertEqual(self.opened(needs["sign_offs"], self.qa).ids, waiting.ids)
        self.assertNotIn("exceptions_to_decide", needs)
        needs = self.needs(self.dev)
        self.assertIn(other, self.opened(needs["held_by_my_gate"], self.dev).sudo())
        self.assertIn("exceptions_expiring", needs)
        self.assertNotIn("incidents", needs)
        needs = self.needs(self.sre)
        missed = self.opened(needs["g4_missed"], self.sre).deployment_id
        self.assertNotIn("g4_awaiting", needs)
        self.assertEqual(missed.ids, deployment.ids)

    def test_finished_work_is_not_listed(self):
        waiting = self.bring_to(self.open_release(), "qa_validation")
        self.assertIn("sign_offs", self.needs(self.qa))
        self.sign(self.qa, waiting, "G2")
        self.assertNotIn("sign_offs", self.needs(self.qa))
        self.assertIn("sign_offs", self.needs(self.qa2))

    def test_a_deployment_awaits_its_confirmation_until_another_replaces_it(self):
        release = self.approved()
        with self.later(hours=-40):
            self.deploy(release)
        self.assertEqual(self.needs(self.sre)["g4_missed"]["count"], 1)
        self.deploy(release)
        self.assertNotIn("g4_missed", self.needs(self.sre))
        for user in (self.rm, self.sre):
            self.assertEqual(self.needs(user)["g4_awaiting"]["count"], 1)

    def test_failed_events_wait_for_the_users_who_may_reprocess_them(self):
        release = self.open_release()
        self.send(self.ci, self.ci_event("check_result", {"name": "lint"}, release))
        for login in PEOPLE:
            told = "events" in self.needs(self.users[login])
            self.assertEqual(told, login in ("rm", "sre"), login)

    # --- who sees what ---------------------------------------------------------------

    def test_a_panel_is_shown_to_users_who_may_read_its_records(self):
        self._fill()
        panels = {
            "gates": {"dev", "qa", "rm", "sre", "auditor", "governance"},
            "exceptions": {"dev", "rm", "sre", "auditor", "governance"},
            "environments": {"dev", "qa", "rm", "sre", "auditor", "governance"},
            "deployments": {"rm", "sre", "auditor", "governance"},
            "delivery": {"rm", "sre", "auditor", "governance"},
            "kpis": {"dev", "qa", "rm", "sre", "auditor", "governance"},
        }
        for login in PEOPLE:
            told = self.room(self.users[login])
            for panel, readers in panels.items():
                self.assertEqual(
                    told[panel] is not None, login in readers, (login, panel)
                )

    def test_a_developer_sees_the_projects_they_belong_to(self):
        self._fill()
        own = self.room(self.dev)["stages"]["total"]["count"]
        self.assertEqual(own, 3)
        self.project.member_ids = False
        told = self.room(self.dev)
        self.assertEqual({figure["count"] for figure in self.figures_in(told)}, {0})
        self.assertEqual(told["choices"]["projects"], [])

    def test_a_user_of_another_company_sees_nothing(self):
        self._fill()
        self.project.company_id = self.env["res.company"].create({"name": "Elsewhere"})
        for login in PEOPLE:
            told = self.room(self.users[login], project_ids=self.project.ids)
            names = {each["id"] for each in told["choices"]["projects"]}
            self.assertNotIn(self.project.id, names)
            self.assertEqual(told["filters"]["project_ids"], [])
            for figure in self.figures_in(told):
                for record in self.opened(figure, self.users[login]).sudo():
                    if "project_id" in record._fields:
                        self.assertNotEqual(record.project_id, self.project)

    @users("ipai_nobody", "ipai_portal")
    def test_a_user_without_a_role_is_refused(self):
        with self.assertRaises(AccessError):
            self.env["ipai.control.room"].data({})
        with self.assertRaises(AccessError):
            self.env["ipai.control.room"].kpi_action("drills", {})

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.new_user("ipai_nobody")
        cls.new_user("ipai_portal", "base.group_portal")

    # --- cost ------------------------------------------------------------------------

    def _queries(self, user):
        room = self.env["ipai.control.room"].with_user(user)
        for _time in range(2):  # what the registry caches is warm the second time
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            room.data({"range": "90d"})
        return self.env.cr.sql_log_count - before

    def _multiply(self, release, count):
        """That many releases more like one, with gates and deployments, by SQL."""
        self.env.flush_all()
        self.env.cr.execute(
            """
            WITH made AS (
                INSERT INTO ipai_release
                SELECT (jsonb_populate_record(r, jsonb_build_object(
                           'id', nextval('ipai_release_id_seq'),
                           'name', 'more ' || gen_random_uuid(),
                           'uuid', gen_random_uuid()))).*
                  FROM ipai_release r, generate_series(1, %(count)s)
                 WHERE r.id = %(release)s
             RETURNING id
            ), gates AS (
                INSERT INTO ipai_release_gate
                SELECT (jsonb_populate_record(g, jsonb_build_object(
                           'id', nextval('ipai_release_gate_id_seq'),
                           'release_id', made.id))).*
                  FROM ipai_release_gate g, made
                 WHERE g.release_id = %(release)s
            )
            INSERT INTO ipai_deployment
            SELECT (jsonb_populate_record(d, jsonb_build_object(
                       'id', nextval('ipai_deployment_id_seq'),
                       'external_id', gen_random_uuid(),
                       'release_id', made.id))).*
              FROM ipai_deployment d, made
             WHERE d.release_id = %(release)s
            """,
            {"count": count, "release": release.id},
        )

    def test_1000_releases_take_as_many_queries_as_10(self):
        release = self._fill()[0]
        self._multiply(release, 10)
        few = {login: self._queries(self.users[login]) for login in PEOPLE}
        self._multiply(release, 990)
        many = {login: self._queries(self.users[login]) for login in PEOPLE}
        told = self.room(self.rm)["stages"]["total"]["count"]
        self.assertGreaterEqual(told, 1000)
        self.assertEqual(many, few)
        self.assertLessEqual(max(few.values()), 45, few)
