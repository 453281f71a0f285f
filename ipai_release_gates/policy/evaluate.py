"""Judging a release: the frame around the judges of the kinds of requirements."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from .case import Case, instant
from .definitions import Gate, Requirement
from .facts import ReleaseFacts
from .kind import RequirementKind
from .reason import Reason, _lt
from .verdict import (
    UNMET,
    WAIVED,
    Condition,
    GateVerdict,
    Judgement,
    Verdict,
    unmet,
)


def evaluate(
    gates: Iterable[Gate],
    facts: ReleaseFacts,
    now: datetime,
    kinds: Mapping[str, RequirementKind],
) -> Verdict:
    """Judge one release against gates.

    :param gates: the :class:`~.definitions.Gate` values in force; gates before the
        ones of interest must be among them, because later gates may demand them
    :param facts: the :class:`~.facts.ReleaseFacts` of the release
    :param now: the instant of the decision; expiry, freshness, freezes and deadlines
        are judged by it and by nothing else
    :param kinds: the kinds of requirements by code, see :func:`~.kind.by_code`; a
        requirement of any other kind is unmet
    :returns: a :class:`~.verdict.Verdict` with the gates in their own order
    """
    ordered = sorted(gates, key=lambda gate: (gate.sequence, gate.code))
    case = Case(ordered, facts, now)
    for gate in ordered:
        case.judged[gate.code] = _judge_gate(case, gate, kinds)
    return Verdict(
        facts.release,
        facts.revision,
        now,
        tuple(case.judged[gate.code] for gate in ordered),
    )


def _judge_gate(
    case: Case, gate: Gate, kinds: Mapping[str, RequirementKind]
) -> GateVerdict:
    if not gate.requirements:
        # An emptied gate must not wave everything through.
        nothing = Condition(
            "requirements",
            "Requirements in force",
            "requirements",
            UNMET,
            Reason(
                _lt(
                    "%(gate)s has no requirement in force; a governance "
                    "administrator must define at least one"
                ),
                gate=gate.code,
            ),
        )
        return GateVerdict(gate.code, gate.name, (nothing,))
    conditions = tuple(
        _waive(case, gate, requirement, _condition(case, gate, requirement, kinds))
        for requirement in gate.requirements
    )
    return GateVerdict(gate.code, gate.name, conditions)


def _condition(
    case: Case,
    gate: Gate,
    requirement: Requirement,
    kinds: Mapping[str, RequirementKind],
) -> Condition:
    found = _judge(case, gate, requirement, kinds.get(requirement.kind))
    return Condition(requirement.code, requirement.name, requirement.kind, *found)


def _judge(
    case: Case, gate: Gate, requirement: Requirement, kind: RequirementKind | None
) -> Judgement:
    if kind is None:
        # The addon of the kind is not installed: the gate stays closed.
        return unmet(
            Reason(
                _lt(
                    "%(kind)s is not a known kind of requirement; a governance "
                    "administrator must install the addon that judges it, or archive "
                    "the requirement"
                ),
                kind=repr(requirement.kind),
            )
        )
    missing = kind.missing(requirement)
    if missing:
        return unmet(Reason(missing[0].needed))
    return kind.judge(case, gate, requirement)


def _waive(
    case: Case, gate: Gate, requirement: Requirement, condition: Condition
) -> Condition:
    if condition.state != UNMET or not requirement.waivable:
        return condition
    grants = [
        grant
        for grant in case.grants
        if grant.covers(gate.code, requirement.code, case.now)
    ]
    if not grants:
        return condition
    grant = max(grants, key=lambda each: (each.expires_at, each.id))
    return replace(
        condition,
        state=WAIVED,
        reason=Reason(
            _lt("Waived by an exception until %(until)s: %(reason)s"),
            until=instant(grant.expires_at),
            reason=condition.reason,
        ),
        waived_by=grant.id,
        waived_until=grant.expires_at,
    )
