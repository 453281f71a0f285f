"""Webhooks from a real server with its runner of jobs to a receiver that verifies."""

import json
import os
import queue
import select
import signal
import xmlrpc.client
from contextlib import closing

import events
import pytest
from receiver import Receiver

ENDPOINT = "ipai.webhook.endpoint"
DELIVERY = "ipai.webhook.delivery"
HOST = "ipai.outbound.host"


@pytest.fixture(scope="module")
def sending(start_site):
    """A server that runs jobs."""
    return start_site(jobs=True)


@pytest.fixture
def receiver():
    with Receiver() as receiver:
        yield receiver


class Hook:
    """An endpoint of governance that points to a receiver."""

    def __init__(self, site, receiver, name):
        self.site, self.receiver = site, receiver
        self.governance = site.rpc("governance")
        host = {"name": "127.0.0.1", "port": receiver.port}
        host |= {"is_internal": True, "is_plain": True}
        site.rpc("admin").execute_kw(HOST, "create", [host])
        self.id = self.governance.execute_kw(
            ENDPOINT, "create", [{"name": name, "url": receiver.url}]
        )
        action = self.call("action_rotate_secret")
        self.secret = action["context"]["default_secret"]

    def call(self, method, *args):
        return self.governance.execute_kw(ENDPOINT, method, [[self.id], *args])

    def deliveries(self, *fields):
        return self.governance.execute_kw(
            DELIVERY,
            "search_read",
            [[["endpoint_id", "=", self.id]], ["uuid", "status", *fields]],
            {"order": "id"},
        )

    def settled(self, uuid):
        """The delivery, once the transaction of its last attempt is over."""
        # The receiver answers before the sender has written down what it said; a
        # change of the row is a notification of queue_job when its job is done.
        # No ``with`` of its own: psycopg2 makes that a transaction, and who listens in
        # one hears nothing before its end.
        with closing(self.site.connect()) as connection:
            connection.autocommit = True
            cursor = connection.cursor()
            cursor.execute("LISTEN queue_job")
            while True:
                [found] = [
                    each
                    for each in self.deliveries("outcome", "try_count")
                    if each["uuid"] == uuid
                ]
                if found["status"] != "queued":
                    return found
                # A job whose start got lost begins within a minute.
                assert select.select([connection], [], [], 100)[0], found
                connection.poll()


@pytest.fixture
def hook(sending, receiver, request):
    hook = Hook(sending, receiver, request.node.name)
    yield hook
    hook.call("write", {"active": False})


def test_a_gate_that_passes_arrives_signed(sending, receiver, hook, request):
    ci = sending.rpc("ci")
    release = events.open_release(ci, request.node.name)
    events.ingest(ci, events.build(release))
    message = receiver.next()
    assert message.is_signed_with(hook.secret)
    assert not message.is_signed_with("whsec_" + "A" * 44)
    told = json.loads(message.body)
    assert told["event"] == "gate.passed"
    assert told["gate"]["code"] == "G1"
    assert told["release"]["uuid"] == release["uuid"]
    assert told["id"] == message.headers["webhook-id"]
    assert hook.settled(told["id"])["status"] == "delivered"


def test_a_receiver_in_trouble_gets_the_same_message_again(receiver, hook):
    receiver.answers = [500, 200]
    hook.call("action_send_test")
    first, second = receiver.next(), receiver.next()
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body
    assert second.is_signed_with(hook.secret)
    delivery = hook.settled(first.headers["webhook-id"])
    assert (delivery["status"], delivery["try_count"]) == ("delivered", 2)


def test_what_was_refused_is_redelivered_by_hand(receiver, hook):
    receiver.answers = [404]
    hook.call("action_send_test")
    first = receiver.next()
    delivery = hook.settled(first.headers["webhook-id"])
    assert delivery["status"] == "failed" and delivery["try_count"] == 1
    hook.governance.execute_kw(DELIVERY, "action_redeliver", [[delivery["id"]]])
    second = receiver.next()
    assert second.body == first.body
    assert hook.settled(delivery["uuid"])["status"] == "delivered"


def test_a_redirect_is_not_followed(receiver, hook):
    with Receiver() as inner:
        receiver.answers = [(307, {"Location": inner.url})]
        hook.call("action_send_test")
        delivery = hook.settled(receiver.next().headers["webhook-id"])
        assert delivery["status"] == "failed"
        assert "redirect" in delivery["outcome"]
        assert inner.is_quiet()


def test_a_name_that_resolves_to_this_machine_is_not_called(sending, receiver, hook):
    host = {"name": "localhost", "port": receiver.port}
    sending.rpc("admin").execute_kw(HOST, "create", [host])
    hook.call("write", {"url": f"https://localhost:{receiver.port}/hook"})
    hook.call("action_send_test")
    [uuid] = [each["uuid"] for each in hook.deliveries()]
    delivery = hook.settled(uuid)
    assert delivery["status"] == "failed"
    assert "internal network" in delivery["outcome"]
    assert receiver.is_quiet()


def test_a_host_that_nobody_allowed_makes_no_endpoint(sending):
    governance = sending.rpc("governance")
    for url in ("https://169.254.169.254/latest/", "https://hooks.example.net/"):
        with pytest.raises(xmlrpc.client.Fault, match="Allowed Hosts"):
            governance.execute_kw(ENDPOINT, "create", [{"name": "No", "url": url}])
    with pytest.raises(xmlrpc.client.Fault, match="not allowed"):
        governance.execute_kw(HOST, "create", [{"name": "hooks.example.net"}])


@pytest.mark.parametrize("login", ["dev", "rm", "auditor", "governance", "admin"])
def test_the_secret_cannot_be_read_over_the_remote_interfaces(sending, hook, login):
    client = sending.rpc(login)
    for method, args in (
        ("read", [[hook.id], ["secret"]]),
        ("search_read", [[], ["secret"]]),
        ("search", [[["secret", "=like", "whsec_%"]]]),
        ("export_data", [[hook.id], ["secret"]]),
        ("formatted_read_group", [[], ["secret"]]),
        ("_secrets", [[hook.id]]),
    ):
        with pytest.raises(xmlrpc.client.Fault):
            client.execute_kw(ENDPOINT, method, args)
    with open(sending.server.log) as log:
        assert hook.secret not in log.read()


def told_of_releases(site):
    """The ids of the deliveries about releases."""
    with site.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT uuid FROM ipai_webhook_delivery WHERE event <> 'test'")
        return {uuid for (uuid,) in cursor.fetchall()}


def test_a_server_that_is_killed_while_it_sends_loses_no_delivery(start_site):
    site = start_site(jobs=True)
    with Receiver() as receiver:
        hook = Hook(site, receiver, "killed")
        ci = site.rpc("ci")
        receiver.hold.clear()
        releases = [events.open_release(ci, f"killed {n}") for n in range(3)]
        events.ingest(ci, *(events.build(release) for release in releases))
        # Two are under way, as many as their channel lets; one waits.
        begun = {receiver.next().headers["webhook-id"] for _ in range(2)}
        os.killpg(site.server.process.pid, signal.SIGKILL)
        site.server.process.wait()
        receiver.hold.set()
        queued = told_of_releases(site)
        assert len(queued) == 3 and begun < queued

        hook.site = site = start_site(site.database, jobs=True)
        hook.governance = site.rpc("governance")
        missing = set(queued)
        while missing:
            try:
                missing -= {receiver.next(seconds=5).headers["webhook-id"]}
            except queue.Empty:
                # The runner looks for dead jobs when there is something to do, or once
                # a minute, and takes jobs for dead that began ten seconds ago.
                hook.call("action_send_test")
        for uuid in queued:
            assert hook.settled(uuid)["status"] == "delivered"
