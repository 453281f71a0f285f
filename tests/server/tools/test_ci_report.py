"""``.ci/run`` tells release gates what became of it, and depends on them in nothing."""

import os
import shutil
import subprocess
from contextlib import closing

import events
import pytest
from clients import FOLDER, Client, commit_in, git

from tools.paths import ROOT
from tools.server import free_port

#: Stands for the fifteen minutes that the real targets take.
MAKEFILE = """\
test:
\t@mkdir -p .run/reports
\t@for layer in unit odoo server; do cp $$layer.junit .run/reports/$$layer.xml; done
\t@echo '7 passed, $(FAILED) failed'
\t@exit $(FAILED)
consistency lint:
\t@:
"""
REPORT = (
    "<testsuites><testsuite><testcase name='{}'>{}</testcase></testsuite></testsuites>"
)


@pytest.fixture
def repository(tmp_path):
    """A repository with this one's ``.ci``, client and quick targets, committed."""
    folder = tmp_path / "repository"
    shutil.copytree(ROOT / ".ci", folder / ".ci")
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info", "build")
    shutil.copytree(FOLDER, folder / "client", ignore=ignored)
    shutil.copy(ROOT / ".gitignore", folder)
    (folder / "Makefile").write_text(MAKEFILE)
    for layer in ("unit", "odoo", "server"):
        (folder / f"{layer}.junit").write_text(REPORT.format(layer, ""))
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    commit_in(folder)
    return folder


@pytest.fixture
def gates(site, tmp_path):
    """The environment that names the shared server."""
    client = Client(tmp_path, site.url, site.api_key("ci"), {"project": events.PROJECT})
    return client.environment()


def ci_run(repository, environment=None, failed=0):
    """Run ``.ci/run``; its exit code and what it printed."""
    done = subprocess.run(
        [repository / ".ci/run"],
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(repository.parent),
            **(environment or {}),
            "FAILED": str(failed),
        },
        cwd="/",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def rows(site, query, *params):
    with closing(site.connect()) as connection, connection.cursor() as cursor:
        cursor.execute(query, params)
        return cursor.fetchall()


def results(site, release):
    return dict(
        rows(
            site,
            "SELECT name, status FROM ipai_check WHERE release_id = %s",
            release["id"],
        )
    )


def test_a_run_reports_itself_as_a_build_with_its_junit_files(
    site, rpc, repository, gates
):
    sha = git(repository, "rev-parse", "HEAD")
    release = events.open_release(rpc("ci"), f"reported-{sha[:8]}", sha)
    code, output = ci_run(repository, gates)
    assert (code, f"reported to {site.url}" in output) == (0, True), output
    assert output.splitlines()[-1] == "7 passed, 0 failed"
    assert results(site, release) == {
        "build": "pass",
        "unit_tests": "pass",
        "odoo_tests": "pass",
        "server_tests": "pass",
        "consistency": "pass",
        "lint": "pass",
    }
    files = rows(
        site,
        "SELECT type_code, filename FROM ipai_evidence"
        " WHERE release_id = %s AND filename IS NOT NULL ORDER BY 1, 2",
        release["id"],
    )
    assert files == [
        ("build_log", "ci-run.log"),
        ("test_result", "odoo.xml"),
        ("test_result", "server.xml"),
        ("test_result", "unit.xml"),
    ]


def test_a_failed_run_is_reported_as_failed(site, rpc, repository, gates):
    report = REPORT.format("b", "<failure/>")
    (repository / "odoo.junit").write_text(report)
    (repository / "server.junit").unlink()
    git(repository, "add", "-A")
    sha = commit_in(repository, "break it")
    release = events.open_release(rpc("ci"), f"failed-{sha[:8]}", sha)
    code, output = ci_run(repository, gates, failed=1)
    assert (code, f"reported to {site.url}" in output) == (1, True), output
    found = results(site, release)
    assert (found["build"], found["odoo_tests"]) == ("fail", "fail")
    assert (found["unit_tests"], found["lint"]) == ("pass", "pass")
    assert found["server_tests"] == "fail", "it left no report"


def test_a_report_of_an_earlier_run_is_not_this_ones(site, rpc, repository, gates):
    old = repository / ".run/reports/server.xml"
    old.parent.mkdir(parents=True)
    old.write_text(REPORT.format("old", ""))
    (repository / "server.junit").unlink()
    git(repository, "add", "-A")
    sha = commit_in(repository, "break it off")
    release = events.open_release(rpc("ci"), f"broken-off-{sha[:8]}", sha)
    assert ci_run(repository, gates, failed=1)[0] == 1
    assert results(site, release)["server_tests"] == "fail"


@pytest.mark.parametrize("missing", ["IPAI_GATES_URL", "IPAI_GATES_KEY"])
def test_without_address_or_key_it_says_nothing(repository, gates, missing):
    silent = {name: value for name, value in gates.items() if name != missing}
    expected = ci_run(repository)
    assert ci_run(repository, silent) == expected
    assert expected == (0, "7 passed, 0 failed\n7 passed, 0 failed\n")


@pytest.mark.parametrize("failed", [0, 1])
def test_a_report_that_fails_changes_no_result_but_is_said(repository, gates, failed):
    bad = {**gates, "IPAI_GATES_KEY": "0" * 40}
    code, output = ci_run(repository, bad, failed)
    assert code == failed
    assert "the report failed with exit code 3 (above); the result stands" in output
    away = {**gates, "IPAI_GATES_URL": f"http://127.0.0.1:{free_port()}"}
    code, output = ci_run(repository, away, failed)
    assert code == failed
    assert "the report waits in the spool" in output


def test_changes_that_no_commit_has_are_not_reported_as_one(repository, gates):
    (repository / "Makefile").write_text(MAKEFILE + "more:\n")
    code, output = ci_run(repository, gates)
    assert code == 0
    assert "not reported: there are changes that no commit has" in output
    assert "reported to" not in output
