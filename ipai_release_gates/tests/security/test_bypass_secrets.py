"""Secrets, by every door that reads, searches, sorts, groups, copies or exports."""

from odoo.exceptions import AccessError

from ..common import GateCase
from .secret_doors import SecretDoors

SECRETS = {
    "ipai.webhook.source": ("secret", "former_secret"),
    "ipai.webhook.endpoint": ("secret", "former_secret"),
}
#: From records that somebody reads, over relations, to where a secret is.
PATHS = {
    "ipai.ingest.log": ("webhook_source_id.secret",),
    "ipai.webhook.delivery": ("endpoint_id.secret",),
    "ipai.webhook.attempt": (
        "endpoint_id.former_secret",
        "delivery_id.endpoint_id.secret",
    ),
}


class TestSecrets(SecretDoors, GateCase):
    SECRETS, PATHS, AT_LEAST = SECRETS, PATHS, 3

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.release = cls.bring_to(cls.open_release("Secrets"), "qa_validation")
        cls.webhook()
        source = cls.webhook_source()
        source.action_new_secret()
        source.action_new_secret()
        cls.env.flush_all()

    def test_jobs_are_for_who_looks_after_the_queue_alone(self):
        job = self.env["queue.job"].sudo().search([], limit=1)
        self.assertTrue(job)
        state = job.state
        for user in self.everyone:
            if user.has_group("queue_job.group_queue_job_manager"):
                continue
            mine = job.with_user(user)
            for attempt in (
                mine.read,
                mine.requeue,
                mine.button_done,
                mine.button_cancelled,
                mine.open_related_action,
                lambda r=mine: r.write({"state": "done"}),
                lambda r=mine: r.search([("args", "!=", False)]),
                lambda r=mine: r.create({"model_name": "ipai.release"}),
            ):
                with self.subTest(user.login), self.assertRaises(AccessError):
                    attempt()
        job.invalidate_recordset()
        self.assertEqual(job.state, state)
