"""Who drafts, requests, decides and ends exceptions."""

from .actions import DEV, NOBODY, QA, RM, SRE, Action, create, do, write


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
    return create("ipai.approval", lambda m: exception_decision(m, persona, decision))


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
            create("ipai.exception", exception_values),
            "ipai_exception",
        ),
        (
            "draft an exception for a project of others",
            _REQUESTS,
            {RM},
            "foreign",
            create("ipai.exception", exception_values),
            "ipai_exception",
        ),
        (
            "edit the draft of a developer",
            _REQUESTS,
            {DEV},
            "drafted",
            write("ipai.exception", "exception", lambda m: {"rationale": "Other."}),
            "ipai_exception",
        ),
        (
            "request the draft of a developer",
            _REQUESTS,
            {DEV},
            "drafted",
            do("ipai.exception", "exception", "action_request"),
            "ipai_exception",
        ),
        (
            "request the draft of a release manager",
            _REQUESTS,
            {RM},
            "drafted_by_rm",
            do("ipai.exception", "exception", "action_request"),
            "ipai_exception",
        ),
        (
            "edit what was requested",
            _REQUESTS,
            NOBODY,
            "requested",
            write("ipai.exception", "exception", lambda m: {"rationale": "Other."}),
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
            do("ipai.exception", "exception", "action_revoke", "Not needed."),
            "ipai_exception",
        ),
        (
            "revoke an exception that both approved",
            _EXCEPTIONS,
            {RM, SRE},
            "active_high",
            do("ipai.exception", "exception", "action_revoke", "Not needed."),
            "ipai_exception",
        ),
        (
            "close an exception of a developer",
            _EXCEPTIONS,
            {DEV, RM},
            "active",
            do("ipai.exception", "exception", "action_close", "Not needed."),
            "ipai_exception",
        ),
        (
            "withdraw the request of a release manager",
            _EXCEPTIONS,
            {RM},
            "requested_by_rm",
            do("ipai.exception", "exception", "action_close", "Not needed."),
            "ipai_exception",
        ),
        (
            "ask to extend an exception",
            _EXCEPTIONS,
            {DEV, RM},
            "active",
            do(
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
            do("ipai.exception", "exception", "action_complete_review", "All is well."),
            "ipai_exception",
        ),
    ]
]
