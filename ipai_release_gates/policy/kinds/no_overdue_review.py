"""Requirement kind ``no_overdue_review``: no post-event review is overdue."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from ..case import Case, in_order, instant
from ..definitions import Gate, Requirement
from ..facts import ReleaseFacts
from ..kind import JUST_AFTER, RequirementKind
from ..reason import Reason, _lt
from ..verdict import Judgement, met, unmet


def _judge(case: Case, gate: Gate, requirement: Requirement) -> Judgement:
    overdue = [r for r in in_order(case.facts.reviews) if case.now > r.due_at]
    if overdue:
        listed = Reason.joined(
            ", ",
            [
                Reason(_lt("%(name)s, due %(due)s"), name=r.name, due=instant(r.due_at))
                for r in overdue
            ],
        )
        return unmet(
            Reason(_lt("Post-event review overdue: %(reviews)s"), reviews=listed),
            *(("exception", r.id) for r in overdue),
        )
    return met(Reason(_lt("No post-event review is overdue")))


def _turning_points(
    facts: ReleaseFacts, requirement: Requirement
) -> Iterator[datetime]:
    for review in facts.reviews:
        yield review.due_at + JUST_AFTER


KIND = RequirementKind(
    code="no_overdue_review",
    label=_lt("No overdue post-event review"),
    judge=_judge,
    sentence=lambda entry: "no post-event review is overdue: by hand",
    fact_kinds=("review",),
    turning_points=_turning_points,
)
