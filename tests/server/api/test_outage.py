"""The database goes away in the middle of a request."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import api
import events
import pytest
from outside import HttpError

#: Who waits for a lock in this database; there is nobody but the request.
_WAITING = """
    SELECT pid FROM pg_stat_activity
     WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


def interrupted(site, call):
    """What comes of a call whose connection breaks while its key is looked up."""
    with closing(site.connect()) as holder, closing(site.connect()) as watcher:
        holder.cursor().execute("LOCK TABLE res_users_apikeys")
        watcher.autocommit = True
        cursor = watcher.cursor()
        with ThreadPoolExecutor(1) as pool:
            answer = pool.submit(call)
            deadline = time.monotonic() + 30
            # PostgreSQL tells nobody that somebody waits.
            while cursor.execute(_WAITING) or not (found := cursor.fetchone()):
                assert time.monotonic() < deadline and not answer.done()
                time.sleep(0.02)
            cursor.execute("SELECT pg_terminate_backend(%s)", found)
            holder.rollback()
            return answer.result()


@pytest.fixture(scope="module")
def release(site):
    """A release; and the keys are made, so that nothing else waits for the lock."""
    site.api_key("ci")
    return events.open_release(site.rpc("ci"), "outage")


def test_over_http_it_is_an_error_to_try_again_and_no_wrong_key(site, release):
    event = events.build(release)
    answer = interrupted(site, lambda: api.call(site, "POST", "/events", event))
    assert answer.status == 500
    assert answer.body["status"] == "error"
    assert "again" in answer.body["detail"]["message"]
    assert api.call(site, "POST", "/events", event).body["status"] == "accepted"


def test_over_json_2_it_is_an_error_and_no_wrong_key(site, release):
    def verdict():
        asked = {"release": release["uuid"], "target": "staging"}
        try:
            return site.rpc("ci").json2("ipai.control.plane", "verdict", **asked)
        except HttpError as error:
            return error

    site.uid("ci", "ci")
    assert interrupted(site, verdict).status == 500
    assert verdict()["eligible"] is False
