"""Requirement kind ``no_open_incident``: no blocking incident is open."""

from __future__ import annotations

from ..case import Case, in_order
from ..definitions import Gate, Requirement
from ..kind import RequirementKind
from ..reason import Reason, _lt
from ..verdict import Judgement, met, unmet


def _judge(case: Case, gate: Gate, requirement: Requirement) -> Judgement:
    incidents = in_order(case.facts.incidents)
    blocking = [i for i in incidents if i.blocking and not i.resolved]
    if blocking:
        listed = ", ".join(f"{i.name} ({i.severity})" for i in blocking)
        return unmet(
            Reason(
                _lt("Blocking incident still open: %(incidents)s"), incidents=listed
            ),
            *(("incident", i.id) for i in blocking),
            adverse=True,
        )
    return met(Reason(_lt("No blocking incident is open")))


KIND = RequirementKind(
    code="no_open_incident",
    label=_lt("No open blocking incident"),
    judge=_judge,
    sentence=lambda entry: (
        "no blocking incident of the project is open: `incident` or by hand"
    ),
    fact_kinds=("incident",),
)
