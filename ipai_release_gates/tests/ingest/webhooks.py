"""What the tests of webhooks share: sources, secrets and deliveries."""

import hashlib
import hmac
import json
import uuid
from unittest.mock import patch

from ..http import HttpGateCase

DELIVERY = "odoo.addons.ipai_release_gates.models.http.webhook_delivery"


class WebhookCase(HttpGateCase):
    """What the tests of webhooks share: sources, secrets and deliveries."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.release = cls.open_release("webhooks")
        cls.sources, cls.secrets = {}, {}
        for provider in ("github", "gitlab"):
            cls.sources[provider] = cls.webhook_source(provider)
            cls.secrets[provider] = cls.new_secret(cls.sources[provider])
        cls.github = cls.sources["github"]

    @classmethod
    def new_secret(cls, source):
        action = source.with_user(cls.governance).action_new_secret()
        return action["context"]["default_secret"]

    def run_payload(self, conclusion="success", **run):
        return {
            "action": "completed",
            "repository": {"full_name": self.project.name},
            "workflow_run": {
                "id": 30433642,
                "name": "Lint",
                "conclusion": conclusion,
                "head_sha": self.release.source_ref,
                "updated_at": "2026-01-31T09:30:00Z",
                "html_url": "https://github.com/acme/shop/actions/runs/30433642",
                **run,
            },
        }

    def pipeline_payload(self, status="success"):
        return {
            "object_kind": "pipeline",
            "object_attributes": {
                "id": 31,
                "status": status,
                "source": "push",
                "sha": self.release.source_ref,
                "url": "https://gitlab.com/acme/shop/-/pipelines/31",
                "created_at": "2016-08-12 15:23:28 UTC",
                "finished_at": "2016-08-12 15:26:29 UTC",
            },
            "project": {
                "path_with_namespace": self.project.name,
                "web_url": "https://gitlab.com/acme/shop",
            },
            "builds": [],
        }

    def deliver(self, payload, event="workflow_run", **options):
        """A delivery of GitHub.

        :param options: ``delivery``, ``source``, ``secret``, ``signature``, ``body``
        """
        body = options.get("body") or json.dumps(payload).encode()
        secret = options.get("secret", self.secrets["github"])
        signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        headers = {
            "X_GitHub_Event": event,
            "X_GitHub_Delivery": options.get("delivery", str(uuid.uuid4())),
            "X_Hub_Signature_256": options.get("signature", f"sha256={signature}"),
        }
        source = options.get("source", self.github.uuid)
        path = f"/webhooks/github?source={source}"
        return self.post(path, body, None, **headers)

    def deliver_gitlab(self, payload, event="Pipeline Hook", **headers):
        headers = {
            "X_Gitlab_Event": event,
            "X_Gitlab_Token": self.secrets["gitlab"],
            "Idempotency_Key": str(uuid.uuid4()),
            **headers,
        }
        path = f"/webhooks/gitlab?source={self.sources['gitlab'].uuid}"
        return self.post(path, payload, None, **headers)

    def deliveries(self, provider="github"):
        self.env.invalidate_all()
        return self.env["ipai.ingest.log"].search(
            [("webhook_source_id", "=", self.sources[provider].id)], order="id"
        )

    def checks(self, name="workflow/Lint"):
        self.env.invalidate_all()
        return self.release.check_ids.filtered(lambda check: check.name == name)

    def failing(self, name="_record"):
        """A context in which taking a delivery fails, after its facts were stored."""
        method = getattr(type(self.github), name)

        def fail(source, *arguments):
            method(source, *arguments)
            raise ZeroDivisionError("a fault of ours")

        return patch.object(type(self.github), name, fail)

    def retry(self, **later):
        """What the scheduled action does after some time."""
        cron = self.env.ref("ipai_release_gates.ir_cron_retry_events")
        with self.scheduled(**later):
            cron.method_direct_trigger()

    def refused_delivery(self, payload=None, **options):
        """A delivery that was refused because its CI service was archived."""
        service = self.github.user_id.sudo()
        service.active = False
        answer = self.deliver(payload or self.run_payload(), **options)
        self.assertEqual(answer.json()["status"], "rejected")
        service.active = True
        return self.deliveries()[-1]
