"""Requirement kind ``environment_controls``: each control of a place holds."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from ..case import Case, hours, in_order
from ..definitions import Gate, Requirement
from ..facts import ReleaseFacts
from ..kind import JUST_AFTER, Entry, RequirementKind
from ..parameters import FRESHNESS, IN_PRODUCTION
from ..reason import Reason, _lt
from ..verdict import Judgement, met, unmet


def _judge(case: Case, gate: Gate, requirement: Requirement) -> Judgement:
    where = IN_PRODUCTION.value_in(requirement)
    controls = [c for c in in_order(case.facts.controls) if c.environment == where]
    if not controls:
        return unmet(
            Reason(_lt("No control of %(where)s has been checked"), where=where)
        )
    facts = tuple(("control", c.id) for c in controls)
    found = [
        (c, "over" if c.holds_until and c.holds_until <= case.now else c.status)
        for c in controls
    ]
    bad = [(c, status) for c, status in found if status != "pass"]
    if bad:
        listed = Reason.joined(
            ", ",
            [
                Reason(_lt("%(name)s is `%(status)s`"), name=c.name, status=status)
                for c, status in bad
            ],
        )
        return unmet(
            Reason(
                _lt("Controls of %(where)s: %(controls)s"), where=where, controls=listed
            ),
            *facts,
            adverse=True,
        )
    old = [c for c in controls if not case.is_fresh(requirement, c.checked_at)]
    if old and requirement.freshness is not None:
        return unmet(
            Reason(
                _lt("Controls of %(where)s not checked for %(hours)s: %(controls)s"),
                where=where,
                hours=hours(requirement.freshness),
                controls=", ".join(c.name for c in old),
            ),
            *facts,
        )
    return met(Reason(_lt("Every control of %(where)s holds"), where=where), *facts)


def _sentence(entry: Entry) -> str:
    where = entry["environment_category"] or IN_PRODUCTION.assumed
    return f"every control of {where} holds: `environment_event`, by hand, or the clock"


def _turning_points(
    facts: ReleaseFacts, requirement: Requirement
) -> Iterator[datetime]:
    for control in facts.controls:
        if control.holds_until is not None:
            yield control.holds_until
        if control.checked_at is not None and requirement.freshness is not None:
            yield control.checked_at + requirement.freshness + JUST_AFTER


KIND = RequirementKind(
    code="environment_controls",
    label=_lt("Environment controls hold"),
    judge=_judge,
    sentence=_sentence,
    parameters=(IN_PRODUCTION, FRESHNESS),
    fact_kinds=("control",),
    turning_points=_turning_points,
    waived_by=("control_waiver",),
)
