"""Everything falls over at once, and nothing is lost, nothing counted twice."""

import json
import os
import random
import signal
import time
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import events
import psycopg2
import pytest
from clients import Client, ended
from cluster import Cluster, http_workers
from outside import Site

from tools import databases
from tools.server import Server

CLIENTS, EVENTS, RELEASES, CALLS = 16, 1000, 8, 4
DONE, SPOOLED = 0, 4
KILL_EVERY = 2.0


@pytest.fixture(scope="module")
def cluster(postgresql):
    template = databases.template("demo")
    with Cluster() as cluster:
        cluster.copy(template)
        yield cluster


@pytest.fixture(scope="module")
def site(cluster):
    """A server with two workers, on a PostgreSQL that nobody else uses."""
    quiet = ("--max-cron-threads=0",)
    server = Server(cluster.database, workers=2, arguments=quiet)
    with cluster.in_use(), server:
        site = Site(server)
        site.api_key("ci")
        yield site


def rows(cluster, query, *params):
    connection = psycopg2.connect(
        dbname=cluster.database,
        host=cluster.variables["PGHOST"],
        user=cluster.variables["PGUSER"],
    )
    with closing(connection), connection.cursor() as cursor:
        cursor.execute(query, params)
        return cursor.fetchall()


def checks(releases):
    """500 events, each a check of a name of its own."""
    return [
        events.envelope(
            releases[number % RELEASES],
            "check_result",
            {"name": f"storm_{number}", "status": "pass"},
            source="github_actions",
        )
        for number in range(EVENTS // 2)
    ]


def deal(sent):
    """Deal 1,000 envelopes to 16 clients, so that both of a pair are under way at once.

    The first eight clients have each event once, the other eight as well, in another
    order.
    """
    teams = []
    for seed in (1, 2):
        order = list(sent)
        random.Random(seed).shuffle(order)
        teams += [order[start :: CLIENTS // 2] for start in range(CLIENTS // 2)]
    return teams


def send(client, share):
    """One client: a few calls one after another; how each ended."""
    calls = []
    for number in range(CALLS):
        path = client.home / f"part-{number}"
        part = share[number::CALLS]
        path.write_text("\n".join(json.dumps(event) for event in part))
        calls.append(ended(client.start("send", path, patience=2)))
    return calls


class Trouble:
    """Kills a worker every two seconds, and restarts PostgreSQL once.

    In the main thread: the kernel ends what a thread has started together with it.
    """

    def __init__(self, site, cluster):
        self.site, self.cluster = site, cluster
        self.killed, self.revived, self.restarted = [], 0, False
        self._next_kill = time.monotonic() + KILL_EVERY
        self._restart_at = time.monotonic() + 2.5 * KILL_EVERY

    @property
    def enough(self):
        return self.restarted and len(self.killed) >= 4

    def until(self, happened, seconds=240):
        """Make trouble until something has happened."""
        deadline = time.monotonic() + seconds
        while not happened():
            assert time.monotonic() < deadline, "it goes on for too long"
            self._supervise()
            if time.monotonic() >= self._next_kill:
                self._kill()
            if not self.restarted and time.monotonic() >= self._restart_at:
                self.cluster.restart()
                self.restarted = True
            time.sleep(0.1)

    def _kill(self):
        self._next_kill += KILL_EVERY
        workers = http_workers(self.site.server)
        if workers:
            os.kill(workers[0], signal.SIGKILL)
            self.killed.append(workers[0])

    def _supervise(self):
        """Start the server again if it has ended, as its supervisor would.

        Odoo's first process ends when it has to replace a worker while there is no
        database.
        """
        if self.site.server.process.poll() is not None:
            self.site.server.stop()
            self.site.server.start()
            self.revived += 1


def test_a_storm_loses_no_event_and_counts_none_twice(site, cluster, tmp_path):
    ci = site.rpc("ci")
    releases = [
        events.open_release(ci, f"storm-{number}") for number in range(RELEASES)
    ]
    sent = checks(releases)
    clients = []
    for number in range(CLIENTS):
        home = tmp_path / str(number)
        home.mkdir()
        clients.append(Client(home, site.url, site.api_key("ci"), {"timeout": 20}))

    trouble = Trouble(site, cluster)
    with ThreadPoolExecutor(CLIENTS) as pool:
        pairs = zip(clients, deal(sent), strict=True)
        sending = [pool.submit(send, *pair) for pair in pairs]
        trouble.until(lambda: trouble.enough and all(f.done() for f in sending))
        calls = [call for future in sending for call in future.result()]
        left = sum(len(client.waiting) for client in clients)
        # What is left is delivered while workers still die.
        flushing = [pool.submit(client, "flush", patience=60) for client in clients]
        trouble.until(lambda: all(future.done() for future in flushing))
    flushes = [future.result() for future in flushing]
    flushes += [client("flush", patience=30) for client in clients if client.waiting]
    counted = Counter(call.code for call in calls)
    print(
        f"\n{len(trouble.killed)} workers killed, PostgreSQL restarted once, the server"
        f" started again {trouble.revived} times; calls by exit code {dict(counted)},"
        f" {left} events were still in spools"
    )
    # What the client said tells why; an outage is never a refusal.
    assert not [call for call in calls + flushes if call.code not in (DONE, SPOOLED)]
    assert not [client.waiting for client in clients if client.waiting]
    assert not list(tmp_path.glob("*/spool/*/refused/*"))
    assert not list(tmp_path.glob("*/spool/*/corrupt/*"))

    # No event lost, none counted twice.
    facts = rows(cluster, "SELECT name FROM ipai_check WHERE name LIKE 'storm\\_%%'")
    assert Counter(name for (name,) in facts) == Counter(
        event["payload"]["name"] for event in sent
    )
    explain(cluster, sent)
    settle(site, cluster)
    facts_after = rows(
        cluster, "SELECT count(*) FROM ipai_check WHERE name LIKE 'storm\\_%%'"
    )
    assert facts_after == [(len(sent),)], "what was interrupted was counted before"
    for release in releases:
        chain = rows(
            cluster,
            "SELECT sequence FROM ipai_ledger_entry WHERE release_id = %s"
            " ORDER BY sequence",
            release["id"],
        )
        assert [number for (number,) in chain] == list(range(1, len(chain) + 1))


def settle(site, cluster):
    """What was interrupted and sent again turns out to be a duplicate."""
    interrupted = "SELECT id FROM ipai_ingest_log WHERE status = 'error'"
    ids = [id_ for (id_,) in rows(cluster, interrupted)]
    if ids:
        site.rpc("rm").execute_kw("ipai.ingest.log", "action_reprocess", [ids])
        status = "SELECT DISTINCT status FROM ipai_ingest_log WHERE id = ANY(%s)"
        assert rows(cluster, status, ids) == [("duplicate",)]


def explain(cluster, sent):
    """Every row of the log is accounted for by what was sent and what was answered."""
    log = rows(
        cluster,
        "SELECT id, idempotency_key, status, code, original_id, payload_sha256,"
        " processed_at FROM ipai_ingest_log"
        " WHERE idempotency_key = ANY(%s) ORDER BY id",
        [event["idempotency_key"] for event in sent],
    )
    by_key = defaultdict(list)
    for row in log:
        by_key[row[1]].append(row)
    assert set(by_key) == {event["idempotency_key"] for event in sent}
    told = Counter()
    for found in by_key.values():
        accepted = [row for row in found if row[2] == "accepted"]
        assert len(accepted) == 1, found
        assert len({row[5] for row in found}) == 1, "one payload for one key"
        told["accepted"] += 1
        for id_, _key, status, code, original, _sha, processed in found:
            if status == "duplicate":
                assert original == accepted[0][0]
                assert processed
            elif status != "accepted":
                # Sent, rolled back with its transaction, and sent again.
                assert (status, code, original) == ("error", "interrupted", None), id_
            told[status] += status != "accepted"
    # Each event was answered to two clients at least; more where an answer was lost.
    assert told["accepted"] == EVENTS // 2
    assert told["duplicate"] >= EVENTS // 2
    print(f"rows of the log: {dict(told)}")
