"""Ways around a gate by its records: facts, logs, files, parents, defaults."""

import base64

import attacks
from attacks import (
    CONTEXTS,
    GUARDED,
    STAGES,
    load_in_vain,
    refused,
    some_id,
)
from outside import LOGINS

LATER = STAGES[1:]
INTERFACES = ("xml_rpc", "json_2", "web")


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
                load_in_vain(call, model, "load", fields=names, data=data)


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
