"""Who is told what happens to releases, and what becomes of it."""

import base64
import hashlib
import hmac
import json
from datetime import timedelta

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form
from odoo.tools import mute_logger

from odoo.addons.ipai_release_gates.exceptions import OutboundRefused
from odoo.addons.queue_job.tests.common import trap_jobs

from ..common import ROLES
from ..receivers import OutboundCase, listening

TRANSPORT = "odoo.addons.ipai_release_gates.models.outbound.transport"
URL = "https://hooks.example.com/releases?key=hidden"
READERS = {"rm", "auditor", "governance"}


class WebhookCase(OutboundCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.allow("hooks.example.com")
        cls.endpoint = cls.make_endpoint()

    @classmethod
    def make_endpoint(cls, name="Chat", secret=True, **values):
        """An endpoint as governance makes it."""
        endpoint = (
            cls.env["ipai.webhook.endpoint"]
            .with_user(cls.governance)
            .create({"name": name, "url": URL, **values})
        )
        if secret:
            endpoint.action_rotate_secret()
        return endpoint.sudo()

    def deliveries(self, *events, endpoint=None):
        found = self.env["ipai.webhook.delivery"].search(
            [("endpoint_id", "=", (endpoint or self.endpoint).id)], order="id"
        )
        return found.filtered(lambda each: not events or each.event in events)

    def told(self, *events, endpoint=None):
        """What was queued, as the receivers read it."""
        deliveries = self.deliveries(*events, endpoint=endpoint)
        return [json.loads(each.payload) for each in deliveries]

    def attempt(self, delivery):
        """Run the job of a delivery; what it enqueues is kept, not run."""
        with trap_jobs() as trap, mute_logger(TRANSPORT):
            delivery._deliver(delivery.turn)
        return trap.enqueued_jobs

    def run_scheduled(self, name):
        """Run a scheduled action by the name of its record."""
        self.env.ref(f"ipai_release_gates.ir_cron_{name}").method_direct_trigger()

    def refused_to_all(self, attempt):
        try:
            attempt()
        except (AccessError, UserError, ValueError):
            return
        self.fail("nothing was refused")

    def one_delivery(self):
        self.endpoint.with_user(self.governance).action_send_test()
        return self.deliveries("test")[-1]

    def answered(self, status, headers=None, text=b""):
        """A delivery after one attempt that was answered so, and the jobs it made."""
        with listening((status, headers or {}, text)) as server:
            self.allow_listener(server)
            self.endpoint.url = f"{server.url}/hook"
            delivery = self.one_delivery()
            jobs = self.attempt(delivery)
            self.assertEqual(len(server.asked), 1)
        return delivery, jobs


class TestWhatIsTold(WebhookCase):
    def test_a_gate_that_passes_is_told_with_its_place_in_the_ledger(self):
        release = self.open_release()
        self.pass_gates(release, "G1")
        (message,) = self.told("gate.passed")
        entry = self.ledger(release, "gate_resolved")
        self.assertEqual(message["schema_version"], "v1.0")
        self.assertEqual(message["id"], self.deliveries().uuid)
        self.assertEqual(message["event"], "gate.passed")
        self.assertEqual(message["occurred_at"], entry.occurred_at)
        self.assertEqual(
            message["release"],
            {
                "uuid": release.uuid,
                "name": release.name,
                "project": "acme/shop",
                "revision": release.source_ref,
                "stage": "build",
            },
        )
        self.assertEqual(message["gate"]["code"], "G1")
        self.assertEqual(message["gate"]["status"], "passed")
        self.assertEqual(
            message["ledger"], {"sequence": entry.sequence, "hash": entry.hash}
        )
        self.assertTrue(message["url"].endswith(f"/odoo/releases/{release.id}"))

    def test_a_gate_that_fails_is_told_and_so_is_one_that_is_reopened(self):
        release = self.open_release()
        self.check(release, "lint", "fail")
        # No check may have failed for G2 either.
        failed, second = self.told("gate.failed")
        self.assertEqual(failed["gate"]["code"], "G1")
        self.assertEqual(second["gate"]["code"], "G2")
        self.assertEqual(failed["gate"]["former_status"], "pending")
        self.assertIn("`lint`", failed["gate"]["cause"])
        self.pass_gates(release, "G1")
        self.check(release, "lint", "fail")
        (reopened,) = self.told("gate.reopened")
        self.assertEqual(reopened["gate"]["status"], "failed")
        self.assertEqual(reopened["gate"]["former_status"], "passed")

    def test_who_hears_of_failed_gates_only_hears_of_one_that_had_passed(self):
        release = self.open_release()
        self.pass_gates(release, "G1")
        self.endpoint.on_gate_reopened = False
        self.check(release, "lint", "fail")
        gates = [message["gate"]["code"] for message in self.told("gate.failed")]
        self.assertEqual(sorted(gates), ["G1", "G2"])

    def test_moves_and_bypasses_and_exceptions_are_told(self):
        release = self.bring_to(self.open_release(), "qa_validation")
        (moved,) = self.told("release.moved")
        self.assertEqual(
            moved["move"], {"from": "build", "to": "qa_validation", "reason": None}
        )
        self.assertEqual(moved["release"]["stage"], "qa_validation")
        exception = self.grant(release, "G2")
        (bypassed,) = self.told("gate.bypassed")
        self.assertEqual(bypassed["gate"]["code"], "G2")
        with self.scheduled(hours=33):
            self.run_scheduled("remind_exceptions")
            self.run_scheduled("remind_exceptions")
        (expiring,) = self.told("exception.expiring")
        self.assertEqual(expiring["exception"]["reference"], exception._reference())
        self.assertEqual(expiring["exception"]["gates"], ["G2"])
        self.assertIsNone(expiring["ledger"])
        with self.scheduled(hours=41):
            self.run_scheduled("expire_exceptions")
        (expired,) = self.told("exception.expired")
        self.assertEqual(expired["exception"]["state"], "expired")
        self.assertTrue(expired["ledger"]["hash"])

    def test_a_cancellation_is_sent_as_such_and_not_as_a_move(self):
        release = self.open_release()
        release.with_user(self.rm).action_cancel()
        self.assertFalse(self.told("release.moved"))
        (cancelled,) = self.told("release.cancelled")
        self.assertEqual(cancelled["cancellation"], {"stage": "build"})
        self.assertTrue(cancelled["ledger"]["hash"])

    def test_the_order_of_events_of_a_release_is_their_sequence(self):
        release = self.bring_to(self.open_release(), "staging_acceptance")
        sequences = [message["ledger"]["sequence"] for message in self.told()]
        self.assertEqual(sequences, sorted(set(sequences)))
        self.assertLessEqual(4, len(sequences))
        self.assertTrue(release)

    def test_an_endpoint_hears_what_it_subscribed_to_and_of_its_projects_only(self):
        other = self.env["ipai.project"].create({"name": "acme/other"})
        narrow = self.make_endpoint("Narrow", project_ids=[(6, 0, other.ids)])
        quiet = self.make_endpoint("Quiet", on_gate_passed=False)
        mute = self.make_endpoint("Mute", secret=False)
        company = self.env["res.company"].create({"name": "Elsewhere"})
        self.governance.company_ids |= company
        foreign = self.make_endpoint("Foreign", company_id=company.id)
        self.pass_gates(self.open_release(), "G1")
        self.assertEqual(len(self.told()), 1)
        for endpoint in (narrow, quiet, mute, foreign):
            self.assertFalse(self.told(endpoint=endpoint), endpoint.name)
        narrow.with_user(self.governance).project_ids = [(4, self.project.id)]
        self.pass_gates(self.open_release(), "G1")
        self.assertEqual(len(self.told(endpoint=narrow)), 1)

    def test_what_is_rolled_back_is_told_to_nobody(self):
        release = self.open_release()
        jobs = self.env["queue.job"].search_count([])
        with self.undone():
            self.pass_gates(release, "G1")
            self.assertTrue(self.deliveries())
            self.assertGreater(self.env["queue.job"].search_count([]), jobs)
        self.assertFalse(self.deliveries())
        self.assertEqual(self.env["queue.job"].search_count([]), jobs)

    def test_without_a_subscriber_an_entry_costs_no_query(self):
        self.endpoint.active = False
        release = self.open_release()
        self.pass_gates(release, "G1")
        entries = self.ledger(release).sudo()
        self.assertTrue(entries.mapped("body"))
        with self.assertQueryCount(0):
            entries._recorded()

    def test_many_events_for_many_endpoints_cost_a_fixed_number_of_queries(self):
        for number in range(4):
            self.make_endpoint(f"Number {number}")

        def cost(count):
            releases = self.env["ipai.release"].union(
                *(self.open_release() for _ in range(count))
            )
            events = [
                self.ci_event(
                    "check_result", {"name": "lint", "status": "fail"}, release
                )
                for release in releases
            ]
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            deliveries = self.env["ipai.webhook.delivery"]
            had = deliveries.search_count([])
            with trap_jobs() as trap:
                self.must_send(self.ci, *events)
            self.env.flush_all()
            spent = self.env.cr.sql_log_count - before
            self.assertEqual(deliveries.search_count([]) - had, 2 * 5 * count)
            trap.assert_jobs_count(1)
            return spent

        cost(3)
        few, many = cost(3), cost(20)
        # What is stored goes in batches of a hundred rows.
        self.assertLessEqual(many - few, 20 * 2 + 10, (few, many))


class TestDeliveries(WebhookCase):
    def test_what_arrives_is_signed_and_the_receiver_can_tell(self):
        endpoint = self.endpoint.with_user(self.governance)
        secret = endpoint.action_rotate_secret()["context"]["default_secret"]
        with listening() as server:
            self.allow_listener(server)
            self.endpoint.url = server.url
            delivery = self.one_delivery()
            self.attempt(delivery)
            [(method, _path, headers, body)] = server.asked
        self.assertEqual((method, body), ("POST", delivery.payload.encode()))
        self.assertEqual(headers["webhook-id"], delivery.uuid)
        signed = b".".join(
            [
                headers["webhook-id"].encode(),
                headers["webhook-timestamp"].encode(),
                body,
            ]
        )
        key = base64.b64decode(secret.removeprefix("whsec_"))
        expected = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
        # It was rotated a moment ago: the former secret signs too.
        signatures = headers["webhook-signature"].split()
        self.assertEqual(len(signatures), 2)
        self.assertEqual(signatures[0], f"v1,{expected}")
        self.assertEqual(delivery.status, "delivered")
        with self.later(hours=25):
            self.assertEqual(self.endpoint._secrets(), [secret])

    def test_what_the_receiver_answers_decides(self):
        for status, becomes, again in (
            (200, "delivered", False),
            (204, "delivered", False),
            (500, "queued", True),
            (503, "queued", True),
            (408, "queued", True),
            (429, "queued", True),
            (400, "failed", False),
            (404, "failed", False),
            (302, "failed", False),
            (308, "failed", False),
        ):
            with self.subTest(status=status):
                delivery, jobs = self.answered(status)
                self.assertEqual(delivery.status, becomes)
                self.assertEqual(delivery.attempt_ids.http_status, status)
                self.assertEqual(len(jobs), again)
                if again:
                    self.assertEqual(jobs[0].channel, "root.ipai")
                    self.assertTrue(jobs[0].eta)

    def test_what_the_receiver_asks_for_is_waited(self):
        delivery, _jobs = self.answered(429, {"Retry-After": "3600"})
        waits = delivery.next_try_at - self.env.cr.now()
        self.assertAlmostEqual(waits.total_seconds(), 3600, delta=5)

    def test_an_answer_is_kept_short_and_as_text(self):
        delivery, _jobs = self.answered(400, text=b"<b>no\x00\xff</b>\n" + b"x" * 9000)
        self.assertTrue(delivery.outcome.startswith("400 <b>no"))
        self.assertLess(len(delivery.outcome), 320)

    def test_it_is_given_up_after_eight_tries_over_about_a_day(self):
        delivery = self.one_delivery()
        with listening((500, {}, b"")) as server:
            self.allow_listener(server)
            self.endpoint.url = server.url
            waited = timedelta()
            for _number in range(8):
                self.assertEqual(delivery.status, "queued")
                self.attempt(delivery)
                if delivery.next_try_at:
                    waited += delivery.next_try_at - self.env.cr.now()
            self.assertEqual(len(server.asked), 8)
        self.assertEqual(delivery.status, "given_up")
        self.assertTrue(timedelta(hours=18) < waited < timedelta(hours=36), waited)
        self.endpoint.invalidate_recordset()
        self.assertEqual(self.endpoint.failure_count, 8)

    def test_a_receiver_that_is_gone_is_switched_off(self):
        delivery, jobs = self.answered(410)
        self.assertEqual(delivery.status, "failed")
        [job] = jobs
        job.perform()
        self.assertFalse(self.endpoint.active)
        self.assertEqual(self.endpoint.standing, "off")
        self.assertIn("410", self.endpoint.switched_off_reason)
        message = self.env["mail.message"].search(
            [("model", "=", self.endpoint._name), ("res_id", "=", self.endpoint.id)]
        )
        self.assertIn(self.governance.partner_id, message.notified_partner_ids)
        # What is queued for it is sent no more, and nothing new is queued.
        self.pass_gates(self.open_release(), "G1")
        self.assertFalse(self.deliveries("gate.passed"))

    def test_an_endpoint_that_fails_for_days_is_switched_off(self):
        with listening((500, {}, b"")) as server:
            self.allow_listener(server)
            self.endpoint.url = server.url
            delivery = self.one_delivery()
            self.assertEqual(len(self.attempt(delivery)), 1)
            with self.later(days=4, hours=23):
                self.assertEqual(len(self.attempt(delivery)), 1)
            self.endpoint.invalidate_recordset()
            with self.later(days=5, hours=1):
                jobs = self.attempt(delivery)
            self.assertEqual(len(jobs), 2)
            next(job for job in jobs if job.method_name == "_switch_off").perform()
            self.assertFalse(self.endpoint.active)
        with self.later(days=5, hours=2):
            self.endpoint.with_user(self.governance).active = True
        self.endpoint.invalidate_recordset()
        self.assertFalse(self.endpoint.switched_off_at)
        self.assertEqual(self.endpoint.standing, "good")

    def test_a_job_that_came_too_late_sends_nothing(self):
        with listening() as server:
            self.allow_listener(server)
            self.endpoint.url = server.url
            delivery = self.one_delivery()
            former = delivery.turn
            delivery.with_user(self.governance).action_redeliver()
            delivery._deliver(former)
            self.assertFalse(server.asked)
            self.attempt(delivery)
            self.attempt(delivery)
            self.assertEqual(len(server.asked), 1)

    def test_redelivery_sends_the_same_message_once_more(self):
        delivery, _jobs = self.answered(404)
        with listening() as server:
            self.allow_listener(server)
            self.endpoint.url = server.url
            for login in sorted(set(ROLES) - {"governance"}):
                mine = delivery.with_user(self.users[login])
                with self.assertRaises(AccessError):
                    mine.action_redeliver()
            with trap_jobs() as trap:
                delivery.with_user(self.governance).action_redeliver()
            trap.assert_jobs_count(1)
            self.attempt(delivery)
            [(_method, _path, headers, body)] = server.asked
        self.assertEqual(headers["webhook-id"], delivery.uuid)
        self.assertEqual(body.decode(), delivery.payload)
        self.assertEqual(delivery.status, "delivered")
        self.assertEqual(len(delivery.attempt_ids), 2)

    def test_many_are_redelivered_at_the_cost_of_one_job(self):
        for _number in range(3):
            self.one_delivery()
        with trap_jobs() as trap:
            self.deliveries().with_user(self.governance).action_redeliver()
        trap.assert_jobs_count(1)
        with trap_jobs() as later:
            trap.perform_enqueued_jobs()
        later.assert_jobs_count(3)

    def test_a_host_that_is_no_longer_allowed_is_not_called(self):
        delivery = self.one_delivery()
        self.env["ipai.outbound.host"].search([]).active = False
        self.assertFalse(self.attempt(delivery))
        self.assertEqual(delivery.status, "failed")
        self.assertIn("Allowed Hosts", delivery.outcome)

    def test_a_delivery_without_a_job_is_taken_up_again(self):
        delivery = self.one_delivery()
        turn = delivery.turn
        with self.scheduled(minutes=50):
            self.run_scheduled("forgotten_deliveries")
        self.assertEqual(delivery.turn, turn)
        with self.scheduled(minutes=70):
            self.run_scheduled("forgotten_deliveries")
        self.assertEqual(delivery.turn, turn + 1)

    def test_deliveries_are_removed_after_their_time_unless_still_to_be_made(self):
        delivered, _jobs = self.answered(200)
        queued = self.one_delivery()
        self.env.flush_all()
        with self.scheduled(days=89):
            self.run_scheduled("delivery_retention")
        self.assertEqual(len((delivered | queued).exists()), 2)
        with self.scheduled(days=91):
            self.run_scheduled("delivery_retention")
        self.assertEqual((delivered | queued).exists(), queued)


class TestWhoMayWhat(WebhookCase):
    def test_governance_makes_endpoints_and_nobody_else(self):
        for login in ROLES:
            user = self.users[login]
            endpoints = self.env["ipai.webhook.endpoint"].with_user(user)
            if login == "governance":
                endpoints.create({"name": "Mine", "url": URL})
                continue
            with self.assertRaises(AccessError):
                endpoints.create({"name": f"Of {login}", "url": URL})
            mine = self.endpoint.with_user(user)
            for attempt in (
                lambda r=mine: r.write({"active": False}),
                lambda r=mine: r.write({"url": URL}),
                mine.action_rotate_secret,
                mine.action_send_test,
                mine.unlink,
            ):
                with self.assertRaises(AccessError):
                    attempt()

    def test_who_oversees_reads_and_no_other_does(self):
        self.one_delivery()
        for login in ROLES:
            for model in ("endpoint", "delivery"):
                records = self.env[f"ipai.webhook.{model}"].with_user(self.users[login])
                self.assertEqual(
                    records.has_access("read"), login in READERS, (login, model)
                )
        company = self.env["res.company"].create({"name": "Elsewhere"})
        stranger = self.new_user(
            "stranger",
            "group_governance_admin",
            company_id=company.id,
            company_ids=[(6, 0, company.ids)],
        )
        for model in ("endpoint", "delivery", "attempt"):
            mine = self.env[f"ipai.webhook.{model}"].with_user(stranger)
            self.assertFalse(mine.search([]), model)

    def test_the_address_is_known_to_governance_and_others_see_where_it_leads(self):
        # Whoever knows the address of a chat speaks there in our name.
        url = "https://hooks.example.com/services/T0/secret"
        self.endpoint.with_user(self.governance).url = url
        self.assertEqual(self.endpoint.with_user(self.governance).url, url)
        for login in READERS:
            if login == "governance":
                continue
            mine = self.endpoint.with_user(self.users[login])
            self.assertEqual(mine.place, "https://hooks.example.com:443/…")
            self.assertNotIn("url", mine.read()[0])
            for attempt in (
                lambda r=mine: r.read(["url"]),
                lambda r=mine: r.search([("url", "=like", "https://%")]),
                lambda r=mine: r.search([], order="url"),
                lambda r=mine: r.export_data(["url"]),
            ):
                # Without the right to export nobody gets so far.
                with self.subTest(login), self.assertRaises(UserError):
                    attempt()
            self.assertNotIn('name="url"', str(mine.get_view(view_type="form")["arch"]))

    def test_an_endpoint_on_a_host_that_nobody_allowed_is_refused(self):
        for url, words in (
            ("https://evil.example.com/", "Allowed Hosts"),
            ("http://hooks.example.com/", "https"),
            ("https://u:p@hooks.example.com/", "user name"),
            ("ftp://hooks.example.com/", "https://"),
        ):
            with self.assertRaisesRegex(OutboundRefused, words), self.cr.savepoint():
                self.make_endpoint("Evil", url=url)
            with self.assertRaisesRegex(OutboundRefused, words), self.cr.savepoint():
                self.endpoint.with_user(self.governance).url = url

    def test_an_endpoint_names_projects_of_its_company_only(self):
        company = self.env["res.company"].create({"name": "Elsewhere"})
        other = self.env["ipai.project"].create(
            {"name": "acme/other", "company_id": company.id}
        )
        with self.assertRaisesRegex(ValidationError, "another company"):
            self.endpoint.project_ids = [(4, other.id)]

    def test_the_secret_is_readable_by_nobody(self):
        secret = self.endpoint.secret
        self.assertTrue(secret.startswith("whsec_"))
        everyone = [*(self.users[login] for login in ROLES), self.admin]
        everyone.append(self.env.ref("base.user_admin"))
        for user in everyone:
            mine = self.endpoint.with_user(user)
            for name in ("secret", "former_secret"):
                for attempt in (
                    lambda r=mine, n=name: r.read([n]),
                    lambda r=mine, n=name: r.search([(n, "=like", "whsec_a%")]),
                    lambda r=mine, n=name: r.search([], order=n),
                    lambda r=mine, n=name: r._read_group([], [n]),
                    lambda r=mine, n=name: r.export_data([n]),
                    lambda r=mine, n=name: r.write({n: "whsec_AAAA"}),
                ):
                    self.refused_to_all(attempt)
                self.assertNotIn(name, mine.fields_get())
        for table in ("ipai_ledger_entry", "ipai_webhook_delivery", "mail_message"):
            for text in self.snapshot(table)[table]:
                self.assertNotIn(secret, text)

    def test_that_it_was_made_and_changed_is_told_without_what_is_secret(self):
        def last():
            chain = [("release_id", "=", False)]
            entries = self.env["ipai.ledger.entry"].search(chain, order="id")
            return json.loads(entries[-1].body)

        endpoint = self.make_endpoint("Told", secret=False)
        self.assertEqual(last()["what"], "ipai.webhook.endpoint Told")
        self.assertIn("https://hooks.example.com:443/…", last()["after"]["url"])
        self.assertNotIn("hidden", json.dumps(last()))
        endpoint.with_user(self.governance).action_rotate_secret()
        self.assertEqual(last()["after"], {"secret": "***"})
        former = last()
        endpoint.with_user(self.governance).action_rotate_secret()
        self.assertEqual(last()["before"], {"secret": "***"} if former else None)

    def test_the_secret_is_shown_by_the_answer_and_stored_in_no_wizard(self):
        action = self.endpoint.with_user(self.governance).action_rotate_secret()
        shown = self.env[action["res_model"]].with_user(self.governance)
        form = Form(shown.with_context(**action["context"]))
        self.assertEqual(form.secret, self.endpoint.secret)
        self.assertTrue(shown._abstract)

    def test_deliveries_are_written_by_the_engine_only(self):
        delivery = self.one_delivery()
        everyone = [self.users[login] for login in ROLES] + [self.admin]
        for user in everyone:
            mine = delivery.with_user(user)
            for attempt in (
                lambda r=mine: r.write({"status": "delivered"}),
                lambda r=mine: r.write({"payload": "{}"}),
                lambda r=mine: r.sudo().write({"payload": "{}"}),
                lambda r=mine: r.sudo().create({"event": "test"}),
                lambda r=mine: r.sudo().unlink(),
                lambda r=mine: r.sudo().copy(),
            ):
                with self.assertRaises(AccessError):
                    attempt()

    def test_a_default_of_somebody_makes_no_endpoint_another(self):
        endpoints = self.env["ipai.webhook.endpoint"].with_user(self.governance)
        endpoint = endpoints.with_context(
            default_secret="whsec_AAAA", default_switched_off_at="2000-01-01"
        ).create({"name": "Plain", "url": URL})
        self.assertFalse(endpoint.sudo().secret)
        self.assertFalse(endpoint.switched_off_at)
