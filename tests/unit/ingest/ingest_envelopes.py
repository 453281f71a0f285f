"""Good envelopes of every type, and the refusal of bad ones."""

import base64
import copy
import hashlib

import pytest
from ingest import (
    Rejected,
    parse_envelope,
)

SHA = "4f2c9ab0" * 5
OTHER_SHA = "0123456789abcdef" * 4
CONTENT = base64.b64encode(b"<testsuite/>").decode()
CONTENT_SHA256 = hashlib.sha256(b"<testsuite/>").hexdigest()

PAYLOADS = {
    "revision": {"source_ref": SHA, "authors": ["Dev@Example.com"]},
    "build_complete": {
        "source_ref": SHA,
        "status": "pass",
        "checks": [
            {"name": "unit_tests", "status": "pass", "metadata": {"tests": 12}},
            {"name": "lint", "status": "warning", "artifact_ref": "out/lint.txt"},
        ],
        "log_url": "https://ci.example.com/runs/7/log",
        "sha256": "AB" * 32,
    },
    "check_result": {"source_ref": SHA, "name": "lint", "status": "fail"},
    "evidence": {"source_ref": SHA, "type": "sbom", "url": "https://example.com/s"},
    "gate_signoff": {
        "source_ref": SHA,
        "persona": "qa_tester",
        "decision": "approved",
        "rationale_text": "All criteria seen.\nTwice.",
        "rationale_structured": [{"item": "UAT", "done": True}],
    },
    "deployment_event": {
        "source_ref": SHA,
        "environment": "production",
        "status": "succeeded",
        "external_id": "deploy-42",
        "deployed_at": "2026-01-31T10:30:00+01:00",
    },
    "health_check": {
        "source_ref": SHA,
        "environment": "production",
        "status": "pass",
        "checks": [{"name": "http", "status": "pass"}],
        "url": "https://status.example.com/",
    },
    "incident": {
        "source_ref": SHA,
        "external_id": "INC-7",
        "severity": "high",
        "status": "resolved",
        "summary": "Checkout is slow",
        "detected_at": "2026-01-31T09:00:00+01:00",
        "resolved_at": "2026-01-31T09:30:00+01:00",
        "deployment": "deploy-42",
        "blocking": False,
    },
    "environment_event": {
        "source_ref": SHA,
        "environment": "staging",
        "type": "masking_run",
        "data": {"status": "pass", "tables": 12},
    },
}
#: types that may go without a commit when they name their release
OF_NO_REVISION = {"incident", "environment_event"}


def envelope(event_type="check_result", /, *, without=(), payload=None, **changes):
    raw = {
        "schema_version": "v1.0",
        "idempotency_key": f"github_actions/acme/odoo/1.2/{event_type}/1",
        "event_type": event_type,
        "source_system": "github_actions",
        "release_id": 7,
        "payload": copy.deepcopy(PAYLOADS.get(event_type, {})),
        "emitted_at": "2026-01-31T09:30:00Z",
    }
    if event_type == "gate_signoff":
        raw["gate_code"] = "G2"
    raw["payload"].update(payload or {})
    raw.update(changes)
    for key in without:
        holder = raw
        *path, last = key.split(".")
        for step in path:
            holder = holder[step]
        del holder[last]
    return raw


def refusal(raw, **options):
    with pytest.raises(Rejected) as caught:
        parse_envelope(raw, **options)
    return caught.value


def faulty(raw):
    return [error["field"] for error in refusal(raw).errors]
