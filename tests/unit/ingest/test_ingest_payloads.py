"""The fields of payloads, files of evidence included."""

import base64
import xmlrpc.client

import pytest
from ingest import (
    EVENT_TYPES,
    fields,
    parse_envelope,
)
from ingest_envelopes import (
    CONTENT,
    CONTENT_SHA256,
    SHA,
    envelope,
    faulty,
    refusal,
)

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
