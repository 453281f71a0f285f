"""A case with a webhook endpoint and the deliveries to it."""

import json

from odoo.exceptions import AccessError, UserError
from odoo.tools import mute_logger

from odoo.addons.queue_job.tests.common import trap_jobs

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
        """An endpoint created by governance."""
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

    def messages(self, *events, endpoint=None):
        """The queued messages, as the receiver reads them."""
        deliveries = self.deliveries(*events, endpoint=endpoint)
        return [json.loads(each.payload) for each in deliveries]

    def attempt(self, delivery):
        """Run the job of a delivery, and return the jobs it enqueues."""
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
        """A delivery after one attempt with this answer, and the jobs it enqueues."""
        with listening((status, headers or {}, text)) as server:
            self.allow_listener(server)
            self.endpoint.url = f"{server.url}/hook"
            delivery = self.one_delivery()
            jobs = self.attempt(delivery)
            self.assertEqual(len(server.asked), 1)
        return delivery, jobs
