"""One delivery that arrives many times at once is taken once."""

import hashlib
import hmac
import json
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from threading import Barrier

import events
import pytest

AT_ONCE = 6
ROUNDS = 4


@pytest.fixture(scope="module")
def busy(start_site):
    """A server of two processes."""
    return start_site(workers=2)


@pytest.fixture(scope="module")
def hook(busy):
    """``(uuid, secret)`` of a webhook of GitHub."""
    governance = busy.rpc("governance")

    def first(model, domain):
        return governance.execute_kw(model, "search", [domain], {"limit": 1})[0]

    model = "ipai.webhook.source"
    values = {
        "project_id": first("ipai.project", [["name", "=", events.PROJECT]]),
        "provider": "github",
        "user_id": first("res.users", [["login", "=", "ci"]]),
    }
    source = governance.execute_kw(model, "create", [values])
    action = governance.execute_kw(model, "action_new_secret", [[source]])
    (found,) = governance.execute_kw(model, "read", [[source], ["uuid"]])
    return found["uuid"], action["context"]["default_secret"]


def deliver(site, hook, event, payload, delivery):
    uuid, secret = hook
    body = json.dumps(payload).encode()
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    request = urllib.request.Request(
        f"{site.url}/ipai/v1/webhooks/github?source={uuid}",
        body,
        {
            "Content-Type": "application/json",
            "X-Odoo-Database": site.database,
            "X-GitHub-Event": event,
            "X-GitHub-Delivery": delivery,
            "X-Hub-Signature-256": f"sha256={signature}",
        },
    )
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


@pytest.mark.parametrize("kind", ["fact", "ignored"])
def test_a_delivery_that_arrives_many_times_at_once_is_taken_once(busy, hook, kind):
    release = events.open_release(busy.rpc("ci"), f"race of {kind}")
    name = f"Race {kind}"
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for number in range(ROUNDS):
            start = Barrier(AT_ONCE)
            payload = {
                "action": "completed" if kind == "fact" else "requested",
                "repository": {"full_name": events.PROJECT},
                "workflow_run": {
                    "id": number + 1,
                    "name": name,
                    "conclusion": "success",
                    "head_sha": release["source_ref"],
                    "updated_at": "2026-01-31T09:30:00Z",
                    "html_url": "https://github.com/acme/odoo/actions/runs/1",
                },
            }

            def send(_n, start=start, payload=payload, number=number):
                start.wait()
                delivery = f"{kind}-{number}"
                return deliver(busy, hook, "workflow_run", payload, delivery)

            said = [answer["status"] for answer in pool.map(send, range(AT_ONCE))]
            first = "accepted" if kind == "fact" else "ignored"
            assert sorted(said) == sorted([first] + ["duplicate"] * (AT_ONCE - 1))
    with closing(busy.connect()) as connection, connection.cursor() as cr:
        cr.execute(
            "SELECT count(*) FROM ipai_check WHERE name = %s", (f"workflow/{name}",)
        )
        assert cr.fetchone() == (ROUNDS if kind == "fact" else 0,)
