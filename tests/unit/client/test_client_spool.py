"""The client's spool: whole files, in order, with one process at a time."""

import contextlib
import json
import os
import signal
import stat
import subprocess
import sys
import time

import pytest
from client_parts import CLIENT
from ipai_gates.problems import UsageProblem
from ipai_gates.spool import Busy, Spool

SERVER = "https://odoo.example.com|"


@pytest.fixture
def spool(tmp_path):
    return Spool(str(tmp_path), SERVER)


def keys(spool):
    return [spool.read(name)["key"] for name in spool.names()]


def test_what_goes_in_first_comes_out_first_though_the_clock_goes_back(
    spool, monkeypatch
):
    times = iter([5000, 4000, 4000, 1])
    monkeypatch.setattr(time, "time_ns", lambda: next(times))
    for key in "cabd":
        spool.add("event", key, {"n": key})
    assert keys(spool) == ["c", "a", "b", "d"]


def test_files_are_private(spool):
    name = spool.add("event", "a", {})
    path = os.path.join(spool.queue, name)
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(spool.folder).st_mode) == 0o700


def test_each_server_has_a_queue_of_its_own(spool, tmp_path):
    spool.add("event", "a", {})
    assert Spool(str(tmp_path), "https://other.example.com|").names() == []
    assert keys(Spool(str(tmp_path), SERVER)) == ["a"]


def test_what_was_half_written_is_cleared_up(spool, tmp_path):
    (tmp_path / spool.queue / "01-x.json.tmp").write_text('{"format"')
    assert Spool(str(tmp_path), SERVER).names() == []
    assert os.listdir(spool.queue) == []


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text[:20],
        lambda text: "",
        lambda text: "[]",
        lambda text: text.replace('"n": 1', '"n": 2'),
        lambda text: text.replace('"format": 1', '"format": 99'),
        lambda text: text.replace('"event"', '"order"'),
    ],
)
def test_what_cannot_be_read_is_set_aside_whole(spool, spoil):
    name = spool.add("event", "a", {"n": 1})
    path = os.path.join(spool.queue, name)
    with open(path) as handle:
        spoiled = spoil(handle.read())
    with open(path, "w") as handle:
        handle.write(spoiled)
    assert spool.read(name) is None
    assert spool.names() == []
    (aside,) = spool.corrupted()
    with open(aside) as handle:
        assert handle.read() == spoiled


def test_a_refused_entry_lies_aside_with_its_answer_and_can_go_again(spool):
    name = spool.add("event", "a", {"n": 1})
    answer = {"status": "rejected", "detail": {"message": "no"}}
    spool.settle(name, spool.read(name), answer)
    assert spool.names() == []
    ((_name, entry),) = spool.refusals()
    assert (entry["request"], entry["answer"]) == ({"n": 1}, answer)
    assert spool.again() == 1
    assert keys(spool) == ["a"]
    assert list(spool.refusals()) == []


def test_an_answer_waits_for_the_one_that_asked(spool, tmp_path):
    name = spool.add("event", "a", {})
    other = Spool(str(tmp_path), SERVER)
    other.settle(name, other.read(name), {"status": "accepted"})
    assert spool.take_answer(name) == {"status": "accepted"}
    assert spool.take_answer(name) is None
    mine = spool.add("event", "b", {})
    spool.settle(mine, spool.read(mine), {"status": "accepted"})
    assert os.listdir(spool.answers) == []


def test_one_delivers_at_a_time(spool, tmp_path):
    other = Spool(str(tmp_path), SERVER)
    with spool.delivering(time.monotonic()):
        with pytest.raises(Busy), other.delivering(time.monotonic() + 0.1):
            pass
        other.add("event", "a", {})
    with other.delivering(time.monotonic()):
        assert keys(other) == ["a"]


def test_the_lock_of_a_killed_process_is_free(spool, tmp_path):
    code = (
        "import sys, time; from ipai_gates.spool import Spool\n"
        f"with Spool({str(tmp_path)!r}, {SERVER!r}).delivering(0):\n"
        "    print('held', flush=True); time.sleep(60)"
    )
    env = {"PYTHONPATH": str(CLIENT)}
    with subprocess.Popen(
        [sys.executable, "-S", "-c", code], env=env, stdout=subprocess.PIPE
    ) as process:
        process.stdout.readline()
        with pytest.raises(Busy), spool.delivering(time.monotonic()):
            pass
        process.send_signal(signal.SIGKILL)
        process.wait()
    with spool.delivering(time.monotonic()):
        pass


WRITER = """
import sys
from ipai_gates.spool import Spool
spool = Spool(sys.argv[1], sys.argv[2])
for number in range(10_000):
    spool.add("event", f"{sys.argv[3]}/{number}", {"text": "x" * 5000})
    print(number, flush=True)
"""


def test_writers_killed_at_work_leave_all_they_finished_and_nothing_broken(
    spool, tmp_path
):
    command = [sys.executable, "-S", "-c", WRITER, str(tmp_path), SERVER]
    with contextlib.ExitStack() as stack:
        writers = [
            stack.enter_context(
                subprocess.Popen(
                    [*command, str(number)],
                    env={"PYTHONPATH": str(CLIENT)},
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            for number in range(3)
        ]
        for writer in writers:
            for _ in range(10):
                writer.stdout.readline()
        for writer in writers:
            writer.send_signal(signal.SIGKILL)
        finished = [10 + len(w.stdout.read().split()) for w in writers]
    after = Spool(str(tmp_path), SERVER)
    found = keys(after)
    assert after.corrupted() == []
    for number, count in enumerate(finished):
        mine = [key for key in found if key.startswith(f"{number}/")]
        # In order; the last may lie there although its writer could not say so.
        assert mine == [f"{number}/{n}" for n in range(len(mine))]
        assert len(mine) in (count, count + 1)


def test_a_folder_that_cannot_be_used_is_said(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UsageProblem, match="--spool or IPAI_GATES_SPOOL"):
        Spool(str(tmp_path / "file"), SERVER)


def test_a_link_in_the_place_of_a_file_is_not_followed(spool, tmp_path):
    precious = tmp_path / "precious"
    precious.write_text("kept")
    os.unlink(os.path.join(spool.folder, "order.lock"))
    os.symlink(precious, os.path.join(spool.folder, "order.lock"))
    with pytest.raises(OSError):
        spool.add("event", "a", {})
    assert precious.read_text() == "kept"


def test_an_answer_nobody_took_is_forgotten_in_time(spool, tmp_path):
    other = Spool(str(tmp_path), SERVER)
    names = [spool.add("event", key, {}) for key in "ab"]
    other.settle(names[0], other.read(names[0]), {"status": "accepted"})
    path = os.path.join(spool.answers, names[0])
    os.utime(path, (0, 0))
    other.settle(names[1], other.read(names[1]), {"status": "accepted"})
    assert os.listdir(spool.answers) == [names[1]]
    with open(os.path.join(spool.answers, names[1])) as handle:
        assert json.load(handle) == {"status": "accepted"}
