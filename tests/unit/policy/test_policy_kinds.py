"""The registry of kinds of requirements: what an entry carries and what follows."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from policy import (
    FRESHNESS,
    KINDS,
    MET,
    UNMET,
    Case,
    Check,
    Gate,
    Grant,
    Parameter,
    Reason,
    ReleaseFacts,
    Requirement,
    RequirementKind,
    by_code,
    evaluate,
    forecast,
    met,
    parameters_of,
    unmet,
)

NOW = datetime(2026, 3, 2, 12, 0)
HOUR = timedelta(hours=1)
REVISION = "4f2c9ab" + "0" * 33

PHASE = Parameter("phase", "text", needed="A moon phase needs its phase.")


def _judge(case, gate, requirement):
    """Met as long as a check with the name of the phase is fresh."""
    phase = PHASE.value_in(requirement)
    found = [check for check in case.checks if check.name == phase]
    if found and case.is_fresh(requirement, found[-1].recorded_at):
        return met(Reason("The moon is %(phase)s", phase=phase), ("check", found[0].id))
    return unmet(Reason("The moon is not %(phase)s", phase=phase))


MOON = RequirementKind(
    code="moon_phase",
    label="Phase of the moon",
    judge=_judge,
    sentence=lambda entry: f"the moon is {entry['phase']}",
    parameters=(PHASE, FRESHNESS),
    fact_kinds=("check",),
    turning_points=lambda facts, requirement: [
        check.recorded_at + requirement.freshness + timedelta(microseconds=1)
        for check in facts.checks
    ],
    module="moon",
)
BY_CODE = by_code((*KINDS, MOON))
FULL = Requirement(
    "moon", "Moon", "moon_phase", freshness=HOUR, parameters={"phase": "full"}
)
GATE = Gate("G1", "One", 10, (FULL,))
FACTS = ReleaseFacts(
    1, REVISION, checks=(Check(1, REVISION, "full", "pass", NOW - HOUR / 2),)
)


def condition(requirement=FULL, facts=FACTS, now=NOW, kinds=BY_CODE):
    gate = replace(GATE, requirements=(requirement,))
    return evaluate([gate], facts, now, kinds).gate("G1").conditions[0]


def test_a_kind_of_another_addon_judges_by_its_own_parameter():
    assert (condition().state, condition().reason) == (MET, "The moon is full")
    new = condition(replace(FULL, parameters={"phase": "new"}))
    assert (new.state, new.reason) == (UNMET, "The moon is not new")


def test_its_turning_points_are_in_the_forecast():
    verdict, steps = forecast([GATE], FACTS, NOW, BY_CODE)
    assert verdict.eligible
    ((at, later),) = steps
    assert at == NOW + HOUR / 2 + timedelta(microseconds=1)
    assert not later.eligible


@pytest.mark.parametrize("phase", [None, ""])
def test_a_needed_parameter_that_is_empty_keeps_the_gate_closed(phase):
    """The judge is not asked: it may take the parameter for granted."""
    empty = condition(replace(FULL, parameters={"phase": phase}))
    assert (empty.state, empty.reason) == (UNMET, "A moon phase needs its phase.")
    forecast(
        [replace(GATE, requirements=(replace(FULL, parameters={}),))],
        FACTS,
        NOW,
        BY_CODE,
    )


def test_without_its_addon_a_requirement_is_unmet_and_says_the_way_out():
    gone = condition(kinds=by_code(KINDS))
    assert gone.state == UNMET and not gone.adverse
    assert "install the addon that judges it, or archive" in gone.reason
    _verdict, steps = forecast([GATE], FACTS, NOW, by_code(KINDS))
    assert steps == []


def test_an_exception_covers_a_requirement_of_an_unknown_kind_like_any_other():
    """People decided that; without them nothing opens."""
    grant = Grant(1, REVISION, frozenset({"G1"}), NOW, NOW + HOUR)
    facts = replace(FACTS, grants=(grant,))
    assert condition(facts=facts, kinds=by_code(KINDS)).waived_by == 1


def test_a_judge_reads_facts_that_another_addon_brings():
    """By the code of their kind; facts of another revision do not count."""
    old = "0ddba11" + "1" * 33
    phases = (
        Check(7, old, "full", "pass", NOW),
        Check(8, REVISION, "new", "pass", NOW),
    )
    facts = replace(FACTS, others={"phase": phases})
    case = Case([GATE], facts, NOW)
    assert [fact.id for fact in case.of("phase")] == [8]
    assert facts.of("phase") == phases
    assert facts.of("check") == FACTS.checks
    assert case.of("tide") == []


def test_two_kinds_cannot_have_one_code():
    with pytest.raises(ValueError, match="moon_phase"):
        by_code((MOON, MOON))


def test_two_parameters_of_one_name_must_be_one():
    """One field has one meaning; what a kind needs and assumes is its own."""
    with pytest.raises(ValueError, match="phase"):
        by_code(
            (
                MOON,
                replace(MOON, code="other", parameters=(replace(PHASE, type="whole"),)),
            )
        )
    alike = replace(PHASE, needed="", assumed="new")
    by_code((MOON, replace(MOON, code="other", parameters=(alike,))))
    assert alike.value_in(replace(FULL, parameters={})) == "new"


def test_parameters_come_in_one_order_and_each_once():
    names = [parameter.name for parameter in parameters_of(KINDS)]
    assert len(names) == len(set(names))
    assert names[0] == "check_name"
    assert [p.name for p in parameters_of(BY_CODE.values())] == [*names, "phase"]


def test_every_core_kind_says_which_facts_it_reads():
    for kind in KINDS:
        assert kind.fact_kinds or kind.code == "prior_gate", kind.code
