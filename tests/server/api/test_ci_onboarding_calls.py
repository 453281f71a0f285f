"""A CI service from outside: made in the web client, its key used over both doors."""

import json
import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
import xmlrpc.client

import events
import pytest
from attacks import REFUSED
from outside import HttpError

PLANE = "ipai.control.plane"
WIZARD = "ipai.ci.onboarding.wizard"
ACCOUNT = "ipai.ci.account"
ROTATE = "ipai.ci.rotate.wizard"
OTHERS = ("dev", "qa", "rm", "sre", "ci", "auditor", "admin")


class Service:
    """A CI service at the remote interfaces, by login and key."""

    def __init__(self, site, login, key):
        self.site, self.login, self.key = site, login, key
        common = xmlrpc.client.ServerProxy(f"{site.url}/xmlrpc/2/common")
        self.uid = common.authenticate(site.database, login, key, {})

    def xml_rpc(self, method, *args):
        """Call the façade over XML-RPC."""
        proxy = xmlrpc.client.ServerProxy(f"{self.site.url}/xmlrpc/2/object")
        return proxy.execute_kw(
            self.site.database, self.uid, self.key, PLANE, method, list(args)
        )

    def json2(self, method, **arguments):
        """Call the façade over JSON-2."""
        request = urllib.request.Request(
            f"{self.site.url}/json/2/{PLANE}/{method}",
            json.dumps(arguments).encode(),
            {
                "Content-Type": "application/json",
                "Authorization": f"bearer {self.key}",
                "X-Odoo-Database": self.site.database,
            },
        )
        try:
            with urllib.request.urlopen(request) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise HttpError(error.code, error.read().decode()) from None


def create(call, interface, model, values):
    """Create a record; only JSON-2 takes the values by name."""
    if interface == "json_2":
        return call(model, "create", vals_list=[values])[0]
    return call(model, "create", [values])[0]


@pytest.fixture
def governance(callers):
    """Governance at the web client."""
    return callers("web", "governance")


@pytest.fixture
def make(site, governance):
    """``make(login, **values)``: a new service, and what the dialog shows of it."""

    def make(login, **values):
        values = {"name": f"CI {login}", "login": login, **values}
        wizard = create(governance, "web", WIZARD, values)
        action = governance(WIZARD, "action_create_service", [wizard])
        shown = action["context"]
        return Service(site, login, shown["default_key"]), shown, wizard

    return make


def answers(service):
    """Whether the key is good over XML-RPC and over JSON-2.

    A good key gets the answer that the release is unknown.
    """
    found = []
    for call in (
        lambda: service.xml_rpc("verdict", 0),
        lambda: service.json2("verdict", release=0),
    ):
        try:
            call()
        except REFUSED as error:
            known = "is unknown" in str(error)
            assert known or re.search("Access Denied|apikey", str(error)), error
            found.append(known)
    return found


def test_a_new_key_is_good_until_it_is_revoked(site, governance, make):
    service, _shown, _wizard = make("ci-outside")
    assert service.uid
    values = {
        "project": events.PROJECT,
        "name": "by the new service",
        "source_ref": events.commit(),
        "environment_target": "production",
        "authors": ["dev@example.com"],
    }
    assert service.xml_rpc("open_release", values)["created"]
    assert not service.json2("open_release", values=values)["created"]
    assert answers(service) == [True, True]

    governance(ACCOUNT, "action_revoke", [service.uid])
    assert answers(service) == [False, False]
    assert not Service(site, service.login, service.key).uid


def test_a_rotated_key_replaces_the_former_one(site, governance, make):
    service, _shown, _wizard = make("ci-rotated")
    assert answers(service) == [True, True]
    wizard = create(governance, "web", ROTATE, {"account_id": service.uid})
    action = governance(ROTATE, "action_rotate", [wizard])
    new = Service(site, service.login, action["context"]["default_key"])
    assert answers(new) == [True, True]
    assert answers(service) == [False, False]


def test_no_password_opens_the_account(site, make):
    service, _shown, _wizard = make("ci-without-password")
    for password in ("", "ci-without-password", "false"):
        assert not Service(site, service.login, password).uid


def test_the_key_cannot_be_read_again(site, governance, make):
    service, shown, wizard = make("ci-secret")
    for model, ids in ((WIZARD, [wizard]), (ACCOUNT, [service.uid])):
        assert service.key not in str(governance(model, "read", ids))
    assert service.key not in str(governance("ipai.ci.key", "search_read"))
    log = site.server.log.read_text(errors="replace")
    assert "ci-secret" in log and service.key not in log
    for name in ("default_json2", "default_xml_rpc"):
        assert service.key not in shown[name]


def test_the_examples_run_as_they_are_pasted(site, governance, make, tmp_path):
    project = governance("ipai.project", "search_read", domain=[])[0]
    service, shown, _wizard = make("ci-pasted", project_id=project["id"])
    git = ["git", "-c", "user.name=Dana", "-c", "user.email=dev@example.com"]
    subprocess.run([*git, "init", "-q"], cwd=tmp_path, check=True)
    subprocess.run(
        [*git, "commit", "-q", "--allow-empty", "-m", "x"], cwd=tmp_path, check=True
    )
    environ = {**os.environ, "IPAI_GATES_KEY": service.key, "RELEASE": "pasted 1"}
    told = []
    for command, name in (
        (["sh", "-eu"], "default_json2"),
        ([sys.executable], "default_xml_rpc"),
    ):
        # The address that Odoo believes it has is not that of the test.
        text = re.sub(r"https?://[^/'\s]+", site.url, shown[name])
        done = subprocess.run(
            command,
            input=text,
            cwd=tmp_path,
            env=environ,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        told.append(done.stdout)
    assert "pasted 1" in told[0]
    assert "eligible" in told[1]


@pytest.mark.parametrize("interface", ["xml_rpc", "json_2", "web"])
@pytest.mark.parametrize("login", OTHERS)
def test_no_other_role_makes_rotates_or_revokes(callers, make, interface, login):
    name = f"ci-{login}-{interface.replace('_', '-')}"
    service, _shown, wizard = make(name)
    call = callers(interface, login)
    for attempt in (
        lambda: create(call, interface, WIZARD, {"name": "x", "login": "ci-x"}),
        lambda: create(call, interface, ROTATE, {"account_id": service.uid}),
        lambda: call(WIZARD, "action_create_service", [wizard]),
        lambda: call(ACCOUNT, "action_rotate", [service.uid]),
        lambda: call(ACCOUNT, "action_revoke", [service.uid]),
    ):
        with pytest.raises(REFUSED, match="(?i)access|allowed|governance"):
            attempt()
    assert answers(service) == [True, True]


@pytest.mark.parametrize("interface", ["xml_rpc", "json_2", "web"])
def test_governance_gets_at_no_key_of_people(site, callers, interface):
    governance = callers(interface, "governance")
    for victim in ("rm", "admin", "governance"):
        uid = site.uid(victim, victim)
        for method in ("action_rotate", "action_revoke"):
            with pytest.raises(REFUSED):
                governance(ACCOUNT, method, [uid])
        wizard = create(governance, interface, ROTATE, {"account_id": uid})
        with pytest.raises(REFUSED):
            governance(ROTATE, "action_rotate", [wizard])
        assert site.api_key(victim)
        assert site.rpc(victim).json2("res.users", "search_count", domain=[])
