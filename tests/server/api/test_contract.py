"""Each row of the answers table, the same over HTTP, JSON-2 and XML-RPC."""

import base64
from contextlib import closing

import api
import events
import pytest
from outside import HttpError

PLANE = "ipai.control.plane"
#: A check of this name is one that the database refuses to store.
BREAKS = "breaks the database"


def check(release, status="pass", name="lint", **more):
    payload = {"name": name, "status": status}
    return events.envelope(release, "check_result", payload, source="agent", **more)


def twice(event, **changes):
    """An event, and what is sent after it with the same key."""
    return [event, {**event, "payload": {**event["payload"], **changes}}]


def without(event, name):
    payload = {key: value for key, value in event["payload"].items() if key != name}
    return {**event, "payload": payload}


def of_no_release(release):
    event = check(release, project=events.PROJECT)
    event["payload"]["source_ref"] = events.commit()
    return {key: value for key, value in event.items() if key != "release_id"}


def late(release):
    """A new commit, and then a result for the one before."""
    revision = {"source_ref": events.commit(), "authors": ["dev@example.com"]}
    return [events.envelope(release, "revision", revision), check(release)]


def large(release):
    content = base64.b64encode(b"a" * (10 * 1024 * 1024 + 1)).decode()
    payload = {"type": "test_result", "content_base64": content, "filename": "a.txt"}
    return events.envelope(release, "evidence", payload, source="agent")


#: case → what is sent, in order; by whom; status, HTTP and code of the last answer; and
#: what else its detail says
ROWS = {
    "first time": (lambda r: [check(r)], "ci", "accepted", 200, None, {"stale": False}),
    "same key, same payload": (
        lambda r: twice(check(r)),
        "ci",
        "duplicate",
        200,
        None,
        {"stale": False},
    ),
    "same key, other payload": (
        lambda r: twice(check(r), status="fail"),
        "ci",
        "rejected",
        409,
        "idempotency_conflict",
        {"field": "idempotency_key"},
    ),
    "missing field": (
        lambda r: [without(check(r), "status")],
        "ci",
        "rejected",
        400,
        "missing_field",
        {"field": "payload.status"},
    ),
    "ill-typed field": (
        lambda r: [check(r, status=True)],
        "ci",
        "rejected",
        400,
        "invalid_field",
        {"field": "payload.status"},
    ),
    "unknown schema version": (
        lambda r: [{**check(r), "schema_version": "v9.9"}],
        "ci",
        "rejected",
        422,
        "unsupported_schema_version",
        {"field": "schema_version"},
    ),
    "unknown release": (
        lambda r: [check(r, release_id="00000000-0000-4000-8000-000000000000")],
        "ci",
        "rejected",
        409,
        "unknown_release",
        {"field": "release_id"},
    ),
    "a commit no release has yet": (
        lambda r: [of_no_release(r)],
        "ci",
        "pending",
        202,
        None,
        {"project": events.PROJECT},
    ),
    "a revision no longer current": (
        late,
        "ci",
        "accepted",
        200,
        None,
        {"stale": True},
    ),
    "caller may not send this type": (
        lambda r: [check(r)],
        "qa",
        "rejected",
        403,
        "forbidden",
        {},
    ),
    "too large": (lambda r: [large(r)], "ci", "rejected", 413, "too_large", {}),
    "our fault": (
        lambda r: [check(r, name=BREAKS)],
        "ci",
        "error",
        500,
        "internal_error",
        {},
    ),
}


@pytest.fixture(params=["http", "http list", "json-2", "xml-rpc"])
def send(request, site):
    """``send(login, event)``: the answer to one event over an interface."""

    def over_http(login, event):
        answer = api.call(site, "POST", "/events", event, login)
        assert answer.status == answer.body["http_status"]
        return answer.body

    def as_a_list(login, event):
        answer = api.call(site, "POST", "/events", [event], login)
        (said,) = answer.body
        assert answer.status == (200 if said["http_status"] < 300 else 207)
        return said

    def over_json_2(login, event):
        return site.rpc(login).json2(PLANE, "ingest", events=[event])[0]

    def over_xml_rpc(login, event):
        return events.ingest(site.rpc(login), event)[0]

    interfaces = (over_http, as_a_list, over_json_2, over_xml_rpc)
    return dict(
        zip(("http", "http list", "json-2", "xml-rpc"), interfaces, strict=True)
    )[request.param]


@pytest.fixture(scope="module", autouse=True)
def database_that_breaks(site):
    """A database that refuses a check for a reason of its own."""
    with closing(site.connect()) as connection, connection, connection.cursor() as cr:
        cr.execute(
            "CREATE FUNCTION test_break() RETURNS trigger LANGUAGE plpgsql"
            " AS $$ BEGIN RAISE EXCEPTION 'out of order'; END $$"
        )
        cr.execute(
            "CREATE TRIGGER test_break BEFORE INSERT ON ipai_check FOR EACH ROW"
            f" WHEN (NEW.name = '{BREAKS}') EXECUTE FUNCTION test_break()"
        )
    yield
    with closing(site.connect()) as connection, connection, connection.cursor() as cr:
        cr.execute("DROP FUNCTION test_break() CASCADE")


@pytest.mark.parametrize("case", ROWS)
def test_a_row_of_the_answers_table(case, send, site, rpc, request):
    build, login, status, http_status, code, more = ROWS[case]
    release = events.open_release(rpc("ci"), request.node.name)
    *before, event = build(release)
    earlier = [send(login, one) for one in before]
    answer = send(login, event)

    assert set(answer) == {"ingest_id", "status", "http_status", "detail"}
    assert (answer["status"], answer["http_status"]) == (status, http_status)
    assert answer["detail"].get("code") == code
    assert {name: answer["detail"].get(name) for name in more} == more
    if status == "duplicate":
        assert answer["detail"]["duplicate_of"] == earlier[0]["ingest_id"]
    assert "out of order" not in str(answer)

    # In every case the log has a row of its own with the same outcome.
    (log,) = rpc("rm").execute_kw(
        "ipai.ingest.log",
        "read",
        [[answer["ingest_id"]], ["status", "http_status", "code", "payload"]],
    )
    assert (log["status"], log["http_status"]) == (status, http_status)
    assert (log["code"] or None) == code
    assert event["idempotency_key"] in log["payload"]


def test_methods_that_fail_say_the_same_over_each_interface(site, rpc):
    values = {"project": events.PROJECT, "name": "x", "source_ref": "main"}
    over_http = api.call(site, "POST", "/releases", values)
    assert (over_http.status, over_http.body["detail"]["field"]) == (400, "source_ref")
    with pytest.raises(HttpError) as refused:
        rpc("ci").json2(PLANE, "open_release", values=values)
    assert refused.value.status == 422
    assert refused.value.body["message"] == over_http.body["detail"]["message"]
