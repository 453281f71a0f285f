"""The façade over XML-RPC and JSON-2: the same contract through both doors."""

import xmlrpc.client

import events
import pytest
from outside import HttpError

PLANE = "ipai.control.plane"


@pytest.fixture(params=["xml-rpc", "json-2"])
def call(request, rpc):
    """``call(login, method, **arguments)`` over the one or the other interface."""
    names = {
        "open_release": ("values",),
        "ingest": ("events",),
        "verdict": ("release", "target"),
        "request_move": ("release", "stage", "reason"),
    }

    def over_xml_rpc(login, method, **arguments):
        positional = [arguments[n] for n in names[method] if n in arguments]
        return rpc(login).execute_kw(PLANE, method, positional)

    def over_json_2(login, method, **arguments):
        return rpc(login).json2(PLANE, method, **arguments)

    return over_xml_rpc if request.param == "xml-rpc" else over_json_2


@pytest.fixture
def release(rpc, request):
    return events.open_release(rpc("ci"), request.node.name)


def test_opens_judges_refuses_and_moves(call, release):
    verdict = call("ci", "verdict", release=release["uuid"], target="staging")
    assert not verdict["eligible"]
    assert [gate["code"] for gate in verdict["gates"]] == ["G1", "G2"]
    assert verdict["revision"] == release["source_ref"]

    refused = call("dev", "request_move", release=release["id"], stage="qa_validation")
    assert not refused["moved"] and refused["stage"] == "build"
    assert [reason["code"] for reason in refused["reasons"]] == [
        "branch_build",
        "required_checks",
        "build_log",
    ]

    (answer,) = call("ci", "ingest", events=[events.build(release)])
    assert (answer["status"], answer["http_status"]) == ("accepted", 200)
    by_name = {"project": events.PROJECT, "name": release["name"]}
    moved = call("dev", "request_move", release=by_name, stage="QA Validation")
    assert moved["moved"] and moved["stage"] == "qa_validation"


def test_answers_each_event_of_a_list_by_itself_and_in_order(call, release):
    good = events.build(release)
    answers = call(
        "ci",
        "ingest",
        events=[
            good,
            {**good, "schema_version": "v9"},
            events.envelope(release, "check_result", {"name": "lint"}, source="agent"),
            "no event at all",
            events.build(release, release_id="no-such-release"),
            good,
        ],
    )
    assert [(a["status"], a["http_status"]) for a in answers] == [
        ("accepted", 200),
        ("rejected", 422),
        ("rejected", 400),
        ("rejected", 400),
        ("rejected", 400),
        ("duplicate", 200),
    ]
    assert answers[2]["detail"]["field"] == "payload.status"


def test_an_unknown_project_is_a_clear_error(rpc):
    values = {
        "project": "nobody/nothing",
        "name": "1.0",
        "source_ref": events.commit(),
        "environment_target": "production",
        "authors": ["dev@example.com"],
    }
    with pytest.raises(xmlrpc.client.Fault, match="“nobody/nothing” is unknown"):
        rpc("ci").execute_kw(PLANE, "open_release", [values])
    with pytest.raises(HttpError) as refused:
        rpc("ci").json2(PLANE, "open_release", values=values)
    assert refused.value.status == 422
    assert "“nobody/nothing” is unknown" in refused.value.body["message"]


def test_whoever_has_no_role_is_refused(site, rpc):
    rpc("admin").execute_kw(
        "res.users",
        "create",
        [{"name": "Passer-by", "login": "passer-by", "password": "passer-by"}],
    )
    stranger = site.rpc("passer-by")
    for method, arguments in (
        ("ingest", [[{}]]),
        ("open_release", [{}]),
        ("verdict", [1]),
        ("request_move", [1, "closed"]),
    ):
        with pytest.raises(xmlrpc.client.Fault) as refused:
            stranger.execute_kw(PLANE, method, arguments)
        assert refused.value.faultCode in (2, 4), refused.value
        assert "Traceback" not in refused.value.faultString


def test_a_refused_write_is_in_the_ledger_although_it_was_rolled_back(rpc, release):
    with pytest.raises(xmlrpc.client.Fault, match="No build log recorded"):
        rpc("dev").execute_kw(
            "ipai.release",
            "write",
            [[release["id"]], {"stage_id": _stage(rpc, "closed")}],
        )
    entries = rpc("auditor").execute_kw(
        "ipai.ledger.entry",
        "search_read",
        [[["release_id", "=", release["id"]], ["kind", "=", "move_refused"]]],
        {"fields": ["actor", "body"]},
    )
    assert [entry["actor"] for entry in entries] == ["dev"]
    assert "G1:build_log" in entries[0]["body"] and "mover" in entries[0]["body"]


def test_a_refused_signature_is_in_the_ledger(rpc, release):
    (answer,) = events.ingest(
        rpc("dev"),
        events.envelope(
            release,
            "gate_signoff",
            {"persona": "qa_tester", "decision": "approved"},
            gate_code="G2",
        ),
    )
    assert (answer["status"], answer["http_status"]) == ("rejected", 403)
    entries = rpc("auditor").execute_kw(
        "ipai.ledger.entry",
        "search_read",
        [[["release_id", "=", release["id"]], ["kind", "=", "signoff_refused"]]],
        {"fields": ["actor", "body"]},
    )
    assert [entry["actor"] for entry in entries] == ["dev"]


def test_the_engine_cannot_be_reached_by_name(rpc, release):
    attempts = (
        ("ipai.release", "_move_to", [[release["id"]], 5]),
        ("ipai.release", "system_write", [[release["id"]], {"status": "promoted"}]),
        ("ipai.check", "system_create", [[{}]]),
        ("ipai.control.plane", "_process", [[]]),
    )
    for model, method, arguments in attempts:
        for login in ("admin", "rm", "ci"):
            with pytest.raises(
                xmlrpc.client.Fault, match="[Pp]rivate|cannot be called"
            ):
                rpc(login).execute_kw(model, method, arguments)


def _stage(rpc, code):
    return rpc("dev").execute_kw(
        "ipai.release.stage", "search", [[["code", "=", code]]]
    )[0]
