"""Many senders at once: nothing is lost, nothing counted twice."""

import itertools
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import events
import pytest

SENDERS = 10


@pytest.fixture(scope="module")
def busy(start_site):
    return start_site(workers=2)


def send_all(site, batches):
    """Send each batch from a connection of its own, all at once; answers in order."""

    def send(batch):
        ci = site.rpc("ci")
        return [events.ingest(ci, event)[0] for event in batch]

    with ThreadPoolExecutor(len(batches)) as pool:
        return [answer for answers in pool.map(send, batches) for answer in answers]


def count(site, query, *params):
    connection = site.connect()
    try:
        with connection.cursor() as cr:
            cr.execute(query, params)
            return cr.fetchone()[0]
    finally:
        connection.close()


def test_100_events_with_30_duplicates_have_70_outcomes(busy):
    release = events.open_release(busy.rpc("ci"), "concurrent")
    sent = [
        events.envelope(
            release,
            "check_result",
            {"name": f"check_{number}", "status": "pass"},
            source="github_actions",
        )
        for number in range(70)
    ]
    sent += sent[:30]
    # Each sender takes every tenth, so a duplicate is under way with its original.
    batches = [sent[start::SENDERS] for start in range(SENDERS)]
    answers = send_all(busy, batches)

    assert Counter(a["status"] for a in answers) == {"accepted": 70, "duplicate": 30}
    assert {a["http_status"] for a in answers} == {200}
    checks = "SELECT count(*) FROM ipai_check WHERE release_id = %s"
    assert count(busy, checks, release["id"]) == 70
    logged = "SELECT count(*) FROM ipai_ingest_log WHERE idempotency_key LIKE %s"
    keys = f"%{release['uuid']}%"
    assert count(busy, f"{logged} AND status = %s", keys, "accepted") == 70
    assert count(busy, f"{logged} AND status = %s", keys, "duplicate") == 30
    assert count(busy, logged, keys) == 100, "one row per submission, no more"


def test_the_same_event_from_ten_senders_at_once_counts_once(busy):
    release = events.open_release(busy.rpc("ci"), "one-event")
    event = events.build(release)
    answers = send_all(busy, [[event]] * SENDERS)

    assert Counter(a["status"] for a in answers) == {"accepted": 1, "duplicate": 9}
    original = next(a["ingest_id"] for a in answers if a["status"] == "accepted")
    assert {
        a["detail"]["duplicate_of"] for a in answers if a["status"] == "duplicate"
    } == {original}
    checks = "SELECT count(*) FROM ipai_check WHERE release_id = %s"
    assert count(busy, checks, release["id"]) == 3


def test_a_release_opened_by_ten_senders_at_once_is_one_release(busy):
    clients = [busy.rpc("ci") for _ in range(SENDERS)]
    with ThreadPoolExecutor(SENDERS) as pool:
        answers = list(
            pool.map(
                lambda ci: events.open_release(ci, "opened-once", "ab" * 20), clients
            )
        )
    assert len({a["uuid"] for a in answers}) == 1
    assert Counter(a["created"] for a in answers) == {True: 1, False: SENDERS - 1}


def test_the_chain_of_a_busy_release_has_no_gap_and_no_fork(busy):
    release = events.open_release(busy.rpc("ci"), "busy-chain")
    batches = [
        [
            events.envelope(
                release,
                "check_result",
                {"name": f"check_{sender}", "status": "pass"},
                source="github_actions",
            )
            for _ in range(3)
        ]
        for sender in range(SENDERS)
    ]
    assert {a["status"] for a in send_all(busy, batches)} == {"accepted"}
    connection = busy.connect()
    with connection.cursor() as cr:
        cr.execute(
            "SELECT sequence, previous_hash, hash FROM ipai_ledger_entry"
            " WHERE release_id = %s ORDER BY sequence",
            [release["id"]],
        )
        chain = cr.fetchall()
        cr.execute(
            "SELECT ledger_sequence, ledger_hash FROM ipai_release WHERE id = %s",
            [release["id"]],
        )
        head = cr.fetchone()
    connection.close()
    assert [sequence for sequence, _, _ in chain] == list(range(1, len(chain) + 1))
    assert all(after[1] == before[2] for before, after in itertools.pairwise(chain))
    assert head == (len(chain), chain[-1][2])
    assert len(chain) == 1 + 30
