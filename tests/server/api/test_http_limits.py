"""Many clients at several worker processes: each key has its own requests, no more."""

import time
from concurrent.futures import ThreadPoolExecutor

import api
import events
import pytest

PER_MINUTE = 60
CLIENTS = 8
TRIES = 15


@pytest.fixture(scope="module")
def busy(start_site):
    """A server of two processes whose keys have few requests.

    Where a route says that it only reads, it gets a connection that can only read.
    """
    site = start_site(workers=2, arguments=("--dev=replica",))
    governance = site.rpc("governance")
    found = governance.execute_kw("ipai.settings", "search", [[]])
    values = {"requests_per_minute": PER_MINUTE}
    governance.execute_kw("ipai.settings", "write", [found, values])
    site.api_key("ci")
    return site


def test_a_limit_holds_across_workers_and_takes_nothing_from_another_key(busy):
    release = events.open_release(busy.rpc("ci"), "limits")
    path = f"/releases/{release['uuid']}/verdict"

    def ask(login):
        begun = time.monotonic()
        answer = api.call(busy, "GET", path, login=login)
        return answer, time.monotonic() - begun

    started = time.monotonic()
    with ThreadPoolExecutor(CLIENTS + 1) as pool:
        crowd = [pool.submit(ask, "ci") for _ in range(CLIENTS * TRIES)]
        others = [pool.submit(ask, "rm") for _ in range(TRIES)]
        answers = [future.result()[0] for future in crowd]
        beside = [future.result()[0] for future in others]
    elapsed = time.monotonic() - started

    served = [answer for answer in answers if answer.status == 200]
    refused = [answer for answer in answers if answer.status != 200]
    # A full bucket, and what was refilled meanwhile.
    assert PER_MINUTE <= len(served) <= PER_MINUTE * (1 + elapsed / 60) + 1
    assert {answer.status for answer in refused} == {429}
    for answer in refused:
        assert answer.body["detail"]["code"] == "rate_limited"
        assert 1 <= int(answer.headers["Retry-After"]) <= 60
    assert {answer.status for answer in beside} == {200}

    # A client that waits as long as Retry-After says is served again.
    asked = (api.call(busy, "GET", path) for _ in range(PER_MINUTE))
    refusal = next(answer for answer in asked if answer.status == 429)
    time.sleep(int(refusal.headers["Retry-After"]))
    assert api.call(busy, "GET", path).status == 200

    log = busy.server.log.read_text()
    assert "could not serialize" not in log and "SerializationFailure" not in log
    # A verdict writes nothing, also on a connection that could write.
    assert "ReadOnlySqlTransaction" not in log and "read/write cursor" not in log


def test_events_sent_side_by_side_do_not_fail_by_being_counted(busy):
    release = events.open_release(busy.rpc("ci"), "counted")
    sent = [events.build(release) for _ in range(CLIENTS)]
    with ThreadPoolExecutor(CLIENTS) as pool:
        answers = pool.map(lambda one: api.call(busy, "POST", "/events", one), sent)
    assert {answer.status for answer in answers} <= {200, 429}
