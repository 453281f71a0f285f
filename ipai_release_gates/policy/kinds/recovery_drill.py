"""Requirement kind ``recovery_drill``: the latest drill of a place succeeded."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from ..case import Case, instant
from ..definitions import Gate, Requirement
from ..facts import ReleaseFacts
from ..kind import JUST_AFTER, Entry, Parameter, RequirementKind
from ..parameters import FRESHNESS, IN_PRODUCTION
from ..reason import Reason, _lt
from ..verdict import Judgement, met, unmet


def _judge(case: Case, gate: Gate, requirement: Requirement) -> Judgement:
    where = IN_PRODUCTION.value_in(requirement)
    what = Reason.of_words(f"{requirement.drill_type or 'recovery'} drill")
    found = [
        drill
        for drill in case.facts.drills
        if drill.environment == where and requirement.drill_type in (None, drill.type)
    ]
    if not found:
        return unmet(
            Reason(
                _lt("No %(drill)s of %(where)s has been recorded"),
                drill=what,
                where=where,
            )
        )
    latest = max(found, key=lambda drill: (drill.executed_at, drill.id))
    fact = ("drill", latest.id)
    if not latest.successful:
        return unmet(
            Reason(
                _lt(
                    "The latest %(drill)s of %(where)s, %(at)s, did not succeed; "
                    "repeat it"
                ),
                drill=what,
                where=where,
                at=instant(latest.executed_at),
            ),
            fact,
            adverse=True,
        )
    if not case.is_fresh(requirement, latest.executed_at):
        return unmet(
            Reason(
                _lt("The latest %(drill)s of %(where)s: %(too_old)s"),
                drill=what,
                where=where,
                too_old=case.too_old(requirement, latest.executed_at),
            ),
            fact,
        )
    return met(
        Reason(
            _lt("The %(drill)s of %(where)s on %(at)s succeeded"),
            drill=what,
            where=where,
            at=instant(latest.executed_at),
        ),
        fact,
    )


def _sentence(entry: Entry) -> str:
    where = entry["environment_category"] or IN_PRODUCTION.assumed
    type_ = (entry["drill_type"] or "recovery").replace("_", " ")
    return f"the latest {type_} drill of {where} succeeded: by hand"


def _turning_points(
    facts: ReleaseFacts, requirement: Requirement
) -> Iterator[datetime]:
    if requirement.freshness is not None:
        for drill in facts.drills:
            yield drill.executed_at + requirement.freshness + JUST_AFTER


KIND = RequirementKind(
    code="recovery_drill",
    label=_lt("Recovery drill succeeded"),
    judge=_judge,
    sentence=_sentence,
    parameters=(
        Parameter(
            "drill_type",
            "choice",
            of="drill_types",
            attribute="drill_type",
            help="Empty: any.",
            sequence=100,
        ),
        IN_PRODUCTION,
        FRESHNESS,
    ),
    fact_kinds=("drill",),
    turning_points=_turning_points,
    waived_by=("evidence_waiver",),
)
