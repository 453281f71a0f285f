"""Requirement kind ``evidence``: evidence of a type, or the whole package."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from functools import reduce
from typing import Any

from ..case import Case
from ..definitions import Gate, Requirement
from ..facts import ReleaseFacts
from ..kind import JUST_AFTER, Entry, Parameter, RequirementKind
from ..parameters import FRESHNESS
from ..reason import Reason, _lt
from ..verdict import UNMET, FactKey, Judgement, met, unmet


def _judge(case: Case, gate: Gate, requirement: Requirement) -> Judgement:
    if requirement.evidence_type is None:
        return _judge_package(case, gate, requirement)
    label = Reason.of_words(requirement.evidence_type)
    found = [
        evidence
        for evidence in case.evidence
        if evidence.type == requirement.evidence_type
        and evidence.gate in (None, gate.code)
    ]
    if not found:
        return unmet(
            Reason(
                _lt("No %(evidence)s recorded for %(gate)s and revision %(revision)s"),
                evidence=label,
                gate=gate.code,
                revision=case.short_revision,
            )
        )
    latest = max(found, key=lambda evidence: evidence.id)
    fact = ("evidence", latest.id)
    for key, expected in sorted(requirement.metadata_match.items()):
        allowed = expected if isinstance(expected, (list, tuple)) else [expected]
        actual = latest.metadata.get(key)
        if actual not in allowed:
            return unmet(
                Reason(
                    _lt(
                        "The %(evidence)s must say `%(key)s` is %(wanted)s, it says "
                        "%(actual)s"
                    ),
                    evidence=label,
                    key=key,
                    wanted=_either(allowed),
                    actual=Reason(_lt("nothing")) if actual is None else f"`{actual}`",
                ),
                fact,
                adverse=actual is not None,
            )
    if not case.is_fresh(requirement, latest.recorded_at):
        return unmet(
            Reason(
                _lt("The %(evidence)s was %(too_old)s"),
                evidence=label,
                too_old=case.too_old(requirement, latest.recorded_at),
            ),
            fact,
        )
    return met(
        Reason(
            _lt("%(Evidence)s recorded for revision %(revision)s"),
            Evidence=label,
            revision=case.short_revision,
        ),
        fact,
    )


def _either(values: Sequence[Any]) -> str:
    """``a`` or ``b`` or ``c``"""
    words: list[str] = [f"`{value}`" for value in values] or [Reason(_lt("nothing"))]
    return reduce(
        lambda one, other: Reason(_lt("%(one)s or %(other)s"), one=one, other=other),
        words,
    )


def _judge_package(case: Case, gate: Gate, requirement: Requirement) -> Judgement:
    missing: list[Reason] = []
    facts: list[FactKey] = []
    for other in case.gates:
        if other.sequence > gate.sequence:
            continue
        for demanded in other.requirements:
            type_ = demanded.evidence_type
            if demanded.kind != KIND.code or type_ is None:
                continue
            limits = [
                limit
                for limit in (requirement.freshness, demanded.freshness)
                if limit is not None
            ]
            demanded = replace(demanded, freshness=min(limits, default=None))
            state, _reason, found, _adverse = _judge(case, other, demanded)
            facts += found
            if state == UNMET:
                missing.append(
                    Reason(
                        "%(evidence)s (%(gate)s)",
                        evidence=Reason.of_words(type_),
                        gate=other.code,
                    )
                )
    if missing:
        return unmet(
            Reason(
                _lt("The evidence package is incomplete: %(missing)s"),
                missing=Reason.joined(", ", missing),
            ),
            *facts,
        )
    return met(Reason(_lt("The evidence package is complete")), *facts)


def _sentence(entry: Entry) -> str:
    type_ = entry["evidence_type"]
    if not type_:
        return "every evidence requirement of this gate and those before is met"
    events = ["`evidence` or by hand"]
    if type_ in ("build_log", "check_status"):
        events.insert(0, "`build_complete`")
    if type_ == "health_check":
        events.insert(0, "`health_check`")
    sentence = f"`{type_}` is recorded: {', '.join(events)}"
    for key, value in sorted((entry["metadata_match"] or {}).items()):
        words = value if isinstance(value, list) else [value]
        allowed = " or ".join(f"`{word}`" if str(word) else "" for word in words)
        sentence += f"; its metadata says `{key}` is {allowed}"
    return sentence


def _turning_points(
    facts: ReleaseFacts, requirement: Requirement
) -> Iterator[datetime]:
    if requirement.freshness is not None:
        for evidence in facts.evidence:
            yield evidence.recorded_at + requirement.freshness + JUST_AFTER


KIND = RequirementKind(
    code="evidence",
    label=_lt("Evidence recorded"),
    judge=_judge,
    sentence=_sentence,
    parameters=(
        Parameter(
            "evidence_type",
            "code",
            of="evidence_types",
            attribute="evidence_type",
            help="Empty: the complete evidence package, that is every evidence "
            "requirement of this gate and of the gates before it.",
            sequence=20,
        ),
        Parameter(
            "metadata_match",
            "object",
            attribute="metadata_match",
            help="What the metadata of the evidence must say. A list of values means "
            "one of them.",
            sequence=30,
        ),
        FRESHNESS,
    ),
    fact_kinds=("evidence",),
    turning_points=_turning_points,
    waived_by=("evidence_waiver",),
    next_step="_step_for_evidence",
)
