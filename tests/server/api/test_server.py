"""The test server itself answers over every interface that the other tests build on."""

import xmlrpc.client

import pytest
from outside import HttpError, Rpc


def test_answers_over_xml_rpc_as_the_demo_login(rpc):
    dev = rpc("dev")
    assert (
        dev.execute_kw("res.users", "read", [[dev.uid], ["login"]])[0]["login"] == "dev"
    )


def test_answers_over_json_2_with_an_api_key_of_the_same_user(rpc):
    dev = rpc("dev")
    assert (
        dev.json2("res.users", "read", ids=[dev.uid], fields=["login"])[0]["login"]
        == "dev"
    )


def test_refuses_a_wrong_password_a_wrong_key_and_a_private_method(site, rpc):
    with pytest.raises(PermissionError):
        Rpc(site, "dev", "wrong")
    with pytest.raises(xmlrpc.client.Fault, match="_generate"):
        rpc("dev").execute_kw("res.users.apikeys", "_generate", ["rpc", "x", False])
    site.api_key("dev")
    site._keys["nobody"] = "0" * 40
    stranger = rpc("dev")
    stranger.login = "nobody"
    with pytest.raises(HttpError, match="401"):
        stranger.json2("res.users", "search", domain=[])


def test_shows_a_test_the_same_database(connection, site):
    with connection.cursor() as cr:
        cr.execute(
            "SELECT current_database(), login FROM res_users WHERE login = 'dev'"
        )
        assert cr.fetchone() == (site.database, "dev")


def test_serves_with_worker_processes_too(start_site, site):
    busy = start_site(site.database, workers=2)
    assert (
        busy.rpc("qa").execute_kw("res.users", "search_count", [[["login", "=", "qa"]]])
        == 1
    )
