"""``ipai-gates`` against a real server: what it reports, asks, and how it ends."""

import http.server
import json
import stat
import threading

import events
import pytest
from client_bench import (
    DONE,
    NOT_ELIGIBLE,
    REFUSED,
    SPOOLED,
    UNREACHABLE,
    USAGE,
    keys_of,
    move_spool,
    rows,
    unreachable,
)
from clients import commit_in, ended, git

JUNIT = b"""<testsuites><testsuite name="all" tests="2">
<testcase name="a"/><testcase name="b"/></testsuite></testsuites>"""


# --- each command --------------------------------------------------------------------


def test_a_release_is_opened_with_the_authors_of_its_commits(own, client):
    folder = client.home / "repository"
    commit_in(folder, "before")
    git(folder, "tag", "v1")
    commit_in(folder, "one", author="dev", committer="rm")
    message = "two\n\nCo-authored-by: Q <qa@example.com>"
    client.settings["source_ref"] = commit_in(folder, message, author="sre")
    name = f"authors-{events.commit()[:8]}"
    first = client("open", name=name, cwd=folder)
    assert first.code == DONE, first.said
    assert first.data["release"]["created"] is True
    emails = rows(
        own,
        "SELECT revision.author_emails FROM ipai_revision revision"
        " JOIN ipai_release release ON release.revision_id = revision.id"
        " WHERE release.uuid = %s",
        first.data["release"]["uuid"],
    )[0][0]
    assert set(emails) == {
        "dev@example.com",
        "rm@example.com",
        "sre@example.com",
        "qa@example.com",
    }
    again = client("open", name=name, cwd=folder)
    assert again.data["release"]["uuid"] == first.data["release"]["uuid"]
    assert again.data["release"]["created"] is False


def test_a_release_that_exists_gets_a_new_commit_only_when_asked(own, client):
    name = f"revised-{events.commit()[:8]}"
    words = ("open", "--author", "dev@example.com")
    first = client(*words, name=name)
    newer = events.commit()
    kept = client(*words, name=name, source_ref=newer)
    assert kept.data["release"]["source_ref"] == first.data["release"]["source_ref"]
    revised = client(*words, "--revise", name=name, source_ref=newer)
    assert revised.data["release"]["source_ref"] == newer, revised.said
    query = "SELECT source_ref FROM ipai_release WHERE uuid = %s"
    assert rows(own, query, first.data["release"]["uuid"]) == [(newer,)]


def test_every_report_becomes_its_fact(own, client, release):
    (client.home / "plan.md").write_text("Back to 1.0")
    (client.home / "unit.xml").write_bytes(JUNIT)
    (client.home / "build.log").write_text("all is well")
    done = [
        client(
            *("build", "pass", "--check", "lint=pass"),
            *("--junit", "unit_tests=unit.xml", "--log-file", "build.log"),
        ),
        client("check", "style", "warning", "--metadata", "found=3", "--gate", "G1"),
        client("evidence", "rollback_plan", "--file", "plan.md", "--gate", "G3"),
        client("evidence", "reference", "--link", "https://example.com/notes"),
        client("junit", "unit.xml", "--check-name", "api_tests"),
        client(
            *("health", "pass", "--environment", "staging"),
            *("--check", "ping=pass", "--link", "https://example.com/health"),
        ),
        client("deploy", "succeeded", "--environment", "staging", "--id", "d-1"),
    ]
    assert {each.code for each in done} == {DONE}, [each.said for each in done]
    assert {s for each in done for s in each.statuses} == {"accepted"}
    checks = rows(
        own,
        "SELECT name, status, metadata FROM ipai_check WHERE release_id = %s",
        release["id"],
    )
    found = {name: (status, metadata) for name, status, metadata in checks}
    assert found["unit_tests"][0] == "pass"
    assert found["unit_tests"][1]["tests"] == 2
    assert found["lint"][0] == found["build"][0] == found["ping"][0] == "pass"
    assert found["style"] == ("warning", {"found": 3})
    assert found["api_tests"][0] == "pass"
    types = rows(
        own,
        "SELECT type_code, filename FROM ipai_evidence WHERE release_id = %s",
        release["id"],
    )
    assert ("rollback_plan", "plan.md") in types
    assert ("test_result", "unit.xml") in types
    assert ("build_log", "build.log") in types
    deployment = "SELECT status FROM ipai_deployment WHERE external_id = 'd-1'"
    assert rows(own, deployment) == [("succeeded",)]
    assert not client.waiting


SARIF = {
    "version": "2.1.0",
    "runs": [{"tool": {"driver": {"name": "scanner"}}, "results": []}],
}


def test_a_raw_report_is_read_by_the_server_also_when_it_waited(own, client, release):
    (client.home / "scan.sarif").write_text(json.dumps(SARIF))
    (client.home / "unit.xml").write_bytes(JUNIT)
    words = ("report", "sarif", "scan.sarif", "--check-name", "code_scan")
    offline = unreachable()
    assert client(*words, url=offline).code == SPOOLED
    move_spool(client, offline)
    sent = client("report", "junit", "unit.xml", "--check-name", "raw_tests")
    assert (sent.code, sent.statuses) == (DONE, ["accepted"]), sent.said
    checks = rows(
        own,
        "SELECT name, status FROM ipai_check WHERE release_id = %s ORDER BY id",
        release["id"],
    )
    assert checks == [("code_scan", "pass"), ("raw_tests", "pass")]
    again = client("report", "junit", "unit.xml", "--check-name", "raw_tests")
    assert again.statuses == ["duplicate"]
    bad = client("report", "cyclonedx", "unit.xml")
    assert (bad.code, bad.data["refused"] != []) == (REFUSED, True)


def test_envelopes_of_a_file_are_sent_as_they_are(own, client, release):
    sent = [
        events.envelope(release, "check_result", {"name": name, "status": "pass"})
        for name in ("one", "two")
    ]
    lines = "\n".join(json.dumps(event) for event in sent)
    process = client.start("send", "-", "--json", stdin=-1)
    done = ended(process, lines)
    assert (done.code, done.statuses) == (DONE, ["accepted"] * 2), done.said
    assert keys_of(done) == [event["idempotency_key"] for event in sent]


def test_a_verdict_is_told_by_exit_code_and_by_reasons(client, release):
    dev = client("verdict", "--target", "dev")
    assert (dev.code, dev.data["verdict"]["eligible"]) == (DONE, True)
    refused = client("verdict", "--target", "production")
    assert (refused.code, refused.data["verdict"]["eligible"]) == (NOT_ELIGIBLE, False)
    assert "not eligible" in refused.said
    assert "G3 needs" in refused.said
    by_name = client("verdict", release=None, name=release["name"])
    assert by_name.code == NOT_ELIGIBLE
    assert by_name.data["verdict"]["release"] == release["uuid"]
    assert client("verdict", release=None, name="nothing").code == REFUSED
    assert client("verdict", "--gate", "G9").code == USAGE
    assert client("verdict", url=unreachable()).code == UNREACHABLE


def test_waiting_ends_when_the_gate_opens_and_tells_what_changed(client, release):
    words = ("wait", "--gate", "G1", "--for", 60, "--longest-pause", 0.3, "--json")
    waiting = client.start(*words)
    line = ""
    while "G1 needs" not in line:
        line = waiting.stderr.readline()
        assert line, "it ended before the gate opened"
    words = ("--check", "unit_tests=pass", "--check", "lint=pass")
    build = client("build", "pass", *words, "--log-url", "https://example.com/1")
    assert build.code == DONE, build.said
    done = ended(waiting)
    assert (done.code, done.data["verdict"]["gates"][0]["status"]) == (DONE, "passed")
    assert "is met now" in done.said
    late = client("wait", "--gate", "G2", "--for", 0)
    assert (late.code, "gave up" in late.said) == (NOT_ELIGIBLE, True)
    nobody = client("wait", "--for", 0, url=unreachable())
    assert nobody.code == UNREACHABLE


def test_a_deployment_that_nobody_allowed_must_not_begin(client, release):
    words = ("deploy", "in_progress", "--environment", "production", "--id", "no-1")
    refused = client(*words, ok_if_spooled=1)
    assert (refused.code, "must not begin" in refused.said) == (REFUSED, True)
    unasked = client(*words, ok_if_spooled=1, url=unreachable())
    assert (unasked.code, "must not begin" in unasked.said) == (UNREACHABLE, True)
    assert not client.waiting, "permission that comes later is none"


# --- keys ----------------------------------------------------------------------------


def test_a_retry_has_the_same_key_and_counts_once(own, client, release):
    github = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_REPOSITORY": "acme/odoo",
        "GITHUB_RUN_ID": release["id"] + 10**6,
        "GITHUB_RUN_ATTEMPT": 1,
        "GITHUB_JOB": "test",
        "GITHUB_ACTION": "__run",
        "run": None,
    }
    first = client("check", "retried", "pass", **github)
    retry = client("check", "retried", "pass", **github)
    assert (first.statuses, retry.statuses) == (["accepted"], ["duplicate"])
    assert keys_of(first) == keys_of(retry)
    assert keys_of(first)[0].startswith(f"github_actions/{release['uuid']}/")
    otherwise = client("check", "retried", "fail", **github)
    assert otherwise.code == REFUSED
    assert "--sequence" in otherwise.said
    assert client("check", "retried", "fail", "--sequence", 2, **github).code == DONE
    later = client("check", "retried", "pass", **{**github, "GITHUB_RUN_ATTEMPT": 2})
    assert later.statuses == ["accepted"]
    count = "SELECT count(*) FROM ipai_check WHERE release_id = %s AND name = 'retried'"
    assert rows(own, count, release["id"]) == [(3,)]


# --- refusals ------------------------------------------------------------------------


def test_a_refused_event_fails_the_call_and_lies_aside_with_its_reason(own, client):
    refused = client("check", "lint", "pass", project="acme/nothing")
    assert refused.code == REFUSED
    assert "project: No project acme/nothing" in refused.said
    assert not client.waiting
    shown = client("spool")
    assert shown.code == DONE
    (entry,) = shown.data["refused"]
    assert "acme/nothing" in entry["reason"]
    again = client("spool", "--again")
    assert (again.data["again"], len(client.waiting)) == (1, 1)
    flushed = client("flush")
    assert (flushed.code, flushed.data["waiting"]) == (REFUSED, 0)


def test_one_refused_event_holds_up_no_other(client, release):
    offline = unreachable()
    bad = client(
        "check", "a", "pass", project="acme/nothing", release=None, url=offline
    )
    good = client("check", "b", "pass", url=offline)
    assert (bad.code, good.code) == (SPOOLED, SPOOLED)
    move_spool(client, offline)
    flushed = client("flush")
    assert flushed.code == REFUSED
    delivered = [answer["status"] for answer in flushed.data["delivered"]]
    assert delivered == ["rejected", "accepted"]


def test_a_bad_key_loses_nothing(client, release):
    bad = client("check", "lint", "pass", key="0" * 40)
    assert bad.code == REFUSED
    assert "refuses the API key" in bad.said
    assert len(client.waiting) == 1
    good = client("flush")
    assert (good.code, [a["status"] for a in good.data["delivered"]]) == (
        DONE,
        ["accepted"],
    )


# --- the key -------------------------------------------------------------------------


class Elsewhere(http.server.BaseHTTPRequestHandler):
    """Redirects every request, and remembers what it carried."""

    def do_POST(self):
        self.server.seen.append((self.path, self.headers.get("Authorization")))
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.server.target:
            self.send_response(self.server.status)
            self.send_header("Location", self.server.target)
        else:
            self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_POST

    def log_message(self, *args):
        pass


@pytest.fixture
def elsewhere():
    """Two servers, of which the first sends on to the second."""
    servers = [
        http.server.ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere) for _ in range(2)
    ]
    for each in servers:
        each.seen, each.target, each.status = [], None, 307
        threading.Thread(target=each.serve_forever, daemon=True).start()
    servers[0].target = f"http://localhost:{servers[1].server_port}/"
    yield servers
    for each in servers:
        each.shutdown()
        each.server_close()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_carries_the_key_nowhere(client, elsewhere, status):
    first, second = elsewhere
    first.status = status
    address = f"http://127.0.0.1:{first.server_port}"
    told = client("check", "lint", "pass", url=address)
    asked = client("verdict", url=address, release="0" * 8)
    assert (told.code, asked.code) == (USAGE, USAGE)
    assert "sends to" in told.said
    assert {key for _path, key in first.seen} == {f"Bearer {client.key}"}
    assert second.seen == []
    assert len(client.waiting) == 1, "and nothing is lost"


def test_the_key_is_nowhere_but_in_the_header(client, release):
    files = client.home / "key"
    files.write_text(f"{client.key}\n")
    offline = unreachable()
    done = client("check", "lint", "pass", key=None, key_file=files)
    lost = client("check", "style", "pass", url=offline)
    assert (done.code, lost.code) == (DONE, SPOOLED)
    files.unlink()
    for path in client.home.rglob("*"):
        if path.is_file():
            assert client.key not in path.read_text()
    assert client.key not in done.said + done.out + lost.said + lost.out
    modes = {stat.S_IMODE(path.stat().st_mode) for path in client.waiting}
    assert modes == {0o600}
    folders = {stat.S_IMODE(path.parent.stat().st_mode) for path in client.waiting}
    assert folders == {0o700}
