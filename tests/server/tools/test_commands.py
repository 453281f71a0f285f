"""The set-up room: what it says when something lacks, and what it leaves behind."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tools import addons, aptstate, databases, odoo, postgres, proc, server, testing
from tools.paths import ROOT, RUN
from tools.say import Stop


def processes_naming(word):
    """The command lines of running processes that contain a word."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:  # it ended meanwhile
            continue
        if word in words:
            found.append(words)
    return found


def tools(*arguments, **kwargs):
    """Start a command of the tools as make does."""
    kwargs = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT} | kwargs
    return subprocess.Popen(
        [sys.executable, "-m", "tools", *arguments], cwd=ROOT, text=True, **kwargs
    )


def said(*arguments):
    """The exit code and the output of a command that ends by itself."""
    child = tools(*arguments)
    output, _ = child.communicate(timeout=60)
    return child.returncode, output.strip()


@pytest.fixture
def clone(tmp_path):
    """A second clone with the same virtualenv, so with a PostgreSQL of its own."""
    shutil.copytree(ROOT / "tools", tmp_path / "tools")
    (tmp_path / ".run").mkdir()
    (tmp_path / ".run/venv").symlink_to(RUN / "venv")
    return tmp_path


def in_clone(clone, code):
    """Start Python code in a clone, with no server named."""
    env = {k: v for k, v in os.environ.items() if k not in postgres.EXTERNAL}
    return subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=clone,
        env=env | {"PYTHONPATH": str(clone)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


USE_POSTGRES = """
import sys
from tools import databases, postgres
with postgres.running(), databases.cursor() as cr:
    cr.execute("SELECT current_user")
    print(cr.fetchone()[0], flush=True)
    sys.stdin.readline()
"""


def test_a_taken_port_is_one_sentence_with_the_way_out():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, output = said("run", "--port", str(taken.getsockname()[1]))
    assert code == 1
    assert output.startswith("✗ Port") and "make run PORT=" in output
    assert len(output.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "way_out"),
    [
        (["run", "--port", "many"], "a number from 1 to 65535"),
        (["run", "--database", "No Way"], "small letters"),
        (["test", "tests/test_nothing.py"], "There is no test file"),
        (["test", "README.md"], "is no test"),
    ],
)
def test_a_wrong_word_is_one_sentence(arguments, way_out):
    code, output = said(*arguments)
    assert code == 1
    assert way_out in output
    assert len(output.splitlines()) == 1


def test_without_apt_the_sentence_names_odoo_home(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Stop, match="ODOO_HOME="):
        aptstate.open_state(("sid",))


def test_only_root_installs_a_package_all_others_get_the_sentence(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(Stop, match="as root"):
        aptstate.install("chromium", "apt-get install chromium as root")


@pytest.mark.parametrize("with_signal", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_server_and_leaves_no_process(postgresql, with_signal):
    template = databases.template("demo")
    with databases.temporary(template) as name:
        databases.set_key(name, databases.key("demo"))
        port = server.free_port()
        child = tools("run", "--port", str(port), "--database", name)
        for line in child.stdout:
            if "Ctrl-C ends the server" in line:
                break
        assert f"odoo_bin.py -d {name}" in " ".join(processes_naming(f"-d {name}"))
        child.send_signal(with_signal)
        child.communicate(timeout=30)
        assert child.returncode == 128 + with_signal
        assert processes_naming(name) == []
        server.require_free(port)


def test_the_last_user_of_the_embedded_postgresql_stops_it(clone):
    first = in_clone(clone, USE_POSTGRES)
    # The first start makes the cluster and says so before the role is printed.
    assert "odoo\n" in iter(first.stdout.readline, "")
    second = in_clone(clone, USE_POSTGRES)
    assert second.stdout.readline() == "odoo\n"
    cluster = str(clone / ".run/pg")
    first.communicate("\n", timeout=30)
    assert processes_naming(cluster), "the second still uses it"
    second.communicate("\n", timeout=30)
    assert processes_naming(cluster) == []


def test_a_killed_user_does_not_keep_the_embedded_postgresql_up(clone):
    killed = in_clone(clone, USE_POSTGRES)
    assert "odoo\n" in iter(killed.stdout.readline, "")
    killed.kill()
    killed.communicate(timeout=30)
    after = in_clone(clone, USE_POSTGRES)
    after.communicate("\n", timeout=30)
    assert after.returncode == 0
    assert processes_naming(str(clone / ".run/pg")) == []


def test_a_template_whose_making_broke_is_made_again(postgresql):
    name = databases.temporary_name()

    def broken(database):
        assert databases.exists(database)
        raise Stop("the power went")

    with pytest.raises(Stop, match="the power went"):
        databases._build(name, "key", None, broken)
    assert not databases.exists(name)
    try:
        databases._build(name, "key", None, lambda database: None)
        assert databases.key_of(name) == "key"
    finally:
        databases.drop(name)


def test_a_database_that_make_did_not_make_is_left_alone(postgresql):
    name = databases.temporary_name()
    with databases.cursor() as cr:
        cr.execute(f'CREATE DATABASE "{name}"')
    try:
        with pytest.raises(Stop, match="make run DB="):
            databases.up_to_date(name)
    finally:
        databases.drop(name)


def test_a_failing_command_is_one_sentence_and_its_log():
    with pytest.raises(Stop, match=r"Trying failed: no luck .*trying\.log"):
        proc.run("Trying", ["sh", "-c", "echo no luck; exit 3"], log="trying")


def test_a_path_chooses_the_layer_and_options_go_to_it():
    paths = ["tests/unit/conftest.py", "tests/server/tools/test_commands.py::test_a"]
    assert testing.plan([*paths, "-k", "word"]) == {
        "unit": (["tests/unit/conftest.py"], ["-k", "word"]),
        "server": (["tests/server/tools/test_commands.py::test_a"], ["-k", "word"]),
    }
    everything = list(testing.plan(["-x"]))
    assert everything[:2] == ["unit", "odoo"]
    assert everything[-1] == "server"
    assert set(testing.plan(["ipai_release_gates"])) == {"odoo"}


@pytest.fixture
def two_satellites(tmp_path):
    """The folder of a clone with a core, two satellites and the collection."""
    for name, depends in {
        "ipai_release_gates": ["mail"],
        "addons/ipai_release_gates_a": ["ipai_release_gates_b"],
        "addons/ipai_release_gates_b": ["ipai_release_gates"],
        "addons/ipai_guard": ["mail"],
        "addons/ipai_release_gates_all": ["ipai_release_gates_a"],
    }.items():
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "__manifest__.py").write_text(repr({"depends": depends}))
    return tmp_path


def names(found):
    return [addon.name.removeprefix("ipai_release_gates") for addon in found]


def test_addons_are_found_by_their_manifests_each_after_what_it_stands_on(
    two_satellites,
):
    assert names(addons.every(two_satellites)) == ["", "ipai_guard", "_b", "_a", "_all"]
    assert addons.folders(two_satellites) == [two_satellites, two_satellites / "addons"]
    first = addons.named("ipai_release_gates_a", two_satellites)
    assert names(addons.stands_on(first, two_satellites)) == ["", "_b"]
    guard = addons.named("ipai_guard", two_satellites)
    assert addons.stands_on(guard, two_satellites) == []


def test_what_make_run_installs_is_what_the_collection_depends_on(two_satellites):
    assert names(addons.shipped(two_satellites)) == ["", "_b", "_a", "_all"]
    shutil.rmtree(two_satellites / "addons/ipai_release_gates_all")
    assert names(addons.shipped(two_satellites)) == ["", "ipai_guard", "_b", "_a"]


def test_without_satellites_the_core_is_all_there_is(two_satellites):
    shutil.rmtree(two_satellites / "addons")
    assert names(addons.every(two_satellites)) == [""]
    assert names(addons.shipped(two_satellites)) == [""]
    # Odoo refuses a folder of its addons path that holds no addon.
    assert addons.folders(two_satellites) == [two_satellites]


PASSED = "<testcase name='a'/>"


@pytest.mark.parametrize(
    ("body", "code", "passed", "failed"),
    [
        (PASSED, 0, 1, 0),
        (f"{PASSED}<testcase name='b'><failure message='no'/></testcase>", 1, 1, 1),
        ("<testcase name='a'><skipped message='no browser'/></testcase>", 0, 0, 1),
        ("", 5, 0, 1),
        (None, 3, 0, 1),
    ],
)
def test_what_did_not_run_counts_as_failed(tmp_path, body, code, passed, failed):
    report = tmp_path / "report.xml"
    if body is not None:
        report.write_text(f"<testsuites><testsuite>{body}</testsuite></testsuites>")
    tally = testing.count(report, code)
    assert (tally["passed"], tally["failed"]) == (passed, failed)


def test_the_reason_of_a_server_that_cannot_start_is_its_exception():
    log = "CRITICAL db odoo.service.server: Failed to initialize database `db`.\n"
    log += 'Traceback (most recent call last):\n  File "x.py", line 1\n'
    log += "ImportError: cannot import name 'x'\n2026-11-20 INFO next line"
    assert odoo.failure(log) == "ImportError: cannot import name 'x'"
    assert odoo.failure("all is well") is None
