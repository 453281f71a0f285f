"""Who may send which facts; the answer concerns the sender's roles alone.

A sign-off is let through for everybody: whether somebody may sign (persona held, no
service account, not an author of the revision) is decided where the signature is
recorded, so that a refused one leaves a trace as well.
"""

ROLES = frozenset(
    {
        "developer",
        "qa_tester",
        "release_manager",
        "sre",
        "ci_service",
        "auditor",
        "governance_admin",
    }
)

_ANY_GATE = None
_OPERATIONAL_GATES = frozenset({None, "G4"})
#: What an SRE proves for no gate in particular, and so for each: how things run, not
#: whether a release was built and verified.
_OPERATIONAL_EVIDENCE = frozenset(
    {
        "reference",
        "health_check",
        "monitoring_baseline",
        "fallback_timer",
        "restore_drill",
        "incident_report",
    }
)

# role -> event type -> gates it may speak of (_ANY_GATE: all)
_SENDS = {
    "ci_service": dict.fromkeys(
        (
            "revision",
            "build_complete",
            "check_result",
            "evidence",
            "deployment_event",
            "health_check",
            "incident",
            "environment_event",
        ),
        _ANY_GATE,
    ),
    "developer": dict.fromkeys(
        ("revision", "build_complete", "check_result", "evidence"), _ANY_GATE
    ),
    "qa_tester": {"evidence": _ANY_GATE},
    "release_manager": dict.fromkeys(("revision", "evidence"), _ANY_GATE),
    "sre": {
        "evidence": _OPERATIONAL_GATES,
        "deployment_event": _ANY_GATE,
        "health_check": _ANY_GATE,
        "incident": _ANY_GATE,
        "environment_event": _ANY_GATE,
    },
}


def may_send(roles, event_type, source_system, gate_code, evidence_type=None):
    """Return None when the sender may, else the sentence that says why not.

    :param frozenset roles: all the sender holds, from ``ROLES``; others count for
        nothing.
    :param str event_type: as in the envelope.
    :param str source_system: as in the envelope.
    :param gate_code: as in the envelope, or None.
    :param evidence_type: as in the payload of ``evidence``, or None.
    """
    if event_type == "gate_signoff":
        return None
    able = sorted(role for role, types in _SENDS.items() if event_type in types)
    mine = [role for role in able if role in roles]
    if not mine:
        held = ", ".join(sorted(roles & ROLES)) or "none"
        if not able:
            return f"No role may send {event_type}; you hold: {held}."
        return f"Only {_words(able)} may send {event_type}; you hold: {held}."
    gates = [_SENDS[role][event_type] for role in mine]
    if not any(allowed is _ANY_GATE or gate_code in allowed for allowed in gates):
        return (
            f"The role {_words(mine)} may send {event_type} for gate G4 or for no"
            f" gate, not for {gate_code}."
        )
    if (
        event_type == "evidence"
        and gate_code is None
        and _ANY_GATE not in gates
        and evidence_type not in _OPERATIONAL_EVIDENCE
    ):
        return (
            f"The role {_words(mine)} may send {evidence_type} for gate G4 only: name"
            " the gate."
        )
    if source_system != "manual" and "ci_service" not in roles:
        return (
            f"A person sends {event_type} with source_system manual; {source_system}"
            " is for the service account of that system."
        )
    return None


def _words(names):
    return " or ".join(names)
