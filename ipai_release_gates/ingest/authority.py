"""Who may send which facts; the answer concerns the sender's roles alone.

A sign-off is let through for everybody: whether somebody may sign (persona held, no
service account, not an author of the revision) is decided where the signature is
recorded, so that a refused one leaves a trace as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .kinds import ANY_GATE, CORE, Gates, Kinds

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


def may_send(
    roles: frozenset[str],
    event_type: str,
    source_system: str,
    gate_code: str | None,
    evidence_type: str | None = None,
    kinds: Kinds = CORE,
) -> str | None:
    """Return None when the sender may, else the sentence that says why not.

    :param frozenset roles: all the sender holds, from ``ROLES``; others count for
        nothing.
    :param str event_type: as in the envelope.
    :param str source_system: as in the envelope.
    :param gate_code: as in the envelope, or None.
    :param evidence_type: as in the payload of ``evidence``, or None.
    :param kinds: code → :class:`~.kinds.EventKind`, those that are taken.
    """
    kind = kinds.get(event_type)
    senders: Mapping[str, Gates | None] | None = kind.senders if kind else {}
    if senders is None:
        return None
    able = sorted(senders)
    mine = [role for role in able if role in roles]
    if not mine:
        held = ", ".join(sorted(roles & ROLES)) or "none"
        if not able:
            return f"No role may send {event_type}; you hold: {held}."
        return f"Only {_words(able)} may send {event_type}; you hold: {held}."
    gates = [senders[role] for role in mine]
    if ANY_GATE not in gates:
        allowed: Gates = frozenset().union(*(each for each in gates if each))
        named = _words(sorted(gate for gate in allowed if gate))
        if gate_code not in allowed:
            none = " or for no gate" if None in allowed else ""
            return (
                f"The role {_words(mine)} may send {event_type} for gate {named}{none},"
                f" not for {gate_code}."
            )
        if (
            gate_code is None
            and kind
            and kind.without_gate is not None
            and evidence_type not in kind.without_gate
        ):
            return (
                f"The role {_words(mine)} may send {evidence_type} for gate {named}"
                " only: name the gate."
            )
    if source_system != "manual" and "ci_service" not in roles:
        return (
            f"A person sends {event_type} with source_system manual; {source_system}"
            " is for the service account of that system."
        )
    return None


def _words(names: Iterable[str]) -> str:
    return " or ".join(names)
