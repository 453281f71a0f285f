"""The table of roles as data: what each role may read and do, and how to try it.

Plain Python without Odoo, for both layers of tests: each runs every action as a real
user of every role, on what ``material`` prepared. Whoever is not among the
``allowed`` of an action must be refused.
"""

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

_numbers = itertools.count(1)


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


# --- how things are done --------------------------------------------------------------


def _read(model):
    return lambda m: (model, "search_read", [[], ["display_name"]], {"limit": 1})


def _look(model):
    # Answers with a dict, also where there is nothing to find.
    return lambda m: (model, "web_search_read", [[], {"display_name": {}}], {})


def _create(model, values):
    return lambda m: (model, "create", [[values(m)]], {})


def _write(model, key, values):
    return lambda m: (model, "write", [[m[key]], values(m)], {})


def _do(model, key, method, *args):
    def call(m):
        given = [arg(m) if callable(arg) else arg for arg in args]
        return (model, method, [[m[key]], *given], {})

    return call


def _send(event_type, payload, gate=None):
    def call(m):
        event = {
            "schema_version": "v1.0",
            "idempotency_key": f"manual/{m['uuid']}/{event_type}/{next(_numbers)}",
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


def _move(stage, reason=None):
    return lambda m: (PLANE, "request_move", [m["uuid"], stage], {"reason": reason})


def _drag(stage):
    values = {"move_reason": "Back to work."} if stage == "build" else {}
    return _write(
        "ipai.release", "release", lambda m: {"stage_id": m["stage"][stage], **values}
    )


# --- reading --------------------------------------------------------------------------

#: model → the roles that read it
READERS = {
    "ipai.release": EVERY_ROLE,
    "ipai.release.gate": EVERY_ROLE,
    "ipai.revision": EVERY_ROLE,
    "ipai.check": EVERY_ROLE,
    "ipai.evidence": EVERY_ROLE - {CI},
    "ipai.approval": OPERATIONAL | {QA},
    "ipai.exception": OPERATIONAL | {DEV},
    "ipai.deployment": OPERATIONAL,
    "ipai.incident": OPERATIONAL,
    "ipai.incident.entry": OPERATIONAL,
    "ipai.environment": EVERY_ROLE,
    "ipai.environment.control": EVERY_ROLE,
    "ipai.environment.event": OPERATIONAL,
    "ipai.recovery.drill": OPERATIONAL,
    "ipai.recovery.drill.criterion": OPERATIONAL,
    "ipai.uat.invitation": OVERSIGHT | {QA},
    "ipai.uat.criterion": OVERSIGHT | {QA},
    "ipai.ingest.log": OPERATIONAL,
    "ipai.ledger.entry": OPERATIONAL,
    "ipai.ledger.verification": OPERATIONAL,
    "ipai.ledger.head": NOBODY,
    "ipai.project": EVERY_ROLE,
    "ipai.gate": EVERY_ROLE,
    "ipai.gate.requirement": EVERY_ROLE,
    "ipai.release.stage": EVERY_ROLE,
    "ipai.persona": EVERY_ROLE,
    "ipai.persona.contract": EVERY_ROLE,
    "ipai.persona.expertise": EVERY_ROLE,
    "ipai.agent.capability": EVERY_ROLE,
    "ipai.governance.coverage": EVERY_ROLE,
    "ipai.expertise.domain": EVERY_ROLE,
    "ipai.evidence.type": EVERY_ROLE,
    "ipai.freeze.window": EVERY_ROLE,
    "ipai.author.alias": OVERSIGHT,
    "ipai.settings": OVERSIGHT,
    "ipai.rate.limit": NOBODY,
    "ipai.kpi.target": EVERY_ROLE - {CI},
    "ipai.report.persona.kpi": EVERY_ROLE - {CI},
    "ipai.consistency.finding": frozenset({AUDITOR, GOVERNANCE}),
    "ipai.report.gate.summary": EVERY_ROLE,
    "ipai.report.promotion.eligibility": EVERY_ROLE,
    "ipai.report.evidence.completeness": EVERY_ROLE - {CI},
    "ipai.report.exception.status": OPERATIONAL | {DEV},
    "ipai.report.deployment.history": OPERATIONAL,
    "ipai.ci.account": OVERSIGHT,
    "ipai.ci.key": OVERSIGHT,
    "ipai.webhook.source": OPERATIONAL,
    "ipai.outbound.host": frozenset({AUDITOR, GOVERNANCE}),
    "ipai.webhook.endpoint": OVERSIGHT,
    "ipai.webhook.delivery": OVERSIGHT,
    "ipai.webhook.attempt": OVERSIGHT,
    "ipai.github.app": OVERSIGHT,
    "ipai.github.repository": OVERSIGHT,
    "ipai.github.environment": OVERSIGHT,
    "ipai.github.protection": OPERATIONAL,
    "ipai.github.check": OPERATIONAL,
}
#: What cannot be made by the doors of these roles alone: an administrator of Odoo
#: allows a host first, GitHub asks. There is nothing to find, and it is asked for all
#: the same.
_ABSENT = frozenset(
    {
        "ipai.webhook.source",
        "ipai.outbound.host",
        "ipai.webhook.endpoint",
        "ipai.webhook.delivery",
        "ipai.webhook.attempt",
        "ipai.github.app",
        "ipai.github.repository",
        "ipai.github.environment",
        "ipai.github.protection",
        "ipai.github.check",
    }
)
READING = [
    Action(
        f"read {model}",
        "reads",
        readers,
        "everything",
        _look(model) if model in _ABSENT else _read(model),
    )
    for model, readers in READERS.items()
]

#: what a developer reads of own projects, and everybody else of all
_OF_PROJECTS = {
    "ipai.release": ("id", "release"),
    "ipai.release.gate": ("release_id", "release"),
    "ipai.revision": ("release_id", "release"),
    "ipai.check": ("release_id", "release"),
    "ipai.evidence": ("release_id", "release"),
    "ipai.project": ("id", "project"),
    "ipai.environment": ("project_id", "project"),
    "ipai.environment.control": ("environment_id.project_id", "project"),
    "ipai.exception": ("release_id", "release"),
}


def _read_of(model, field, key):
    return lambda m: (
        model,
        "search_read",
        [[[field, "=", m[key]]], ["display_name"]],
        {"limit": 1},
    )


READING += [
    Action(
        f"read {model} of a project of others",
        "reads, of own projects",
        READERS[model] - {DEV},
        "foreign",
        _read_of(model, field, key),
    )
    for model, (field, key) in _OF_PROJECTS.items()
]
READING += [
    Action(
        "judge a release over the façade",
        "reads releases",
        EVERY_ROLE,
        "build",
        lambda m: (PLANE, "verdict", [m["uuid"], "production"], {}),
    ),
    Action(
        "read what others decided",
        "reads, own approvals",
        OVERSIGHT,
        "staging_signed",
        lambda m: (
            "ipai.approval",
            "search_read",
            [
                [["release_id", "=", m["release"]], ["persona_id.code", "=", DECIDER]],
                ["display_name"],
            ],
            {},
        ),
    ),
]
#: The persona of whose decisions nobody but those who govern reads.
DECIDER = RM

# --- releases -------------------------------------------------------------------------


def _opened(m):
    return {
        "project": m["project_name"],
        "name": f"opened {next(_numbers)}",
        "source_ref": f"{next(_numbers):040x}",
        "environment_target": "production",
        "authors": ["dev@example.com"],
    }


def _made(m):
    return {
        "project_id": m["project"],
        "name": f"made {next(_numbers)}",
        "source_ref": f"{next(_numbers):040x}",
        "author_emails": "dev@example.com",
    }


def _open(m):
    return (PLANE, "open_release", [_opened(m)], {})


_RELEASES = "writes releases"
_MOVES = "writes moves"
RELEASES = [
    Action(name, cell, frozenset(allowed), kind, call, "ipai_release")
    for name, cell, allowed, kind, call in [
        ("open a release over the façade", _RELEASES, {DEV, RM, CI}, "build", _open),
        (
            "open a release of a project of others over the façade",
            _RELEASES,
            {RM, CI},
            "foreign",
            _open,
        ),
        (
            "open a release",
            _RELEASES,
            {DEV, RM},
            "build",
            _create("ipai.release", _made),
        ),
        (
            "open a release of a project of others",
            _RELEASES,
            {RM},
            "foreign",
            _create("ipai.release", _made),
        ),
        (
            "describe a release in Build",
            _RELEASES,
            {DEV, RM},
            "build",
            _write("ipai.release", "release", lambda m: {"priority": "1"}),
        ),
        (
            "describe a release after Build",
            _RELEASES,
            {RM},
            "qa",
            _write("ipai.release", "release", lambda m: {"priority": "1"}),
        ),
        (
            "describe a release of a project of others",
            _RELEASES,
            {RM},
            "foreign",
            _write("ipai.release", "release", lambda m: {"priority": "1"}),
        ),
        (
            "give a release in Build another commit",
            _RELEASES,
            {DEV, RM},
            "build",
            _write("ipai.release", "release", lambda m: {"source_ref": "ab" * 20}),
        ),
        (
            "give a release after Build another commit",
            _RELEASES,
            {RM},
            "qa",
            _write("ipai.release", "release", lambda m: {"source_ref": "ab" * 20}),
        ),
        (
            "archive a release",
            _RELEASES,
            {RM},
            "build",
            _write("ipai.release", "release", lambda m: {"active": False}),
        ),
        (
            "cancel a release",
            _RELEASES,
            {RM},
            "build",
            _do("ipai.release", "release", "action_cancel"),
        ),
        *(
            (f"{how} {to}", _MOVES, allowed, kind, door)
            for to, stage, allowed, kind in (
                ("to QA Validation", "qa_validation", {DEV, QA, RM}, "build"),
                ("to Staging Acceptance", "staging_acceptance", {RM}, "qa_signed"),
                ("to Production", "production", {RM}, "staging_signed"),
                ("to Closed", "closed", {RM, SRE}, "production"),
                ("back to Build", "build", {DEV, RM}, "qa"),
                ("another's to QA Validation", "qa_validation", {QA, RM}, "foreign"),
            )
            for how, door in (
                ("move over the façade", _move(stage, "Back to work.")),
                ("drag", _drag(stage)),
            )
        ),
        ("move past an unmet gate", _MOVES, NOBODY, "qa", _move("production")),
        ("drag past an unmet gate", _MOVES, NOBODY, "qa", _drag("closed")),
    ]
]
RELEASES.append(
    Action(
        "judge the gates of a release anew",
        _RELEASES,
        frozenset({DEV, QA, RM, SRE}),
        "build",
        _do("ipai.release", "release", "action_evaluate_gates"),
    )
)

# --- checks, evidence, sign-offs ------------------------------------------------------

_SENDERS_OF_EVIDENCE = frozenset({DEV, QA, RM, CI})
_TYPE_OF_GATE = {
    "G1": "build_log",
    "G2": "defect_register",
    "G3": "rollback_plan",
    "G4": "monitoring_baseline",
    None: "reference",
}


def _proof(gate):
    type_code = _TYPE_OF_GATE[gate]
    metadata = {"status": "normal"} if gate == "G4" else {}
    return lambda m: {
        "type": type_code,
        "url": "https://ci.example.com/proof",
        "metadata": metadata,
    }


def _proof_values(gate):
    def values(m):
        proof = _proof(gate)(m)
        vals = {
            "release_id": m["release"],
            "type_id": m["type"][proof.pop("type")],
            **proof,
        }
        return {**vals, "gate_id": m["gate"][gate]} if gate else vals

    return values


def _decision(gate, persona, decision):
    return lambda m: {
        "release_id": m["release"],
        "gate_id": m["gate"][gate],
        "persona_id": m["persona"][persona],
        "decision": decision,
        "rationale_text": "Looked into it.",
    }


_CHECKS = "writes checks"
_EVIDENCE = "writes evidence"
_APPROVALS = "writes approvals"
FACTS = [
    Action(
        "record a check",
        _CHECKS,
        frozenset({DEV}),
        "build",
        _create(
            "ipai.check",
            lambda m: {"release_id": m["release"], "name": "lint", "status": "pass"},
        ),
        "ipai_check",
    ),
    Action(
        "record a check of a project of others",
        _CHECKS,
        NOBODY,
        "foreign",
        _create(
            "ipai.check",
            lambda m: {"release_id": m["release"], "name": "lint", "status": "pass"},
        ),
        "ipai_check",
    ),
    Action(
        "send a check",
        _CHECKS,
        frozenset({DEV, CI}),
        "build",
        _send("check_result", lambda m: {"name": "lint", "status": "pass"}),
        "ipai_check",
    ),
    Action(
        "send a check of a project of others",
        _CHECKS,
        frozenset({CI}),
        "foreign",
        _send("check_result", lambda m: {"name": "lint", "status": "pass"}),
        "ipai_check",
    ),
    Action(
        "send a build",
        _CHECKS,
        frozenset({DEV, CI}),
        "build",
        _send(
            "build_complete",
            lambda m: {
                "status": "pass",
                "checks": [{"name": "lint", "status": "pass"}],
                "log_url": "https://ci.example.com/log",
            },
        ),
        "ipai_check",
    ),
    Action(
        "send a commit",
        _RELEASES,
        frozenset({DEV, RM, CI}),
        "build",
        _send(
            "revision",
            lambda m: {"source_ref": "cd" * 20, "authors": ["dev@example.com"]},
        ),
        "ipai_revision",
    ),
    *(
        Action(
            f"{how} evidence for {gate or 'no gate'}",
            _EVIDENCE,
            roles | ({SRE} if gate in ("G4", None) else set()),
            "build",
            door(gate),
            "ipai_evidence",
        )
        for gate in _TYPE_OF_GATE
        for how, roles, door in (
            (
                "send",
                _SENDERS_OF_EVIDENCE,
                lambda gate: _send("evidence", _proof(gate), gate),
            ),
            (
                "record",
                _SENDERS_OF_EVIDENCE - {CI},
                lambda gate: _create("ipai.evidence", _proof_values(gate)),
            ),
        )
    ),
    *(
        Action(
            f"{how} {decision} for {gate} as {persona}",
            _APPROVALS,
            frozenset(allowed),
            kind,
            door,
            "ipai_approval",
        )
        for gate, persona, kind, allowed in (
            ("G2", QA, "qa", {QA}),
            ("G2", RM, "qa", NOBODY),
            ("G3", RM, "staging", {RM}),
            ("G3", SRE, "staging", NOBODY),
        )
        for decision in ("approved", "rejected")
        for how, door in (
            (
                "send",
                _send(
                    "gate_signoff",
                    lambda m, persona=persona, decision=decision: {
                        "persona": persona,
                        "decision": decision,
                    },
                    gate,
                ),
            ),
            (
                "record",
                _create("ipai.approval", _decision(gate, persona, decision)),
            ),
        )
    ),
]

# --- exceptions -----------------------------------------------------------------------


def exception_values(m, risk="low"):
    """What an exception on the release of some material is drafted with."""
    return {
        "release_id": m["release"],
        "exception_type": "gate_bypass",
        "risk_level": risk,
        "rationale": "The tester is ill.",
        "risk_statement": "A defect may reach the customer.",
        "compensating_controls": "Watched.",
        "gate_ids": [[6, 0, [m["gate"]["G2"]]]],
        "expires_at": m["soon"],
    }


def exception_decision(m, persona, decision="approved"):
    """What a decision on the exception of some material is recorded with."""
    return {
        "exception_id": m["exception"],
        "persona_id": m["persona"][persona],
        "decision": decision,
        "rationale_text": "Looked into it.",
    }


def _decide(persona, decision="approved"):
    return _create("ipai.approval", lambda m: exception_decision(m, persona, decision))


_REQUESTS = "writes exception requests"
_DECISIONS = "writes exception approvals"
_EXCEPTIONS = "writes exceptions"
EXCEPTIONS = [
    Action(name, cell, frozenset(allowed), kind, call, changes)
    for name, cell, allowed, kind, call, changes in [
        (
            "draft an exception",
            _REQUESTS,
            {DEV, RM},
            "build",
            _create("ipai.exception", exception_values),
            "ipai_exception",
        ),
        (
            "draft an exception for a project of others",
            _REQUESTS,
            {RM},
            "foreign",
            _create("ipai.exception", exception_values),
            "ipai_exception",
        ),
        (
            "edit the draft of a developer",
            _REQUESTS,
            {DEV},
            "drafted",
            _write("ipai.exception", "exception", lambda m: {"rationale": "Other."}),
            "ipai_exception",
        ),
        (
            "request the draft of a developer",
            _REQUESTS,
            {DEV},
            "drafted",
            _do("ipai.exception", "exception", "action_request"),
            "ipai_exception",
        ),
        (
            "request the draft of a release manager",
            _REQUESTS,
            {RM},
            "drafted_by_rm",
            _do("ipai.exception", "exception", "action_request"),
            "ipai_exception",
        ),
        (
            "edit what was requested",
            _REQUESTS,
            NOBODY,
            "requested",
            _write("ipai.exception", "exception", lambda m: {"rationale": "Other."}),
            "ipai_exception",
        ),
        (
            "approve an exception as release manager",
            _DECISIONS,
            {RM},
            "requested",
            _decide(RM),
            "ipai_approval",
        ),
        (
            "reject an exception as release manager",
            _DECISIONS,
            {RM},
            "requested",
            _decide(RM, "rejected"),
            "ipai_approval",
        ),
        (
            "approve an exception of high risk as release manager",
            _DECISIONS,
            {RM},
            "requested_high",
            _decide(RM),
            "ipai_approval",
        ),
        (
            "approve an exception of high risk as SRE",
            _DECISIONS,
            {SRE},
            "requested_high",
            _decide(SRE),
            "ipai_approval",
        ),
        (
            "approve an exception of low risk as SRE",
            _DECISIONS,
            NOBODY,
            "requested",
            _decide(SRE),
            "ipai_approval",
        ),
        (
            "approve an exception as QA tester",
            _DECISIONS,
            NOBODY,
            "requested",
            _decide(QA),
            "ipai_approval",
        ),
        (
            "approve what the release manager requested",
            _DECISIONS,
            NOBODY,
            "requested_by_rm",
            _decide(RM),
            "ipai_approval",
        ),
        (
            "revoke an exception that a release manager approved",
            _EXCEPTIONS,
            {RM},
            "active",
            _do("ipai.exception", "exception", "action_revoke", "Not needed."),
            "ipai_exception",
        ),
        (
            "revoke an exception that both approved",
            _EXCEPTIONS,
            {RM, SRE},
            "active_high",
            _do("ipai.exception", "exception", "action_revoke", "Not needed."),
            "ipai_exception",
        ),
        (
            "close an exception of a developer",
            _EXCEPTIONS,
            {DEV, RM},
            "active",
            _do("ipai.exception", "exception", "action_close", "Not needed."),
            "ipai_exception",
        ),
        (
            "withdraw the request of a release manager",
            _EXCEPTIONS,
            {RM},
            "requested_by_rm",
            _do("ipai.exception", "exception", "action_close", "Not needed."),
            "ipai_exception",
        ),
        (
            "ask to extend an exception",
            _EXCEPTIONS,
            {DEV, RM},
            "active",
            _do(
                "ipai.exception",
                "exception",
                "action_extend",
                lambda m: m["later"],
                "Still ill.",
            ),
            "ipai_exception",
        ),
        (
            "review an exception of critical risk",
            _EXCEPTIONS,
            {RM, SRE},
            "active_critical",
            _do(
                "ipai.exception", "exception", "action_complete_review", "All is well."
            ),
            "ipai_exception",
        ),
    ]
]

# --- operations -----------------------------------------------------------------------


def _deployment(environment, status="succeeded"):
    return lambda m: {
        "release_id": m["release"],
        "environment_id": m["environment"][environment],
        "external_id": f"deploy-{next(_numbers)}",
        "status": status,
    }


def _deployment_event(environment, status="succeeded"):
    return _send(
        "deployment_event",
        lambda m: {
            "environment": environment,
            "status": status,
            "external_id": f"deploy-{next(_numbers)}",
        },
    )


def _roll_back(m):
    evidence = {"note": "The shop answers again."}
    args = ["manual", "It was slow.", "restored", evidence]
    return ("ipai.deployment", "action_roll_back", [[m["deployment"]], *args], {})


_DEPLOYMENTS = "writes deployments (own)"
_DRILLS = "writes drills (own)"
_INCIDENTS = "writes incidents"
_EVENTS = "writes environment events"
_CONTROLS = "writes checks of controls"
_SREs = frozenset({SRE})
_REPORTERS = frozenset({SRE, CI})
OPERATIONS = [
    Action(name, cell, frozenset(allowed), kind, call, changes)
    for name, cell, allowed, kind, call, changes in [
        *(
            (f"{how} {name}", _DEPLOYMENTS, allowed, kind, door, "ipai_deployment")
            for name, environment, status, kind, approved in (
                ("a deployment to staging", "staging", "succeeded", "build", True),
                (
                    "an approved deployment to production",
                    "production",
                    "in_progress",
                    "staging_signed",
                    True,
                ),
                (
                    "an unapproved deployment to production",
                    "production",
                    "in_progress",
                    "build",
                    False,
                ),
            )
            for how, allowed, door in (
                (
                    "record",
                    _SREs if approved else NOBODY,
                    _create("ipai.deployment", _deployment(environment, status)),
                ),
                (
                    "send",
                    _REPORTERS if approved else NOBODY,
                    _deployment_event(environment, status),
                ),
            )
        ),
        (
            "advance a deployment of the SRE",
            _DEPLOYMENTS,
            {SRE},
            "deployed_by_sre",
            _write("ipai.deployment", "deployment", lambda m: {"status": "succeeded"}),
            "ipai_deployment",
        ),
        (
            "advance a deployment of CI",
            _DEPLOYMENTS,
            NOBODY,
            "deployed_by_ci",
            _write(
                "ipai.deployment", "deployment", lambda m: {"status": "rolled_back"}
            ),
            "ipai_deployment",
        ),
        (
            "roll a deployment back",
            _DEPLOYMENTS,
            {SRE, RM},
            "deployed_by_ci",
            _roll_back,
            "ipai_deployment",
        ),
        (
            "send the health of an environment",
            "writes checks",
            _REPORTERS,
            "build",
            _send(
                "health_check", lambda m: {"environment": "staging", "status": "pass"}
            ),
            "ipai_check",
        ),
        (
            "open an incident",
            _INCIDENTS,
            {SRE},
            "build",
            _create(
                "ipai.incident", lambda m: {"release_id": m["release"], "name": "Down"}
            ),
            "ipai_incident",
        ),
        (
            "send an incident",
            _INCIDENTS,
            _REPORTERS,
            "build",
            _send(
                "incident",
                lambda m: {
                    "external_id": f"INC-{next(_numbers)}",
                    "severity": "low",
                    "status": "open",
                    "summary": "Down",
                    "detected_at": "2026-01-31T09:30:00Z",
                },
            ),
            "ipai_incident",
        ),
        (
            "tell how an incident ended",
            _INCIDENTS,
            {SRE},
            "incident",
            _write("ipai.incident", "incident", lambda m: {"outcome": "Nothing lost."}),
            "ipai_incident",
        ),
        (
            "resolve an incident",
            _INCIDENTS,
            {SRE},
            "incident",
            _do("ipai.incident", "incident", "action_resolve"),
            "ipai_incident",
        ),
        (
            "add to the timeline of an incident",
            _INCIDENTS,
            {SRE},
            "incident",
            _create(
                "ipai.incident.entry",
                lambda m: {"incident_id": m["incident"], "text": "Restarted."},
            ),
            "ipai_incident_entry",
        ),
        (
            "complete the post-mortem of an incident",
            _INCIDENTS,
            {SRE},
            "incident_resolved",
            _do("ipai.incident", "incident", "action_complete_postmortem"),
            "ipai_incident",
        ),
        (
            "record a drill",
            _DRILLS,
            {SRE},
            "build",
            _create(
                "ipai.recovery.drill",
                lambda m: {
                    "environment_id": m["environment"]["production"],
                    "drill_type": "rollback",
                    "outcome": "success",
                    "note": "Rolled back and forth.",
                    "criterion_ids": [[0, 0, {"name": "It answers", "met": True}]],
                },
            ),
            "ipai_recovery_drill",
        ),
        (
            "record a check of a control",
            _CONTROLS,
            {SRE},
            "build",
            _do("ipai.environment.control", "control", "record_check", "pass"),
            "ipai_environment_control",
        ),
        (
            "record an event of an environment",
            _EVENTS,
            {SRE},
            "build",
            _create(
                "ipai.environment.event",
                lambda m: {
                    "environment_id": m["environment"]["staging"],
                    "event_type": "backup_complete",
                },
            ),
            "ipai_environment_event",
        ),
        (
            "send an event of an environment",
            _EVENTS,
            _REPORTERS,
            "build",
            _send(
                "environment_event",
                lambda m: {"environment": "staging", "type": "backup_complete"},
            ),
            "ipai_environment_event",
        ),
        (
            "send the result of a control",
            _EVENTS,
            _REPORTERS,
            "build",
            _send(
                "environment_event",
                lambda m: {
                    "environment": "staging",
                    "type": "masking_run",
                    "data": {"status": "pass"},
                },
            ),
            "ipai_environment_control",
        ),
        (
            "process an event again",
            "writes the log",
            {RM, SRE},
            "kept",
            _do("ipai.ingest.log", "log", "action_reprocess"),
            "ipai_check",
        ),
        (
            "verify the ledger of a release",
            "reads everything",
            OPERATIONAL,
            "build",
            _do("ipai.release", "release", "action_verify_ledger"),
            "ipai_ledger_verification",
        ),
        (
            "verify the governance chain",
            "reads everything",
            OVERSIGHT,
            "build",
            lambda m: ("ipai.ledger.entry", "action_verify_governance", [[]], {}),
            "ipai_ledger_verification",
        ),
    ]
]

# --- configuration --------------------------------------------------------------------


def _number(text):
    return f"{text} {next(_numbers)}"


#: model → values of a new record, and what is changed of one
CONFIGURATION = {
    "ipai.project": (
        lambda m: {"name": f"roles/new-{next(_numbers)}"},
        lambda m: {"description": "Other."},
    ),
    "ipai.environment": (
        lambda m: {
            "name": _number("dev"),
            "project_id": m["project"],
            "category": "dev",
        },
        lambda m: {"keep": True, "keep_reason": "Needed."},
    ),
    "ipai.gate": (
        lambda m: {"code": f"X{next(_numbers)}", "name": "Other gate"},
        lambda m: {"name": "Another gate"},
    ),
    "ipai.gate.requirement": (
        lambda m: {
            "gate_id": m["config"]["ipai.gate"],
            "code": f"new_{next(_numbers)}",
            "name": "No freeze",
            "kind": "no_freeze",
            "accountable_persona_id": m["persona"][RM],
            "expertise_domain_id": m["domain"],
        },
        lambda m: {"waivable": False},
    ),
    "ipai.release.stage": (
        lambda m: {"code": f"new_{next(_numbers)}", "name": "New", "sequence": 900},
        lambda m: {"name": "Newer"},
    ),
    "ipai.persona": (
        lambda m: {
            "code": f"new_{next(_numbers)}",
            "name": "New",
            "group_id": m["group"],
        },
        lambda m: {"name": "Newer"},
    ),
    "ipai.expertise.domain": (
        lambda m: {"code": f"new.{next(_numbers)}", "name": "New"},
        lambda m: {"name": "Newer"},
    ),
    "ipai.agent.capability": (
        lambda m: {
            "code": f"new.{next(_numbers)}",
            "name": "New",
            "domain_id": m["domain"],
        },
        lambda m: {"name": "Newer"},
    ),
    "ipai.evidence.type": (
        lambda m: {"code": f"new_{next(_numbers)}", "name": "New"},
        lambda m: {"description": "Other."},
    ),
    "ipai.freeze.window": (
        lambda m: {
            "name": _number("Freeze"),
            "starts_at": "2026-01-01 00:00:00",
            "ends_at": "2026-01-02 00:00:00",
        },
        lambda m: {"ends_at": "2026-01-03 00:00:00"},
    ),
    "ipai.author.alias": (
        lambda m: {
            "email": f"new-{next(_numbers)}@example.com",
            "user_id": m["user"]["dev"],
        },
        lambda m: {"email": f"newer-{next(_numbers)}@example.com"},
    ),
}
#: Versions, pairs, one target per KPI, findings: what takes more than a cell to try has
#: tests of its own, test_persona_contracts and test_kpis and test_consistency_page
#: and test_webhook_sources and test_webhook_access and test_github_app.
TRIED_ELSEWHERE = frozenset(
    {
        "ipai.persona.contract",
        "ipai.persona.expertise",
        "ipai.kpi.target",
        "ipai.consistency.finding",
        *_ABSENT,
    }
)
_GOVERNS = frozenset({GOVERNANCE})
GOVERNING = [
    Action(
        f"{method} {model}",
        "writes personas, gates, requirements, stages, projects, environments, freezes",
        # A gate that releases were judged by stays.
        NOBODY if (model, method) == ("ipai.gate", "unlink") else _GOVERNS,
        "config",
        call,
        model.replace(".", "_"),
    )
    for model, (created, changed) in CONFIGURATION.items()
    for method, call in (
        ("create", _create(model, created)),
        (
            "write",
            lambda m, model=model, changed=changed: (
                model,
                "write",
                [[m["config"][model]], changed(m)],
                {},
            ),
        ),
        (
            "unlink",
            lambda m, model=model: (model, "unlink", [[m["unused"][model]]], {}),
        ),
    )
]
GOVERNING += [
    Action(
        "write ipai.settings",
        "configuration",
        _GOVERNS,
        "config",
        _write(
            "ipai.settings",
            "settings",
            lambda m: {"payload_retention_days": 200 + next(_numbers)},
        ),
        "ipai_settings",
    ),
    Action(
        "make a CI service",
        "configuration",
        _GOVERNS,
        "config",
        _create(
            "ipai.ci.onboarding.wizard",
            lambda m: {
                "name": "New CI",
                "login": f"ci-new-{next(_numbers)}",
                "lifetime_days": 1,
            },
        ),
        "res_users",
        "action_create_service",
    ),
    Action(
        "give a CI service a new key",
        "configuration",
        _GOVERNS,
        "ci_account",
        _create(
            "ipai.ci.rotate.wizard",
            lambda m: {"account_id": m["account"], "lifetime_days": 1},
        ),
        "res_users_apikeys",
        "action_rotate",
    ),
    Action(
        "revoke the keys of a CI service",
        "configuration",
        _GOVERNS,
        "ci_account",
        _do("ipai.ci.account", "account", "action_revoke"),
        "res_users_apikeys",
    ),
]

# --- what nobody does -----------------------------------------------------------------

#: model → what would falsify a record of it
FOR_GOOD = {
    "ipai.release": {"status": "promoted"},
    "ipai.release.gate": {"status": "passed"},
    "ipai.revision": {"author_emails": ["qa@example.com"]},
    "ipai.check": {"status": "pass"},
    "ipai.evidence": {"url": "https://example.com/other"},
    "ipai.approval": {"decision": "rejected"},
    "ipai.exception": {"state": "active"},
    "ipai.deployment": {"g4_status": "passed"},
    "ipai.incident": {"severity": "low"},
    "ipai.incident.entry": {"text": "Nothing happened."},
    "ipai.environment.control": {"status": "pass"},
    "ipai.environment.event": {"note": "Other."},
    "ipai.recovery.drill": {"outcome": "success"},
    "ipai.recovery.drill.criterion": {"met": True},
    "ipai.uat.invitation": {"result": "passed"},
    "ipai.uat.criterion": {"result": "passed"},
    "ipai.ingest.log": {"status": "accepted"},
    "ipai.ledger.entry": {"body": "{}"},
    "ipai.ledger.verification": {"result": "sound"},
    "ipai.ledger.head": {"sequence": 0},
}


def _of_all(model, method, *args):
    return lambda m: (model, method, [[m["some"][model]], *args], {})


KEPT = [
    Action(
        f"{method} {model}",
        "writes nothing",
        NOBODY,
        "everything",
        _of_all(model, method, *args),
        model.replace(".", "_"),
    )
    for model, falsified in FOR_GOOD.items()
    for method, args in (("write", [falsified]), ("unlink", []), ("copy", []))
]
KEPT += [
    Action(
        f"{method} ipai.settings",
        "writes nothing",
        NOBODY,
        "everything",
        call,
        "ipai_settings",
    )
    for method, call in (
        ("create", _create("ipai.settings", lambda m: {"payload_retention_days": 1})),
        ("unlink", _of_all("ipai.settings", "unlink")),
        ("copy", _of_all("ipai.settings", "copy")),
    )
]

WRITING = [*RELEASES, *FACTS, *EXCEPTIONS, *OPERATIONS, *GOVERNING, *KEPT]
