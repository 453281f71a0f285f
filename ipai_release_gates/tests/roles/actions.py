"""Roles, and an action as data: who may do it, on what, and how it is called."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass

PLANE = "ipai.control.plane"

#: role → login of the user that has it, and no other role
LOGINS = {
    "developer": "dev",
    "qa_tester": "qa",
    "release_manager": "rm",
    "sre": "sre",
    "ci_service": "ci",
    "auditor": "auditor",
    "governance_admin": "governance",
    "no role": "nobody",
    "portal": "portal",
}
ROLES = tuple(LOGINS)

DEV, QA, RM, SRE, CI, AUDITOR, GOVERNANCE = ROLES[:7]
EVERY_ROLE = frozenset(ROLES[:7])
NOBODY = frozenset()
OVERSIGHT = frozenset({RM, AUDITOR, GOVERNANCE})
OPERATIONAL = OVERSIGHT | {SRE}

numbers = itertools.count(1)


@dataclass(frozen=True)
class Action:
    """One row of the table, for every role.

    :ivar name: a few words, unique
    :ivar cell: what it reads or writes, in the words of the table
    :ivar allowed: the roles that may
    :ivar kind: the kind of material it needs, see ``material``
    :ivar call: from the material to ``(model, method, args, kwargs)``
    :ivar changes: table in which the effect shows, if it shows in one
    :ivar then: method to call on the record that the first call made
    """

    name: str
    cell: str
    allowed: frozenset
    kind: str
    call: Callable
    changes: str | None = None
    then: str | None = None

    def perform(self, call, material):
        """Do it.

        :param call: ``call(model, method, args, kwargs)`` as one user
        :param material: what was prepared for its kind
        :returns: the answer of the last call
        """
        model, method, args, kwargs = self.call(material)
        answer = call(model, method, args, kwargs)
        if self.then and not refusal_in(answer):
            ids = answer if isinstance(answer, list) else [answer]
            answer = call(model, self.then, [ids], {})
        return answer


def refusal_in(answer):
    """Why the façade refused, if it answers so instead of raising; else ``None``."""
    if isinstance(answer, list) and answer and isinstance(answer[0], dict):
        if answer[0].get("status") == "rejected":
            return answer[0]["detail"]["message"]
    elif isinstance(answer, dict) and answer.get("moved") is False:
        return answer["message"]
    return None


def read(model):
    return lambda m: (model, "search_read", [[], ["display_name"]], {"limit": 1})


def look(model):
    # Answers with a dict, also where there is nothing to find.
    return lambda m: (model, "web_search_read", [[], {"display_name": {}}], {})


def create(model, values):
    return lambda m: (model, "create", [[values(m)]], {})


def write(model, key, values):
    return lambda m: (model, "write", [[m[key]], values(m)], {})


def do(model, key, method, *args):
    def call(m):
        given = [arg(m) if callable(arg) else arg for arg in args]
        return (model, method, [[m[key]], *given], {})

    return call


def send(event_type, payload, gate=None):
    def call(m):
        event = {
            "schema_version": "v1.0",
            "idempotency_key": f"manual/{m['uuid']}/{event_type}/{next(numbers)}",
            "event_type": event_type,
            "source_system": "manual",
            "release_id": m["uuid"],
            "payload": {"source_ref": m["source_ref"], **payload(m)},
            "emitted_at": "2026-01-31T09:30:00Z",
        }
        if gate:
            event["gate_code"] = gate
        return (PLANE, "ingest", [[event]], {})

    return call


def move(stage, reason=None):
    return lambda m: (PLANE, "request_move", [m["uuid"], stage], {"reason": reason})


def drag(stage):
    values = {"move_reason": "Back to work."} if stage == "build" else {}
    return write(
        "ipai.release", "release", lambda m: {"stage_id": m["stage"][stage], **values}
    )
