"""UAT invitations over XML-RPC: a test per role, for what it reads and cannot write."""

import xmlrpc.client

import attacks
import events
import pytest

READERS = {"qa", "rm", "auditor", "governance"}
ROLES = ("dev", "qa", "rm", "sre", "ci", "auditor", "governance")
#: model → what would falsify a record of it
FOR_GOOD = {
    "ipai.uat.invitation": {"result": "passed"},
    "ipai.uat.criterion": {"result": "passed"},
}


@pytest.fixture(scope="module")
def invited(site):
    """The ids of an invitation and its criterion by model."""
    release = events.open_release(site.rpc("ci"), "Asked over RPC")
    qa = site.rpc("qa")
    partner = site.rpc("admin").execute_kw(
        "res.partner", "create", [{"name": "Carla", "email": "carla2@example.com"}]
    )
    values = {
        "release_id": release["id"],
        "partner_id": partner,
        "criteria": "An order is invoiced once",
        "by_hand": True,
    }
    wizard = qa.execute_kw("ipai.uat.wizard", "create", [values])
    qa.execute_kw("ipai.uat.wizard", "action_ask", [[wizard]])
    domain = [[("release_id", "=", release["id"])]]
    invitations = qa.execute_kw("ipai.uat.invitation", "search", domain)
    (row,) = qa.execute_kw(
        "ipai.uat.invitation", "read", [invitations, ["criterion_ids"]]
    )
    return {
        "ipai.uat.invitation": row["id"],
        "ipai.uat.criterion": row["criterion_ids"][0],
    }


@pytest.mark.parametrize("model", FOR_GOOD)
@pytest.mark.parametrize("login", ROLES)
def test_a_role_reads_what_the_table_says_and_nothing_else(site, invited, login, model):
    ask = (model, "read", [[invited[model]], ["id"]])
    if login in READERS:
        assert site.rpc(login).execute_kw(*ask) == [{"id": invited[model]}]
    else:
        with pytest.raises(xmlrpc.client.Fault):
            site.rpc(login).execute_kw(*ask)


@pytest.mark.parametrize("model", FOR_GOOD)
@pytest.mark.parametrize("login", ROLES)
def test_no_role_changes_deletes_or_copies_one(site, database, invited, login, model):
    query = f"SELECT t::text FROM {model.replace('.', '_')} t ORDER BY id"
    before = database.rows(query)
    rpc, ids = site.rpc(login), [invited[model]]
    for method, *arguments in (
        ("write", ids, FOR_GOOD[model]),
        ("unlink", ids),
        ("copy", ids),
        ("system_write", ids, FOR_GOOD[model]),
    ):
        for context in ({}, *attacks.CONTEXTS):
            with pytest.raises(xmlrpc.client.Fault):
                rpc.execute_kw(model, method, arguments, {"context": context})
    assert database.rows(query) == before
