"""The kinds of events: what follows from an entry, and which entries are refused."""

from dataclasses import replace

import jsonschema
import pytest
from ingest import (
    KINDS,
    EventKind,
    Rejected,
    by_code,
    describe,
    fields,
    may_send,
    openapi,
    parse_envelope,
    planned_by,
)
from ingest.kinds import CHECKS, CORE, RELEASE

SCAN = EventKind(
    "licence_scan",
    fields.record(
        {"licences": fields.list_of(fields.name, most=10)},
        {"source_ref": fields.commit},
        what="a payload of licence_scan",
    ),
    "_plan_licence_scan",
    {"sre": frozenset({"G3"})},
    plans=(CHECKS,),
    subject=RELEASE,
    needs_gate="A scan is for one gate and must name it.",
    refused={"scanner": ("The scanner is the sender.", "identity_in_payload")},
)
MORE = by_code((*KINDS, SCAN))
EVENT = {
    "schema_version": "v1.0",
    "idempotency_key": "agent/R-1/licence_scan/1",
    "event_type": "licence_scan",
    "source_system": "agent",
    "release_id": 7,
    "gate_code": "G3",
    "payload": {"licences": ["AGPL-3"]},
    "emitted_at": "2026-01-31T09:30:00Z",
}


def faults(event, kinds=MORE):
    with pytest.raises(Rejected) as caught:
        parse_envelope(event, kinds)
    return {fault["field"]: fault["message"] for fault in caught.value.errors}


def test_an_event_of_a_further_kind_is_read():
    parsed = parse_envelope(EVENT, MORE)
    assert parsed.payload == {"licences": ["AGPL-3"]}
    assert parsed.source_ref is None
    assert "event_type" in faults(EVENT, CORE)


def test_the_entry_says_what_is_wrong_with_an_event():
    assert faults({**EVENT, "gate_code": None}) == {"gate_code": SCAN.needs_gate}
    assert faults({**EVENT, "scanner": "me"}) == {"scanner": SCAN.refused["scanner"][0]}
    assert "payload.licences" in faults({**EVENT, "payload": {}})
    revision_wanted = by_code([replace(SCAN, subject="revision")])
    assert "payload.source_ref" in faults(EVENT, revision_wanted)


def test_the_entry_says_who_may_send_it():
    def reason(role, gate, source="manual"):
        return may_send(frozenset({role}), SCAN.code, source, gate, None, MORE)

    assert reason("sre", "G3") is None
    assert reason("sre", "G1") == (
        "The role sre may send licence_scan for gate G3, not for G1."
    )
    assert reason("developer", "G3").startswith("Only sre may send licence_scan;")
    assert may_send(frozenset({"sre"}), SCAN.code, "manual", "G3").startswith("No role")


def test_the_entry_is_part_of_every_description():
    schemas = openapi.describe(MORE)["components"]["schemas"]
    jsonschema.validate(EVENT, schemas["Envelope.licence_scan"])
    assert {"$ref": "#/components/schemas/Envelope.licence_scan"} in (
        schemas["Envelope"]["oneOf"]
    )
    rows = {event: name for event, name, *_more in describe.payload_rows(MORE)}
    assert "licence_scan" in rows
    assert ("licence_scan", [("sre", False)]) in list(describe.sender_rows(MORE))
    words = {name: words for name, _required, words in describe.envelope_rows(MORE)}
    assert "`licence_scan`" in words["event_type"]


def test_two_kinds_cannot_have_one_code():
    with pytest.raises(ValueError, match="have the code licence_scan"):
        by_code((*KINDS, SCAN, SCAN))


def test_two_kinds_cannot_plan_one_model_differently():
    other = replace(SCAN, plans=(replace(CHECKS, label="scans"),))
    with pytest.raises(ValueError, match="plans ipai.check in another way"):
        by_code((*KINDS, other))


def test_the_core_plans_each_model_once_in_the_order_of_storing():
    assert [planned.label for planned in planned_by(KINDS).values()] == [
        "checks",
        "evidence",
        "environment_events",
    ]


@pytest.mark.parametrize("code", sorted(CORE))
def test_the_method_says_whether_a_kind_plans_or_takes(code):
    kind = CORE[code]
    assert kind.method.startswith("_plan_" if kind.plans else "_take_")
