"""Webhook events: which events of releases each endpoint receives."""

from odoo.addons.queue_job.tests.common import trap_jobs

from .webhook_case import WebhookCase


class TestWebhookEvents(WebhookCase):
    def test_a_passed_gate_is_sent_with_its_ledger_entry(self):
        release = self.open_release()
        self.pass_gates(release, "G1")
        (message,) = self.messages("gate.passed")
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

    def test_a_failed_gate_and_a_reopened_gate_are_sent(self):
        release = self.open_release()
        self.check(release, "lint", "fail")
        # G2 also requires that no check failed.
        failed, second = self.messages("gate.failed")
        self.assertEqual(failed["gate"]["code"], "G1")
        self.assertEqual(second["gate"]["code"], "G2")
        self.assertEqual(failed["gate"]["former_status"], "pending")
        self.assertIn("`lint`", failed["gate"]["cause"])
        self.pass_gates(release, "G1")
        self.check(release, "lint", "fail")
        (reopened,) = self.messages("gate.reopened")
        self.assertEqual(reopened["gate"]["status"], "failed")
        self.assertEqual(reopened["gate"]["former_status"], "passed")

    def test_without_reopened_gates_a_reopened_gate_is_sent_as_failed(self):
        release = self.open_release()
        self.pass_gates(release, "G1")
        self.endpoint.on_gate_reopened = False
        self.check(release, "lint", "fail")
        gates = [message["gate"]["code"] for message in self.messages("gate.failed")]
        self.assertEqual(sorted(gates), ["G1", "G2"])

    def test_moves_and_bypasses_and_exceptions_are_sent(self):
        release = self.bring_to(self.open_release(), "qa_validation")
        (moved,) = self.messages("release.moved")
        self.assertEqual(
            moved["move"], {"from": "build", "to": "qa_validation", "reason": None}
        )
        self.assertEqual(moved["release"]["stage"], "qa_validation")
        exception = self.grant(release, "G2")
        (bypassed,) = self.messages("gate.bypassed")
        self.assertEqual(bypassed["gate"]["code"], "G2")
        with self.scheduled(hours=33):
            self.run_scheduled("remind_exceptions")
            self.run_scheduled("remind_exceptions")
        (expiring,) = self.messages("exception.expiring")
        self.assertEqual(expiring["exception"]["reference"], exception._reference())
        self.assertEqual(expiring["exception"]["gates"], ["G2"])
        self.assertIsNone(expiring["ledger"])
        with self.scheduled(hours=41):
            self.run_scheduled("expire_exceptions")
        (expired,) = self.messages("exception.expired")
        self.assertEqual(expired["exception"]["state"], "expired")
        self.assertTrue(expired["ledger"]["hash"])

    def test_a_cancellation_is_sent_as_such_and_not_as_a_move(self):
        release = self.open_release()
        release.with_user(self.rm).action_cancel()
        self.assertFalse(self.messages("release.moved"))
        (cancelled,) = self.messages("release.cancelled")
        self.assertEqual(cancelled["cancellation"], {"stage": "build"})
        self.assertTrue(cancelled["ledger"]["hash"])

    def test_events_of_a_release_are_in_the_order_of_the_ledger(self):
        release = self.bring_to(self.open_release(), "staging_acceptance")
        sequences = [message["ledger"]["sequence"] for message in self.messages()]
        self.assertEqual(sequences, sorted(set(sequences)))
        self.assertLessEqual(4, len(sequences))
        self.assertTrue(release)

    def test_an_endpoint_gets_subscribed_events_of_its_projects_only(self):
        other = self.env["ipai.project"].create({"name": "acme/other"})
        narrow = self.make_endpoint("Narrow", project_ids=[(6, 0, other.ids)])
        quiet = self.make_endpoint("Quiet", on_gate_passed=False)
        mute = self.make_endpoint("Mute", secret=False)
        company = self.env["res.company"].create({"name": "Elsewhere"})
        self.governance.company_ids |= company
        foreign = self.make_endpoint("Foreign", company_id=company.id)
        self.pass_gates(self.open_release(), "G1")
        self.assertEqual(len(self.messages()), 1)
        for endpoint in (narrow, quiet, mute, foreign):
            self.assertFalse(self.messages(endpoint=endpoint), endpoint.name)
        narrow.with_user(self.governance).project_ids = [(4, self.project.id)]
        self.pass_gates(self.open_release(), "G1")
        self.assertEqual(len(self.messages(endpoint=narrow)), 1)

    def test_a_rolled_back_event_is_not_sent(self):
        release = self.open_release()
        jobs = self.env["queue.job"].search_count([])
        with self.undone():
            self.pass_gates(release, "G1")
            self.assertTrue(self.deliveries())
            self.assertGreater(self.env["queue.job"].search_count([]), jobs)
        self.assertFalse(self.deliveries())
        self.assertEqual(self.env["queue.job"].search_count([]), jobs)

    def test_without_a_subscriber_an_entry_takes_no_query(self):
        self.endpoint.active = False
        release = self.open_release()
        self.pass_gates(release, "G1")
        entries = self.ledger(release).sudo()
        self.assertTrue(entries.mapped("body"))
        with self.assertQueryCount(0):
            entries._recorded()

    def test_many_events_for_many_endpoints_take_a_fixed_number_of_queries(self):
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
        # The ORM stores rows in batches of a hundred.
        self.assertLessEqual(many - few, 20 * 2 + 10, (few, many))
