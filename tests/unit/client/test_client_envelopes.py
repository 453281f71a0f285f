"""The client's envelopes: what the server's own reader takes, with keys that repeat."""

import itertools

import ingest
import pytest
from client_parts import SHA, arguments, settings
from ipai_gates import envelopes, reports
from ipai_gates.problems import UsageProblem

UUID = "0b7c3f0e-9d53-4f1c-8b0e-1f1f9d0c8a11"
JUNIT = "<testsuite><testcase name='a'/><testcase name='b'><skipped/></testcase>"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "unit.xml").write_text(f"{JUNIT}</testsuite>")
    (tmp_path / "build.log").write_text("log")
    monkeypatch.chdir(tmp_path)
    return tmp_path


ADDRESSES = (
    {"release": UUID},
    {"release": "17"},
    {"project": "acme/odoo", "name": "19.0 – première"},
    {"project": "group/sub/odoo"},
)
LINES = (
    "build pass --check lint=pass --junit unit_tests=unit.xml --log-file build.log",
    "build fail --log-url https://ci.example.com/1 --gate G1",
    "check lint fail --metadata found=3 --metadata tool=ruff --artifact out.txt",
    "evidence rollback_plan --file build.log --gate G3",
    "evidence reference --link https://example.com/x --metadata a=true",
    "junit unit.xml",
    "deploy succeeded --environment production --id d1 --at 2026-01-01T00:00:00Z",
    "deploy rolled_back --environment production --id d2 --rollback-of d1",
    "health warning --environment staging --check ping=fail --metadata ms=12.5",
)


@pytest.mark.parametrize(
    ("address", "line"), itertools.product(ADDRESSES, LINES), ids=str
)
def test_the_server_takes_what_the_client_makes(folder, address, line):
    made = settings(**address)
    parsed = arguments(*line.split())
    for kind, key, event in reports_of(made, parsed):
        assert kind == "event"
        envelope = ingest.parse_envelope(event)
        assert envelope.idempotency_key == key
        assert envelope.source_ref == SHA


def reports_of(made, parsed):
    from ipai_gates.commands import REPORTS

    return REPORTS[parsed.command](made, parsed)


@pytest.mark.parametrize("line", LINES)
def test_a_retry_repeats_key_and_digest(folder, line, monkeypatch):
    made, parsed = settings(project="acme/odoo"), arguments(*line.split())
    first = reports_of(made, parsed)
    monkeypatch.setattr(envelopes, "now", lambda: "2030-01-01T00:00:00+00:00")
    second = reports_of(made, parsed)
    assert [key for _, key, _ in first] == [key for _, key, _ in second]
    digests = [
        [ingest.payload_digest(event) for _, _, event in each]
        for each in (first, second)
    ]
    assert digests[0] == digests[1]


def test_events_that_differ_have_keys_that_differ(folder):
    lines = (*LINES, "check lint fail --sequence 2", "check other fail")
    keys = [
        key
        for line in lines
        for made in (
            settings(release=UUID),
            settings(release=UUID, run="another"),
            settings(project="acme/odoo"),
            settings(project="acme/odoo", source_ref="a" * 40),
        )
        for _, key, _ in reports_of(made, arguments(*line.split()))
    ]
    # The same check in two lines of the table: nothing distinguishes them.
    assert len(set(keys)) == len(keys)


def test_another_result_of_the_same_check_in_one_run_is_the_same_key():
    """The server then refuses it by name; as an event of its own it might be lost."""
    made = settings(release=UUID)
    keys = {
        reports_of(made, arguments("check", "lint", status))[0][1]
        for status in ("pass", "fail")
    }
    assert len(keys) == 1


def test_without_a_run_each_call_is_an_event_of_its_own():
    made = settings(release=UUID, run=None)
    parsed = arguments("check", "lint", "pass")
    assert reports_of(made, parsed)[0][1] != reports_of(made, parsed)[0][1]


def test_a_long_name_of_a_release_leaves_the_key_within_its_limit():
    made = settings(project="a/" + "b" * 250, name="c" * 500)
    assert len(reports_of(made, arguments("check", "lint", "pass"))[0][1]) <= 255


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("build pass", "Where is the log"),
        ("build pass --check a=pass --check a=fail --log-url https://x.y", "twice"),
        ("evidence rollback_plan --file missing", "missing cannot be read"),
        ("evidence rollback_plan --file empty", "empty is empty"),
        ("evidence rollback_plan --file huge", "larger than 10 MiB"),
        ("junit build.log", "build.log is no JUnit file"),
        ("deploy succeeded --environment production", "Which deployment?"),
        ("send build.log", "holds no envelopes"),
        ("send keyless", "has no idempotency_key"),
    ],
)
def test_what_cannot_be_sent_is_said_before_anything_is(folder, line, words):
    (folder / "empty").touch()
    with open(folder / "huge", "wb") as huge:
        huge.truncate(reports.MAX_FILE + 1)
    (folder / "keyless").write_text('{"event_type": "check_result"}')
    with pytest.raises(UsageProblem, match=words):
        reports_of(settings(release=UUID, run=None), arguments(*line.split()))
