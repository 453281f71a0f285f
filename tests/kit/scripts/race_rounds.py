"""Mover against failing check, on two connections; run in an Odoo shell.

Every round opens a release whose G1 is green, then moves it while a failing check of
the same revision is recorded from another connection. The ways they interleave:

``snapshot``  the check commits between the mover's snapshot and its verdict
``verdict``   the check commits between the mover's verdict and its own update
``free``      both start at once and run as they come

A move that commits although the failing check had committed before it is *wrong*. In
the two forced ways the check always commits first; in the free way the ledger tells the
order.

Reads ``ROUNDS``, ``WAYS`` and ``WITHOUT_TOUCH`` (take the update of the release row out
of the fact mixin) from the environment, prints one line ``RESULT {json}``.
"""

import collections
import json
import os
import threading
import types

from odoo import api
from odoo.service import model as service

from odoo.addons.ipai_release_gates.errors import GateRefused
from odoo.addons.ipai_release_gates.models.mixins.recorded import RecordedMixin
from odoo.addons.ipai_release_gates.models.release.release_move import Release as Mover

ROUNDS = int(os.environ["ROUNDS"])
WAYS = os.environ["WAYS"].split()
# Odoo waits up to 2ⁿ seconds before a retry; how long is not what is tested.
service.random = types.SimpleNamespace(uniform=lambda *_bounds: 0.0)
if os.environ.get("WITHOUT_TOUCH"):
    RecordedMixin._record = lambda self: None

registry = env.registry  # noqa: F821  the shell's environment
uid_of = {
    login: env["res.users"].search([("login", "=", login)]).id  # noqa: F821
    for login in ("dev", "ci")
}
stage_id = env.ref("ipai_release_gates.stage_qa_validation").id  # noqa: F821
env.cr.rollback()  # noqa: F821


def as_user(cr, login):
    return api.Environment(cr, uid_of[login], {})


def event(release, number, **payload):
    event_type = payload.pop("event_type")
    return {
        "schema_version": "v1.0",
        "idempotency_key": f"github_actions/{release['uuid']}/{event_type}/{number}",
        "event_type": event_type,
        "source_system": "github_actions",
        "release_id": release["uuid"],
        "source_ref": release["source_ref"],
        "payload": payload,
        "emitted_at": "2026-01-01T00:00:00Z",
    }


def in_transaction(login, function):
    """Call a function as a user the way Odoo serves a call, retries included."""
    with registry.cursor() as cr:
        user_env = as_user(cr, login)
        return service.retrying(lambda: function(user_env), user_env)


def open_green(number):
    def act(user_env):
        plane = user_env["ipai.control.plane"]
        release = plane.open_release(
            {
                "project": "acme/odoo",
                "name": f"race-{number}",
                "source_ref": f"{number:040x}",
                "environment_target": "production",
                "authors": ["dev@example.com"],
            }
        )
        (answer,) = plane.ingest(
            [
                event(
                    release,
                    0,
                    event_type="build_complete",
                    status="pass",
                    checks=[
                        {"name": "unit_tests", "status": "pass"},
                        {"name": "lint", "status": "pass"},
                    ],
                    log_url="https://ci.example.com/1",
                )
            ]
        )
        assert answer["status"] == "accepted", answer
        return release

    return in_transaction("ci", act)


def fail_check(release):
    def act(user_env):
        (answer,) = user_env["ipai.control.plane"].ingest(
            [event(release, 1, event_type="check_result", name="lint", status="fail")]
        )
        assert answer["status"] == "accepted", answer

    in_transaction("ci", act)


def move(release, at_snapshot=None, at_verdict=None):
    """Move; the hooks are called once, in the first attempt."""
    hooks = {"snapshot": at_snapshot, "verdict": at_verdict}

    def call(name):
        hook = hooks.pop(name, None)
        if hook:
            hook()

    def act(user_env):
        record = user_env["ipai.release"].browse(release["id"])
        record.stage_id  # the first query takes the snapshot  # noqa: B018
        call("snapshot")
        refusals = Mover._refusals

        def judged(self, *args):
            result = refusals(self, *args)
            call("verdict")
            return result

        cls = type(record)
        cls._refusals = judged
        try:
            record.write({"stage_id": stage_id})
        finally:
            del cls._refusals
        return True

    try:
        return in_transaction("dev", act)
    except GateRefused:
        return False


def elsewhere(function, *args):
    """Run to the end in a thread of its own, on a connection of its own."""
    failures = []

    def run():
        try:
            function(*args)
        except Exception as error:  # noqa: BLE001  the round reports it
            failures.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, failures


def forced(way, release):
    def interleave():
        thread, failures = elsewhere(fail_check, release)
        thread.join()
        assert not failures, failures

    moved = move(release, **{f"at_{way}": interleave})
    return moved, moved


def free(release):
    barrier = threading.Barrier(2)
    moved = []

    def checker():
        barrier.wait()
        fail_check(release)

    thread, failures = elsewhere(checker)
    barrier.wait()
    moved.append(move(release))
    thread.join()
    assert not failures, failures
    # Both updated the release row, so their ledger entries stand in commit order.
    with registry.cursor() as cr:
        cr.execute(
            """
            SELECT max(sequence) FILTER (WHERE kind = 'move_allowed'),
                   max(sequence) FILTER (WHERE kind = 'check')
              FROM ipai_ledger_entry WHERE release_id = %s
            """,
            [release["id"]],
        )
        moved_at, checked_at = cr.fetchone()
    return moved[0], bool(moved[0] and moved_at > checked_at)


threading.current_thread().dbname = registry.db_name
wrong, outcome = collections.Counter(), collections.Counter()
for number in range(1, ROUNDS + 1):
    release = open_green(number)
    way = WAYS[number % len(WAYS)]
    moved, is_wrong = free(release) if way == "free" else forced(way, release)
    outcome[f"{way} {'moved' if moved else 'refused'}"] += 1
    wrong[way] += is_wrong
    with registry.cursor() as cr:
        cr.execute(
            "SELECT stage_id = %s FROM ipai_release WHERE id = %s",
            [stage_id, release["id"]],
        )
        assert cr.fetchone()[0] == moved, "what was answered is not what happened"

print("RESULT", json.dumps({"rounds": ROUNDS, "wrong": wrong, "outcome": outcome}))
