"""Ways around a gate by writing: fields, records, parents, contexts, methods, files."""

import base64
import json

import attacks
import events
import psycopg2
import pytest
from attacks import PLANE, STAGES, refused
from outside import LOGINS

LATER = STAGES[1:]
INTERFACES = ("xml_rpc", "json_2", "web")
GUARDED = {
    "ipai.release.gate": {"status": "passed"},
    "ipai.check": {"status": "pass"},
    "ipai.evidence": {"url": "https://example.com/other"},
    "ipai.approval": {"decision": "approved"},
    "ipai.revision": {"author_emails": ["qa@example.com"]},
    "ipai.ledger.entry": {"body": "{}"},
    "ipai.ingest.log": {"status": "accepted"},
    "ipai.deployment": {"g4_status": "passed"},
    "ipai.incident": {"resolved_at": "2020-01-01 00:00:00"},
    "ipai.incident.entry": {"text": "Nothing happened"},
    "ipai.environment.control": {"status": "pass"},
    "ipai.environment.event": {"event_type": "backup_complete"},
    "ipai.recovery.drill": {"outcome": "success"},
    "ipai.recovery.drill.criterion": {"met": True},
}
ENGINE_FIELDS = {
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
CONTEXTS = (
    {"ipai_engine": True, "ipai_fact_batch": {"drafts": []}},
    {"_force_unlink": True, "module": "ipai_release_gates", "uid": 1, "su": True},
    {"install_mode": True, "install_module": "ipai_release_gates", "import_file": True},
    {"tracking_disable": True, "mail_notrack": True, "mail_create_nolog": True},
    {"active_test": False, "lang": "en_US", "tz": "Pacific/Kiritimati"},
    {"default_status": "promoted", "default_stage_id": 5, "default_is_open": False},
)


@pytest.fixture
def failing(database):
    """The release of the demo whose build fails."""
    return database.id("ipai_release", name="2026.11.3")


@pytest.fixture
def stage(database):
    """Ids of the stages by code."""
    return dict(database.rows("SELECT code, id FROM ipai_release_stage"))


@pytest.fixture
def release(callers, request):
    return attacks.open_release(callers("json_2", "ci"), request.node.name)


def some_id(database, model):
    return database.value(f"SELECT min(id) FROM {model.replace('.', '_')}")


@pytest.mark.parametrize("interface", INTERFACES)
def test_nobody_writes_a_field_that_the_engine_computes(
    callers, database, failing, interface
):
    with database.unchanged():
        for login in ("dev", "rm", "admin") if interface == "json_2" else ("rm",):
            call = callers(interface, login)
            names = ENGINE_FIELDS if login == "rm" else ("status", "revision_id")
            for name in names if interface == "json_2" else ("status", "ledger_hash"):
                vals = {name: ENGINE_FIELDS[name]}
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
                    _in_vain(call, "ipai.release", "load", fields=names, data=[row])
                    fields = [".id", "stage_id/.id"]
                    data = [[str(failing), str(stage[code])]]
                    _in_vain(call, "ipai.release", "load", fields=fields, data=data)
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


def _in_vain(call, model, method, **named):
    """An import answers what went wrong rather than raising it."""
    try:
        answer = call(model, method, **named)
    except attacks.REFUSED:
        return
    assert not answer["ids"] and answer["messages"]


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


def test_facts_and_logs_are_made_changed_copied_archived_and_deleted_by_nobody(
    callers, database
):
    with database.unchanged():
        for login in LOGINS:
            call = callers("json_2", login)
            for model, changes in GUARDED.items():
                ids = [some_id(database, model)]
                refused(call, model, "write", ids, vals=changes)
                refused(call, model, "create", vals_list=[changes])
                refused(call, model, "unlink", ids)
                if login != "rm":
                    continue
                refused(call, model, "copy", ids)
                refused(call, model, "web_save", ids, vals=changes, specification={})
                names = [".id", *changes]
                data = [[str(ids[0]), *map(str, changes.values())]]
                _in_vain(call, model, "load", fields=names, data=data)


def test_an_administrator_who_takes_every_right_still_deletes_and_changes_nothing(
    callers, database
):
    call = callers("json_2", "admin")
    system = database.value(
        "SELECT res_id FROM ir_model_data WHERE name = 'group_system'"
    )
    rights = dict.fromkeys(("perm_read", "perm_write", "perm_create", "perm_unlink"), 1)
    granted = call(
        "ir.model.access",
        "create",
        vals_list=[
            {
                "name": model,
                "model_id": database.id("ir_model", model=model),
                "group_id": system,
                **rights,
            }
            for model in (*GUARDED, "ipai.release")
        ],
    )
    try:
        with database.unchanged():
            for model, changes in (*GUARDED.items(), ("ipai.release", {"uuid": "x"})):
                ids = [some_id(database, model)]
                for context in CONTEXTS[:2]:
                    refused(call, model, "unlink", ids, context=context)
                    refused(call, model, "write", ids, vals=changes, context=context)
    finally:
        call("ir.model.access", "unlink", granted)


def test_the_file_of_evidence_is_not_replaced_added_to_or_deleted(
    callers, database, release
):
    (evidence,) = callers("json_2", "dev")(
        "ipai.evidence",
        "create",
        vals_list=[
            {
                "release_id": release["id"],
                "type_id": database.id("ipai_evidence_type", code="build_log"),
                "content": base64.b64encode(b"<script>alert(1)</script>").decode(),
                "filename": "log.html",
            }
        ],
    )
    ((file, kind),) = database.rows(
        "SELECT id, mimetype FROM ir_attachment"
        " WHERE res_model = 'ipai.evidence' AND res_id = %s",
        evidence,
    )
    assert kind == "text/plain"
    other = {"res_model": "ipai.evidence", "res_id": evidence, "res_field": "content"}
    with database.unchanged():
        for login in ("dev", "rm", "admin"):
            call = callers("json_2", login)
            for vals in (
                {"datas": "aGFjaw=="},
                {"res_id": 1},
                {"mimetype": "text/html"},
            ):
                refused(call, "ir.attachment", "write", [file], vals=vals)
            refused(call, "ir.attachment", "unlink", [file])
            refused(call, "ir.attachment", "copy", [file])
            for named in (other, {**other, "res_field": False}):
                vals_list = [{"name": "content", "datas": "aGFjaw==", **named}]
                refused(call, "ir.attachment", "create", vals_list=vals_list)
        for login in ("dev",):
            answer = attacks.Web(callers.site, login).post(
                "/web/binary/upload_attachment",
                model="ipai.evidence",
                id=evidence,
                ufile="other",
            )
            assert "error" in answer


def test_an_administrator_with_rights_on_evidence_does_not_replace_its_file(
    callers, database, release
):
    call = callers("json_2", "admin")
    (evidence,) = callers("json_2", "dev")(
        "ipai.evidence",
        "create",
        vals_list=[
            {
                "release_id": release["id"],
                "type_id": database.id("ipai_evidence_type", code="build_log"),
                "content": base64.b64encode(b"the log").decode(),
            }
        ],
    )
    file = database.id("ir_attachment", res_model="ipai.evidence", res_id=evidence)
    granted = call(
        "ir.model.access",
        "create",
        vals_list=[
            {
                "name": "everything",
                "model_id": database.id("ir_model", model="ipai.evidence"),
                "perm_read": True,
                "perm_write": True,
            }
        ],
    )
    try:
        with database.unchanged():
            vals = {"datas": "aGFjaw=="}
            refused(call, "ir.attachment", "write", [file], vals=vals)
            refused(call, "ir.attachment", "unlink", [file])
            vals = {"name": "x", "res_model": "ipai.evidence", "res_id": evidence}
            refused(call, "ir.attachment", "create", vals_list=[vals])
            context = {"default_res_model": "ipai.evidence", "default_res_id": evidence}
            vals = {"name": "x", "res_field": "content", "datas": "aGFjaw=="}
            refused(call, "ir.attachment", "create", vals_list=[vals], context=context)
    finally:
        call("ir.model.access", "unlink", granted)


def test_a_parent_is_no_way_to_its_children(callers, database, failing):
    gate = database.value(
        "SELECT min(id) FROM ipai_release_gate WHERE release_id = %s", failing
    )
    check = database.value(
        "SELECT min(id) FROM ipai_check WHERE release_id = %s", failing
    )
    nested = {
        "release_gate_ids": [[1, gate, {"status": "passed"}]],
        "check_ids": [[2, check]],
        "evidence_ids": [[0, 0, {"type_id": 1}]],
        "approval_ids": [[0, 0, {"decision": "approved"}]],
        "deployment_ids": [[5]],
        "incident_ids": [[6, 0, []]],
        "ledger_entry_ids": [[5]],
        "revision_ids": [[3, 1]],
    }
    with database.unchanged():
        for login in ("rm", "governance"):
            call = callers("json_2", login)
            for name, commands in nested.items():
                vals = {name: commands}
                refused(call, "ipai.release", "write", [failing], vals=vals)
            children = [[1, failing, {"status": "promoted"}]]
            refused(call, "ipai.project", "write", [1], vals={"release_ids": children})


def test_a_default_of_ones_own_does_not_reach_a_guarded_field(callers, database, stage):
    wanted = {
        ("ipai.release", "stage_id"): stage["production"],
        ("ipai.release", "status"): "promoted",
        ("ipai.release", "ledger_hash"): "0" * 64,
        ("ipai.release.gate", "status"): "passed",
        ("ipai.check", "environment_category"): "production",
    }
    for login, own in (("dev", True), ("admin", False)):
        call = callers("json_2", login)
        for (model, name), value in wanted.items():
            named = {"model_name": model, "field_name": name, "value": value}
            call("ir.default", "set", **named, user_id=own)
    try:
        opened = attacks.open_release(callers("json_2", "dev"), "defaults of ones own")
        vals = {"release_id": opened["id"], "name": "health_check", "status": "pass"}
        callers("json_2", "dev")("ipai.check", "create", vals_list=[vals])
        assert opened["stage"] == "build"
        assert database.rows(
            "SELECT s.code, r.status, c.environment_category, c.source_system"
            " FROM ipai_release r JOIN ipai_release_stage s ON s.id = r.stage_id"
            " JOIN ipai_check c ON c.release_id = r.id WHERE r.id = %s",
            opened["id"],
        ) == [("build", "in_progress", None, "manual")]
        kinds = [
            kind
            for (kind,) in database.rows(
                "SELECT kind FROM ipai_ledger_entry WHERE release_id = %s ORDER BY id",
                opened["id"],
            )
        ]
        assert kinds == ["release_opened", "check"]
    finally:
        for login in ("dev", "admin"):
            call = callers("json_2", login)
            ids = database.rows(
                "SELECT id FROM ir_default WHERE create_uid ="
                " (SELECT id FROM res_users WHERE login = %s)",
                login,
            )
            call("ir.default", "unlink", [id_ for (id_,) in ids])


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
        ("ipai.environment.control", "_checked"),
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
