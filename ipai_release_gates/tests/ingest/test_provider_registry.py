"""The registries of code hosts and of formats of reports, as an addon extends them."""

import json
from contextlib import contextmanager
from dataclasses import replace
from unittest.mock import patch

from odoo.exceptions import ValidationError
from odoo.tests import Form, tagged

from ... import ingest
from ...ingest.adapters import Adapted, github
from ...ingest.report import Report
from ...ingest.signatures import SHOWN
from ..http import HttpGateCase


def adapt(event, delivery, payload):
    """A build of the forge, as a check."""
    if event != "build":
        return Adapted(None, ignored="It tells no fact.")
    project = payload["project"]
    return Adapted(
        project,
        [
            {
                "schema_version": "v1.0",
                "idempotency_key": f"agent/{project}/check_result/{delivery}",
                "event_type": "check_result",
                "source_system": "agent",
                "project": project,
                "payload": {
                    "name": "forge",
                    "status": "pass",
                    "source_ref": payload["commit"],
                },
                "emitted_at": "2026-01-31T09:30:00Z",
            }
        ],
    )


FORGE = replace(
    github.PROVIDER,
    code="forge",
    label="Forge",
    system="agent",
    event_header="X-Forge-Event",
    delivery_headers=("X-Forge-Delivery",),
    scheme=replace(SHOWN, header="X-Forge-Token"),
    adapt=adapt,
)
TAP = ingest.ReportFormat(
    "tap",
    "TAP",
    lambda data: Report(
        "fail" if b"not ok" in data else "pass", {"format": "TAP"}, "test_result"
    ),
    "results.tap",
    ("text/x-tap",),
)


@tagged("post_install", "-at_install")
class TestProviderRegistry(HttpGateCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.release = cls.open_release()

    @contextmanager
    def added(self, model, hook, values):
        """Have the database offer more values, as an installed addon would."""
        self.registry.clear_cache()
        try:
            with patch.object(self.registry[model], hook, lambda model: values):
                yield
        finally:
            self.registry.clear_cache()

    def forge(self):
        return self.added(
            "ipai.webhook.source", "_providers", (*ingest.PROVIDERS, FORGE)
        )

    def deliver(self, source, secret, event="build"):
        body = {
            "event": event,
            "project": self.project.name,
            "commit": self.release.source_ref,
        }
        return self.post(
            f"/webhooks/forge?source={source.uuid}",
            json.dumps(body),
            None,
            X_Forge_Event=event,
            X_Forge_Delivery=f"1-{event}",
            X_Forge_Token=secret,
        )

    def test_an_added_code_host_delivers(self):
        with self.assertRaises(ValidationError), self.env.cr.savepoint():
            self.webhook_source("forge")
        with self.forge():
            source = self.webhook_source("forge")
            action = source.with_user(self.governance).action_new_secret()
            secret = action["context"]["default_secret"]
            self.assertIn("/webhooks/forge?", source.url)
            self.assertIn("Forge", source.display_name)
            self.assertRefused(self.deliver(source, "x"), 401, "unauthorized")
            answer = self.deliver(source, secret)
            self.assertEqual(answer.json()["status"], "accepted", answer.text)
            self.env.invalidate_all()
            check = self.release.check_ids
            self.assertEqual((check.name, check.status), ("forge", "pass"))
            self.assertEqual(check.source_system, "agent")
            answer = self.deliver(source, secret, event="party")
            self.assertEqual(answer.json()["status"], "ignored", answer.text)
        answer = self.deliver(source, secret)
        self.assertRefused(answer, 404, "not_found")

    def test_an_added_code_host_is_a_choice_and_part_of_the_api(self):
        Source = self.env["ipai.webhook.source"].with_user(self.governance)
        with self.forge():
            form = Form(Source)
            form.provider = "forge"
            schema = self.get("/openapi.json", None).json()
        operation = schema["paths"]["/ipai/v1/webhooks/{provider}"]["post"]
        self.assertEqual(
            operation["parameters"][0]["schema"]["enum"], ["github", "gitlab", "forge"]
        )
        self.assertTrue(operation["summary"].endswith("GitHub, GitLab or Forge"))

    def test_an_entry_that_contradicts_the_contract_is_an_error(self):
        with self.assertRaisesRegex(ValueError, "forge_ci is no source system"):
            ingest.provider.by_code((replace(FORGE, system="forge_ci"),))

    def test_two_code_hosts_of_one_code_are_an_error(self):
        with self.assertRaisesRegex(ValueError, "have the code forge"):
            ingest.provider.by_code((FORGE, FORGE))
        with self.assertRaisesRegex(ValueError, "have the code tap"):
            ingest.formats_by_code((TAP, TAP))

    def test_a_report_of_an_added_format_is_read(self):
        path = self.report_path(format="tap")
        refused = self.post(path, "not ok 1", mimetype="text/x-tap")
        self.assertRefused(refused, 400, "invalid_field", "format")
        formats = (*ingest.FORMATS, TAP)
        with self.added("ipai.control.plane", "_formats", formats):
            answer = self.post(path, "not ok 1", mimetype="text/x-tap")
            self.assertEqual(answer.status_code, 200, answer.text)
            schema = self.get("/openapi.json", None).json()
            refused = self.post(self.report_path(format="tap"), "ok", mimetype="text/x")
            self.assertRefused(refused, 415, "unsupported_media_type")
        self.env.invalidate_all()
        self.assertEqual(self.release.check_ids.status, "fail")
        self.assertEqual(self.release.evidence_ids.filename, "results.tap")
        body = schema["paths"]["/ipai/v1/reports"]["post"]["requestBody"]["content"]
        self.assertIn("text/x-tap", body)
