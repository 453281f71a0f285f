"""Requirement kind ``prior_gate``: an earlier gate is open."""

from __future__ import annotations

from ..case import Case
from ..definitions import Gate, Requirement
from ..kind import Parameter, RequirementKind
from ..reason import Reason, _lt
from ..verdict import BYPASSED, Judgement, met, unmet


def _judge(case: Case, gate: Gate, requirement: Requirement) -> Judgement:
    prior = case.judged.get(requirement.prior_gate or "")
    if prior is None:
        return unmet(
            Reason(
                _lt("%(gate)s demands %(prior)s, which is not a gate before it"),
                gate=gate.code,
                prior=str(requirement.prior_gate),
            )
        )
    if prior.open:
        bypassed = prior.status == BYPASSED
        return met(
            Reason(
                _lt("%(gate)s is bypassed by an exception")
                if bypassed
                else _lt("%(gate)s passed"),
                gate=prior.code,
            )
        )
    return unmet(
        Reason(
            _lt("%(gate)s %(name)s is %(status)s"),
            gate=prior.code,
            name=prior.name,
            status=Reason.of_words(prior.status),
        )
    )


KIND = RequirementKind(
    code="prior_gate",
    label=_lt("Earlier gate passed"),
    judge=_judge,
    sentence=lambda entry: (
        f"{entry['prior_gate']} is passed or bypassed: nothing is sent"
    ),
    parameters=(
        Parameter(
            "prior_gate",
            "code",
            of="gates",
            attribute="prior_gate",
            needed=_lt("An earlier gate needs its gate."),
            sequence=70,
        ),
    ),
    is_criterion=False,
)
