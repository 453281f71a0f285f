"""``ipai-gates`` and its spool while the server, or the client itself, is away."""

import http.server
import json
import os
import signal
import threading
import time

import events
from client_bench import (
    DONE,
    SPOOLED,
    keys_of,
    log,
    move_spool,
    rows,
    unreachable,
)
from clients import ended


def test_an_outage_loses_nothing_and_turns_nothing_around(own, server, client, release):
    server.stop()
    names = [f"outage_{number}" for number in range(6)]
    spooled = [client("check", name, "pass") for name in names]
    assert {each.code for each in spooled} == {SPOOLED}
    assert client("check", "more", "pass", ok_if_spooled=1).code == DONE
    opened = client("open", "--author", "dev@example.com", name="opened-late")
    assert opened.code == SPOOLED
    still = client("flush")
    assert (still.code, still.data["waiting"]) == (SPOOLED, 8)
    shown = client("spool")
    assert [entry["key"] for entry in shown.data["waiting"]][:6] == keys_of(*spooled)

    server.start().wait()
    newest = client("check", "newest", "pass")
    assert newest.code == DONE, newest.said
    assert not client.waiting
    keys = keys_of(*spooled, newest)
    assert log(own, keys) == [(key, "accepted") for key in keys]
    order = rows(
        own,
        "SELECT name FROM ipai_check WHERE release_id = %s ORDER BY id",
        release["id"],
    )
    assert [name for (name,) in order] == [*names, "more", "newest"]
    found = "SELECT count(*) FROM ipai_release WHERE name = 'opened-late'"
    assert rows(own, found) == [(1,)]


def test_waiting_goes_on_through_an_outage(own, server, client, release):
    words = ("wait", "--gate", "G1", "--for", 90, "--longest-pause", 0.5, "--json")
    server.stop()
    waiting = client.start(*words)
    line = ""
    while "cannot be reached" not in line:
        line = waiting.stderr.readline()
        assert line, "it gave up"
    builds = ("--check", "unit_tests=pass", "--check", "lint=pass")
    spooled = client("build", "pass", *builds, "--log-url", "https://example.com/1")
    assert spooled.code == SPOOLED
    server.start().wait()
    # The waiting client delivers what another one left, before it asks.
    assert ended(waiting).code == DONE
    assert log(own, keys_of(spooled)) == [(keys_of(spooled)[0], "accepted")]


def test_clients_that_share_a_spool_deliver_everything_once(own, client, release):
    offline = unreachable()
    waiting = [client("check", f"old_{n}", "pass", url=offline) for n in range(5)]
    move_spool(client, offline)
    left = {path.name for path in client.waiting}
    started = [
        client.start("check", f"new_{number}", "pass", "--json", patience=60)
        for number in range(8)
    ]
    done = [ended(process) for process in started]
    assert {each.code for each in done} == {DONE}, [each.said for each in done]
    assert {status for each in done for status in each.statuses} == {"accepted"}
    found = log(own, keys_of(*waiting, *done))
    assert [status for _key, status in found] == ["accepted"] * 13
    assert [key for key, _status in found[:5]] == keys_of(*waiting)
    assert not client.waiting
    answers = {path.name for path in client.spool.glob("*/answers/*")}
    assert answers == left, "each took its answer, but those that had ended"


class Slow(http.server.BaseHTTPRequestHandler):
    """Hands a request on to the real server, and keeps its answer to itself."""

    def do_POST(self):
        import urllib.request

        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {
            name: self.headers[name] for name in ("Content-Type", "Authorization")
        }
        address = self.server.target + self.path
        request = urllib.request.Request(address, body, headers)
        with urllib.request.urlopen(request) as answer:
            self.server.answers.append(json.load(answer))
        self.server.reached.set()
        self.server.released.wait(60)

    def log_message(self, *args):
        pass


def test_a_client_killed_before_its_answer_arrives_is_not_counted_twice(
    own, client, release
):
    """Killed where the server has taken the event and the client does not know yet."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Slow) as proxy:
        proxy.target, proxy.answers = own.url, []
        proxy.reached, proxy.released = threading.Event(), threading.Event()
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{proxy.server_port}"
        process = client.start("check", "killed", "pass", url=address)
        assert proxy.reached.wait(60)
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()
        proxy.released.set()
        proxy.shutdown()
    assert proxy.answers[0][0]["status"] == "accepted"
    assert len(client.waiting) == 1
    move_spool(client, address)
    flushed = client("flush")
    assert [a["status"] for a in flushed.data["delivered"]] == ["duplicate"]
    count = "SELECT count(*) FROM ipai_check WHERE release_id = %s AND name = 'killed'"
    assert rows(own, count, release["id"]) == [(1,)]


def test_clients_killed_at_any_moment_leave_a_sound_spool(own, client, release):
    """Killed while they write, send and clear up: all that they kept arrives."""
    lines = [
        json.dumps(
            events.envelope(
                release, "check_result", {"name": f"k_{n}", "status": "pass"}
            )
        )
        for n in range(60)
    ]
    (client.home / "events").write_text("\n".join(lines))
    started = time.monotonic()
    assert client("send", "events", url=unreachable()).code == SPOOLED
    whole = time.monotonic() - started
    for share in range(1, 9):
        process = client.start("send", "events", stdin=-1)
        time.sleep(whole * share / 6)
        process.send_signal(signal.SIGKILL)
        ended(process)
    flushed = client("flush", patience=30)
    assert (flushed.code, flushed.data["waiting"]) == (DONE, 0), flushed.said
    assert not flushed.data["corrupt"]
    # Those that were killed before they had written all are repeated by their job.
    assert client("send", "events").code == DONE
    counts = rows(
        own,
        "SELECT name, count(*) FROM ipai_check WHERE release_id = %s GROUP BY name",
        release["id"],
    )
    assert dict(counts) == {f"k_{n}": 1 for n in range(60)}
    assert not list(client.spool.glob("*/queue/*.tmp"))


def test_a_broken_file_is_set_aside_and_the_others_go_out(own, client, release):
    offline = unreachable()
    spooled = [client("check", f"b_{n}", "pass", url=offline) for n in range(3)]
    move_spool(client, offline)
    broken, changed = client.waiting[0], client.waiting[1]
    broken.write_text(broken.read_text()[:40])
    changed.write_text(changed.read_text().replace('"b_1"', '"b_9"'))
    flushed = client("flush")
    assert len(flushed.data["delivered"]) == 1
    assert len(flushed.data["corrupt"]) == 2
    assert "could not be read" in flushed.said
    assert all(os.path.exists(path) for path in flushed.data["corrupt"])
    assert log(own, keys_of(*spooled)) == [(keys_of(spooled[2])[0], "accepted")]
