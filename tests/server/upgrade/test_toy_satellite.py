"""The recipes of ``docs/architecture/recipes.md``, done by a toy satellite.

It adds a requirement kind, a fact, a provider and a section of the dossier from
outside of the core; then it is uninstalled, and what it required stays closed.
"""

import hashlib
import hmac
import json
import xmlrpc.client

import api
import attacks
import psycopg2.errors
import pytest
import toy
from outside import Site

from tools import databases, odoo
from tools.paths import ADDON_NAME
from tools.server import Server

FACT = "toy_walkthrough"
MODEL = "ipai.toy.walkthrough"
GATE = "G1"
SAMPLE = toy.FOLDER / "samples" / "toyforge_check.json"


class Toy:
    """A release of the demo data, which passed its first gate, seen from outside."""

    def __init__(self, site):
        self.site = site
        self.rpc = {}
        self.release = self.passed()[0]

    def call(self, login, model, method, *args, **kwargs):
        """Call a method over XML-RPC as a demo login."""
        if login not in self.rpc:
            self.rpc[login] = self.site.rpc(login)
        return self.rpc[login].execute_kw(model, method, args, kwargs)

    def passed(self):
        """The open releases whose first gate is passed, by id."""
        rows = self.call(
            *("rm", "ipai.release", "search_read"),
            [("is_open", "=", True)],
            ["verdict_tree"],
            order="id",
        )
        return [
            row["id"]
            for row in rows
            for gate in row["verdict_tree"]
            if gate["code"] == GATE and gate["status"] == "passed"
        ]

    def read(self, *names, login="auditor"):
        """Fields of the release."""
        return self.call(login, "ipai.release", "read", [self.release], list(names))[0]

    def gate(self):
        """The verdict on the first gate, judged now."""
        tree = self.read("verdict_tree")["verdict_tree"]
        return next(gate for gate in tree if gate["code"] == GATE)

    def condition(self):
        """The toy's requirement, judged now."""
        return next(c for c in self.gate()["conditions"] if c["code"] == FACT)

    def stored_status(self):
        """The status of the first gate as lists and boards show it."""
        return self.call(
            *("rm", "ipai.release.gate", "search_read"),
            [("release_id", "=", self.release), ("gate_id.code", "=", GATE)],
            ["status"],
        )[0]["status"]

    def require(self):
        """Have the first gate ask for a walkthrough."""
        gates = self.call(
            *("governance", "ipai.gate", "search_read"),
            [("code", "=", GATE)],
            ["requirement_ids"],
        )
        former = self.call(
            *("governance", "ipai.gate.requirement", "read"),
            gates[0]["requirement_ids"][:1],
            ["accountable_persona_id", "expertise_domain_id"],
        )[0]
        return self.call(
            *("governance", "ipai.gate.requirement", "create"),
            {
                "gate_id": gates[0]["id"],
                "code": FACT,
                "name": "Walkthrough",
                "kind": FACT,
                "accountable_persona_id": former["accountable_persona_id"][0],
                "expertise_domain_id": former["expertise_domain_id"][0],
            },
        )

    def record(self, outcome, login="qa"):
        """Record a walkthrough of the release."""
        values = {"release_id": self.release, "outcome": outcome}
        return self.call(login, MODEL, "create", values)

    def source(self):
        """A webhook of Toyforge, as governance makes it: its uuid and its secret."""
        project = self.read("project_id")["project_id"][0]
        (service,) = self.call(
            "admin", "res.users", "search", [("login", "=", "ci")], limit=1
        )
        source = self.call(
            *("governance", "ipai.webhook.source", "create"),
            {"project_id": project, "provider": "toyforge", "user_id": service},
        )
        shown = attacks.Web(self.site, "governance").json(
            "/web/dataset/call_kw",
            model="ipai.webhook.source",
            method="action_new_secret",
            args=[[source]],
            kwargs={},
        )
        (row,) = self.call(
            "governance", "ipai.webhook.source", "read", [source], ["uuid", "url"]
        )
        return row["uuid"], shown["context"]["default_secret"]

    def deliver(self, uuid, secret, body, delivery):
        """Send a delivery of Toyforge, signed with a secret."""
        mac = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        return api.call(
            self.site,
            "POST",
            f"/webhooks/toyforge?source={uuid}",
            body,
            login=None,
            **{
                "X-Toyforge-Event": "check",
                "X-Toyforge-Delivery": delivery,
                "X-Hub-Signature-256": f"sha256={mac}",
            },
        )

    def run_scheduled(self, name):
        """Run a scheduled action of the core now."""
        (row,) = self.call(
            *("admin", "ir.model.data", "search_read"),
            [("module", "=", ADDON_NAME), ("name", "=", name)],
            ["res_id"],
        )
        self.call("admin", "ir.cron", "method_direct_trigger", [row["res_id"]])

    def chain_is_sound(self):
        """Whether the release's chain verifies, as its button says."""
        answer = self.call(
            "auditor", "ipai.release", "action_verify_ledger", [self.release]
        )
        return answer.get("params", {}).get("type") == "success"

    def dossier(self, login="auditor"):
        """The dossier of the release as a page."""
        url = f"{self.site.url}/report/html/ipai_release_gates.dossier/{self.release}"
        return attacks.Web(self.site, login).open(url)

    def control_room(self):
        """The data of the control room, as its page asks for them."""
        return attacks.Web(self.site, "rm").json(
            "/web/dataset/call_kw",
            model="ipai.control.room",
            method="data",
            args=[],
            kwargs={},
        )

    def board(self):
        """The releases of the board, with what its cards show."""
        action = self.call("rm", "ipai.release", "get_views", [[False, "kanban"]])
        fields = action["models"]["ipai.release"]["fields"]
        names = action["views"]["kanban"]["arch"]
        shown = [name for name in fields if f'name="{name}"' in names]
        return self.call(
            *("rm", "ipai.release", "web_search_read"),
            [],
            {name: {} for name in shown},
        )["records"]


@pytest.fixture(scope="module")
def database(postgresql):
    """A database with the core, its demo data and the toy."""
    with databases.temporary(databases.template("core")) as name:
        odoo.script("Demo data", name, "load_demo", ADDON_NAME)
        with toy.on_path():
            log = odoo.install("Installing the toy", name, [toy.NAME]).read_text()
        assert odoo.problems(log) == []
        yield name


def serve(database):
    """A server on a database; its scheduled actions run when they are called."""
    return Server(database, arguments=["--max-cron-threads=0"])


@pytest.fixture(scope="module")
def there(database):
    """The toy on a server, its requirement in force."""
    with toy.on_path(), serve(database) as server:
        found = Toy(Site(server))
        found.requirement = found.require()
        yield found


def test_a_requirement_of_its_kind_holds_the_gate_until_its_fact_opens_it(there):
    assert there.gate()["status"] != "passed"
    assert there.condition()["state"] == "unmet"
    assert "Nobody walked through revision" in there.condition()["reason"]
    assert there.stored_status() != "passed"
    there.record("failure")
    assert there.gate()["status"] == there.stored_status() == "failed"
    there.record("success")
    assert there.gate()["status"] == there.stored_status() == "passed"
    assert there.condition()["state"] == "met"


def test_its_fact_is_in_the_ledger_and_the_chain_verifies(there):
    (fact,) = [there.record("success")]
    (entry,) = there.call(
        *("auditor", "ipai.ledger.entry", "search_read"),
        [("subject", "=", f"{MODEL},{fact}")],
        ["kind", "body", "release_id"],
    )
    assert entry["kind"] == FACT
    assert entry["release_id"][0] == there.release
    assert json.loads(entry["body"])["outcome"] == "success"
    assert there.chain_is_sound()


def test_count_and_links_of_the_release_know_its_fact(there):
    there.record("success")
    facts = there.call(
        "auditor", MODEL, "search_count", [("release_id", "=", there.release)]
    )
    found = there.read("toy_walkthrough_count", "fact_links")
    assert found["toy_walkthrough_count"] == facts > 0
    assert found["fact_links"][FACT]["model"] == MODEL
    for kind in ("list", "form"):
        assert there.call("auditor", MODEL, "get_views", [[False, kind]])["views"]


def test_its_fact_is_recorded_by_its_role_and_never_changed(there):
    fact = there.record("success")
    for login in ("dev", "rm", "auditor"):
        with pytest.raises(xmlrpc.client.Fault):
            there.record("success", login)
    for method, *values in (("write", {"outcome": "failure"}), ("unlink",)):
        with pytest.raises(xmlrpc.client.Fault):
            there.call("qa", MODEL, method, [fact], *values)
    connection = there.site.connect()
    try:
        for statement in (
            "UPDATE ipai_toy_walkthrough SET outcome = 'failure' WHERE id = %s",
            "DELETE FROM ipai_toy_walkthrough WHERE id = %s",
        ):
            with (
                connection.cursor() as cursor,
                pytest.raises(psycopg2.errors.InsufficientPrivilege),
            ):
                cursor.execute(statement, [fact])
            connection.rollback()
    finally:
        connection.close()
    assert there.chain_is_sound()


def test_the_dossier_has_its_section(there):
    there.record("success")
    assert "Walkthroughs" in there.dossier()
    assert "You have no right to read walkthroughs." in there.dossier("governance")


def test_its_provider_takes_a_signed_delivery_and_no_other(there):
    sample = json.loads(SAMPLE.read_text())
    sample["check"]["commit"] = there.read("source_ref")["source_ref"]
    body = json.dumps(sample).encode()
    there.webhook = there.source()
    uuid, secret = there.webhook
    checks = [("release_id", "=", there.release), ("name", "=", "toy_smoke")]
    assert there.deliver(uuid, "another", body, "d1").status == 401
    assert not there.call("auditor", "ipai.check", "search_count", checks)
    answer = there.deliver(uuid, secret, body, "d1")
    assert answer.body["status"] == "accepted", answer
    assert there.call("auditor", "ipai.check", "search_count", checks) == 1
    assert there.deliver(uuid, secret, body, "d1").body["status"] == "duplicate"
    assert there.call("auditor", "ipai.check", "search_count", checks) == 1


def test_without_it_the_gate_is_closed_and_the_history_stays(there):
    there.record("success")
    assert there.gate()["status"] == "passed"
    there.call(
        *("admin", "ir.module.module", "button_immediate_uninstall"),
        there.call("admin", "ir.module.module", "search", [("name", "=", toy.NAME)]),
    )
    with serve(there.site.database) as server:
        gone = Toy.__new__(Toy)
        gone.site, gone.rpc, gone.release = Site(server), {}, there.release
        assert gone.gate()["status"] not in ("passed", "bypassed")
        gone.run_scheduled("ir_cron_rejudge")
        assert gone.stored_status() not in ("passed", "bypassed")
        assert "install the addon" in gone.condition()["reason"]
        assert gone.chain_is_sound()
        entries = gone.call(
            *("auditor", "ipai.ledger.entry", "search_read"),
            [("kind", "=", FACT)],
            ["body", "display_name", "icon"],
        )
        assert entries
        assert gone.release in [row["id"] for row in gone.board()]
        assert gone.control_room()["panels"]
        assert "Walkthroughs" not in gone.dossier()
        # Its webhook stays as a record, and takes nothing.
        assert gone.deliver(*there.webhook, b"{}", "d2").status == 404
        (row,) = gone.call(
            *("governance", "ipai.webhook.source", "web_search_read"),
            [("uuid", "=", there.webhook[0])],
            {"display_name": {}, "provider": {}, "url": {}},
        )["records"]
        assert row["provider"] == "toyforge"
