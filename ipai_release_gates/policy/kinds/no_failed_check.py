"""Requirement kind ``no_failed_check``: no check of this gate or before fails."""

from __future__ import annotations

from ..case import Case, latest_checks
from ..definitions import Gate, Requirement
from ..kind import RequirementKind
from ..reason import Reason, _lt
from ..verdict import Judgement, met, unmet


def _judge(case: Case, gate: Gate, requirement: Requirement) -> Judgement:
    # A health check after deployment belongs to G4: it must not reach back and fail
    # the gates before it, nor hide that a check of the same name failed there.
    relevant = [
        check
        for check in case.all_checks
        if check.status != "fail"
        or case.sequence_of.get(check.gate or gate.code, gate.sequence) <= gate.sequence
    ]
    failed = [check for check in latest_checks(relevant) if check.status == "fail"]
    if failed:
        return unmet(
            Reason(
                _lt("Failing for revision %(revision)s: %(checks)s"),
                revision=case.short_revision,
                checks=", ".join(f"`{check.name}`" for check in failed),
            ),
            *(("check", check.id) for check in failed),
            adverse=True,
        )
    return met(
        Reason(
            _lt("No check fails for revision %(revision)s"),
            revision=case.short_revision,
        )
    )


KIND = RequirementKind(
    code="no_failed_check",
    label=_lt("No failed check"),
    judge=_judge,
    sentence=lambda entry: (
        "no latest check of this or an earlier gate is `fail`: every check there is"
    ),
    fact_kinds=("check",),
    waived_by=("evidence_waiver",),
)
