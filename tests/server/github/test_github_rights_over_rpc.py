"""Records about GitHub over XML-RPC: a test per role and model."""

import xmlrpc.client

import attacks
import pytest

OVERSIGHT = {"rm", "auditor", "governance"}
READERS = {
    "ipai.github.app": OVERSIGHT,
    "ipai.github.repository": OVERSIGHT,
    "ipai.github.environment": OVERSIGHT,
    "ipai.github.protection": OVERSIGHT | {"sre"},
    "ipai.github.check": OVERSIGHT | {"sre"},
}
ROLES = ("dev", "qa", "rm", "sre", "ci", "auditor", "governance")


@pytest.mark.parametrize("model", READERS)
@pytest.mark.parametrize("login", ROLES)
def test_a_role_searches_what_the_table_says_and_nothing_else(site, login, model):
    ask = (model, "search_read", [[], ["display_name"]])
    if login in READERS[model]:
        assert isinstance(site.rpc(login).execute_kw(*ask), list)
    else:
        with pytest.raises(xmlrpc.client.Fault):
            site.rpc(login).execute_kw(*ask)


@pytest.mark.parametrize("login", ROLES)
def test_governance_alone_makes_an_app_and_its_key_is_read_by_nobody(
    site, database, login
):
    values = {"name": f"App of {login}", "client_id": f"Iv1.{login}"}
    if login != "governance":
        with pytest.raises(xmlrpc.client.Fault):
            site.rpc(login).execute_kw("ipai.github.app", "create", [values])
        return
    app = site.rpc(login).execute_kw("ipai.github.app", "create", [values])
    for fields in (["private_key"], ["display_name", "private_key"]):
        with pytest.raises(xmlrpc.client.Fault):
            site.rpc(login).execute_kw("ipai.github.app", "read", [[app], fields])
    with pytest.raises(xmlrpc.client.Fault):
        site.rpc(login).execute_kw(
            "ipai.github.app", "write", [[app], {"private_key": "x"}]
        )


@pytest.mark.parametrize("model", ("ipai.github.protection", "ipai.github.check"))
@pytest.mark.parametrize("login", ROLES)
def test_no_role_makes_a_request_or_a_check(site, database, login, model):
    query = f"SELECT count(*) FROM {model.replace('.', '_')}"
    before = database.rows(query)
    for method in ("create", "system_create"):
        for context in ({}, *attacks.CONTEXTS):
            with pytest.raises(xmlrpc.client.Fault):
                site.rpc(login).execute_kw(
                    model, method, [{"problem": "x"}], {"context": context}
                )
    assert database.rows(query) == before
