"""``make demo`` against a real server, and the releases that the demo data brings."""

import http.server
import re
import subprocess
import sys
import threading
from datetime import datetime, timedelta

import pytest

from tools import databases, demo
from tools.demo import build, drill, exceptions, people, rooms
from tools.demo.play import Play, Release
from tools.demo.record import Record, Unexpected
from tools.paths import ROOT
from tools.server import free_port

JUNIT = b'<testsuite name="few"><testcase classname="test_few" name="one"/></testsuite>'


@pytest.fixture
def built():
    """A function that gives a build that passed, without running one."""
    tests = rooms.load("ingest").parse_junit(JUNIT)
    return lambda: build.Build(JUNIT, b"log\n", tests, "pass", 1.0)


@pytest.fixture
def without_requirement(rpc):
    """A function that takes a requirement out of force until the test ends."""
    governance, taken = rpc("governance"), []

    def take(gate, code):
        domain = [["gate_id.code", "=", gate], ["code", "=", code]]
        ids = governance.execute_kw("ipai.gate.requirement", "search", [domain])
        assert len(ids) == 1
        taken.extend(ids)
        governance.execute_kw(
            "ipai.gate.requirement", "write", [ids, {"active": False}]
        )

    yield take
    governance.execute_kw("ipai.gate.requirement", "write", [taken, {"active": True}])


def test_carries_a_release_of_this_repository_from_build_to_closed(site, rpc, tmp_path):
    report = tmp_path / "dry-run.md"
    command = [sys.executable, "-m", "tools", "demo", "--report", str(report)]
    where = ["--port", str(site.server.port), "--database", site.database]
    # A few unit tests make a build too; all of them run as a layer of their own.
    where += ["--tests", "tests/unit/ledger"]
    done = subprocess.run(
        [*command, *where],
        check=False,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr
    assert "chain sound: " in done.stdout
    written = report.read_text()
    for line in (
        "**every step behaved as it must**",
        "cannot move to QA Validation:",
        "No successful `unit_tests` check",
        "409 idempotency_conflict",
        "400 sha256_mismatch",
        "400 missing_field [payload.status]",
        "No user is known for author",
        "The evidence package is incomplete",
        "Only Odoo Release Manager may move a release to Production",
        "it speaks of an earlier revision",
        "is an author of revision",
        "lives no longer than its risk allows",
        " as release_manager | requested, waits for another persona",
        "requested this exception and cannot decide on it",
        "an author of revision",
        "was requested for revision",
        "cannot change. Withdraw it and request another",
        "verdicts, each as the clock had it",
        "state expired; the ledger tells that EX-",
        "what has ended is not revived",
        "is reviewed by a release_manager or sre who did not request it",
        "Blocking incident still open: Orders are answered slowly",
        "A timeline entry is never changed",
        "is rolled back already",
        "Tell the root cause and the outcome of",
        "-unapproved cannot be deployed to production:",
        "incident of high severity: Unauthorised deployment deploy-",
        "A restore that was not validated is no success",
        "chain sound: ",
        "The ledger is sound: ",
        "| gate | status | condition | state | reason |",
        "### 23. ",  # as many ambiguities at least
    ):
        assert line in written, line
    for missing in (str(ROOT), str(tmp_path), "Traceback"):
        assert missing not in written
    name = re.search(r"opens (HEAD-\S+) for", done.stdout)[1]
    names = [name, *(f"{name}-{n}" for n in ("exception", "second", "unapproved"))]
    assert stages(rpc("auditor"), names) == [
        ("Closed", "promoted", ["passed"] * 4),
        ("Production", "rolled_back", [*["bypassed"] * 3, "failed"]),
        ("Build", "in_progress", ["passed", "pending", "in_progress", "pending"]),
        ("Build", "rolled_back", ["pending"] * 4),
    ]


def stages(auditor, names):
    """Stage, status and gates of releases, by name."""
    found = auditor.execute_kw(
        "ipai.release",
        "search_read",
        [[["name", "in", names]], ["stage_id", "status", "gate_marks"]],
        {"order": "name"},
    )
    return [
        (
            row["stage_id"][1],
            row["status"],
            [mark["status"] for mark in row["gate_marks"]],
        )
        for row in found
    ]


@pytest.mark.parametrize(
    "gate, code", [("G1", "build_log"), ("G2", "defect_register"), ("G3", "rm_signoff")]
)
def test_fails_as_soon_as_one_condition_is_no_longer_asked_for(
    site, without_requirement, built, gate, code
):
    without_requirement(gate, code)
    with pytest.raises(Unexpected, match=f"{gate}:{code}"):
        demo.carry(site.url, site.database, built, Record())


def test_stops_at_a_build_that_fails(site, built):
    failing = build.Build(JUNIT, b"log\n", built().tests, "fail", 1.0)
    with pytest.raises(Unexpected, match="The build fails"):
        demo.carry(site.url, site.database, lambda: failing, Record())


@pytest.fixture
def stage(site):
    """What the chapters of the demo play on."""
    record = Record()
    record.chapter("A chapter by itself")
    return Play(people.Crew(site.url, site.database), record)


def test_finds_out_that_an_exception_outlives_its_expiry(stage, monkeypatch):
    ends_at = datetime(2026, 11, 20, 12)
    times = (ends_at + timedelta(seconds=n) for n in (-1, 1))

    def verdict(login, method, *arguments):
        at = f"{next(times).isoformat()}Z"
        g3 = {"code": "G3", "status": "bypassed"}
        return {"eligible": True, "evaluated_at": at, "gates": [g3]}

    monkeypatch.setattr(stage, "plane", verdict)
    release = Release("uuid", "name", None)
    with pytest.raises(Unexpected, match="must follow the clock"):
        exceptions.await_expiry(stage, release, ends_at)


def test_takes_a_requirement_out_of_force_again_when_it_breaks_off(stage):
    release = Release(
        stage.one("ipai.release", [["name", "=", "2026.11.0"]], ["uuid"])["uuid"],
        "2026.11.0",
        None,
    )
    with pytest.raises(Unexpected, match="must meet the requirement"):
        drill.demanded(stage, release, recorded=0)  # no drill has that id
    in_force = [["code", "=", "restore_drill"], ["active", "=", True]]
    assert not stage.crew["auditor"].read(drill.REQUIREMENT, in_force, [])


def test_uses_a_server_that_is_up_and_no_other(site):
    class Other(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>hello")

        def log_message(self, *args):
            """Says nothing."""

    assert demo.answering(site.server.port, site.database) == site.url
    assert demo.answering(site.server.port, "no_such_database") is None
    assert demo.answering(free_port(), site.database) is None
    with http.server.HTTPServer(("127.0.0.1", 0), Other) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        assert demo.answering(other.server_port, site.database) is None
        other.shutdown()


@pytest.fixture(scope="module")
def fresh(postgresql):
    """A database with the demo data, as it is loaded."""
    with databases.temporary(databases.template("demo")) as name:
        yield name


def test_the_demo_data_has_releases_in_every_stage(fresh):
    with databases.cursor(fresh) as cr:
        cr.execute(
            "SELECT r.name, s.code, r.status, string_agg(g.status, ' ' ORDER BY"
            " g.gate_sequence) FROM ipai_release r JOIN ipai_release_stage s"
            " ON s.id = r.stage_id JOIN ipai_release_gate g ON g.release_id = r.id"
            " GROUP BY 1, 2, 3 ORDER BY 1"
        )
        assert cr.fetchall() == [
            ("2026.10.0", "closed", "promoted", "passed passed passed passed"),
            ("2026.10.1", "production", "promoted", "passed passed passed in_progress"),
            ("2026.10.2", "staging_acceptance", "in_progress",
             "passed passed passed pending"),
            ("2026.11.0", "staging_acceptance", "in_progress",
             "passed passed in_progress pending"),
            ("2026.11.1", "qa_validation", "in_progress",
             "passed in_progress in_progress pending"),
            ("2026.11.2", "build", "in_progress", "pending pending pending pending"),
            ("2026.11.3", "build", "in_progress", "failed failed in_progress pending"),
            ("2026.12.0", "build", "draft", "pending pending pending pending"),
            ("7.4.1", "production", "promoted", "passed passed bypassed in_progress"),
            ("7.5.0", "qa_validation", "in_progress",
             "bypassed in_progress in_progress pending"),
            ("7.6.0", "staging_acceptance", "in_progress",
             "passed passed in_progress pending"),
        ]  # fmt: skip


def test_the_demo_data_has_exceptions_in_telling_states(fresh):
    with databases.cursor(fresh) as cr:
        cr.execute(
            "SELECT r.name, x.state, x.review_status,"
            " x.expires_at < x.recorded_at + interval '1 minute',"
            " (SELECT count(*) FROM ipai_approval WHERE exception_id = x.id)"
            " FROM ipai_exception x JOIN ipai_release r ON r.id = x.release_id"
            " ORDER BY 1, 2"
        )
        assert cr.fetchall() == [
            ("7.4.1", "active", "pending", False, 2),
            ("7.5.0", "active", "waived", False, 1),
            ("7.6.0", "active", "waived", True, 1),  # over, before anything recorded it
            ("7.6.0", "requested", "waived", False, 1),  # waits for the SRE
        ]


def test_no_freeze_and_no_review_of_the_demo_data_can_hold_acme_odoo(fresh):
    # However old the database is: what is to come today was long ago by then.
    with databases.cursor(fresh) as cr:
        cr.execute(
            "SELECT w.recurrence, array_agg(p.name) FROM ipai_freeze_window w"
            " LEFT JOIN ipai_freeze_window_ipai_project_rel l"
            " ON l.ipai_freeze_window_id = w.id"
            " LEFT JOIN ipai_project p ON p.id = l.ipai_project_id"
            " GROUP BY w.id ORDER BY 1"
        )
        assert cr.fetchall() == [
            ("none", ["acme/payments"]),
            ("weekly", ["acme/payments"]),
        ]
        cr.execute(
            "SELECT DISTINCT p.name FROM ipai_exception x"
            " JOIN ipai_project p ON p.id = x.project_id"
            " WHERE x.review_status = 'pending'"
        )
        assert cr.fetchall() == [("acme/payments",)]


def test_the_demo_data_was_taken_by_the_facade_but_for_what_shall_be_refused(fresh):
    with databases.cursor(fresh) as cr:
        cr.execute(
            "SELECT status, http_status, idempotency_key FROM ipai_ingest_log"
            " WHERE status <> 'accepted' ORDER BY id"
        )
        assert cr.fetchall() == [
            ("rejected", 400, "github_actions/acme/odoo/2026.12.0/check_result/1"),
            ("pending", 202, "github_actions/acme/odoo/8a3e/check_result/1"),
        ]
        cr.execute(
            "SELECT count(*) FROM ipai_ledger_entry"
            " WHERE kind IN ('move_refused', 'signoff_refused')"
        )
        assert cr.fetchone() == (0,)
