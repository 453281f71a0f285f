"""Envelopes and payloads of events: what is accepted, and how a fault is named."""

import copy
import datetime
import xmlrpc.client

import pytest
from ingest import (
    EVENT_TYPES,
    SCHEMA_VERSIONS,
    fields,
    parse_envelope,
)
from ingest_envelopes import (
    OF_NO_REVISION,
    OTHER_SHA,
    PAYLOADS,
    SHA,
    envelope,
    faulty,
    refusal,
)

# -- what is taken ------------------------------------------------------------


@pytest.mark.parametrize("event_type", EVENT_TYPES)
def test_a_good_envelope_of_every_type_is_taken(event_type):
    parsed = parse_envelope(envelope(event_type))
    assert parsed.event_type == event_type
    assert parsed.source_ref == parsed.payload["source_ref"] == SHA
    assert parsed.release_id == 7
    assert parsed.emitted_at == datetime.datetime(
        2026, 1, 31, 9, 30, tzinfo=datetime.timezone.utc
    )


def test_the_types_of_the_first_schema_are_those_of_the_contract():
    assert set(EVENT_TYPES) == set(PAYLOADS)
    assert set(SCHEMA_VERSIONS) == {"v1.0"}


def test_parsing_leaves_the_submission_as_it_was():
    raw = envelope("evidence", payload={"metadata": {"a": [1, {"b": 2}]}})
    before = copy.deepcopy(raw)
    parsed = parse_envelope(raw)
    parsed.payload["metadata"]["a"][1]["b"] = 3
    assert raw == before


def test_an_envelope_cannot_be_changed():
    with pytest.raises(AttributeError):
        parse_envelope(envelope()).source_ref = OTHER_SHA


def test_none_counts_as_absent():
    raw = envelope(gate_code=None, project=None, payload={"metadata": None})
    parsed = parse_envelope(raw)
    assert parsed.gate_code is None
    assert "metadata" not in parsed.payload


# -- schema version, type, source ---------------------------------------------


@pytest.mark.parametrize("version", ["v2.0", "v1", "", "V1.0"])
def test_an_unknown_schema_version_is_a_422_whatever_else_is_wrong(version):
    error = refusal({"schema_version": version, "typo": 1})
    assert (error.code, error.http_status) == ("unsupported_schema_version", 422)
    assert error.field == "schema_version"
    assert len(error.errors) == 1
    assert "v1.0" in error.message


def test_a_missing_schema_version_is_a_missing_field():
    error = refusal(envelope(without=["schema_version"]))
    assert (error.code, error.http_status) == ("missing_field", 400)
    assert error.field == "schema_version"


def test_an_empty_envelope_names_every_missing_field_at_once():
    assert faulty({}) == [
        "schema_version",
        "idempotency_key",
        "event_type",
        "source_system",
        "emitted_at",
        "payload",
        "release_id",
        "payload.source_ref",
    ]


@pytest.mark.parametrize("event_type", ["party", "environment", "Revision"])
def test_an_unknown_event_type_is_refused_with_the_known_ones_listed(event_type):
    error = refusal(envelope(event_type=event_type))
    assert error.field == "event_type"
    assert all(known in error.message for known in EVENT_TYPES)


def test_an_unknown_source_system_is_refused():
    assert faulty(envelope(source_system="jenkins")) == ["source_system"]


@pytest.mark.parametrize("raw", [None, [], "{}", 7, b"{}", True, object()])
def test_what_is_no_object_is_an_invalid_event(raw):
    error = refusal(raw)
    assert (error.code, error.field) == ("invalid_field", "event")


# -- unknown keys and identity ------------------------------------------------


def test_an_unknown_top_level_key_is_named():
    assert faulty(envelope(gate="G1")) == ["gate"]


def test_a_misspelt_payload_key_is_named_with_the_allowed_ones():
    error = refusal(envelope(payload={"stauts": "pass"}))
    assert error.field == "payload.stauts"
    assert "artifact_ref, metadata, name, source_ref, status" in error.message


def test_an_unknown_key_is_refused_even_with_an_empty_value():
    assert faulty(envelope(payload={"stauts": None})) == ["payload.stauts"]


@pytest.mark.parametrize(
    "key",
    [
        "approver",
        "approver_id",
        "approver_email",
        "user",
        "user_id",
        "login",
        "email",
        "on_behalf_of",
        "Approver",
        "on-behalf-of",
    ],
)
@pytest.mark.parametrize("where", ["payload", "envelope"])
def test_a_sign_off_that_names_a_person_is_refused_as_such(key, where):
    raw = envelope("gate_signoff")
    (raw["payload"] if where == "payload" else raw)[key] = "someone@example.com"
    raw["payload"]["decision"] = "maybe"
    error = refusal(raw)
    assert (error.code, error.http_status) == ("identity_in_payload", 400)
    assert error.field == (f"payload.{key}" if where == "payload" else key)
    assert "authenticated user" in error.message
    assert "payload.decision" in [e["field"] for e in error.errors]


def test_a_person_named_among_a_thousand_unknown_keys_is_still_found():
    raw = envelope("gate_signoff", payload={f"k{n}": n for n in range(1000)})
    raw["payload"]["login"] = "qa"
    error = refusal(raw)
    assert error.code == "identity_in_payload"
    assert len(error.errors) == fields.MAX_PROBLEMS + 1
    assert "more faults" in error.errors[-1]["message"]


def test_a_person_named_in_another_event_is_a_plain_unknown_key():
    assert refusal(envelope(payload={"login": "qa"})).code == "invalid_field"


def test_a_sign_off_must_name_its_gate():
    error = refusal(envelope("gate_signoff", without=["gate_code"]))
    assert (error.code, error.field) == ("missing_field", "gate_code")


# -- release and revision -----------------------------------------------------

UUID = "123E4567-e89b-12d3-a456-426614174000"


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        (7, 7),
        ("7", 7),
        (UUID, UUID.lower()),
        (
            {"project": "acme/odoo", "name": "1.2+rc"},
            {"project": "acme/odoo", "name": "1.2+rc"},
        ),
    ],
)
def test_a_release_is_named_by_id_uuid_or_project_and_name(sent, read):
    parsed = parse_envelope(envelope(release_id=sent))
    assert parsed.release_id == read
    assert type(parsed.release_id) is type(read)


@pytest.mark.parametrize(
    "sent", [0, -1, True, False, 2**31, "0", "07", "٧", "", "G1", 1.0, [7], "7" * 11]
)
def test_what_cannot_name_a_release_is_refused(sent):
    assert faulty(envelope(release_id=sent)) == ["release_id"]


def test_faults_inside_a_release_address_are_named():
    raw = envelope(release_id={"project": "odoo", "nmae": "x"})
    assert faulty(raw) == ["release_id.project", "release_id.name", "release_id.nmae"]


def test_a_project_and_a_commit_name_a_release():
    raw = envelope(without=["release_id"], project="acme/odoo")
    parsed = parse_envelope(raw)
    assert (parsed.release_id, parsed.project) == (None, "acme/odoo")


def test_neither_release_nor_project_is_a_missing_release():
    error = refusal(envelope(without=["release_id"]))
    assert (error.code, error.field) == ("missing_field", "release_id")


def test_a_release_address_of_another_project_is_refused():
    raw = envelope(release_id={"project": "acme/odoo", "name": "1"}, project="acme/x")
    assert faulty(raw) == ["project"]


@pytest.mark.parametrize("project", ["odoo", "acme/", "/odoo", "a b/c", "a//b"])
def test_a_project_is_an_owner_and_a_name(project):
    assert faulty(envelope(project=project)) == ["project"]


@pytest.mark.parametrize("event_type", sorted(set(EVENT_TYPES) - OF_NO_REVISION))
def test_no_type_that_speaks_of_a_revision_goes_without_a_commit(event_type):
    error = refusal(envelope(event_type, without=["payload.source_ref"]))
    assert (error.code, error.field) == ("missing_field", "payload.source_ref")
    assert "never guessed" in error.message


@pytest.mark.parametrize("event_type", sorted(OF_NO_REVISION))
def test_what_speaks_of_no_revision_needs_a_release_or_a_commit(event_type):
    raw = envelope(event_type, without=["payload.source_ref"])
    parsed = parse_envelope(raw)
    assert parsed.source_ref is None
    assert "source_ref" not in parsed.payload
    raw = {**raw, "release_id": None, "project": "acme/odoo"}
    assert faulty(raw) == ["payload.source_ref"]
    assert parse_envelope({**raw, "source_ref": SHA}).source_ref == SHA


@pytest.mark.parametrize("event_type", EVENT_TYPES)
def test_the_commit_may_stand_in_the_envelope(event_type):
    raw = envelope(event_type, without=["payload.source_ref"], source_ref=SHA.upper())
    parsed = parse_envelope(raw)
    assert parsed.source_ref == parsed.payload["source_ref"] == SHA


def test_the_same_commit_twice_is_fine_and_two_commits_are_not():
    assert parse_envelope(envelope(source_ref=SHA.upper())).source_ref == SHA
    assert faulty(envelope(source_ref=OTHER_SHA)) == ["payload.source_ref"]


@pytest.mark.parametrize(
    "sha", ["4f2c9ab", "main", SHA + "0", SHA + "\n", "g" * 40, "0" * 40, "", False, 7]
)
def test_only_a_full_commit_sha_is_taken(sha):
    error = refusal(envelope(payload={"source_ref": sha}))
    assert [e["field"] for e in error.errors] == ["payload.source_ref"]
    assert error.code == "invalid_field"


def test_a_short_sha_is_told_what_is_wanted():
    error = refusal(envelope(payload={"source_ref": "4f2c9ab"}))
    assert "full commit SHA" in error.message


def test_a_sha256_commit_is_taken():
    raw = envelope(payload={"source_ref": OTHER_SHA})
    assert parse_envelope(raw).source_ref == OTHER_SHA


# -- idempotency key ----------------------------------------------------------


@pytest.mark.parametrize(
    "key",
    [
        "github_actions/7/check_result/1",
        "github_actions/acme/odoo/1.2/check_result/9f86d08",
        "github_actions/" + "r" * 225 + "/check_result/1",
    ],
)
def test_a_key_of_the_agreed_form_is_taken(key):
    assert len(key) <= 255
    assert parse_envelope(envelope(idempotency_key=key)).idempotency_key == key


@pytest.mark.parametrize(
    "key",
    [
        "",
        "abc",
        "github_actions/check_result/1",
        "github_actions//check_result/1",
        "github_actions/7/check_result/",
        "gitlab_ci/7/check_result/1",
        "github_actions/7/evidence/1",
        "github_actions/check_result/7/1/2",
        "github_actions/a b/check_result/1",
        "github_actions/a\tb/check_result/1",
        "github_actions/7/check_result/1\n",
        "github_actions/7/check_result/\x00",
        "github_actions/" + "r" * 226 + "/check_result/1",
        7,
        False,
    ],
)
def test_a_key_of_another_form_is_refused(key):
    assert faulty(envelope(idempotency_key=key)) == ["idempotency_key"]


# -- time ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("2026-01-31T09:30:00Z", "2026-01-31T09:30:00+00:00"),
        ("2026-01-31t09:30z", "2026-01-31T09:30:00+00:00"),
        ("2026-01-31 10:30:00.5+01:00", "2026-01-31T09:30:00.500000+00:00"),
        ("2026-01-31T09:30:00.123456789Z", "2026-01-31T09:30:00.123456+00:00"),
        ("2026-01-31T04:00:00-0530", "2026-01-31T09:30:00+00:00"),
        ("2026-01-31T10:30:00+01", "2026-01-31T09:30:00+00:00"),
    ],
)
def test_a_time_with_an_offset_is_read_into_utc(sent, read):
    emitted_at = parse_envelope(envelope(emitted_at=sent)).emitted_at
    assert emitted_at.isoformat() == read


@pytest.mark.parametrize(
    "sent",
    [
        "2026-01-31T09:30:00",
        "2026-01-31",
        "2026-02-30T09:30:00Z",
        "2026-01-31T25:30:00Z",
        "2026-01-31T09:30:00+25:00",
        "0001-01-01T00:00:00+10:00",
        "9999-12-31T23:59:59-10:00",
        "٢٠٢٦-01-31T09:30:00Z",
        "20260131T093000Z",
        1769851800,
        False,
        "",
    ],
)
def test_a_time_without_offset_or_sense_is_refused(sent):
    assert faulty(envelope(emitted_at=sent)) == ["emitted_at"]


@pytest.mark.parametrize(
    "sent",
    [
        datetime.datetime(2026, 1, 31),
        xmlrpc.client.DateTime("20260131T09:30:00"),
    ],
)
def test_a_time_object_of_the_transport_is_refused_with_the_reason(sent):
    assert "offset" in refusal(envelope(emitted_at=sent)).message
