"""Ways around the separation of duties: being another person, or no author."""

import attacks
import events
import pytest
from attacks import PLANE, ingest, refused


@pytest.fixture(scope="module")
def ci(callers):
    return callers("json_2", "ci")


@pytest.fixture
def open_release(ci, request):
    """``open_release(author, …)``: a release that lacks no more than signatures."""
    count = 0

    def open_one(*authors, source_ref=None):
        nonlocal count
        count += 1
        release = attacks.open_release(
            ci,
            f"{request.node.name} {count}",
            authors,
            source_ref=source_ref or events.commit(),
        )
        sent = [events.build(release)]
        for gate, kinds in (
            ("G2", ("acceptance_criteria", "defect_register", "test_result")),
            ("G3", ("rollback_plan", "release_notes")),
        ):
            for kind in kinds:
                payload = {"type": kind, "url": "https://example.com/proof"}
                sent.append(
                    events.envelope(
                        release, "evidence", payload, gate_code=gate, source="agent"
                    )
                )
        assert {a["status"] for a in ingest(ci, *sent)} == {"accepted"}
        return release

    return open_one


def signature(release, gate, decision="approved", **more):
    persona = {"G2": "qa_tester", "G3": "release_manager"}[gate]
    payload = {"persona": persona, "decision": decision, **more}
    return events.envelope(release, "gate_signoff", payload, gate_code=gate)


def cannot_sign(call, database, release, gate="G2"):
    """A signature is refused by the façade and by the model."""
    status = (
        "SELECT status FROM ipai_release_gate WHERE release_id = %s AND gate_id = %s"
    )
    gate_id = database.id("ipai_gate", code=gate)
    with database.unchanged():
        (answer,) = ingest(call, signature(release, gate))
        assert (answer["status"], answer["http_status"]) == ("rejected", 403)
        code = {"G2": "qa_tester", "G3": "release_manager"}[gate]
        vals = {
            "release_id": release["id"],
            "gate_id": gate_id,
            "persona_id": database.id("ipai_persona", code=code),
            "decision": "approved",
        }
        refused(call, "ipai.approval", "create", vals_list=[vals])
        assert database.value(status, release["id"], gate_id) not in ("passed",)
    return answer["detail"]["message"]


def signs(call, release, gate="G2"):
    (answer,) = ingest(call, signature(release, gate))
    assert answer["status"] == "accepted", answer


# --- being somebody else -------------------------------------------------------------


@pytest.mark.parametrize("login", ["dev", "qa", "rm", "sre"])
def test_nobody_makes_themselves_another_person(callers, database, login):
    uid = database.id("res_users", login=login)
    partner = database.value("SELECT partner_id FROM res_users WHERE id = %s", uid)
    identity = "SELECT u.login, p.email, p.email_normalized FROM res_users u"
    identity += " JOIN res_partner p ON p.id = u.partner_id ORDER BY u.id"
    before = database.rows(identity)
    call = callers("json_2", login)
    for email in (f"other-{login}@example.com", False, "Q <qa2@example.com>"):
        refused(call, "res.users", "write", [uid], vals={"email": email})
        refused(call, "res.partner", "write", [partner], vals={"email": email})
    for vals in ({"login": "x"}, {"group_ids": [[4, 1]]}, {"partner_id": 1}):
        refused(call, "res.users", "write", [uid], vals=vals)
    aliases = [{"email": "x@example.com", "user_id": uid}]
    refused(call, "ipai.author.alias", "create", vals_list=aliases)
    assert database.rows(identity) == before
    call("res.users", "write", [uid], vals={"email": before_of(before, login)})
    call("res.users", "write", [uid], vals={"signature": "<p>Regards</p>"})


def before_of(rows, login):
    return next(email for name, email, _normalised in rows if name == login)


def test_an_address_that_only_a_commit_knows_is_claimed_by_nobody(
    callers, people, database, open_release
):
    release = open_release("ghost@example.com")
    people("bystander")
    for login, call in (
        ("bystander", callers("web", "bystander")),
        ("auditor", callers("json_2", "auditor")),
    ):
        uid = database.id("res_users", login=login)
        for email in ("ghost@example.com", "Ghost <GHOST@example.com>"):
            refused(call, "res.users", "write", [uid], vals={"email": email})
    reason = cannot_sign(callers("json_2", "qa"), database, release)
    assert "No user is known for author ghost@example.com" in reason
    uid = database.id("res_users", login="bystander")
    vals = {"email": "passer.by@example.com"}
    callers("web", "bystander")("res.users", "write", [uid], vals=vals)


@pytest.mark.parametrize("login", ["dev", "qa", "rm", "ci", "admin"])
def test_a_signature_names_nobody_and_forges_nothing(
    callers, database, open_release, login
):
    release = open_release("dev@example.com")
    call = callers("json_2", login)
    good = {
        "release_id": release["id"],
        "gate_id": database.id("ipai_gate", code="G2"),
        "persona_id": database.id("ipai_persona", code="qa_tester"),
        "decision": "approved",
    }
    forged = {
        "approver_id": database.id("res_users", login="qa"),
        "recorded_by_id": database.id("res_users", login="qa"),
        "recorded_at": "2020-01-01 00:00:00",
        "revision_id": 1,
        "service_account": False,
        "scope": "release",
        "source_system": "agent",
    }
    with database.unchanged():
        for name, value in forged.items():
            vals_list = [{**good, name: value}]
            refused(call, "ipai.approval", "create", vals_list=vals_list)
        if login == "admin":
            refused(call, PLANE, "ingest", events=[{}])
            return
        for name in ("approver", "user_id", "on_behalf_of"):
            (answer,) = ingest(call, signature(release, "G2", **{name: "qa"}))
            assert answer["detail"]["code"] == "identity_in_payload"
        if login != "qa":
            (answer,) = ingest(call, signature(release, "G2"))
            assert answer["http_status"] == 403


def test_no_wizard_decides_for_who_may_not(callers, database, open_release):
    vals = {
        "release_ids": [[6, 0, [open_release("dev@example.com")["id"]]]],
        "gate_id": database.id("ipai_gate", code="G2"),
    }
    with database.unchanged():
        for login in ("dev", "sre", "ci", "auditor", "governance", "admin"):
            call = callers("json_2", login)
            refused(call, "ipai.decide.wizard", "create", vals_list=[vals])


def test_the_wizard_decides_as_nobody_else(callers, database, open_release):
    release = open_release("dev@example.com")
    qa, rm = callers("json_2", "qa"), callers("json_2", "rm")
    vals = {
        "release_ids": [[6, 0, [release["id"]]]],
        "gate_id": database.id("ipai_gate", code="G3"),
        "persona_id": database.id("ipai_persona", code="release_manager"),
        "rationale_text": "It is good.",
    }
    with database.unchanged():
        (wizard,) = qa("ipai.decide.wizard", "create", vals_list=[vals])
        refused(qa, "ipai.decide.wizard", "action_decide", [wizard])
        # Nor does anybody fill in or end what another person is about to decide.
        refused(rm, "ipai.decide.wizard", "action_decide", [wizard])
        refused(
            rm, "ipai.decide.wizard", "write", [wizard], vals={"decision": "rejected"}
        )
        vals["gate_id"] = database.id("ipai_gate", code="G2")
        (wizard,) = rm("ipai.decide.wizard", "create", vals_list=[vals])
        refused(rm, "ipai.decide.wizard", "action_decide", [wizard])


# --- being no author -----------------------------------------------------------------


@pytest.mark.parametrize(
    "author",
    [
        "two-hats@example.com",
        " TWO-HATS@Example.COM ",
        "two-hats",
        "alias@elsewhere.example",
        "two-hats+work@example.com",
        "ｔwo-hats@example.com",
        "Two Hats <two-hats@example.com>",
    ],
)
def test_an_author_signs_under_no_spelling(
    callers, people, database, open_release, author
):
    two_hats = _two_hats(callers, people, database)
    if author in ("two-hats", "Two Hats <two-hats@example.com>"):
        with database.unchanged():
            refused(attacks.open_release, two_hats, author, [author])
        return
    cannot_sign(two_hats, database, open_release(author, "dev@example.com"))


def _two_hats(callers, people, database):
    if not database.rows("SELECT 1 FROM res_users WHERE login = 'two-hats'"):
        call = people(
            "two-hats",
            "developer",
            "qa_tester",
            email="Two Hats <two-hats@example.com>",
        )
        vals = {"member_ids": [[4, call.uid]]}
        governance = callers("json_2", "governance")
        governance("ipai.project", "write", [1], vals=vals)
        alias = {"email": "ALIAS@elsewhere.example", "user_id": call.uid}
        governance("ipai.author.alias", "create", vals_list=[alias])
    return callers("web", "two-hats")


def test_another_account_of_an_author_is_the_author(people, database, open_release):
    second = people("second-account", "qa_tester", email="D. <DEV@example.com>")
    release = open_release("dev@example.com")
    cannot_sign(second, database, release)
    refused(second, "res.users", "write", [second.uid], vals={"email": "o@example.com"})
    cannot_sign(second, database, release)


def test_a_revision_that_comes_and_goes_frees_no_author_and_revives_no_signature(
    callers, people, database, open_release, ci
):
    two_hats, qa = _two_hats(callers, people, database), callers("json_2", "qa")
    release = open_release("two-hats@example.com")
    signs(qa, release)
    first = release["source_ref"]
    for commit in (events.commit(), first):
        sent = events.envelope(
            {**release, "source_ref": commit},
            "revision",
            {"authors": ["dev@example.com"]},
            source="agent",
        )
        (answer,) = ingest(ci, sent)
        assert answer["status"] == "accepted"
    assert _gate(database, release, "G2") != "passed"
    cannot_sign(two_hats, database, release)


def test_who_wrote_a_commit_wrote_it_for_every_release(
    callers, people, database, open_release
):
    two_hats, commit = _two_hats(callers, people, database), events.commit()
    release = open_release("dev@example.com", source_ref=commit)
    open_release("two-hats@example.com", source_ref=commit.upper())
    cannot_sign(two_hats, database, release)
    third = open_release("dev@example.com", source_ref=commit)
    cannot_sign(two_hats, database, third)


def test_another_digest_of_the_same_commit_needs_signatures_of_its_own(
    callers, database, open_release
):
    release = open_release("dev@example.com")
    signs(callers("json_2", "qa"), release)
    assert _gate(database, release, "G2") == "passed"
    vals = {"artifact_digest": "sha256:" + "1" * 64}
    callers("json_2", "rm")("ipai.release", "write", [release["id"]], vals=vals)
    assert _gate(database, release, "G2") != "passed"


def _gate(database, release, code):
    return database.value(
        "SELECT status FROM ipai_release_gate rg JOIN ipai_gate g ON g.id = rg.gate_id"
        " WHERE release_id = %s AND g.code = %s",
        release["id"],
        code,
    )


def test_the_signatory_of_g2_does_not_sign_g3_with_another_account_either(
    people, database, open_release
):
    release = open_release("dev@example.com")
    both = people("both-roles", "qa_tester", "release_manager")
    spare = people("spare-account", "release_manager", email="BOTH-ROLES@example.com")
    signs(both, release)
    cannot_sign(both, database, release, "G3")
    cannot_sign(spare, database, release, "G3")
    refused(spare, "res.users", "write", [spare.uid], vals={"email": "s@example.com"})


def test_an_author_who_is_archived_or_deleted_stays_an_author(
    callers, people, database, open_release
):
    admin, qa = callers("json_2", "admin"), callers("json_2", "qa")
    gone = people("gone-author", "developer")
    archived = people("archived-author", "developer", "qa_tester")
    first, second = (
        open_release("gone-author@example.com"),
        open_release("archived-author@example.com"),
    )
    admin("res.users", "unlink", [gone.uid])
    assert "No user is known" in cannot_sign(qa, database, first)
    admin("res.users", "action_archive", [archived.uid])
    heir = people("heir", "qa_tester", email="archived-author@example.com")
    cannot_sign(heir, database, second)


# --- changing the policy, or what it hangs on ----------------------------------------


def test_whoever_changes_the_policy_gets_no_right_to_sign_or_move(
    callers, database, open_release
):
    release = open_release("dev@example.com")
    for login in ("governance", "auditor", "ci"):
        call = callers("json_2", login)
        cannot_sign(call, database, release)
        cannot_sign(call, database, release, "G3")
        asked = {"release": release["id"], "stage": "qa_validation"}
        with database.unchanged():
            answer = call(PLANE, "request_move", **asked)
            assert [r["code"] for r in answer["reasons"]] == ["mover"]


@pytest.mark.parametrize("login", ["dev", "qa", "rm", "sre", "ci", "auditor", "admin"])
def test_nobody_but_governance_changes_the_policy(callers, database, login):
    changes = {
        "ipai.gate": {"sequence": 1},
        "ipai.gate.requirement": {"active": False},
        "ipai.release.stage": {"gate_id": False},
        "ipai.persona": {"group_id": 1},
        "ipai.project": {"required_checks": ""},
        "ipai.environment": {"category": "dev"},
        "ipai.evidence.type": {"code": "x"},
        "ipai.freeze.window": {"active": False},
        "ipai.author.alias": {"email": "x@example.com"},
    }
    call = callers("json_2", login)
    with database.unchanged():
        for model, vals in changes.items():
            refused(call, model, "write", [1], vals=vals)
            refused(call, model, "create", vals_list=[vals])
            refused(call, model, "unlink", [1], context={"_force_unlink": True})


def test_what_was_judged_is_not_deleted_from_under_the_judgement(callers, database):
    governance, admin = callers("json_2", "governance"), callers("json_2", "admin")
    with database.unchanged():
        for context in ({}, {"_force_unlink": True}):
            for model, used in (
                ("ipai.project", "project_id FROM ipai_release"),
                ("ipai.gate", "gate_id FROM ipai_release_gate"),
                ("ipai.release.stage", "stage_id FROM ipai_release"),
                ("ipai.persona", "approval_persona_id FROM ipai_gate_requirement"),
                ("ipai.environment", "environment_id FROM ipai_deployment"),
                ("ipai.evidence.type", "type_id FROM ipai_evidence"),
            ):
                column, _, source = used.partition(" ")
                id_ = database.value(f"SELECT max({column}) {source}")
                refused(governance, model, "unlink", [id_], context=context)
            for model, id_ in (
                ("res.company", 1),
                ("res.users", database.id("res_users", login="qa")),
                ("res.users", database.id("res_users", login="dev")),
            ):
                refused(admin, model, "unlink", [id_], context=context)
