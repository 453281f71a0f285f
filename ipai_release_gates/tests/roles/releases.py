"""Who opens, changes and moves releases, and who records their facts."""

from .actions import (
    CI,
    DEV,
    NOBODY,
    PLANE,
    QA,
    RM,
    SRE,
    Action,
    create,
    do,
    drag,
    move,
    numbers,
    send,
    write,
)


def _opened(m):
    return {
        "project": m["project_name"],
        "name": f"opened {next(numbers)}",
        "source_ref": f"{next(numbers):040x}",
        "environment_target": "production",
        "authors": ["dev@example.com"],
    }


def _made(m):
    return {
        "project_id": m["project"],
        "name": f"made {next(numbers)}",
        "source_ref": f"{next(numbers):040x}",
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
            create("ipai.release", _made),
        ),
        (
            "open a release of a project of others",
            _RELEASES,
            {RM},
            "foreign",
            create("ipai.release", _made),
        ),
        (
            "describe a release in Build",
            _RELEASES,
            {DEV, RM},
            "build",
            write("ipai.release", "release", lambda m: {"priority": "1"}),
        ),
        (
            "describe a release after Build",
            _RELEASES,
            {RM},
            "qa",
            write("ipai.release", "release", lambda m: {"priority": "1"}),
        ),
        (
            "describe a release of a project of others",
            _RELEASES,
            {RM},
            "foreign",
            write("ipai.release", "release", lambda m: {"priority": "1"}),
        ),
        (
            "give a release in Build another commit",
            _RELEASES,
            {DEV, RM},
            "build",
            write("ipai.release", "release", lambda m: {"source_ref": "ab" * 20}),
        ),
        (
            "give a release after Build another commit",
            _RELEASES,
            {RM},
            "qa",
            write("ipai.release", "release", lambda m: {"source_ref": "ab" * 20}),
        ),
        (
            "archive a release",
            _RELEASES,
            {RM},
            "build",
            write("ipai.release", "release", lambda m: {"active": False}),
        ),
        (
            "cancel a release",
            _RELEASES,
            {RM},
            "build",
            do("ipai.release", "release", "action_cancel"),
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
                ("move over the façade", move(stage, "Back to work.")),
                ("drag", drag(stage)),
            )
        ),
        ("move past an unmet gate", _MOVES, NOBODY, "qa", move("production")),
        ("drag past an unmet gate", _MOVES, NOBODY, "qa", drag("closed")),
    ]
]
RELEASES.append(
    Action(
        "judge the gates of a release anew",
        _RELEASES,
        frozenset({DEV, QA, RM, SRE}),
        "build",
        do("ipai.release", "release", "action_evaluate_gates"),
    )
)


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
        create(
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
        create(
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
        send("check_result", lambda m: {"name": "lint", "status": "pass"}),
        "ipai_check",
    ),
    Action(
        "send a check of a project of others",
        _CHECKS,
        frozenset({CI}),
        "foreign",
        send("check_result", lambda m: {"name": "lint", "status": "pass"}),
        "ipai_check",
    ),
    Action(
        "send a build",
        _CHECKS,
        frozenset({DEV, CI}),
        "build",
        send(
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
        send(
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
                lambda gate: send("evidence", _proof(gate), gate),
            ),
            (
                "record",
                _SENDERS_OF_EVIDENCE - {CI},
                lambda gate: create("ipai.evidence", _proof_values(gate)),
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
                send(
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
                create("ipai.approval", _decision(gate, persona, decision)),
            ),
        )
    ),
]
