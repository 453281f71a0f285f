"""Live screens: notifications of changed releases, their receivers and their cost."""

import json

from odoo.tests import tagged

from odoo.addons.bus.tests.common import WebsocketCase

from ...models.live.project_live import CHANNELS_CHANGED
from ...models.live.release_live import CHANNEL, NOTIFICATION
from ..common import ROLES, GateCase, sha


class LiveCase(GateCase):
    def setUp(self):
        super().setUp()
        # Drops the notifications of the set-up.
        self.sent()

    def sent(self):
        """The notifications since the last call, as ``(channel, payload)``."""
        self.env.flush_all()
        self.env.cr.flush()
        messages = self.env["bus.bus"].search([], order="id")
        found = []
        for message in messages:
            content = json.loads(message.message)
            if content["type"] in (NOTIFICATION, CHANNELS_CHANGED):
                found.append((json.loads(message.channel)[1:], content["payload"]))
        messages.unlink()
        # Later changes count as another transaction.
        self.env.cr.postcommit.data.clear()
        return found

    def channel(self, record):
        return [record._name, record.id, CHANNEL]


class TestNotifications(LiveCase):
    def test_a_fact_is_sent_once_to_the_company_and_the_project(self):
        release = self.open_release()
        self.sent()
        self.pass_g1(release)
        self.check(release, "lint")
        payload = {"releases": release.ids, "projects": self.project.ids}
        self.assertEqual(
            self.sent(),
            [
                (self.channel(self.project), payload),
                (self.channel(self.project.company_id), payload),
            ],
        )

    def test_every_change_of_a_release_is_sent(self):
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
                sent = [payload["releases"] for _channel, payload in self.sent()]
                self.assertEqual(sent, [release.ids, release.ids])

    def test_a_notification_holds_ids_only(self):
        release = self.open_release()
        for _channel, payload in self.sent():
            self.assertEqual(
                payload, {"releases": release.ids, "projects": self.project.ids}
            )

    def test_500_facts_send_one_notification_per_channel(self):
        release = self.open_release()
        self.sent()
        self.must_send(
            self.ci,
            *(
                self.ci_event(
                    "check_result", {"name": f"c{n}", "status": "pass"}, release
                )
                for n in range(500)
            ),
        )
        self.assertEqual(len(self.sent()), 2)

    def test_events_stored_one_by_one_send_one_notification_per_channel(self):
        release = self.open_release()
        self.sent()
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
        self.assertEqual(len(self.sent()), 2)

    def test_a_notification_rolled_back_with_a_savepoint_is_sent_again(self):
        release = self.open_release()
        self.sent()
        with self.undone():
            self.check(release, "lint")
            self.env.cr.flush()
        self.check(release, "lint")
        sent = [payload["releases"] for _channel, payload in self.sent()]
        self.assertEqual(sent, [release.ids, release.ids])

    def test_many_releases_are_sent_without_ids(self):
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
        self.assertEqual([sent for _channel, sent in self.sent()], [payload] * 2)

    def test_a_rolled_back_change_sends_nothing(self):
        release = self.open_release()
        self.sent()
        # Odoo clears the hooks of a transaction that it rolls back.
        release.with_user(self.rm).write({"priority": "1"})
        self.env.cr.precommit.clear()
        self.assertEqual(self.sent(), [])

    def test_a_release_that_was_rolled_back_is_not_sent(self):
        with self.undone():
            self.open_release()
        self.assertEqual(self.sent(), [])

    def test_a_notification_takes_two_queries_for_any_number_of_releases(self):
        for count in (1, 50):
            releases = self.env["ipai.release"].union(
                *(self.open_release() for _number in range(count))
            )
            self.sent()
            self.env.invalidate_all()
            releases._announce()
            with self.assertQueryCount(2):
                self.env.cr.precommit.run()


class TestChannels(LiveCase):
    def channels_of(self, user):
        return set(self.env["ipai.project"].with_user(user)._live_channels())

    def test_users_who_read_every_release_get_the_channels_of_their_companies(self):
        for login in set(ROLES) - {"dev"}:
            with self.subTest(login):
                self.assertEqual(
                    self.channels_of(self.users[login]),
                    {(self.env.company, CHANNEL)},
                )

    def test_a_developer_gets_the_channels_of_their_projects_only(self):
        self.env["ipai.project"].create({"name": "acme/other"})
        self.assertEqual(self.channels_of(self.dev), {(self.project, CHANNEL)})

    def test_a_developer_gets_channels_of_projects_in_all_their_companies(self):
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

    def test_other_users_get_no_channel(self):
        for user in (
            self.new_user("nobody"),
            self.new_user("portal", "base.group_portal"),
            self.env.ref("base.public_user"),
        ):
            with self.subTest(user.login):
                self.assertEqual(self.channels_of(user), set())

    def test_a_developer_who_joins_or_leaves_a_project_subscribes_again(self):
        dev2 = self.new_user("dev2", "group_developer")
        self.sent()
        self.project.with_user(self.governance).write({"member_ids": [(4, dev2.id)]})
        joined = ([dev2.partner_id._name, dev2.partner_id.id], {})
        self.assertIn(joined, self.sent())
        self.project.with_user(self.governance).write({"member_ids": [(3, dev2.id)]})
        self.assertIn(joined, self.sent())
        self.project.with_user(self.governance).write({"description": "Shop"})
        self.assertNotIn(joined, self.sent())


@tagged("post_install", "-at_install")
class TestSubscription(WebsocketCase, GateCase):
    """Through a real websocket: the server decides the channels of a user."""

    def received(self, user, *asked):
        """Subscribe as a user, record a fact, and wait for the notifications.

        :param asked: channels that the client names itself
        :returns: the payloads of notifications of releases, and the release
        """
        release = self.open_release()
        self.env.cr.precommit.run()
        # Later changes count as another transaction.
        self.env.cr.postcommit.data.clear()
        session = self.authenticate(user.login, user.login)
        websocket = self.websocket_connect(cookie=f"session_id={session.sid}")
        last = self.env["bus.bus"]._bus_last_id()
        self.subscribe(websocket, list(asked), last)
        self.check(release, "lint")
        # Comes after all other notifications.
        self.env["bus.bus"]._sendone(user.partner_id, "end", {})
        self.trigger_notification_dispatching([user.partner_id])
        messages = [each["message"] for each in json.loads(websocket.recv())]
        self.assertEqual(messages[-1]["type"], "end")
        return [m["payload"] for m in messages if m["type"] == NOTIFICATION], release

    def test_a_release_manager_is_notified_of_a_fact(self):
        received, release = self.received(self.rm)
        self.assertEqual(
            received, [{"releases": release.ids, "projects": self.project.ids}]
        )

    def test_a_member_of_the_project_is_notified_of_a_fact(self):
        received, release = self.received(self.dev)
        self.assertEqual(received[0]["releases"], release.ids)

    def test_a_developer_of_another_project_is_not_notified(self):
        self.env["ipai.project"].create(
            {"name": "acme/other", "member_ids": [(6, 0, self.dev.ids)]}
        )
        self.project.member_ids = False
        self.assertEqual(self.received(self.dev)[0], [])

    def test_a_user_of_another_company_is_not_notified(self):
        company = self.env["res.company"].create({"name": "Elsewhere"})
        self.rm2.write({"company_ids": [(6, 0, company.ids)], "company_id": company.id})
        self.assertEqual(self.received(self.rm2)[0], [])

    def test_a_client_cannot_ask_for_a_channel_by_its_name(self):
        name = json.dumps(
            [self.env.cr.dbname, "res.company", self.env.company.id, CHANNEL],
            separators=(",", ":"),
        )
        nobody = self.new_user("nobody")
        self.assertEqual(self.received(nobody, CHANNEL, name)[0], [])
