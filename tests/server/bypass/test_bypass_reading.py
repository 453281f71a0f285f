"""Ways to learn what one may not read, or to act on what one may not see."""

import attacks
import events
import pytest
from attacks import PLANE, ingest, refused

HIDDEN = "hidden/project"


@pytest.fixture(scope="module")
def hidden(callers):
    """A release of a project that the developer does not belong to."""
    governance, ci = callers("json_2", "governance"), callers("json_2", "ci")
    (project,) = governance("ipai.project", "create", vals_list=[{"name": HIDDEN}])
    release = ci(PLANE, "open_release", values=_values("secret-name"))
    (answer,) = ingest(ci, events.build(release))
    assert answer["status"] == "accepted"
    return {**release, "project_id": project}


def _values(name, project=HIDDEN):
    return {
        "project": project,
        "name": name,
        "source_ref": events.commit(),
        "environment_target": "production",
        "authors": ["dev@example.com"],
    }


def test_a_release_of_others_is_as_unknown_as_one_that_is_not_there(
    callers, database, hidden
):
    dev = callers("json_2", "dev")
    known = (hidden["id"], hidden["uuid"], {"project": HIDDEN, "name": "secret-name"})
    unknown = (
        10**8,
        "00000000-0000-4000-8000-000000000000",
        {"project": "no/project", "name": "secret-name"},
    )
    with database.unchanged():
        for one, other in zip(known, unknown, strict=True):
            said = []
            for address in (one, other):
                words = [
                    refused(dev, PLANE, "verdict", release=address),
                    refused(
                        dev, PLANE, "request_move", release=address, stage="closed"
                    ),
                ]
                event = events.build({**hidden, "uuid": address}, key="1")
                event["source_system"] = "manual"
                event["idempotency_key"] = "manual/any/build_complete/1"
                answer = ingest(dev, event)[0]
                words.append(answer["detail"]["message"])
                assert answer["http_status"] == 409
                said.append([w.replace(str(address), "…") for w in words])
            assert said[0] == said[1]


def test_opening_a_release_tells_nothing_of_a_project_of_others(
    callers, database, hidden
):
    dev = callers("json_2", "dev")
    with database.unchanged():
        said = {
            refused(dev, PLANE, "open_release", values=_values(name, project)).replace(
                project, "…"
            )
            for project in (HIDDEN, "no/project")
            for name in ("secret-name", "free-name")
        }
        assert len(said) == 1
        said = set()
        for name in ("secret-name", "free-name"):
            vals = {
                "name": name,
                "project_id": hidden["project_id"],
                "source_ref": events.commit(),
                "author_emails": "dev@example.com",
            }
            said.add(refused(dev, "ipai.release", "create", vals_list=[vals]))
        assert len(said) == 1


def test_what_is_not_to_be_read_is_not_found_counted_grouped_or_exported(
    callers, database
):
    dev = callers("json_2", "dev")
    one = [database.id("ipai_release", name="2026.10.0")]
    for domain in (
        [["approval_ids.rationale_text", "ilike", "a"]],
        [["approval_ids", "any", [["decision", "=", "approved"]]]],
        [["approval_ids", "not any", [["approver_id.login", "=", "qa"]]]],
        [["ledger_entry_ids.body", "ilike", "x"]],
        [["check_ids.ingest_log_id.payload", "ilike", "lint"]],
        [["deployment_ids.external_id", "=like", "%"]],
        [["evidence_ids.deployment_id.external_id", "ilike", "a"]],
    ):
        for method in ("search_count", "search"):
            refused(dev, "ipai.release", method, domain=domain)
        refused(
            dev,
            "ipai.release",
            "formatted_read_group",
            domain=domain,
            groupby=["stage_id"],
            aggregates=["__count"],
        )
    for name in ("approval_ids", "ledger_entry_ids", "deployment_ids", "incident_ids"):
        refused(dev, "ipai.release", "read", one, fields=[name])
        refused(dev, "ipai.release", "export_data", one, fields_to_export=[name])
        specification = {name: {"fields": {"display_name": {}}}}
        refused(dev, "ipai.release", "web_read", one, specification=specification)
    for model in ("ipai.approval", "ipai.ledger.entry", "ipai.ingest.log"):
        id_ = [database.value(f"SELECT min(id) FROM {model.replace('.', '_')}")]
        for login in ("dev", "ci"):
            call = callers("json_2", login)
            refused(call, model, "search_read", domain=[])
            refused(call, model, "read", id_, fields=["display_name"])
            groups = {"domain": [], "groupby": ["create_date:day"], "aggregates": []}
            refused(call, model, "formatted_read_group", **groups)
            refused(call, model, "name_search", name="")
            refused(call, model, "export_data", id_, fields_to_export=["display_name"])


def test_a_form_that_is_not_saved_discloses_nothing(callers, database, hidden):
    revision = database.value(
        "SELECT revision_id FROM ipai_release WHERE id = %s", hidden["id"]
    )
    named = {"fields": {"display_name": {}}}
    dev = callers("json_2", "dev")
    for model in ("ipai.check", "ipai.evidence", "ipai.release.gate", "ipai.release"):
        for name, value, specification in (
            ("revision_id", revision, {"source_ref": {}, "short_ref": {}}),
            ("release_id", hidden["id"], {"project_id": named, "company_id": named}),
        ):
            arguments = {
                "values": {name: value},
                "field_names": [name],
                "fields_spec": {**specification, name: named},
            }
            try:
                answer = dev(model, "onchange", **arguments)
            except attacks.REFUSED:
                continue
            told = str(answer)
            assert HIDDEN not in told and "secret-name" not in told
            assert hidden["source_ref"][:7] not in told


@pytest.mark.parametrize(
    ("model", "method", "arguments"),
    [
        ("ipai.release", "message_post", {"body": "x"}),
        ("ipai.release", "message_subscribe", {"partner_ids": [3]}),
        ("ipai.release", "action_evaluate_gates", {}),
        ("ipai.release", "action_advance", {}),
        ("ipai.release", "action_cancel", {}),
        ("ipai.release", "write", {"vals": {"priority": "1"}}),
        ("ipai.release", "write", {"vals": {"stage_id": 2}}),
        ("ipai.release", "read", {"fields": ["name"]}),
        ("ipai.release", "web_read", {"specification": {"verdict_tree": {}}}),
        ("ipai.release", "action_archive", {}),
        ("ipai.release", "toggle_active", {}),
    ],
)
def test_a_release_of_others_is_out_of_reach(
    callers, people, database, hidden, model, method, arguments
):
    if not database.rows("SELECT 1 FROM res_users WHERE login = 'stranger'"):
        people("stranger")
    with database.unchanged():
        refused(callers("json_2", "dev"), model, method, [hidden["id"]], **arguments)
        stranger = callers("web", "stranger")
        refused(stranger, model, method, [hidden["id"]], **arguments)


def test_facts_activities_and_wizards_do_not_reach_a_release_of_others(
    callers, database, hidden
):
    dev, release = callers("json_2", "dev"), hidden["id"]
    type_id = database.id("ipai_evidence_type", code="build_log")
    with database.unchanged():
        for model, vals in (
            ("ipai.check", {"name": "lint", "status": "fail"}),
            ("ipai.evidence", {"type_id": type_id, "note": "x"}),
        ):
            vals_list = [{**vals, "release_id": release}]
            refused(dev, model, "create", vals_list=vals_list)
            context = {"default_release_id": release}
            refused(dev, model, "create", vals_list=[vals], context=context)
        model_id = database.id("ir_model", model="ipai.release")
        vals = {"res_model_id": model_id, "res_id": release, "summary": "x"}
        refused(dev, "mail.activity", "create", vals_list=[vals])
        vals = {"model": "ipai.release", "res_id": release, "body": "x"}
        refused(dev, "mail.message", "create", vals_list=[vals])
        on = {"release_ids": [[6, 0, [release]]]}
        for wizard, vals, action in (
            (
                "ipai.record.evidence.wizard",
                {"type_id": type_id, "note": "x"},
                "record",
            ),
            ("ipai.move.wizard", {"stage_id": 2}, "move"),
        ):
            try:
                (made,) = dev(wizard, "create", vals_list=[{**on, **vals}])
            except attacks.REFUSED:
                continue
            told = refused(dev, wizard, f"action_{action}", [made])
            assert "secret-name" not in told
        context = {"active_model": "ipai.release", "active_ids": [release]}
        for (action,) in database.rows(
            "SELECT res_id FROM ir_model_data WHERE model = 'ir.actions.server'"
            " AND module = 'ipai_release_gates'"
        ):
            context["active_id"] = release
            refused(dev, "ir.actions.server", "run", [action], context=context)


def test_routes_of_the_web_client_hand_out_nothing(callers, database, hidden):
    evidence = database.value(
        "SELECT min(id) FROM ipai_evidence WHERE release_id = %s", hidden["id"]
    )
    thread = {"thread_model": "ipai.release", "thread_id": hidden["id"]}
    web = callers("web", "dev").web
    with database.unchanged():
        for path in (
            f"/web/content/ipai.evidence/{evidence}/content",
            f"/web/content?model=ipai.evidence&id={evidence}&field=content",
        ):
            with pytest.raises(attacks.REFUSED) as caught:
                web.open(callers.site.url + path)
            assert caught.value.status in (403, 404)
        said = {**thread, "post_data": {"body": "x"}}
        with pytest.raises(attacks.REFUSED, match="404"):
            web.json("/mail/message/post", **said)
    # Without a thread it may see, the route answers what else the caller may read.
    told = str(web.json("/mail/thread/messages", **thread))
    assert "secret-name" not in told and hidden["source_ref"] not in told


# --- companies -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def elsewhere(callers, site):
    """A release of another company, of which only governance and admin are."""
    admin, governance = callers("json_2", "admin"), callers("json_2", "governance")
    (company,) = admin("res.company", "create", vals_list=[{"name": "Elsewhere"}])
    uids = [attacks.Database(site.connect()).id("res_users", login="governance")]
    admin("res.users", "write", uids, vals={"company_ids": [[4, company]]})
    there = {"allowed_company_ids": [company]}
    vals = {"name": "elsewhere/project", "company_id": company}
    governance("ipai.project", "create", vals_list=[vals], context=there)
    ci = attacks.People(callers)(
        "ci-elsewhere",
        "ci_service",
        company_id=company,
        company_ids=[[6, 0, [company]]],
    )
    values = _values("there", "elsewhere/project")
    return {**ci(PLANE, "open_release", values=values), "company": company}


@pytest.mark.parametrize("login", ["dev", "qa", "rm", "sre", "ci", "auditor"])
def test_another_company_s_releases_are_not_there(callers, database, elsewhere, login):
    call, release = callers("json_2", login), elsewhere["id"]
    switch = {"allowed_company_ids": [elsewhere["company"]]}
    with database.unchanged():
        for context in ({}, {"active_test": False}):
            domain = [["id", "=", release]]
            assert not call("ipai.release", "search", domain=domain, context=context)
            refused(call, PLANE, "verdict", release=release, context=context)
            asked = {"release": release, "stage": "closed", "context": context}
            refused(call, PLANE, "request_move", **asked)
        refused(call, "ipai.release", "search", domain=[], context=switch)
        refused(call, PLANE, "verdict", release=release, context=switch)
        if login != "auditor":
            event = events.envelope(
                elsewhere,
                "evidence" if login != "ci" else "check_result",
                {"type": "build_log", "url": "https://x.example"}
                if login != "ci"
                else {"name": "lint", "status": "pass"},
                source="manual",
            )
            assert ingest(call, event)[0]["http_status"] in (403, 409)
