"""Ways around exceptions, drills, incidents, controls, settings and CI services."""

from datetime import datetime, timedelta, timezone

import attacks
import events
import pytest
from attacks import refused

LOGINS = ("dev", "qa", "rm", "sre", "ci", "auditor", "governance", "admin")
#: model → what would falsify a record of it
FALSE = {
    "ipai.exception": {"state": "active"},
    "ipai.incident": {"resolved_at": "2026-01-01 00:00:00"},
    "ipai.incident.entry": {"text": "Nothing happened."},
    "ipai.environment.control": {"status": "pass"},
    "ipai.environment.event": {"note": "Other."},
    "ipai.recovery.drill": {"outcome": "success"},
    "ipai.recovery.drill.criterion": {"met": True},
    "ipai.ledger.verification": {"result": "sound"},
    "ipai.ledger.head": {"sequence": 0},
}


@pytest.fixture(scope="module")
def record(callers, site):
    """One record of every kind, by model, and what else the attacks name."""
    database = attacks.Database(site.connect())
    release = attacks.open_release(callers("json_2", "ci"), "to be got around")
    environment = database.id("ipai_environment", name="staging", project_id=1)
    found = {
        "ipai.release": release["id"],
        "ipai.environment": environment,
        "ipai.gate": database.id("ipai_gate", code="G2"),
        "ipai.gate.requirement": database.value(
            "SELECT min(id) FROM ipai_gate_requirement WHERE NOT waivable"
            " OR kind = 'approval'"
        ),
        "ipai.deployment": database.value("SELECT min(id) FROM ipai_deployment"),
        "ipai.environment.control": database.value(
            "SELECT min(id) FROM ipai_environment_control"
            " WHERE environment_id = %s AND status <> 'pass'",
            environment,
        ),
    }
    soon = datetime.now(timezone.utc) + timedelta(hours=40)
    vals = {
        "release_id": release["id"],
        "exception_type": "gate_bypass",
        "risk_level": "critical",
        "rationale": "The tester is ill.",
        "risk_statement": "A defect may reach the customer.",
        "compensating_controls": "Watched.",
        "gate_ids": [[6, 0, [found["ipai.gate"]]]],
        "expires_at": f"{soon:%Y-%m-%d %H:%M:%S}",
    }
    dev, sre = callers("json_2", "dev"), callers("json_2", "sre")
    found["draft"], found["ipai.exception"] = dev(
        "ipai.exception", "create", vals_list=[vals, vals]
    )
    dev("ipai.exception", "action_request", [found["ipai.exception"]])
    for login, code in (("rm", "release_manager"), ("sre", "sre")):
        decision = {
            "exception_id": found["ipai.exception"],
            "persona_id": database.id("ipai_persona", code=code),
            "decision": "approved",
        }
        callers("json_2", login)("ipai.approval", "create", vals_list=[decision])
    vals = {"release_id": release["id"], "name": "Down", "blocking": False}
    (found["ipai.incident"],) = sre("ipai.incident", "create", vals_list=[vals])
    vals = {
        "environment_id": environment,
        "drill_type": "failover",
        "outcome": "failure",
        "note": "It did not switch over.",
        "criterion_ids": [[0, 0, {"name": "It switches over"}]],
    }
    (found["ipai.recovery.drill"],) = sre(
        "ipai.recovery.drill", "create", vals_list=[vals]
    )
    callers("json_2", "rm")("ipai.release", "action_verify_ledger", [release["id"]])
    for model in FALSE:
        latest = f"SELECT max(id) FROM {model.replace('.', '_')}"
        found.setdefault(model, database.value(latest))
    return found


def _in_vain(call, model, method, ids=None, /, **named):
    """An import answers what went wrong rather than raising it."""
    try:
        answer = call(model, method, ids, **named)
    except attacks.REFUSED:
        return
    assert not answer["ids"] and answer["messages"]


@pytest.mark.parametrize("model", FALSE)
def test_no_method_of_the_framework_falsifies_a_record(
    callers, database, record, model
):
    ids, changes = [record[model]], FALSE[model]
    names = [".id", *changes]
    data = [[str(ids[0]), *map(str, changes.values())]]
    with database.unchanged():
        for login in LOGINS:
            call = callers("json_2", login)
            saved = {"vals": changes, "specification": {}}
            refused(call, model, "write", ids, vals=changes)
            refused(call, model, "web_save", ids, **saved)
            refused(call, model, "web_save", [], **saved)
            refused(call, model, "create", vals_list=[changes])
            refused(call, model, "copy", ids)
            refused(call, model, "unlink", ids, context={"_force_unlink": True})
            if model != "ipai.environment.event":  # a type, which has no name to give
                refused(call, model, "name_create", name="x")
            _in_vain(call, model, "load", fields=names, data=data)


def test_a_parent_is_no_way_to_what_hangs_on_it(callers, database, record):
    control, gate = record["ipai.environment.control"], record["ipai.gate"]
    requirement, drill = record["ipai.gate.requirement"], record["ipai.recovery.drill"]
    event, entry = record["ipai.environment.event"], record["ipai.incident.entry"]
    incident, deployment = record["ipai.incident"], record["ipai.deployment"]
    exception, draft = record["ipai.exception"], record["draft"]
    passed = {"status": "pass"}
    parents = {
        ("governance", "ipai.environment", record["ipai.environment"]): {
            "control_ids": ([1, control, passed], [2, control], [3, control], [5]),
            "event_ids": (
                [0, 0, {"event_type": "backup_complete"}],
                [1, event, {"note": "x"}],
                [2, event],
                [3, event],
            ),
            "drill_ids": ([1, drill, {"outcome": "success"}], [2, drill], [3, drill]),
        },
        ("dev", "ipai.exception", draft): {
            "gate_ids": ([0, 0, {"code": "G9", "name": "x"}], [2, gate]),
            "requirement_ids": (
                [1, requirement, {"waivable": True}],
                [2, requirement],
            ),
            "approval_ids": ([0, 0, {"decision": "approved"}], [5]),
            "extension_ids": ([4, exception], [1, exception, {"state": "active"}]),
        },
        ("sre", "ipai.incident", incident): {
            "entry_ids": (
                [0, 0, {"text": "x", "kind": "resolved"}],
                [1, entry, {"text": "x"}],
                [2, entry],
                [3, entry],
            ),
        },
        ("sre", "ipai.deployment", deployment): {
            "incident_ids": ([1, incident, {"blocking": False}], [2, incident]),
            "evidence_ids": ([0, 0, {"url": "https://x.example"}], [5]),
        },
    }
    with database.unchanged():
        for (login, model, id_), nested in parents.items():
            call = callers("json_2", login)
            for name, commands in nested.items():
                for command in commands:
                    refused(call, model, "write", [id_], vals={name: [command]})


def test_a_new_drill_takes_nothing_of_an_older_one_along(callers, database, record):
    sre, evidence = (
        callers("json_2", "sre"),
        database.value("SELECT min(id) FROM ipai_evidence"),
    )
    vals = {
        "environment_id": record["ipai.environment"],
        "drill_type": "failover",
        "outcome": "success",
        "note": "x",
    }
    criterion = record["ipai.recovery.drill.criterion"]
    good = [0, 0, {"name": "It switches over", "met": True}]
    with database.unchanged():
        for more in (
            {"criterion_ids": [[4, criterion]]},
            {"criterion_ids": [[1, criterion, {"met": True}]]},
            {"criterion_ids": [good, [6, 0, [criterion]]]},
            {"criterion_ids": [[0, 0, {**good[2], "drill_id": 1}]]},
            {"criterion_ids": [good], "evidence_ids": [[4, evidence]]},
            {"criterion_ids": [good], "executed_by_id": 2},
        ):
            refused(sre, "ipai.recovery.drill", "create", vals_list=[{**vals, **more}])


def test_a_wizard_is_no_way_to_the_records_it_names(callers, database, record):
    release, deployment = record["ipai.release"], record["ipai.deployment"]
    control = record["ipai.environment.control"]
    passed = [1, control, {"status": "pass"}]
    attempts = (
        ("sre", "ipai.check.control.wizard", {"control_ids": [passed]}),
        ("sre", "ipai.check.control.wizard", {"control_ids": [[2, control]]}),
        (
            "sre",
            "ipai.deploy.wizard",
            {"release_ids": [[1, release, {"status": "promoted"}]], "reference": "x"},
        ),
        (
            "rm",
            "ipai.roll.back.wizard",
            {"deployment_ids": [[1, deployment, {"g4_status": "passed"}]]},
        ),
        ("rm", "ipai.roll.back.wizard", {"deployment_ids": [[2, deployment]]}),
    )
    common = {"status": "pass"}, {"trigger": "manual", "reason": "x"}
    with database.unchanged():
        for login, model, vals in attempts:
            more = common[0] if "control_ids" in vals else {}
            if "deployment_ids" in vals:
                more = {**common[1], "outcome": "restored"}
            call = callers("json_2", login)
            refused(call, model, "create", vals_list=[{**vals, **more}])


def test_a_default_in_the_context_forges_nothing(callers, database, record):
    qa = database.id("res_users", login="qa")
    forged = {
        "default_state": "active",
        "default_approved_at": "2026-01-01 00:00:00",
        "default_recorded_by_id": qa,
        "default_executed_by_id": qa,
        "default_author_id": qa,
        "default_source_system": "monitoring",
        "default_resolved_at": "2099-01-01 00:00:00",
        "default_review_status": "complete",
        "default_postmortem_status": "complete",
    }
    sre, uid = callers("json_2", "sre"), database.id("res_users", login="sre")
    release, environment = record["ipai.release"], record["ipai.environment"]
    vals = {"release_id": release, "name": "Again", "blocking": False}
    made = {}
    for model, given in (
        ("ipai.incident", vals),
        (
            "ipai.recovery.drill",
            {"environment_id": environment, "outcome": "partial", "note": "x"},
        ),
        (
            "ipai.environment.event",
            {"environment_id": environment, "event_type": "alert_fired"},
        ),
        (
            "ipai.incident.entry",
            {"incident_id": record["ipai.incident"], "text": "Looking."},
        ),
    ):
        (made[model],) = sre(model, "create", vals_list=[given], context=forged)
    assert database.rows(
        "SELECT recorded_by_id, source_system, resolved_at, postmortem_status"
        " FROM ipai_incident WHERE id = %s",
        made["ipai.incident"],
    ) == [(uid, "manual", None, "not_needed")]
    for model, column in (
        ("ipai.recovery.drill", "executed_by_id"),
        ("ipai.environment.event", "recorded_by_id"),
        ("ipai.incident.entry", "author_id"),
    ):
        query = f"SELECT {column} FROM {model.replace('.', '_')} WHERE id = %s"
        assert database.value(query, made[model]) == uid
    soon = datetime.now(timezone.utc) + timedelta(hours=9)
    (draft,) = callers("json_2", "dev")(
        "ipai.exception",
        "create",
        vals_list=[
            {
                "release_id": release,
                "rationale": "x",
                "risk_statement": "x",
                "expires_at": f"{soon:%Y-%m-%d %H:%M:%S}",
            }
        ],
        context=forged,
    )
    assert database.rows(
        "SELECT state, approved_at, recorded_by_id, review_status"
        " FROM ipai_exception WHERE id = %s",
        draft,
    ) == [("draft", None, database.id("res_users", login="dev"), "waived")]


def test_talk_and_done_activities_decide_nothing(callers, database, record):
    exception = record["ipai.exception"]
    activity = database.value(
        "SELECT max(id) FROM mail_activity"
        " WHERE res_model = 'ipai.exception' AND res_id = %s AND active",
        exception,
    )
    assert activity
    with database.unchanged():
        for login in ("qa", "ci", "auditor", "admin"):
            call = callers("json_2", login)
            refused(call, "ipai.exception", "message_post", [exception], body="Done.")
            refused(call, "mail.activity", "action_feedback", [activity], feedback="x")
        for login in ("dev", "rm"):
            call = callers("json_2", login)
            call("ipai.exception", "message_post", [exception], body="Approved, all.")
        dev = callers("json_2", "dev")
        dev("mail.activity", "action_feedback", [activity], feedback="Reviewed.")
    review = database.value(
        "SELECT review_status FROM ipai_exception WHERE id = %s", exception
    )
    assert review == "pending"


@pytest.mark.parametrize("login", LOGINS)
def test_settings_and_ci_services_are_governance_s_alone(callers, database, login):
    call = callers("json_2", login)
    rows = "SELECT payload_retention_days FROM ipai_settings"
    before = database.rows(rows)
    account = database.id("res_users", login="ci")
    keys = "SELECT count(*) FROM res_users_apikeys"
    known = database.value(keys)
    refused(call, "ipai.settings", "create", vals_list=[{"payload_retention_days": 0}])
    refused(call, "ipai.settings", "unlink", [1])
    refused(call, "ipai.ci.account", "write", [account], vals={"active": False})
    refused(call, "ipai.ci.account", "unlink", [account])
    refused(call, "ipai.ci.key", "unlink", [1])
    if login != "governance":
        vals = {"payload_retention_days": 1}
        refused(call, "ipai.settings", "write", [1], vals=vals)
        refused(call, "ipai.ci.account", "action_revoke", [account])
        refused(call, "ipai.ci.account", "action_rotate", [account])
        vals = {"account_id": account, "lifetime_days": 1}
        refused(call, "ipai.ci.rotate.wizard", "create", vals_list=[vals])
        vals = {"name": "x", "login": "ci-by-nobody", "lifetime_days": 1}
        refused(call, "ipai.ci.onboarding.wizard", "create", vals_list=[vals])
    assert database.rows(rows) == before
    assert database.value(keys) == known


# --- another company -----------------------------------------------------------------


def test_a_form_that_is_not_saved_tells_nothing_of_another_company(
    callers, database, record
):
    admin, governance = callers("json_2", "admin"), callers("json_2", "governance")
    (company,) = admin("res.company", "create", vals_list=[{"name": "Far away"}])
    uids = [database.id("res_users", login="governance")]
    admin("res.users", "write", uids, vals={"company_ids": [[4, company]]})
    there = {"allowed_company_ids": [company]}
    vals = {"name": "far/away", "company_id": company}
    (project,) = governance("ipai.project", "create", vals_list=[vals], context=there)
    vals = {
        "name": "far-production",
        "category": "production",
        "project_id": project,
    }
    (environment,) = governance(
        "ipai.environment", "create", vals_list=[vals], context=there
    )
    ci = attacks.People(callers)(
        "ci-far", "ci_service", company_id=company, company_ids=[[6, 0, [company]]]
    )
    values = {
        "project": "far/away",
        "name": "far-release",
        "source_ref": events.commit(),
        "environment_target": "production",
        "authors": ["dev@example.com"],
    }
    release = ci(attacks.PLANE, "open_release", values=values)["id"]
    named = {"fields": {"display_name": {}}}
    specification = {
        "ipai.recovery.drill": {"project_id": named, "display_name": {}},
        "ipai.incident": {"project_id": named, "company_id": named},
        "ipai.exception": {"project_id": named, "source_ref": {}},
        "ipai.deployment": {"environment_category": {}, "company_id": named},
        "ipai.environment.event": {"project_id": named, "display_name": {}},
        "ipai.deploy.wizard": {"obstacle": {}, "project_ids": named},
    }
    told = []
    for model, spec in specification.items():
        for name, value in (
            ("environment_id", environment),
            ("release_id", release),
            ("release_ids", [[6, 0, [release]]]),
        ):
            values = {name: value}
            if model == "ipai.deploy.wizard" and name == "environment_id":
                values["release_ids"] = [[6, 0, [record["ipai.release"]]]]
            for login in ("sre", "dev", "rm"):
                try:
                    answer = callers("json_2", login)(
                        model,
                        "onchange",
                        values=values,
                        field_names=[name],
                        fields_spec={**spec, name: {}},
                    )
                except attacks.REFUSED:
                    continue
                if "far" in str(answer).lower():
                    told.append((model, name, login, answer))
    assert not told, [what[:3] for what in told]
