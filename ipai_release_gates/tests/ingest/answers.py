"""What the tests of the answers table share: events, answers and their log rows."""

import hashlib
import json
import xmlrpc.client

from ..common import GateCase, sha

PIPELINE = "odoo.addons.ipai_release_gates.models.ingest.pipeline"
#: what "changes nothing" means
TABLES = (
    "ipai_release",
    "ipai_release_gate",
    "ipai_revision",
    "ipai_check",
    "ipai_evidence",
    "ipai_approval",
    "ipai_deployment",
    "ipai_incident",
    "ipai_incident_entry",
    "ipai_environment_control",
    "ipai_environment_event",
    "ipai_ledger_entry",
    "ipai_ingest_log",
)
#: role → the event types it may send
AUTHORITY = {
    "ci": {
        "revision",
        "build_complete",
        "check_result",
        "evidence",
        "deployment_event",
        "health_check",
        "incident",
        "environment_event",
    },
    "dev": {"revision", "build_complete", "check_result", "evidence"},
    "qa": {"evidence", "gate_signoff"},
    "rm": {"revision", "evidence", "gate_signoff"},
    "sre": {
        "evidence",
        "deployment_event",
        "health_check",
        "gate_signoff",
        "incident",
        "environment_event",
    },
    "auditor": set(),
    "governance": set(),
}
PAYLOADS = {
    "revision": {"authors": ["dev@example.com"]},
    "build_complete": {
        "status": "pass",
        "checks": [{"name": "lint", "status": "pass"}],
        "log_url": "https://ci.example.com/1",
    },
    "check_result": {"name": "lint", "status": "pass"},
    "evidence": {"type": "test_result", "url": "https://ci.example.com/t"},
    "gate_signoff": {"persona": "qa_tester", "decision": "approved"},
    "deployment_event": {
        "environment": "staging",
        "status": "succeeded",
        "external_id": "d-1",
    },
    "health_check": {"environment": "staging", "status": "pass"},
    "incident": {
        "external_id": "INC-1",
        "severity": "high",
        "status": "open",
        "summary": "Checkout is slow",
        "detected_at": "2026-01-31T09:00:00Z",
    },
    "environment_event": {"environment": "staging", "type": "backup_complete"},
}


class AnswersCase(GateCase):
    """What the tests of the answers table share: events, answers and their log rows."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.release = cls.open_release("answers")

    def on_the_wire(self, value):
        """XML-RPC and JSON carry a value as it is; returns it."""
        text = xmlrpc.client.dumps((value,), methodresponse=True, allow_none=False)
        self.assertEqual(xmlrpc.client.loads(text)[0][0], value)
        self.assertEqual(json.loads(json.dumps(value, allow_nan=False)), value)
        return value

    def log_of(self, answer):
        return self.env["ipai.ingest.log"].browse(answer["ingest_id"])

    def answers(self, user, *events):
        """The answers to events; each has its log row, which says the same."""
        answers = self.on_the_wire(self.send(user, *events))
        self.assertEqual(len(answers), len(events))
        self.assertEqual(len({a["ingest_id"] for a in answers}), len(events))
        self.env.flush_all()
        self.env.invalidate_all()
        for event, answer in zip(events, answers, strict=True):
            self.assertEqual(
                set(answer), {"ingest_id", "status", "http_status", "detail"}
            )
            log = self.log_of(answer)
            self.assertEqual(log.status, answer["status"])
            self.assertEqual(log.http_status, answer["http_status"])
            self.assertEqual(log.user_id, user)
            self.assertEqual(log.code or "", answer["detail"].get("code", ""))
            self.assertEqual(log.payload_sha256, self.digest(event))
            self.assertTrue(log.processed_at)
        return answers

    def digest(self, event):
        """SHA-256 of the canonical JSON of an envelope without its time of sending."""
        if isinstance(event, dict):
            event = {k: v for k, v in event.items() if k != "emitted_at"}
        text = json.dumps(
            event, sort_keys=True, separators=(",", ":"), ensure_ascii=False
        )
        return hashlib.sha256(text.encode()).hexdigest()

    def answer(self, event, user=None):
        return self.answers(user or self.ci, event)[0]

    def lint(self, status="pass", release=None, **envelope):
        payload = {"name": "lint", "status": status}
        return self.ci_event(
            "check_result", payload, release or self.release, **envelope
        )

    def rejected(self, event, http_status, code, field=None, user=None):
        """The event is refused so, and nothing came of it; returns the detail."""
        facts = self.snapshot(*(t for t in TABLES if t != "ipai_ingest_log"))
        answer = self.answer(event, user)
        self.assertEqual(
            (answer["status"], answer["http_status"], answer["detail"]["code"]),
            ("rejected", http_status, code),
            answer["detail"],
        )
        if field:
            self.assertEqual(answer["detail"]["field"], field)
        self.assertTrue(answer["detail"]["message"])
        self.assertEqual(self.log_of(answer).reason, answer["detail"]["message"])
        self.assertEqual(self.snapshot(*facts), facts)
        return answer["detail"]

    def _early(self, seed, status="pass", **more):
        return self.ci_event(
            "check_result",
            {"name": "lint", "status": status, "source_ref": sha(seed)},
            project="acme/shop",
            source_ref=sha(seed),
            **more,
        )

    def _break_checks_named(self, name):
        """From now on a check of this name cannot be stored: our own fault."""
        plane = self.registry["ipai.control.plane"]
        original = plane._check_values

        def broken(plane, submission, gate, check):
            values = original(plane, submission, gate, check)
            # The database refuses it, which spoils the transaction up to a savepoint.
            return {**values, "release_id": None} if check["name"] == name else values

        self.patch(plane, "_check_values", broken)
        return original

    def _open(self, user=None, **values):
        return self.on_the_wire(
            self.plane(user or self.ci).open_release(
                {
                    "project": "acme/shop",
                    "name": "3.0",
                    "source_ref": sha("3.0"),
                    "environment_target": "production",
                    "authors": ["dev@example.com"],
                    **values,
                }
            )
        )
