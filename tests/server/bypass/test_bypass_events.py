"""Ways around a gate through the façade, and by what facts carry."""

import math
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import events
import pytest
from attacks import ingest, open_release, refused


@pytest.fixture(scope="module")
def ci(callers):
    return callers("json_2", "ci")


@pytest.fixture
def release(ci, request):
    return open_release(ci, request.node.name)


@pytest.fixture(scope="module")
def target(ci):
    """A release for attacks that leave it as it is."""
    return open_release(ci, "target of bad facts")


def latest_check(database, release, name):
    return database.value(
        "SELECT status FROM ipai_check WHERE release_id = %s AND name = %s"
        " ORDER BY id DESC LIMIT 1",
        release["id"],
        name,
    )


def check(release, status, **more):
    payload = {"name": "lint", "status": status}
    return events.envelope(release, "check_result", payload, **more)


# --- replays -------------------------------------------------------------------------


def test_a_key_counts_once_whoever_sends_it_and_whatever_it_carries(
    callers, database, ci, release
):
    sent = events.build(release, status="fail", lint="fail")
    (answer,) = ingest(ci, sent)
    assert answer["status"] == "accepted"
    other = events.build(release, key=sent["idempotency_key"].split("/")[-1])
    assert other["idempotency_key"] == sent["idempotency_key"]
    with database.unchanged():
        for login in ("ci", "dev", "rm", "sre", "qa"):
            for event, statuses in (
                (sent, ("duplicate", 200)),
                (other, ("rejected", 409)),
            ):
                (answer,) = ingest(callers("json_2", login), event)
                got = (answer["status"], answer["http_status"])
                assert got == (statuses if login == "ci" else ("rejected", 403))


def test_a_refused_signature_is_revived_by_nobody(callers, database, ci, request):
    qa = callers("json_2", "qa")
    release = open_release(ci, request.node.name, ["new-hire@example.com"])

    def sign(decision):
        payload = {"persona": "qa_tester", "decision": decision}
        event = events.envelope(release, "gate_signoff", payload, gate_code="G2")
        return ingest(qa, event)[0]

    too_early = sign("approved")
    assert too_early["status"] == "rejected"
    vals = {
        "email": "new-hire@example.com",
        "user_id": database.id("res_users", login="dev"),
    }
    callers("json_2", "governance")("ipai.author.alias", "create", vals_list=[vals])
    assert sign("rejected")["status"] == "accepted"
    with database.unchanged():
        for login in ("rm", "sre", "qa", "dev", "ci", "auditor", "governance", "admin"):
            call = callers("json_2", login)
            log = [too_early["ingest_id"]]
            refused(call, "ipai.ingest.log", "action_reprocess", log)


def test_an_old_result_does_not_replace_a_newer_one_when_it_is_processed_again(
    callers, people, database, ci, release
):
    late = people("late-developer", "qa_tester")
    old = ingest(late, check(release, "pass"))[0]
    assert old["http_status"] == 403
    group = database.value(
        "SELECT res_id FROM ir_model_data WHERE name = 'group_developer'"
    )
    admin = callers("json_2", "admin")
    admin("res.users", "write", [late.uid], vals={"group_ids": [[4, group]]})
    assert ingest(ci, check(release, "fail", source="agent"))[0]["status"] == "accepted"
    with database.unchanged():
        callers("json_2", "rm")(
            "ipai.ingest.log", "action_reprocess", [old["ingest_id"]]
        )
    assert latest_check(database, release, "lint") == "fail"
    # What nothing newer speaks of is taken.
    other = ingest(late, check(release, "pass"))[0]
    assert (other["status"], latest_check(database, release, "lint")) == (
        "accepted",
        "pass",
    )


def test_a_kept_event_is_still_processed_again_when_nothing_came_since(
    callers, people, database, release
):
    late = people("later-developer", "qa_tester")
    old = ingest(late, check(release, "warning"))[0]
    group = database.value(
        "SELECT res_id FROM ir_model_data WHERE name = 'group_developer'"
    )
    admin = callers("json_2", "admin")
    admin("res.users", "write", [late.uid], vals={"group_ids": [[4, group]]})
    callers("json_2", "sre")("ipai.ingest.log", "action_reprocess", [old["ingest_id"]])
    assert latest_check(database, release, "lint") == "warning"


# --- deployments ---------------------------------------------------------------------


def test_a_deployment_lies_neither_in_the_future_nor_elsewhere(
    callers, database, ci, release
):
    def deploy(**more):
        payload = {"environment": "production", "status": "succeeded"}
        payload["external_id"] = f"deploy-{release['id']}"
        event = events.envelope(
            release, "deployment_event", {**payload, **more}, source="agent"
        )
        return ingest(ci, event)[0]["http_status"]

    staging = database.value(
        "SELECT max(external_id) FROM ipai_deployment d JOIN ipai_environment e"
        " ON e.id = d.environment_id WHERE e.category <> 'production'"
    )
    with database.unchanged():
        for odd in (
            {"deployed_at": "2999-01-01T00:00:00Z"},
            {"deployed_at": "0000-00-00T00:00:00Z"},
            {"environment": "no such place"},
            {"rollback_of": "no such deployment"},
            {"rollback_of": f"deploy-{release['id']}"},
            {"rollback_of": staging or "none"},
            {"external_id": "deploy-2026.10.1"},
        ):
            assert deploy(**odd) == 400, odd
        sre = callers("json_2", "sre")
        vals = {
            "release_id": release["id"],
            "environment_id": database.id("ipai_environment", name="production"),
            "external_id": "manual",
            "status": "succeeded",
        }
        for forged in (
            {"deployed_at": "2020-01-01 00:00:00"},
            {"confirmed_at": "2020-01-01 00:00:00"},
            {"confirmation_due_at": "2999-01-01 00:00:00"},
            {"g4_status": "passed"},
        ):
            refused(sre, "ipai.deployment", "create", vals_list=[{**vals, **forged}])


# --- what facts carry ----------------------------------------------------------------


def _nested(depth):
    bomb = {}
    for _level in range(depth):
        bomb = {"a": bomb}
    return bomb


BOMBS = {
    "a list": [1],
    "a text": "text",
    "a number": 5,
    "deep": _nested(200),
    "wide": {"a": "x" * 70_000},
    "not a number": {"a": math.nan},
    "endless": {"a": [math.inf, -math.inf]},
    "half a character": {"a": "\ud800"},
    "nothing": {"a": "\0"},
    "huge": {"a": 10**30},
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
def test_metadata_that_would_break_a_reader_is_refused(callers, database, target, bomb):
    dev = callers("json_2", "dev")
    type_id = database.id("ipai_evidence_type", code="acceptance_criteria")
    on = {"release_id": target["id"], "metadata": bomb}
    with database.unchanged():
        vals = {**on, "type_id": type_id, "note": "x"}
        refused(dev, "ipai.evidence", "create", vals_list=[vals])
        vals = {**on, "name": "lint", "status": "pass"}
        refused(dev, "ipai.check", "create", vals_list=[vals])
        payload = {"type": "acceptance_criteria", "url": "https://x.example"}
        event = events.envelope(target, "evidence", {**payload, "metadata": bomb})
        assert ingest(dev, event)[0]["http_status"] == 400


def test_a_rationale_or_a_scope_that_would_break_a_reader_is_refused(
    callers, database, target
):
    vals = {
        "release_id": target["id"],
        "gate_id": database.id("ipai_gate", code="G2"),
        "persona_id": database.id("ipai_persona", code="qa_tester"),
        "decision": "rejected",
    }
    opened = {"project_id": 1, "source_ref": events.commit(), "author_emails": "a@b.c"}
    with database.unchanged():
        for bad in ({"name": "x" * 300}, {"name": "x", "scope_metadata": _nested(200)}):
            dev = callers("json_2", "dev")
            refused(dev, "ipai.release", "create", vals_list=[{**opened, **bad}])
            refused(dev, "ipai.release", "write", [target["id"]], vals=bad)
        for name, bad in (
            ("rationale_structured", _nested(200)),
            ("rationale_structured", "text"),
            ("rationale_text", "x" * 10_001),
        ):
            refused(
                callers("json_2", "qa"),
                "ipai.approval",
                "create",
                vals_list=[{**vals, name: bad}],
            )


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "https://user:secret@example.com/",
        "https://exa mple.com/",
        "http://",
        "https://example.com/" + "x" * 3000,
    ],
    ids=["script", "data", "file", "secret", "space", "nowhere", "long"],
)
def test_an_address_that_is_no_safe_one_is_refused(callers, database, target, address):
    dev = callers("json_2", "dev")
    vals = {"release_id": target["id"], "url": address}
    vals["type_id"] = database.id("ipai_evidence_type", code="build_log")
    with database.unchanged():
        refused(dev, "ipai.evidence", "create", vals_list=[vals])
        vals = {"release_id": target["id"], "name": "lint", "status": "pass"}
        if "://" in address or "script" in address or address.startswith("data"):
            vals["artifact_ref"] = address
            refused(dev, "ipai.check", "create", vals_list=[vals])


@pytest.fixture
def stranger_s_server():
    """A web server that notes who asks it: its address, and the paths asked for."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(404)
            self.end_headers()

        def log_message(self, *_arguments):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/schema", asked
    server.shutdown()
    thread.join()
    server.server_close()


def _schema(key, value):
    # Put together as text: the escapes in a key must reach the server.
    return f'{{"properties": {{"a": {{"{key}": "{value}"}}}}}}'


def test_a_schema_fetches_nothing_and_takes_no_time(
    callers, database, release, stranger_s_server
):
    address, asked = stranger_s_server
    governance, dev = callers("json_2", "governance"), callers("json_2", "dev")
    type_id = database.id("ipai_evidence_type", code="sbom")
    with database.unchanged():
        for schema in (
            _schema("$ref", address),
            _schema("\\u0024ref", address),
            _schema("$dynamicRef", address),
            _schema("\\u0024dynamic\\u0052ef", address),
            '{"properties": {"a": {"pattern": "^(a+)+$"}}}',
            '{"properties": {"a": {"p\\u0061ttern": "^(a+)+$"}}}',
            '{"allOf": [{"patternProperties": {"^(a+)+$": {}}}]}',
            "true",
            "[" * 5000,
            "not JSON",
        ):
            vals = {"metadata_schema": schema}
            refused(governance, "ipai.evidence.type", "write", [type_id], vals=vals)
    metadata = {"a": "a" * 40 + "!", "pattern": 1}
    vals = {"release_id": release["id"], "type_id": type_id, "metadata": metadata}
    assert dev("ipai.evidence", "create", vals_list=[vals])
    assert not asked


def test_evidence_is_not_hung_on_a_deployment_of_another_release(
    callers, database, release
):
    foreign = database.value("SELECT min(id) FROM ipai_deployment")
    type_id = database.id("ipai_evidence_type", code="build_log")
    vals = {"type_id": type_id, "deployment_id": foreign, "note": "x"}
    with database.unchanged():
        for login in ("dev", "qa", "rm", "sre"):
            call = callers("json_2", login)
            for on in (
                (release["id"], False) if login in ("dev", "qa") else (release["id"],)
            ):
                vals_list = [{**vals, "release_id": on}]
                refused(call, "ipai.evidence", "create", vals_list=vals_list)
