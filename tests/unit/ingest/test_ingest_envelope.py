"""Envelopes and payloads of events: what is accepted, and how a fault is named."""

import base64
import copy
import datetime
import hashlib
import json
import xmlrpc.client

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from ingest import (
    EVENT_TYPES,
    SCHEMA_VERSIONS,
    Rejected,
    answers,
    fields,
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


# -- fields of payloads -------------------------------------------------------

VERDICTS = [
    ("build_complete", "status"),
    ("check_result", "status"),
    ("gate_signoff", "decision"),
    ("deployment_event", "status"),
    ("health_check", "status"),
]


@pytest.mark.parametrize(("event_type", "key"), VERDICTS)
@pytest.mark.parametrize("nothing", ["absent", None])
def test_a_verdict_is_never_defaulted(event_type, key, nothing):
    raw = envelope(event_type)
    raw["payload"][key] = None
    if nothing == "absent":
        del raw["payload"][key]
    error = refusal(raw)
    assert (error.code, error.field) == ("missing_field", f"payload.{key}")


@pytest.mark.parametrize(("event_type", "key"), VERDICTS)
@pytest.mark.parametrize("word", ["ok", "", "PASS", "pass ", True, False, 1, ["pass"]])
def test_a_verdict_is_one_of_the_agreed_words(event_type, key, word):
    assert faulty(envelope(event_type, payload={key: word})) == [f"payload.{key}"]


def test_a_build_is_never_merely_skipped():
    assert faulty(envelope("build_complete", payload={"status": "skipped"}))


REQUIRED = {
    "revision": ["authors"],
    "build_complete": ["status", "checks", "log_url"],
    "check_result": ["name", "status"],
    "evidence": ["type", "url"],
    "gate_signoff": ["persona", "decision"],
    "deployment_event": ["environment", "status", "external_id"],
    "health_check": ["environment", "status"],
    "incident": ["external_id", "severity", "status", "summary", "detected_at"],
    "environment_event": ["environment", "type"],
}


@pytest.mark.parametrize(
    ("event_type", "key"), [(kind, key) for kind in REQUIRED for key in REQUIRED[kind]]
)
def test_each_required_payload_field_is_missed(event_type, key):
    error = refusal(envelope(event_type, without=[f"payload.{key}"]))
    assert (error.code, error.field) == ("missing_field", f"payload.{key}")


@pytest.mark.parametrize("event_type", EVENT_TYPES)
def test_a_payload_holds_no_more_than_its_table_row(event_type):
    raw = envelope(event_type, payload={"surprise": 1})
    assert faulty(raw) == ["payload.surprise"]


@pytest.mark.parametrize("payload", [[], "x", False, 7])
def test_a_payload_is_an_object(payload):
    assert faulty({**envelope(source_ref=SHA), "payload": payload})[0] == "payload"


def test_every_fault_of_an_envelope_is_reported_with_its_path():
    raw = envelope("build_complete", emitted_at="yesterday", typo=1)
    raw["payload"]["checks"] = [
        {"name": "a", "status": "pass"},
        {"name": "b"},
        {"name": "c", "status": "ok", "metadata": {"x": [1, b"2"]}},
        "d",
    ]
    raw["payload"]["log_url"] = "ftp://example.com"
    error = refusal(raw)
    assert [e["field"] for e in error.errors] == [
        "emitted_at",
        "typo",
        "payload.checks[1].status",
        "payload.checks[2].status",
        "payload.checks[2].metadata.x[1]",
        "payload.checks[3]",
        "payload.log_url",
    ]
    assert error.errors[0] == {"field": error.field, "message": error.message}
    assert "payload.log_url" in str(error)


def test_two_checks_of_one_name_in_one_build_are_refused():
    checks = [{"name": "lint", "status": s} for s in ("fail", "pass")]
    raw = envelope("build_complete", payload={"checks": checks})
    assert faulty(raw) == ["payload.checks[1].name"]


def test_a_build_may_have_no_checks_but_not_too_many():
    assert parse_envelope(envelope("build_complete", payload={"checks": []}))
    checks = [{"name": f"c{n}", "status": "pass"} for n in range(501)]
    raw = envelope("build_complete", payload={"checks": checks})
    assert faulty(raw) == ["payload.checks"]


@pytest.mark.parametrize("name", ["", " ", "a\nb", "<b>", "é", "x" * 129, "a\x00", 1])
def test_a_check_name_is_plain_and_short(name):
    assert faulty(envelope(payload={"name": name})) == ["payload.name"]


def test_spaces_around_a_name_are_taken_off():
    parsed = parse_envelope(envelope(payload={"name": " unit tests/3.11 "}))
    assert parsed.payload["name"] == "unit tests/3.11"


@pytest.mark.parametrize("gate", ["g1", "1G", "G1\n ", "G" * 17, "", False, "G-1"])
def test_a_gate_code_has_the_agreed_form(gate):
    if gate == "G1\n ":
        assert parse_envelope(envelope(gate_code=gate)).gate_code == "G1"
    else:
        assert faulty(envelope(gate_code=gate)) == ["gate_code"]


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/x",
        "javascript:alert(1)",
        "//example.com",
        "https://",
        "https:///path",
        "https://user:secret@example.com/",
        "https://user@example.com/",
        "https://@example.com/",
        "https://exa mple.com",
        "https://example.com/\n",
        "https://example.com/\x7f",
        "https://example.com\\@evil.example",
        "https://[::1",
        "https://example.com:port/",
        "https://example.com:99999/",
        "https://example.com/" + "x" * 2048,
        "",
        False,
        b"https://example.com",
    ],
)
def test_an_unsafe_or_broken_url_is_refused(url):
    assert faulty(envelope("evidence", payload={"url": url})) == ["payload.url"]


@pytest.mark.parametrize(
    "url", ["http://localhost:8069/web?x=1#a@b", "HTTPS://[::1]:80/é", "http://a.b"]
)
def test_a_safe_url_is_taken(url):
    parsed = parse_envelope(envelope("evidence", payload={"url": url}))
    assert parsed.payload["url"] == url


@pytest.mark.parametrize(
    "reference",
    [
        "dist/addon.zip",
        "sha256:" + "a" * 64,
        "https://example.com/a",
        "img:19@sha256:a",
    ],
)
def test_an_artifact_may_be_a_url_a_path_or_a_digest(reference):
    assert parse_envelope(envelope(payload={"artifact_ref": reference}))


@pytest.mark.parametrize(
    "reference",
    [
        "javascript:alert(1)",
        " JavaScript :x",
        "data:text/html,x",
        "file:/etc/passwd",
        "ftp://x/y",
        "https://u:p@example.com/",
        "a\nb",
        "",
        "x" * 2049,
    ],
)
def test_an_artifact_reference_that_is_unsafe_to_click_is_refused(reference):
    raw = envelope(payload={"artifact_ref": reference})
    assert faulty(raw) == ["payload.artifact_ref"]


def test_authors_are_normalised_and_named_once():
    sent = [" Dev@Example.com", "dev@example.com", "bot[bot]@users.noreply.github.com"]
    parsed = parse_envelope(envelope("revision", payload={"authors": sent}))
    assert parsed.payload["authors"] == [
        "dev@example.com",
        "bot[bot]@users.noreply.github.com",
    ]


@pytest.mark.parametrize("authors", [[], "dev@example.com", {}, False])
def test_authors_are_a_list_of_at_least_one(authors):
    raw = envelope("revision", payload={"authors": authors})
    assert faulty(raw) == ["payload.authors"]


@pytest.mark.parametrize(
    "author", ["dev", "@x", "x@", "a@b@c", "a b@c", "Dev <d@e.f>", "a@b,c@d", 7, False]
)
def test_an_author_is_an_e_mail_address(author):
    raw = envelope("revision", payload={"authors": ["ok@example.com", author]})
    assert faulty(raw) == ["payload.authors[1]"]


def test_no_more_than_a_hundred_authors_are_taken():
    many = [f"a{n}@example.com" for n in range(101)]
    assert faulty(envelope("revision", payload={"authors": many}))
    assert parse_envelope(envelope("revision", payload={"authors": many[1:]}))


def test_an_incident_that_is_open_is_not_resolved_yet():
    assert faulty(envelope("incident", payload={"status": "open"})) == [
        "payload.resolved_at"
    ]


@pytest.mark.parametrize("blocking", ["true", 1, 0, "", []])
def test_whether_an_incident_blocks_is_true_or_false(blocking):
    raw = envelope("incident", payload={"blocking": blocking})
    assert faulty(raw) == ["payload.blocking"]


@pytest.mark.parametrize(
    ("key", "value"),
    [("severity", "urgent"), ("status", "closed"), ("summary", "two\nlines")],
)
def test_an_incident_speaks_the_words_of_the_contract(key, value):
    raw = envelope("incident", payload={key: value})
    assert f"payload.{key}" in faulty(raw)


@pytest.mark.parametrize("status", ["passed", "", None, True, 1])
@pytest.mark.parametrize("event_type", ["masking_run", "mail_captured"])
def test_the_result_of_a_control_is_pass_or_fail_or_not_told(event_type, status):
    told = {"type": event_type, "data": {"status": status}}
    raw = envelope("environment_event", payload=told)
    assert faulty(raw) == ["payload.data.status"]
    told["data"] = {"tables": 12}
    assert parse_envelope(envelope("environment_event", payload=told))


def test_what_decides_about_no_control_may_say_any_status():
    told = {"type": "alert_fired", "data": {"status": "burning"}}
    assert parse_envelope(envelope("environment_event", payload=told))


def test_an_environment_event_is_of_a_type_of_the_contract():
    raw = envelope("environment_event", payload={"type": "party"})
    assert faulty(raw) == ["payload.type"]


def test_a_deployment_cannot_roll_back_itself():
    raw = envelope("deployment_event", payload={"rollback_of": "deploy-42"})
    assert faulty(raw) == ["payload.rollback_of"]
    raw["payload"]["rollback_of"] = "deploy-41"
    assert parse_envelope(raw).payload["rollback_of"] == "deploy-41"


def test_a_deployment_time_is_read_into_utc_and_never_naive():
    parsed = parse_envelope(envelope("deployment_event"))
    assert parsed.payload["deployed_at"].isoformat() == "2026-01-31T09:30:00+00:00"
    raw = envelope("deployment_event", payload={"deployed_at": "2026-01-31T10:30:00"})
    assert faulty(raw) == ["payload.deployed_at"]


@pytest.mark.parametrize("external_id", ["", " ", "x" * 129, "a\nb", 42, False])
def test_an_external_id_is_one_short_line(external_id):
    raw = envelope("deployment_event", payload={"external_id": external_id})
    assert faulty(raw) == ["payload.external_id"]


@pytest.mark.parametrize("text", ["", " \n", "x" * 10_001, "a\x00", "\ud800", 1])
def test_a_rationale_is_bounded_storable_text(text):
    raw = envelope("gate_signoff", payload={"rationale_text": text})
    assert faulty(raw) == ["payload.rationale_text"]


@pytest.mark.parametrize("persona", ["QA", "qa tester", "", "1x", "x" * 65, False])
def test_a_persona_is_a_code(persona):
    raw = envelope("gate_signoff", payload={"persona": persona})
    assert faulty(raw) == ["payload.persona"]


# -- evidence -----------------------------------------------------------------


def file_evidence(**changes):
    payload = {"type": "test_result", "content_base64": CONTENT, "filename": "t.xml"}
    raw = envelope("evidence", without=["payload.url"])
    raw["payload"].update({**payload, **changes})
    return raw


def test_a_file_comes_decoded_with_its_real_size_and_hash():
    payload = parse_envelope(file_evidence()).payload
    assert payload["content"] == b"<testsuite/>"
    assert payload["size"] == 12
    assert payload["sha256"] == CONTENT_SHA256
    assert "content_base64" not in payload


def test_a_matching_hash_is_taken_in_either_case():
    raw = file_evidence(sha256=CONTENT_SHA256.upper())
    assert parse_envelope(raw).payload["sha256"] == CONTENT_SHA256


def test_a_wrong_hash_is_a_mismatch():
    error = refusal(file_evidence(sha256="0" * 64))
    assert (error.code, error.http_status) == ("sha256_mismatch", 400)
    assert error.field == "payload.sha256"


@pytest.mark.parametrize("sha256", ["abc", "g" * 64, "sha256:" + "a" * 64, "", False])
def test_a_hash_that_is_none_is_invalid_rather_than_a_mismatch(sha256):
    error = refusal(file_evidence(sha256=sha256))
    assert (error.code, error.field) == ("invalid_field", "payload.sha256")


def test_evidence_is_a_url_or_a_file_and_never_both_or_neither():
    both = refusal(file_evidence(url="https://example.com"))
    assert (both.code, both.field) == ("invalid_field", "payload.url")
    neither = refusal(envelope("evidence", without=["payload.url"]))
    assert (neither.code, neither.field) == ("missing_field", "payload.url")


def test_a_file_needs_a_name_and_a_name_needs_a_file():
    assert faulty(file_evidence(filename=None)) == ["payload.filename"]
    raw = envelope("evidence", payload={"filename": "t.xml"})
    assert faulty(raw) == ["payload.filename"]


@pytest.mark.parametrize(
    "filename",
    ["", ".", "..", "a/b", "../x", "a\\b", "C:\\x", " a", "a\nb", "a\u202efdp.exe", 1]
    + ["é" * 128, "a\x00.xml", "\ud800", False],
)
def test_a_file_name_is_never_a_path_or_a_trick(filename):
    assert faulty(file_evidence(filename=filename)) == ["payload.filename"]


@pytest.mark.parametrize(
    "content",
    [
        "a",
        "YQ",
        "YQ=",
        "YR==",
        "Y Q==",
        "YWFh\n",
        "YQ==YQ==",
        "YW-_",
        "é===",
        "\ud800",
        "====",
        b"YQ==",
        xmlrpc.client.Binary(b"a"),
        False,
        "",
    ],
)
def test_only_strict_base64_text_is_decoded(content):
    error = refusal(file_evidence(content_base64=content))
    assert error.field == "payload.content_base64"
    assert error.code == "invalid_field"


def test_a_file_of_the_largest_size_passes_and_one_byte_more_is_too_large(monkeypatch):
    monkeypatch.setattr(fields, "MAX_CONTENT_BYTES", 10)
    exact, over = (base64.b64encode(b"x" * n).decode() for n in (10, 11))
    assert parse_envelope(file_evidence(content_base64=exact)).payload["size"] == 10
    error = refusal(file_evidence(content_base64=over, type="NOT A CODE"))
    assert (error.code, error.http_status) == ("too_large", 413)
    assert error.field == "payload.content_base64"


def test_a_file_too_large_is_refused_without_being_decoded(monkeypatch):
    def never(*_args, **_options):
        raise AssertionError("decoded")

    monkeypatch.setattr(fields.base64, "b64decode", never)
    error = refusal(file_evidence(content_base64="A" * 14_000_000))
    assert error.code == "too_large"


# -- free-form values and bounds ----------------------------------------------


def nested(depth):
    value = {}
    for _level in range(depth - 1):
        value = {"a": value}
    return value


@pytest.mark.parametrize(
    "metadata",
    [
        {"a": [1, 2.5, True, None, "é", {"b": []}]},
        {"n": 2**63 - 1, "m": -(2**63)},
        nested(20),
    ],
)
def test_metadata_of_plain_json_values_is_taken_as_it_is(metadata):
    parsed = parse_envelope(envelope(payload={"metadata": metadata}))
    assert parsed.payload["metadata"] == metadata


@pytest.mark.parametrize(
    ("metadata", "field"),
    [
        ({"a": float("nan")}, "payload.metadata.a"),
        ({"a": [float("-inf")]}, "payload.metadata.a[0]"),
        ({"a": 2**63}, "payload.metadata.a"),
        ({"a": -(2**63) - 1}, "payload.metadata.a"),
        ({"a": 10**5000}, "payload.metadata.a"),
        ({"a": "x\x00"}, "payload.metadata.a"),
        ({"a\x00": 1}, "payload.metadata"),
        ({"a": "\ud800"}, "payload.metadata.a"),
        ({"\udfff": 1}, "payload.metadata"),
        ({1: 1}, "payload.metadata"),
        ({"a": b"x"}, "payload.metadata.a"),
        ({"a": xmlrpc.client.Binary(b"x")}, "payload.metadata.a"),
        ({"a": xmlrpc.client.DateTime(0)}, "payload.metadata.a"),
        ({"a": datetime.date(2026, 1, 1)}, "payload.metadata.a"),
        ({"a": {1, 2}}, "payload.metadata.a"),
        (nested(21), "payload.metadata" + ".a" * 20),
        (nested(5000), "payload.metadata" + ".a" * 20),
        ({"a": "x" * 65_536}, "payload.metadata"),
        ({"a": "é" * 40_000}, "payload.metadata"),
        ({"a": [0] * 70_000}, "payload.metadata"),
        ([], "payload.metadata"),
        (False, "payload.metadata"),
        ("{}", "payload.metadata"),
    ],
)
def test_metadata_that_cannot_be_stored_is_refused_by_path(metadata, field):
    raw = envelope(payload={"metadata": metadata})
    assert faulty(raw) == [field]


def test_metadata_passes_up_to_its_size_and_not_a_byte_beyond():
    room = fields.MAX_METADATA_BYTES - len('{"a":""}')
    assert parse_envelope(envelope(payload={"metadata": {"a": "x" * room}}))
    raw = envelope(payload={"metadata": {"a": "x" * (room + 1)}})
    assert faulty(raw) == ["payload.metadata"]


def test_a_huge_list_in_metadata_is_not_walked_to_its_end():
    class Counted(list):
        steps = 0

        def __iter__(self):
            for item in super().__iter__():
                self.steps += 1
                yield item

    items = Counted([0] * 500_000)
    with pytest.raises(fields.Invalid, match="at most"):
        fields.metadata({"a": items})
    assert items.steps <= fields.MAX_METADATA_BYTES


def test_a_structured_rationale_is_an_object_or_a_list():
    for rationale in ({"criteria": 3}, ["a"]):
        raw = envelope("gate_signoff", payload={"rationale_structured": rationale})
        assert parse_envelope(raw).payload["rationale_structured"] == rationale
    raw = envelope("gate_signoff", payload={"rationale_structured": "fine"})
    error = refusal(raw)
    assert error.field == "payload.rationale_structured"
    assert "an object or a list" in error.message


def test_too_much_text_is_refused_before_anything_else_is_looked_at():
    error = refusal({"schema_version": "v9", "x": "y" * 1000}, max_bytes=500)
    assert (error.code, error.http_status, error.field) == ("too_large", 413, "event")


@pytest.mark.parametrize(
    "raw", ["x" * 501, b"x" * 501, ["é" * 251], [0] * 501, {"k" * 501: 0}, nested(600)]
)
def test_size_counts_every_kind_of_value(raw):
    assert refusal(raw, max_bytes=500).code == "too_large"


def test_an_envelope_that_contains_itself_ends_as_too_large():
    raw = envelope()
    raw["payload"]["metadata"] = raw
    assert refusal(raw, max_bytes=10_000).code == "too_large"


# -- properties ---------------------------------------------------------------

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=20)
    | st.binary(max_size=5)
    | st.sampled_from([SHA, "pass", "v1.0", "\ud800", "a\x00", 2**70])
)
junk = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=8) | st.integers(), inner, max_size=4)
    ),
    max_leaves=12,
)


@st.composite
def damaged(draw):
    """An envelope of some type with some of its values replaced, moved or dropped."""
    raw = envelope(draw(st.sampled_from(EVENT_TYPES)))
    for _change in range(draw(st.integers(0, 3))):
        holder = raw
        while True:
            key = draw(st.sampled_from(list(holder)) | st.text(max_size=5))
            inner = holder.get(key)
            if not (isinstance(inner, dict) and inner and draw(st.booleans())):
                break
            holder = inner
        if draw(st.booleans()):
            holder.pop(key, None)
        else:
            holder[key] = draw(junk)
        if not holder:
            break
    return raw


def assert_answerable(raw):
    try:
        parsed = parse_envelope(raw)
    except Rejected as error:
        assert answers.HTTP_STATUS[error.code] == error.http_status
        assert error.field == error.errors[0]["field"]
        assert error.message == error.errors[0]["message"]
        for fault in error.errors:
            assert fault["field"]
            for words in fault.values():
                words.encode()
                assert "\x00" not in words
        xmlrpc.client.dumps((answers.rejected_by(1, error),))
        return None
    return parsed


@given(junk)
@example({1: 2, b"x": 3, None: 4, "": 5, ("a",): 6})
@example({"event_type": [], "source_system": {}, "payload": {"source_ref": []}})
def test_arbitrary_junk_is_refused_and_never_crashes(raw):
    assert assert_answerable(raw) is None


@given(damaged())
def test_a_damaged_envelope_is_taken_or_refused_and_never_crashes(raw):
    parsed = assert_answerable(raw)
    if parsed:
        json.dumps(parsed.payload, default=str, allow_nan=False).encode()
        # What happens to a project or an environment speaks of no revision.
        of_none = parsed.event_type in ("incident", "environment_event")
        assert parsed.source_ref or of_none


@given(st.text(st.characters(), max_size=60))
def test_no_url_with_credentials_or_another_scheme_gets_through(text):
    try:
        url = fields.url("https://" + text)
    except fields.Invalid:
        return
    assert "@" not in url.split("/")[2].split("?")[0].split("#")[0]
    assert url.isprintable()
