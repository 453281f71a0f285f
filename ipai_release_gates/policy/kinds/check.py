"""Requirement kind ``check``: named checks, or all required ones, passed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from ..case import Case
from ..definitions import Gate, Requirement
from ..facts import ReleaseFacts
from ..kind import JUST_AFTER, Entry, Parameter, RequirementKind
from ..parameters import ENVIRONMENT, FRESHNESS
from ..reason import Reason, _lt
from ..verdict import NOT_APPLICABLE, FactKey, Judgement, met, unmet


def _judge(case: Case, gate: Gate, requirement: Requirement) -> Judgement:
    names = (
        (requirement.check_name,)
        if requirement.check_name
        else case.facts.required_checks
    )
    if not names:
        return Judgement(
            NOT_APPLICABLE, Reason(_lt("The project's policy requires no checks"))
        )
    problems: list[Reason] = []
    facts: list[FactKey] = []
    adverse = False
    for name in names:
        found = [
            check
            for check in case.checks
            if check.name == name
            and requirement.environment in (None, check.environment)
        ]
        facts += [("check", check.id) for check in found]
        if not found:
            problems.append(_missing_check(case, requirement, name))
        for check in found:
            if check.status != "pass":
                adverse = adverse or check.status == "fail"
                problems.append(
                    Reason(
                        _lt(
                            "The latest `%(check)s` check for revision %(revision)s is "
                            "`%(status)s`, it must be `pass`"
                        ),
                        check=name,
                        revision=case.short_revision,
                        status=check.status,
                    )
                )
            elif not case.is_fresh(requirement, check.recorded_at):
                problems.append(
                    Reason(
                        _lt("Check `%(check)s`: %(too_old)s"),
                        check=name,
                        too_old=case.too_old(requirement, check.recorded_at),
                    )
                )
    if problems:
        return unmet(Reason.joined("; ", problems), *facts, adverse=adverse)
    return met(
        Reason(
            _lt("%(checks)s passed for revision %(revision)s"),
            checks=", ".join(f"`{name}`" for name in names),
            revision=case.short_revision,
        ),
        *facts,
    )


def _missing_check(case: Case, requirement: Requirement, name: str) -> Reason:
    if requirement.environment:
        return Reason(
            _lt(
                "No successful `%(check)s` check on %(where)s for revision %(revision)s"
            ),
            check=name,
            where=requirement.environment,
            revision=case.short_revision,
        )
    return Reason(
        _lt("No successful `%(check)s` check for revision %(revision)s"),
        check=name,
        revision=case.short_revision,
    )


def _sentence(entry: Entry) -> str:
    name, where = entry["check_name"], entry["environment_category"]
    on = f" on {where}" if where else ""
    if not name:
        return (
            "the latest of each check that the project requires is `pass`: "
            "`checks` of `build_complete`, or `check_result`"
        )
    if name == "build":
        event = "`status` of `build_complete`, or `check_result`"
    elif name == "health_check":
        event = "`status` of `health_check`"
    else:
        event = "`checks` of `build_complete`, or `check_result`"
    return f"the latest `{name}`{on} is `pass`: {event}"


def _turning_points(
    facts: ReleaseFacts, requirement: Requirement
) -> Iterator[datetime]:
    if requirement.freshness is not None:
        for check in facts.checks:
            yield check.recorded_at + requirement.freshness + JUST_AFTER


KIND = RequirementKind(
    code="check",
    label=_lt("Check passed"),
    judge=_judge,
    sentence=_sentence,
    parameters=(
        Parameter(
            "check_name",
            "text",
            attribute="check_name",
            help="Empty: every check that the project's policy requires.",
            sequence=10,
        ),
        ENVIRONMENT,
        FRESHNESS,
    ),
    fact_kinds=("check",),
    turning_points=_turning_points,
    waived_by=("evidence_waiver",),
    next_step="_step_for_check",
)
