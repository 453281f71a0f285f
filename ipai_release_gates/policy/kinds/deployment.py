"""Requirement kind ``deployment``: the revision runs, or was confirmed in time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from ..case import Case, instant
from ..definitions import (
    DEPLOYMENT_CONFIRMED,
    DEPLOYMENT_SUCCEEDED,
    Gate,
    Requirement,
)
from ..facts import ReleaseFacts
from ..kind import JUST_AFTER, Entry, Parameter, RequirementKind
from ..parameters import IN_PRODUCTION
from ..reason import Reason, _lt
from ..verdict import Judgement, met, unmet


def _judge(case: Case, gate: Gate, requirement: Requirement) -> Judgement:
    where = IN_PRODUCTION.value_in(requirement)
    found = [d for d in case.deployments if d.environment == where]
    if not found:
        return unmet(
            Reason(
                _lt("Revision %(revision)s has not been deployed to %(where)s"),
                revision=case.short_revision,
                where=where,
            )
        )
    latest = max(found, key=lambda d: (d.deployed_at, d.id))
    fact = ("deployment", latest.id)
    if latest.status == "in_progress":
        return unmet(
            Reason(
                _lt("The deployment to %(where)s is still in progress"), where=where
            ),
            fact,
        )
    if latest.status != "succeeded":
        return unmet(
            Reason(
                _lt(
                    "The latest deployment of revision %(revision)s to %(where)s is "
                    "`%(status)s`"
                ),
                revision=case.short_revision,
                where=where,
                status=latest.status,
            ),
            fact,
            adverse=True,
        )
    if requirement.deployment_aspect != DEPLOYMENT_CONFIRMED:
        return met(
            Reason(
                _lt("Revision %(revision)s runs in %(where)s"),
                revision=case.short_revision,
                where=where,
            ),
            fact,
        )
    if latest.deadline is None:
        return met(
            Reason(_lt("No deadline is set for confirming the deployment")), fact
        )
    if latest.confirmed_at is not None and latest.confirmed_at <= latest.deadline:
        return met(
            Reason(
                _lt("Confirmed on %(at)s, in time"), at=instant(latest.confirmed_at)
            ),
            fact,
        )
    if case.now <= latest.deadline:
        return met(
            Reason(_lt("Confirmation is due by %(by)s"), by=instant(latest.deadline)),
            fact,
        )
    return unmet(
        Reason(
            _lt(
                "Not confirmed by the deadline, %(deadline)s; deploy again or roll back"
            ),
            deadline=instant(latest.deadline),
        ),
        fact,
        adverse=True,
    )


def _sentence(entry: Entry) -> str:
    where = entry["environment_category"] or IN_PRODUCTION.assumed
    if entry["deployment_aspect"] == DEPLOYMENT_CONFIRMED:
        return (
            f"the rest of the gate held before the deadline of the deployment to "
            f"{where}: the events that make it hold"
        )
    return f"the latest to {where} is `succeeded`: `deployment_event` or by hand"


def _turning_points(
    facts: ReleaseFacts, requirement: Requirement
) -> Iterator[datetime]:
    for deployment in facts.deployments:
        if deployment.deadline is not None:
            yield deployment.deadline + JUST_AFTER


KIND = RequirementKind(
    code="deployment",
    label=_lt("Deployed"),
    judge=_judge,
    sentence=_sentence,
    parameters=(
        IN_PRODUCTION,
        Parameter(
            "deployment_aspect",
            "choice",
            of="deployment_aspects",
            attribute="deployment_aspect",
            default=DEPLOYMENT_SUCCEEDED,
            sequence=90,
        ),
    ),
    fact_kinds=("deployment",),
    turning_points=_turning_points,
    waived_by=("timing_override",),
    next_step="_step_for_deployment",
)
