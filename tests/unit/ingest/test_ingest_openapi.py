"""The description of the HTTP API says what the readers take, and nothing else."""

import json

import jsonschema
import pytest
from ingest import EVENT_TYPES, Rejected, answers, openapi, parse_envelope
from ingest.kinds import CORE

SHA = "4f2c9ab0" * 5
GOOD = {
    "revision": {"authors": ["dev@example.com"]},
    "build_complete": {
        "status": "pass",
        "checks": [{"name": "lint", "status": "pass", "metadata": {"a": [1]}}],
        "log_url": "https://ci.example.com/1",
    },
    "check_result": {"name": "lint", "status": "warning", "artifact_ref": "a/b.xml"},
    "evidence": {"type": "test_result", "url": "https://ci.example.com/t"},
    "gate_signoff": {
        "persona": "qa_tester",
        "decision": "approved",
        "rationale_structured": [1],
    },
    "deployment_event": {
        "environment": "staging",
        "status": "succeeded",
        "external_id": "d-1",
    },
    "health_check": {"environment": "staging", "status": "pass", "checks": []},
    "incident": {
        "external_id": "INC-1",
        "severity": "high",
        "status": "open",
        "summary": "Slow",
        "detected_at": "2026-01-31T09:00:00Z",
        "blocking": True,
    },
    "environment_event": {"environment": "staging", "type": "backup_complete"},
}
DESCRIPTION = openapi.describe()


def envelope(event_type, **more):
    event = {
        "schema_version": "v1.0",
        "idempotency_key": f"agent/1/{event_type}/1",
        "event_type": event_type,
        "source_system": "agent",
        "release_id": 7,
        "payload": {"source_ref": SHA, **GOOD[event_type]},
        "emitted_at": "2026-01-31T09:30:00Z",
        **more,
    }
    if event_type == "gate_signoff":
        event.setdefault("gate_code", "G2")
    return event


def described(event):
    schema = {"$ref": "#/components/schemas/Envelope", **DESCRIPTION}
    return jsonschema.Draft202012Validator(schema).is_valid(event)


def taken(event):
    try:
        parse_envelope(event)
    except Rejected:
        return False
    return True


@pytest.mark.parametrize("event_type", EVENT_TYPES)
def test_what_the_readers_take_is_described(event_type):
    for event in (
        envelope(event_type),
        envelope(event_type, release_id="7"),
        envelope(event_type, release_id={"project": "a/b", "name": "1.0"}),
    ):
        assert taken(event) and described(event)


@pytest.mark.parametrize("event_type", EVENT_TYPES)
def test_what_the_description_refuses_the_readers_refuse(event_type):
    good = envelope(event_type)
    payload = CORE[event_type].read.schema
    wrong = [{**good, "unknown": 1}, {**good, "release_id": True}, {}, [], "text"]
    wrong += [{key: v for key, v in good.items() if key != name} for name in good]
    for name in payload["properties"]:
        wrong.append({**good, "payload": {**good["payload"], name: {"a": object}}})
        wrong.append({**good, "payload": {**good["payload"], name: "x" * 20_000}})
    for name in payload["required"]:
        rest = {key: v for key, v in good["payload"].items() if key != name}
        wrong.append({**good, "payload": rest})
    wrong.append({**good, "payload": {**good["payload"], "unknown": 1}})
    refused = [event for event in wrong if not described(event)]
    assert len(refused) > len(good)
    for event in refused:
        assert not taken(event), event


def test_every_code_of_the_answers_table_is_described():
    refusal = DESCRIPTION["components"]["schemas"]["Refusal"]["properties"]
    assert {*answers.HTTP_STATUS, "internal_error"} == set(
        refusal["detail"]["properties"]["code"]["enum"]
    )


def test_the_description_is_plain_json_and_each_reference_leads_somewhere():
    assert json.loads(json.dumps(DESCRIPTION)) == DESCRIPTION
    names = DESCRIPTION["components"]["schemas"]
    found = json.dumps(DESCRIPTION).split('"#/components/schemas/')[1:]
    assert {text.partition('"')[0] for text in found} <= set(names)
