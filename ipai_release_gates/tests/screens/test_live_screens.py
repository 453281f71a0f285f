"""What open screens are told, whom it is told to, and what that costs."""

import json

from odoo.tests import tagged

from odoo.addons.bus.tests.common import WebsocketCase

from ...models.live.project_live import CHANNELS_CHANGED
from ...models.live.release_live import CHANNEL, NOTIFICATION
from ..common import ROLES, GateCase, sha


class LiveCase(GateCase):
    def setUp(self):
        super().setUp()
        # What setting up had to tell is told, and forgotten.
        self.told()

    def told(self, *channels):
        """What was told since the last time, as ``(channel, payload)``."""
        self.env.flush_all()
        self.env.cr.flush()
        messages = self.env["bus.bus"].search([], order="id")
        found = []
        for message in messages:
            content = json.loads(message.message)
            if content["type"] in (NOTIFICATION, CHANNELS_CHANGED):
                found.append((json.loads(message.channel)[1:], content["payload"]))
        messages.unlink()
        # The next thing that happens is of another transaction.
        self.env.cr.postcommit.data.clear()
        return found

    def channel(self, record):
        return [record._name, record.id, CHANNEL]


class TestWhatIsTold(LiveCase):
    def test_a_fact_is_told_to_the_company_and_to_the_project_once(self):
        release = self.open_release()
        self.told()
        self.pass_g1(release)
        self.check(release, "lint")
        payload = {"releases": release.ids, "projects": self.project.ids}
        self.assertEqual(
            self.told(),
            [
                (self.channel(self.project), payload),
                (self.channel(self.project.company_id), payload),
            ],
        )

    def test_every_change_of_a_release_is_told(self):
        release = self.open_release()
        changes = {
            "opened": lambda: None,
            "described": lambda: release.with_user(self.rm).write({"priority": "1"}),
            "checked": lambda: self.pass_g1(release),
            "moved": lambda: self.move(release, "qa_validation"),
            "proved": lambda: self.pass_g2(release),
            "excepted": lambda: self.grant(release, "G3:rollback_plan"),
            "deployed": lambda: self.deploy(release, environment="staging"),
            "incident": lambda: (
                self.env["ipai.incident"]
                .with_user(self.sre)
                .create({"name": "Slow", "release_id": release.id})
            ),
            "revised": lambda: release.with_user(self.rm).write(
                {"source_ref": sha("next"), "author_emails": "dev@example.com"}
            ),
            "judged": lambda: release._rejudge([], starts=False),
            "archived": lambda: release.with_user(self.rm).write({"active": False}),
        }
        for what, change in changes.items():
            with self.subTest(what):
                change()
                told = [payload["releases"] for _channel, payload in self.told()]
                self.assertEqual(told, [release.ids, release.ids])

    def test_nothing_but_ids_is_told(self):
        release = self.open_release()
        for _channel, payload in self.told():
            self.assertEqual(
                payload, {"releases": release.ids, "projects": self.project.ids}
            )

    def test_500_facts_are_told_once(self):
        release = self.open_release()
        self.told()
        self.must_send(
            self.ci,
            *(
                self.ci_event(
                    "check_result", {"name": f"c{n}", "status": "pass"}, release
                )
                for n in range(500)
            ),
        )
        self.assertEqual(len(self.told()), 2)

    def test_events_that_are_stored_one_by_one_are_told_once(self):
        release = self.open_release()
        self.told()
        self.must_send(
            self.ci,
            *(
                self.ci_event(
                    "deployment_event",
                    {
                        "environment": "staging",
                        "status": "succeeded",
                        "external_id": f"run {number}",
                    },
                    release,
                )
                for number in range(5)
            ),
        )
        self.assertEqual(len(self.told()), 2)

    def test_what_was_told_in_a_part_that_is_rolled_back_is_told_again(self):
        release = self.open_release()
        self.told()
        with self.undone():
            self.check(release, "lint")
            self.env.cr.flush()
        self.check(release, "lint")
        told = [payload["releases"] for _channel, payload in self.told()]
        self.assertEqual(told, [release.ids, release.ids])

    def test_many_releases_are_not_told_one_by_one(self):
        values = [
            {
                "name": f"many {number}",
                "project_id": self.project.id,
                "source_ref": sha(f"many {number}"),
                "author_emails": "dev@example.com",
            }
            for number in range(201)
        ]
        self.env["ipai.release"].with_user(self.rm).create(values)
        payload = {"releases": None, "projects": self.project.ids}
        self.assertEqual([told for _channel, told in self.told()], [payload] * 2)

    def test_what_is_rolled_back_is_not_told(self):
        release = self.open_release()
        self.told()
        # What a transaction that ends in a rollback does with its hooks.
        release.with_user(self.rm).write({"priority": "1"})
        self.env.cr.precommit.clear()
        self.assertEqual(self.told(), [])

    def test_a_release_that_was_never_stored_is_not_told(self):
        with self.undone():
            self.open_release()
        self.assertEqual(self.told(), [])

    def test_telling_costs_two_queries_whatever_the_number_of_releases(self):
        for count in (1, 50):
            releases = self.env["ipai.release"].union(
                *(self.open_release() for _number in range(count))
            )
            self.told()
            self.env.invalidate_all()
            releases._announce()
            with self.assertQueryCount(2):
                self.env.cr.precommit.run()


class TestWhoIsTold(LiveCase):
    def channels_of(self, user):
        return set(self.env["ipai.project"].with_user(user)._live_channels())

    def test_who_reads_every_release_hears_of_their_companies(self):
        for login in set(ROLES) - {"dev"}:
            with self.subTest(login):
                self.assertEqual(
                    self.channels_of(self.users[login]),
                    {(self.env.company, CHANNEL)},
                )

    def test_a_developer_hears_of_their_projects_only(self):
        self.env["ipai.project"].create({"name": "acme/other"})
        self.assertEqual(self.channels_of(self.dev), {(self.project, CHANNEL)})

    def test_a_developer_hears_of_projects_in_every_company_of_theirs(self):
        company = self.env["res.company"].create({"name": "Elsewhere"})
        other = self.env["ipai.project"].create(
            {
                "name": "acme/other",
                "company_id": company.id,
                "member_ids": [(6, 0, self.dev.ids)],
            }
        )
        self.assertNotIn((other, CHANNEL), self.channels_of(self.dev))
        self.dev.company_ids += company
        self.assertIn((other, CHANNEL), self.channels_of(self.dev))

    def test_nobody_else_hears_of_anything(self):
        for user in (
            self.new_user("nobody"),
            self.new_user("portal", "base.group_portal"),
            self.env.ref("base.public_user"),
        ):
            with self.subTest(user.login):
                self.assertEqual(self.channels_of(user), set())

    def test_a_developer_who_joins_or_leaves_a_project_subscribes_anew(self):
        dev2 = self.new_user("dev2", "group_developer")
        self.told()
        self.project.with_user(self.governance).write({"member_ids": [(4, dev2.id)]})
        joined = ([dev2.partner_id._name, dev2.partner_id.id], {})
        self.assertIn(joined, self.told())
        self.project.with_user(self.governance).write({"member_ids": [(3, dev2.id)]})
        self.assertIn(joined, self.told())
        self.project.with_user(self.governance).write({"description": "Shop"})
        self.assertNotIn(joined, self.told())


@tagged("post_install", "-at_install")
class TestSubscription(WebsocketCase, GateCase):
    """Through a real websocket: the subscription is the server's to decide."""

    def heard(self, user, *asked):
        """Subscribe as a user, have a fact recorded, and wait for what is heard.

        :param asked: channels the client names itself
        :returns: the payloads about releases
        """
        release = self.open_release()
        self.env.cr.precommit.run()
        # What follows is of another transaction.
        self.env.cr.postcommit.data.clear()
        session = self.authenticate(user.login, user.login)
        websocket = self.websocket_connect(cookie=f"session_id={session.sid}")
        last = self.env["bus.bus"]._bus_last_id()
        self.subscribe(websocket, list(asked), last)
        self.check(release, "lint")
        # Comes after whatever else there was to hear.
        self.env["bus.bus"]._sendone(user.partner_id, "end", {})
        self.trigger_notification_dispatching([user.partner_id])
        messages = [each["message"] for each in json.loads(websocket.recv())]
        self.assertEqual(messages[-1]["type"], "end")
        return [m["payload"] for m in messages if m["type"] == NOTIFICATION], release

    def test_a_release_manager_hears_of_a_fact(self):
        heard, release = self.heard(self.rm)
        self.assertEqual(
            heard, [{"releases": release.ids, "projects": self.project.ids}]
        )

    def test_a_member_of_the_project_hears_of_a_fact(self):
        heard, release = self.heard(self.dev)
        self.assertEqual(heard[0]["releases"], release.ids)

    def test_a_developer_of_another_project_hears_nothing(self):
        self.env["ipai.project"].create(
            {"name": "acme/other", "member_ids": [(6, 0, self.dev.ids)]}
        )
        self.project.member_ids = False
        self.assertEqual(self.heard(self.dev)[0], [])

    def test_a_user_of_another_company_hears_nothing(self):
        company = self.env["res.company"].create({"name": "Elsewhere"})
        self.rm2.write({"company_ids": [(6, 0, company.ids)], "company_id": company.id})
        self.assertEqual(self.heard(self.rm2)[0], [])

    def test_a_client_cannot_ask_for_a_channel_by_its_name(self):
        name = json.dumps(
            [self.env.cr.dbname, "res.company", self.env.company.id, CHANNEL],
            separators=(",", ":"),
        )
        nobody = self.new_user("nobody")
        self.assertEqual(self.heard(nobody, CHANNEL, name)[0], [])
