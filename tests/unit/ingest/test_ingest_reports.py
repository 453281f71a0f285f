"""Reports as a check and a piece of evidence."""

import base64
import datetime
import hashlib
from pathlib import Path

import pytest
from ingest import Rejected, parse_envelope, read_report

SAMPLES = Path(__file__).parents[1] / "samples"
NOW = datetime.datetime(2026, 1, 31, 9, 30, tzinfo=datetime.timezone.utc)
COMMIT = "c" * 40
GREEN = b'<testsuite name="a"><testcase name="t"/></testsuite>'


def values(content=GREEN, format_="junit", **more):
    sent = {
        "format": format_,
        "project": "acme/shop",
        "source_ref": COMMIT,
        "name": "unit_tests",
        "idempotency_key": "gitlab_ci/acme/shop/report/17",
        "content_base64": base64.b64encode(content).decode(),
        **more,
    }
    return {key: value for key, value in sent.items() if value is not None}


def read(*arguments, **more):
    """The check and the evidence, as the contract reads them."""
    envelopes = read_report(values(*arguments, **more), NOW)
    return [parse_envelope(envelope) for envelope in envelopes]


def refusal(sent):
    with pytest.raises(Rejected) as caught:
        read_report(sent, NOW)
    return caught.value


def test_a_report_is_a_check_and_its_file_as_evidence():
    check, evidence = read(gate_code="G1")
    digest = hashlib.sha256(GREEN).hexdigest()
    assert (check.event_type, evidence.event_type) == ("check_result", "evidence")
    for envelope in (check, evidence):
        assert envelope.project == "acme/shop"
        assert envelope.source_ref == COMMIT
        assert envelope.source_system == "gitlab_ci"
        assert envelope.gate_code == "G1"
        assert envelope.emitted_at == NOW
    assert check.payload["name"] == "unit_tests"
    assert check.payload["status"] == "pass"
    assert check.payload["metadata"]["tests"] == 1
    assert check.payload["metadata"]["sha256"] == digest
    assert evidence.payload["type"] == "test_result"
    assert evidence.payload["content"] == GREEN
    assert evidence.payload["sha256"] == digest
    assert evidence.payload["filename"] == "junit.xml"
    assert evidence.payload["metadata"]["check"] == "unit_tests"


@pytest.mark.parametrize(
    ("format_", "sample", "status", "type_", "filename"),
    [
        ("junit", "junit/pytest.xml", "fail", "test_result", "junit.xml"),
        ("sarif", "sarif/ruff.sarif", "fail", "vulnerability_scan", "report.sarif"),
        (
            "cyclonedx",
            "cyclonedx/npm-sbom-1.5.json",
            "skipped",
            "sbom",
            "bom.cdx.json",
        ),
    ],
)
def test_each_format_has_its_evidence(format_, sample, status, type_, filename):
    check, evidence = read((SAMPLES / sample).read_bytes(), format_)
    assert check.payload["status"] == status
    assert evidence.payload["type"] == type_
    assert evidence.payload["filename"] == filename


def test_every_sample_fits_an_envelope():
    for format_ in ("junit", "sarif", "cyclonedx"):
        for path in (SAMPLES / format_).iterdir():
            if path.name != "cyclonedx-npm.xml":
                assert len(read(path.read_bytes(), format_)) == 2


def test_the_keys_are_those_of_the_contract_and_never_meet_an_events_own():
    check, evidence = read()
    assert check.idempotency_key == "gitlab_ci/acme/shop/check_result/report-17"
    assert evidence.idempotency_key == "gitlab_ci/acme/shop/evidence/report-17"


def test_the_longest_key_still_makes_two():
    key = "gitlab_ci/" + "a" * 216 + "/report/17"
    assert len(read(idempotency_key=key[:235])) == 2 or len(key) > 235
    assert refusal(values(idempotency_key=key + "0")).field == "idempotency_key"


def test_a_release_may_be_named_instead_and_a_time_a_source_and_a_name_of_the_file():
    check, evidence = read(
        project=None,
        release_id=7,
        source_system="agent",
        idempotency_key="agent/7/report/1",
        emitted_at="2026-01-01T00:00:00+02:00",
        filename="TEST-a.xml",
    )
    assert (check.release_id, check.project) == (7, None)
    assert check.source_system == "agent"
    assert check.emitted_at.isoformat() == "2025-12-31T22:00:00+00:00"
    assert evidence.payload["filename"] == "TEST-a.xml"


@pytest.mark.parametrize(
    ("more", "field", "code"),
    [
        ({"format": "html"}, "format", "invalid_field"),
        ({"format": None}, "format", "missing_field"),
        ({"project": None}, "release_id", "missing_field"),
        ({"source_ref": None}, "source_ref", "missing_field"),
        ({"source_ref": "main"}, "source_ref", "invalid_field"),
        ({"name": "a,b"}, "name", "invalid_field"),
        ({"idempotency_key": None}, "idempotency_key", "missing_field"),
        ({"idempotency_key": "17"}, "idempotency_key", "invalid_field"),
        (
            {"idempotency_key": "gitlab_ci/a/check_result/1"},
            "idempotency_key",
            "invalid_field",
        ),
        ({"idempotency_key": "jenkins/a/report/1"}, "idempotency_key", "invalid_field"),
        ({"content_base64": "!"}, "content_base64", "invalid_field"),
        ({"content_base64": ""}, "content_base64", "invalid_field"),
        ({"content_base64": "AAAA" * 3_600_000}, "content_base64", "too_large"),
        ({"filename": "../x"}, "filename", "invalid_field"),
        ({"status": "pass"}, "status", "invalid_field"),
    ],
)
def test_a_field_that_is_missing_or_wrong_is_named(more, field, code):
    error = refusal(values(**more))
    assert (error.field, error.code) == (field, code)


def test_every_fault_is_told_at_once():
    assert len(refusal({}).errors) == 5
    assert refusal([]).http_status == 400


@pytest.mark.parametrize(
    ("content", "format_"),
    [
        (GREEN, "sarif"),
        (GREEN, "cyclonedx"),
        (b"{}", "junit"),
        (b"<!DOCTYPE x><testsuite/>", "junit"),
        (b"\xff\xfe", "sarif"),
    ],
)
def test_a_file_of_another_kind_than_its_format_is_refused(content, format_):
    error = refusal(values(content, format_))
    assert (error.field, error.http_status) == ("content_base64", 400)


def test_a_file_that_is_too_large_for_its_reader_is_refused():
    error = refusal(values(b" " * (5 * 1024 * 1024) + GREEN))
    assert (error.code, error.http_status) == ("too_large", 413)
