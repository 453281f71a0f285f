"""Requirement kind ``soak_time``: the revision ran somewhere for long enough."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from ..case import Case, hours, instant
from ..definitions import Gate, Requirement
from ..facts import Deployment, ReleaseFacts
from ..kind import TIME, Entry, Parameter, RequirementKind
from ..parameters import IN_STAGING
from ..reason import Reason, _lt
from ..verdict import Judgement, met, unmet


def _judge(case: Case, gate: Gate, requirement: Requirement) -> Judgement:
    where = IN_STAGING.value_in(requirement)
    running = [
        d
        for d in case.deployments
        if d.environment == where and d.status == "succeeded"
    ]
    if not running:
        return unmet(
            Reason(
                _lt("Revision %(revision)s has not run in %(where)s yet"),
                revision=case.short_revision,
                where=where,
            )
        )
    # The newest deployment counts: deploying again starts the soak again.
    latest = max(running, key=lambda d: (d.deployed_at, d.id))
    fact = ("deployment", latest.id)
    assert requirement.soak is not None
    ready_at = _begins_at(latest) + requirement.soak
    if case.now < ready_at:
        return unmet(
            Reason(
                _lt("Revision %(revision)s must run in %(where)s until %(until)s"),
                revision=case.short_revision,
                where=where,
                until=instant(ready_at),
            ),
            fact,
        )
    return met(
        Reason(
            _lt("Revision %(revision)s ran in %(where)s for %(hours)s or more"),
            revision=case.short_revision,
            where=where,
            hours=hours(requirement.soak),
        ),
        fact,
    )


def _begins_at(deployment: Deployment) -> datetime:
    """When a soak begins: not before the deployment was recorded.

    Otherwise a sender's clock could make up for time in which nobody knew of it.
    """
    return max(deployment.deployed_at, deployment.recorded_at or deployment.deployed_at)


def _sentence(entry: Entry) -> str:
    where = entry["environment_category"] or IN_STAGING.assumed
    return (
        f"the revision ran {entry['soak_hours']:g} hours in {where}: "
        "`deployment_event` or by hand"
    )


def _turning_points(
    facts: ReleaseFacts, requirement: Requirement
) -> Iterator[datetime]:
    if requirement.soak is not None:
        for deployment in facts.deployments:
            yield _begins_at(deployment) + requirement.soak


KIND = RequirementKind(
    code="soak_time",
    label=_lt("Soak time"),
    judge=_judge,
    sentence=_sentence,
    parameters=(
        IN_STAGING,
        Parameter(
            "soak_hours",
            "hours",
            attribute="soak",
            default=0.0,
            least=0,
            needed=_lt("A soak needs its hours, more than 0."),
            sequence=110,
        ),
    ),
    fact_kinds=("deployment",),
    turning_points=_turning_points,
    waived_by=("timing_override",),
    waits_for=TIME,
)
