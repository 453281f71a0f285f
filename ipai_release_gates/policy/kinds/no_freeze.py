"""Requirement kind ``no_freeze``: the calendar lets releases be promoted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from ..case import Case, in_order, instant
from ..definitions import Gate, Requirement
from ..facts import DENY, Freeze, ReleaseFacts
from ..kind import TIME, Entry, RequirementKind
from ..parameters import IN_PRODUCTION
from ..reason import Reason, _lt
from ..verdict import FactKey, Judgement, met, unmet


def _judge(case: Case, gate: Gate, requirement: Requirement) -> Judgement:
    where = IN_PRODUCTION.value_in(requirement)
    windows = [
        window
        for window in in_order(case.facts.freezes)
        if window.environment in (None, where)
    ]
    active = [w for w in windows if w.starts_at <= case.now < w.ends_at]
    # A freeze wins over a change window that is open at the same time.
    freezes = [w for w in active if w.kind == DENY]
    if freezes:
        listed = Reason.joined(
            ", ",
            [
                Reason(
                    _lt("%(name)s until %(until)s"),
                    name=each.name,
                    until=instant(each.ends_at),
                )
                for each in freezes
            ],
        )
        return unmet(
            Reason(_lt("Freeze in force: %(freezes)s"), freezes=listed),
            *_windows(freezes),
        )
    allowed = [w for w in windows if w.kind != DENY]
    if not allowed:
        return met(Reason(_lt("No freeze window is in force")))
    within = [w for w in active if w.kind != DENY]
    if within:
        latest = max(within, key=lambda w: (w.ends_at, w.id))
        return met(
            Reason(
                _lt("Inside the change window %(name)s until %(until)s"),
                name=latest.name,
                until=instant(latest.ends_at),
            ),
            *_windows(within),
        )
    coming = [w for w in allowed if w.starts_at > case.now]
    if not coming:
        return unmet(
            Reason(
                _lt(
                    "Outside every change window of %(where)s, and none is to come; a "
                    "governance administrator must define one"
                ),
                where=where,
            ),
            *_windows(allowed),
        )
    following = min(coming, key=lambda w: (w.starts_at, w.id))
    return unmet(
        Reason(
            _lt(
                "Outside every change window of %(where)s; the next one, %(name)s, "
                "opens %(at)s"
            ),
            where=where,
            name=following.name,
            at=instant(following.starts_at),
        ),
        ("freeze", following.id),
    )


def _windows(occurrences: Iterable[Freeze]) -> tuple[FactKey, ...]:
    """The windows of some occurrences as facts, each once."""
    return tuple(dict.fromkeys(("freeze", window.id) for window in occurrences))


def _sentence(entry: Entry) -> str:
    where = entry["environment_category"] or IN_PRODUCTION.assumed
    return (
        f"no freeze holds {where}, and a change window is open where there is one: "
        "the calendar"
    )


def _turning_points(
    facts: ReleaseFacts, requirement: Requirement
) -> Iterator[datetime]:
    for freeze in facts.freezes:
        yield freeze.starts_at
        yield freeze.ends_at


KIND = RequirementKind(
    code="no_freeze",
    label=_lt("No freeze window"),
    judge=_judge,
    sentence=_sentence,
    parameters=(IN_PRODUCTION,),
    fact_kinds=("freeze",),
    turning_points=_turning_points,
    waived_by=("timing_override",),
    waits_for=TIME,
)
