"""Ways around a gate by the doors of a release: fields, stages, contexts, methods."""

import base64
import json

import attacks
import events
import psycopg2
import pytest
from attacks import (
    CONTEXTS,
    GUARDED,
    PLANE,
    STAGES,
    load_in_vain,
    refused,
    some_id,
)
from outside import LOGINS

LATER = STAGES[1:]
INTERFACES = ("xml_rpc", "json_2", "web")
COMPUTED_FIELDS = {
    "status": "promoted",
    "is_open": False,
    "fact_version": 0,
    "ledger_sequence": 0,
    "ledger_hash": "0" * 64,
    "uuid": "00000000-0000-4000-8000-000000000000",
    "revision_id": 1,
    "project_id": 1,
    "company_id": 1,
    "next_gate_status": "passed",
    "blocking_summary": "",
    "blocking_terms": [["Nothing", {}]],
    "awaited_personas": ",developer,",
    "stage_entered_at": "2020-01-01 00:00:00",
    "gate_marks": [],
    "verdict_tree": [],
    "create_uid": 1,
    "activity_ids": [[5]],
    "message_follower_ids": [[5]],
}


@pytest.mark.parametrize("interface", INTERFACES)
def test_nobody_writes_a_field_that_is_computed(callers, database, failing, interface):
    with database.unchanged():
        for login in ("dev", "rm", "admin") if interface == "json_2" else ("rm",):
            call = callers(interface, login)
            names = COMPUTED_FIELDS if login == "rm" else ("status", "revision_id")
            for name in names if interface == "json_2" else ("status", "ledger_hash"):
                vals = {name: COMPUTED_FIELDS[name]}
                refused(call, "ipai.release", "write", [failing], vals=vals)
            refused(
                call,
                "ipai.release",
                "web_save",
                [failing],
                vals={"status": "promoted", "priority": "1"},
                specification={},
            )


@pytest.mark.parametrize("interface", INTERFACES)
def test_no_door_lets_a_release_past_an_unmet_gate(
    callers, database, failing, stage, interface
):
    logins = LOGINS if interface == "json_2" else ("rm",)
    with database.unchanged():
        for login in logins:
            call = callers(interface, login)
            for code in LATER if login == "rm" else ("qa_validation", "closed"):
                move = {"stage_id": stage[code]}
                refused(call, "ipai.release", "write", [failing], vals=move)
                refused(
                    call,
                    "ipai.release",
                    "web_save",
                    [failing],
                    vals={**move, "move_reason": "because"},
                    specification={},
                )
                _asks_in_vain(call, login, failing, code)


def _asks_in_vain(call, login, release, code):
    arguments = {"release": release, "stage": code, "reason": "because"}
    if login == "admin":
        refused(call, PLANE, "request_move", **arguments)
    else:
        answer = call(PLANE, "request_move", **arguments)
        assert (answer["moved"], answer["stage"]) == (False, "build")


@pytest.mark.parametrize("context", CONTEXTS, ids=lambda context: min(context))
def test_no_context_opens_a_door(callers, database, failing, stage, context):
    vals = {"name": "x", "source_ref": events.commit(), "author_emails": "a@b.c"}
    with database.unchanged():
        call = callers("json_2", "rm")
        for code in ("qa_validation", "closed"):
            move = {"vals": {"stage_id": stage[code]}, "context": context}
            refused(call, "ipai.release", "write", [failing], **move)
            asked = {"release": failing, "stage": code, "context": context}
            assert not call(PLANE, "request_move", **asked)["moved"]
        for model, changes in GUARDED.items():
            ids = [some_id(database, model)]
            refused(call, model, "write", ids, vals=changes, context=context)
            refused(call, model, "unlink", ids, context=context)
        vals_list = [{**vals, "project_id": 1, "status": "promoted"}]
        refused(call, "ipai.release", "create", vals_list=vals_list, context=context)


def test_odd_stages_are_no_stage(callers, database, failing, stage):
    last = stage["closed"]
    with database.unchanged():
        for odd in (
            [last],
            [last, 1],
            str(last),
            True,
            -1,
            10**6,
            {"id": last},
            "closed",
        ):
            call = callers("json_2", "rm")
            refused(call, "ipai.release", "write", [failing], vals={"stage_id": odd})


@pytest.mark.parametrize("door", ["create", "load", "import", "name_create", "wizard"])
def test_a_release_cannot_begin_or_be_imported_in_a_later_stage(
    callers, database, failing, stage, door
):
    names = ["name", "project_id/.id", "source_ref", "author_emails", "stage_id/.id"]
    with database.unchanged():
        for login in ("dev", "rm"):
            call = callers("json_2", login)
            for code in ("qa_validation", "closed"):
                commit = events.commit()
                row = [f"new {code}", "1", commit, "dev@example.com", str(stage[code])]
                if door == "create":
                    vals = dict(zip(names, row, strict=True))
                    vals = {n.split("/")[0]: value for n, value in vals.items()}
                    vals.update(project_id=1, stage_id=stage[code])
                    refused(call, "ipai.release", "create", vals_list=[vals])
                elif door == "load":
                    load_in_vain(call, "ipai.release", "load", fields=names, data=[row])
                    fields = [".id", "stage_id/.id"]
                    data = [[str(failing), str(stage[code])]]
                    load_in_vain(call, "ipai.release", "load", fields=fields, data=data)
                elif door == "import":
                    _imports_in_vain(call, names, row)
                elif door == "name_create":
                    context = {
                        "default_stage_id": stage[code],
                        "default_project_id": 1,
                        "default_source_ref": commit,
                        "default_author_emails": "dev@example.com",
                    }
                    refused(
                        call, "ipai.release", "name_create", name="x", context=context
                    )
                else:
                    _moves_in_vain(call, failing, stage[code])


def _imports_in_vain(call, names, row):
    try:
        (wizard,) = call(
            "base_import.import",
            "create",
            vals_list=[
                {
                    "res_model": "ipai.release",
                    "file": base64.b64encode(
                        (",".join(names) + "\n" + ",".join(row)).encode()
                    ).decode(),
                    "file_name": "releases.csv",
                    "file_type": "text/csv",
                }
            ],
        )
        answer = call(
            "base_import.import",
            "execute_import",
            [wizard],
            fields=names,
            columns=names,
            options={"has_headers": True, "separator": ",", "quoting": '"'},
        )
    except attacks.REFUSED:
        return
    assert not answer.get("ids") and answer["messages"]


def _moves_in_vain(call, release, stage_id):
    vals = {"release_ids": [[6, 0, [release]]], "stage_id": stage_id, "reason": "x"}
    try:
        (wizard,) = call("ipai.move.wizard", "create", vals_list=[vals])
    except attacks.REFUSED:
        return
    refused(call, "ipai.move.wizard", "action_move", [wizard])


@pytest.mark.parametrize(
    ("model", "method"),
    [
        ("ipai.release", "_append_to_ledger"),
        ("ipai.release", "_revise"),
        ("ipai.release", "_rejudge"),
        ("ipai.release", "system_write"),
        ("ipai.ledger.entry", "_store"),
        ("ipai.approval", "_sign"),
        ("ipai.approval", "system_create"),
        ("ipai.deployment", "_advance"),
        ("ipai.deployment", "_obstacles"),
        ("ipai.deployment", "_fail_overdue"),
        ("ipai.incident", "_resolve"),
        ("ipai.environment.control", "_record_result"),
        ("ipai.environment.event", "_note"),
        ("ipai.release.gate", "_store_verdict"),
        ("ipai.ingest.log", "_process_again"),
        ("ipai.release", "with_context"),
        ("ipai.release", "sudo"),
    ],
)
def test_what_is_private_cannot_be_called(callers, database, model, method):
    with database.unchanged():
        for login in ("rm", "admin"):
            refused(callers("json_2", login), model, method, [1])


def test_the_application_s_own_role_cannot_rewrite_the_ledger_or_a_decision(
    database, connection
):
    with database.unchanged():
        for table, column in (
            ("ipai_ledger_entry", "body"),
            ("ipai_approval", "decision"),
        ):
            for statement in (
                f"UPDATE {table} SET {column} = 'approved'",
                f"DELETE FROM {table}",
                f"TRUNCATE {table} CASCADE",
                f"WITH gone AS (DELETE FROM {table} RETURNING id) SELECT * FROM gone",
            ):
                refusal = pytest.raises(psycopg2.errors.InsufficientPrivilege)
                with connection.cursor() as cursor, refusal:
                    cursor.execute(statement)


def test_mail_moves_nothing_and_templates_are_no_way_in(
    callers, database, failing, stage
):
    message = (
        "From: dev@example.com\nTo: x@example.com\nSubject: 1\nMessage-Id: <1@x>\n\n"
    )
    closed = {"stage_id": stage["closed"]}
    code = "{{ object.system_write({'status': 'promoted'}) }}"
    model_id = database.id("ir_model", model="ipai.release")
    with database.unchanged():
        for login in ("dev", "rm", "auditor", "ci"):
            call = callers("json_2", login)
            refused(
                call,
                "mail.thread",
                "message_process",
                model="ipai.release",
                message=message,
                custom_values={**closed, "project_id": 1},
            )
            refused(
                call, "ipai.release", "message_new", msg_dict={}, custom_values=closed
            )
            refused(
                call,
                "ipai.release",
                "message_update",
                [failing],
                msg_dict={"subject": "x"},
                update_vals={"status": "promoted"},
            )
            vals = {"name": "x", "model_id": model_id, "subject": code}
            refused(call, "mail.template", "create", vals_list=[vals])
            composer = {
                "subject": code,
                "body": code,
                "model": "ipai.release",
                "res_ids": json.dumps([failing]),
                "composition_mode": "mass_mail",
            }
            (ids,) = call("mail.compose.message", "create", vals_list=[composer])
            refused(call, "mail.compose.message", "action_send_mail", [ids])


@pytest.mark.parametrize("login", ["dev", "qa", "sre", "auditor", "ci", "governance"])
def test_a_server_action_gives_nobody_a_right(callers, database, failing, login):
    call = callers("json_2", login)
    actions = database.rows(
        "SELECT a.id, d.name FROM ir_act_server a JOIN ir_model_data d"
        " ON d.res_id = a.id AND d.model = 'ir.actions.server'"
        " WHERE d.module = 'ipai_release_gates'"
    )
    context = {"active_model": "ipai.release", "active_ids": [failing]}
    with database.unchanged():
        for action, name in actions:
            context["active_id"] = failing
            # For an SRE “deploy” opens a wizard, which changes nothing by itself.
            opens = name.endswith("deploy") and login == "sre"
            if name.endswith(("advance", "deploy")) and not opens:
                refused(call, "ir.actions.server", "run", [action], context=context)
            else:
                try:
                    call("ir.actions.server", "run", [action], context=context)
                except attacks.REFUSED:
                    continue


def test_no_wizard_deploys_what_is_not_approved(callers, database, failing):
    sre = callers("json_2", "sre")
    production = database.id("ipai_environment", name="production")
    vals = {
        "release_ids": [[6, 0, [failing]]],
        "environment_id": production,
        "reference": "by wizard",
        "status": "succeeded",
    }
    (wizard,) = sre("ipai.deploy.wizard", "create", vals_list=[vals])
    with database.unchanged():
        told = refused(sre, "ipai.deploy.wizard", "action_deploy", [wizard])
    assert "cannot be deployed" in told


def test_an_automation_restricted_to_a_group_records_with_the_rights_of_who_runs_it(
    callers, database, failing
):
    admin = callers("json_2", "admin")
    group = database.value(
        "SELECT res_id FROM ir_model_data WHERE name = 'group_auditor'"
    )
    (action,) = admin(
        "ir.actions.server",
        "create",
        vals_list=[
            {
                "name": "Evidence by an auditor",
                "model_id": database.id("ir_model", model="ipai.release"),
                "state": "ipai_record_evidence",
                "ipai_evidence_type_id": database.id(
                    "ipai_evidence_type", code="acceptance_criteria"
                ),
                "ipai_evidence_url": "https://example.com/{uuid}",
                "group_ids": [[6, 0, [group]]],
            }
        ],
    )
    context = {"active_model": "ipai.release", "active_ids": [failing]}
    context["active_id"] = failing
    with database.unchanged():
        for login in ("auditor", "dev", "ci", "admin"):
            call = callers("json_2", login)
            refused(call, "ir.actions.server", "run", [action], context=context)
    web = attacks.Web(callers.site, "auditor")
    with database.unchanged():
        refused(web.json, "/web/action/run", action_id=action, context=context)
