"""A hundred writers at once: chains unbroken, no sequence missing, nothing lost."""

import itertools
import xmlrpc.client
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import events
import pytest
from outside import Rpc

WRITERS, RELEASES, POLICY_WRITERS = 100, 20, 20


@pytest.fixture(scope="module")
def busy(start_site):
    site = start_site(workers=4)
    site.api_key("ci")
    return site


def client(site, login):
    """A connection of its own, by API key: a password's hash takes long."""
    return Rpc(site, login, site.api_key(login))


def insistently(site, login, call):
    """Call until the server answers: a busy one may close connections.

    :param call: function of a client, which may be called again
    """
    for _attempt in range(20):
        try:
            return call(client(site, login))
        except ConnectionError:
            continue
    raise AssertionError("the server never answered")


def rows(site, query, *params):
    with closing(site.connect()) as connection, connection.cursor() as cursor:
        cursor.execute(query, params)
        return cursor.fetchall()


def assert_unbroken(chain, head):
    """``(sequence, previous hash, hash)`` of a chain: no gap, no fork, and its head."""
    assert [sequence for sequence, _, _ in chain] == list(range(1, len(chain) + 1))
    assert all(after[1] == before[2] for before, after in itertools.pairwise(chain))
    assert head == (len(chain), chain[-1][2])


def test_100_writers_on_20_releases_leave_20_unbroken_chains(busy):
    ci = client(busy, "ci")
    releases = [
        events.open_release(ci, f"written-at-once-{number}")
        for number in range(RELEASES)
    ]

    def write(number):
        """One in five asks for a move, which is refused; the others report a check."""
        release = releases[number % RELEASES]
        if number < RELEASES:
            arguments = [release["uuid"], "production"]
            answer = insistently(
                busy,
                "rm",
                lambda rm: rm.execute_kw(
                    "ipai.control.plane", "request_move", arguments
                ),
            )
            return "moved" if answer["moved"] else "refused"
        event = events.envelope(
            release,
            "check_result",
            {"name": f"check_{number}", "status": "pass"},
            source="github_actions",
        )
        (answer,) = insistently(busy, "ci", lambda ci: events.ingest(ci, event))
        # A duplicate is one whose first answer did not arrive.
        assert answer["status"] in ("accepted", "duplicate"), answer
        return "recorded"

    with ThreadPoolExecutor(WRITERS) as pool:
        answers = Counter(pool.map(write, range(WRITERS)))
    assert answers == {"recorded": WRITERS - RELEASES, "refused": RELEASES}

    auditor = client(busy, "auditor")
    for release in releases:
        chain = rows(
            busy,
            "SELECT sequence, previous_hash, hash FROM ipai_ledger_entry"
            " WHERE release_id = %s ORDER BY sequence",
            release["id"],
        )
        (head,) = rows(
            busy,
            "SELECT ledger_sequence, ledger_hash FROM ipai_release WHERE id = %s",
            release["id"],
        )
        assert_unbroken(chain, head)
        kinds = rows(
            busy,
            "SELECT kind, count(*) FROM ipai_ledger_entry WHERE release_id = %s"
            " GROUP BY kind",
            release["id"],
        )
        told = dict(kinds)
        assert told.pop("move_refused") >= 1
        assert told == {"release_opened": 1, "check": 4}
        answer = auditor.execute_kw(
            "ipai.release", "action_verify_ledger", [[release["id"]]]
        )
        assert answer["type"] == "ir.actions.client", answer


def test_20_writers_of_policy_leave_one_unbroken_governance_chain(busy):
    count = "SELECT count(*) FROM ipai_ledger_entry WHERE release_id IS NULL"
    ((before,),) = rows(busy, count)

    def write(number):
        # Odoo gives a writer up after five conflicts; then the caller tries again.
        vals = {"code": f"written_at_once_{number}", "name": f"Kind {number}"}
        for _attempt in range(20):
            try:
                return client(busy, "governance").execute_kw(
                    "ipai.evidence.type", "create", [vals]
                )
            except xmlrpc.client.Fault as fault:
                assert "serialize" in fault.faultString, fault
            except ConnectionError:
                continue
        raise AssertionError("never came through")

    with ThreadPoolExecutor(POLICY_WRITERS) as pool:
        ids = list(pool.map(write, range(POLICY_WRITERS)))
    assert len(set(ids)) == POLICY_WRITERS
    chain = rows(
        busy,
        "SELECT sequence, previous_hash, hash FROM ipai_ledger_entry"
        " WHERE release_id IS NULL ORDER BY sequence",
    )
    (head,) = rows(busy, "SELECT sequence, hash FROM ipai_ledger_head")
    assert_unbroken(chain, head)
    assert len(chain) == before + POLICY_WRITERS
    answer = client(busy, "auditor").execute_kw(
        "ipai.ledger.entry", "action_verify_governance", [[]]
    )
    assert answer["type"] == "ir.actions.client", answer
