"""Exceptions, the status of a gate, and what a verdict carries."""

from dataclasses import FrozenInstanceError, replace
from datetime import datetime, timedelta, timezone

import pytest
from policy import (
    BYPASSED,
    FAILED,
    IN_PROGRESS,
    NOT_APPLICABLE,
    PASSED,
    PENDING,
    UNMET,
    WAIVED,
    Gate,
    Requirement,
)
from policy_facts import (
    HOUR,
    LOOKALIKE,
    NO_FREEZE,
    NOW,
    OLD_REVISION,
    REVISION,
    SECOND,
    SIGN_OFF,
    UNIT_TESTS,
    assert_met,
    assert_unmet,
    chain,
    check,
    facts,
    freeze,
    grant,
    judge,
    require,
    verdict_on,
)
from policy_kit import REQUIREMENT_KINDS, evaluate

# --- exceptions -------------------------------------------------------------------


def test_an_exception_waives_an_unmet_requirement_and_says_until_when():
    gate = verdict_on(UNIT_TESTS, checks=(check(1, "fail"),), grants=(grant(5, "G2"),))
    (condition,) = gate.conditions
    assert condition.state == WAIVED
    assert condition.reason == (
        "Waived by an exception until 2026-03-02 13:00 UTC: The latest `unit_tests` "
        "check for revision 4f2c9ab is `fail`, it must be `pass`"
    )
    assert (condition.waived_by, condition.waived_until) == (5, NOW + HOUR)
    assert condition.facts == (("check", 1),)
    assert gate.status == BYPASSED
    assert gate.open
    assert gate.unmet == ()


def test_an_exception_leaves_a_met_requirement_met_and_the_gate_passed():
    gate = verdict_on(UNIT_TESTS, checks=(check(1),), grants=(grant(5, "G2"),))
    assert_met(
        gate.conditions[0], "`unit_tests` passed for revision 4f2c9ab", ("check", 1)
    )
    assert gate.status == PASSED


def test_an_exception_leaves_a_requirement_that_does_not_apply_alone():
    gate = verdict_on(require("check"), grants=(grant(5, "G2"),))
    assert gate.conditions[0].state == NOT_APPLICABLE
    assert gate.status == PASSED


def test_an_exception_cannot_cover_what_may_not_be_waived():
    assert_unmet(
        judge(replace(UNIT_TESTS, waivable=False), grants=(grant(5, "G2"),)),
        "No successful `unit_tests` check for revision 4f2c9ab",
    )


def test_an_exception_runs_from_its_first_instant_until_before_its_last():
    window = (grant(5, "G2", start=NOW, end=NOW + HOUR),)
    assert judge(UNIT_TESTS, NOW - SECOND, grants=window).state == UNMET
    assert judge(UNIT_TESTS, NOW, grants=window).state == WAIVED
    assert judge(UNIT_TESTS, NOW + HOUR - SECOND, grants=window).state == WAIVED
    assert judge(UNIT_TESTS, NOW + HOUR, grants=window).state == UNMET


def test_an_exception_for_another_gate_covers_nothing_here():
    assert judge(UNIT_TESTS, grants=(grant(5, "G1", "G3"),)).state == UNMET


@pytest.mark.parametrize("revision", [OLD_REVISION, LOOKALIKE])
def test_an_exception_covers_only_the_revision_it_was_approved_for(revision):
    given = (grant(5, "G2", revision=revision),)
    assert judge(UNIT_TESTS, grants=given).state == UNMET


def test_an_exception_for_single_requirements_covers_only_those():
    lint = require("check", code="lint", check_name="lint")
    narrow = grant(5, "G2", requirements={("G2", "it"), ("G3", "lint")})
    gate = verdict_on(UNIT_TESTS, lint, grants=(narrow,))
    assert [(c.code, c.state) for c in gate.conditions] == [
        ("it", WAIVED),
        ("lint", UNMET),
    ]
    assert not gate.open


def test_of_several_exceptions_the_one_that_lasts_longest_is_named():
    grants = (
        grant(1, "G2", end=NOW + 2 * HOUR),
        grant(4, "G2", end=NOW + 3 * HOUR),
        grant(3, "G2", end=NOW + 3 * HOUR),
        grant(5, "G2", end=NOW + HOUR),
        grant(6, "G1", end=NOW + 9 * HOUR),
    )
    for given in (grants, grants[::-1]):
        condition = judge(UNIT_TESTS, grants=given)
        assert (condition.waived_by, condition.waived_until) == (4, NOW + 3 * HOUR)


def test_a_gate_stays_closed_while_one_condition_is_not_covered():
    gate = verdict_on(
        UNIT_TESTS,
        replace(SIGN_OFF, code="sign_off", waivable=False),
        grants=(grant(5, "G2"),),
    )
    assert [c.state for c in gate.conditions] == [WAIVED, UNMET]
    assert (gate.status, gate.open) == (PENDING, False)


# --- the gate and the verdict -----------------------------------------------------


def test_a_gate_without_requirements_is_closed_and_no_exception_opens_it():
    gate = verdict_on(grants=(grant(5, "G2"),))
    (condition,) = gate.conditions
    assert (condition.code, condition.kind) == ("requirements", "requirements")
    assert_unmet(
        condition,
        "G2 has no requirement in force; a governance administrator must define at "
        "least one",
    )
    assert (gate.status, gate.open) == (PENDING, False)


def test_a_kind_nobody_knows_is_unmet_and_not_an_error():
    assert_unmet(
        judge(require("moon_phase")),
        "'moon_phase' is not a known kind of requirement; a governance administrator "
        "must install the addon that judges it, or archive the requirement",
    )


@pytest.mark.parametrize("kind", REQUIREMENT_KINDS)
def test_every_kind_of_requirement_is_judged(kind):
    requirement = require(
        kind, persona="qa_tester", soak=HOUR, prior_gate="G1", check_name="unit_tests"
    )
    condition = judge(requirement)
    assert "not a known kind" not in condition.reason
    assert condition.kind == kind


def test_a_condition_carries_the_name_and_code_of_its_requirement_in_their_order():
    requirements = tuple(
        Requirement(code, f"Name of {code}", kind)
        for code, kind in (("b", "no_freeze"), ("a", "check"), ("c", "deployment"))
    )
    assert [(c.code, c.name, c.kind) for c in verdict_on(*requirements).conditions] == [
        ("b", "Name of b", "no_freeze"),
        ("a", "Name of a", "check"),
        ("c", "Name of c", "deployment"),
    ]


@pytest.mark.parametrize(
    ("checks", "status"),
    [
        ((), PENDING),
        ((check(1),), IN_PROGRESS),
        ((check(1, "skipped"),), IN_PROGRESS),
        ((check(1, "fail"),), FAILED),
        ((check(1), check(2, name="lint")), PASSED),
    ],
    ids=["nothing yet", "one of two", "skipped", "failed", "both"],
)
def test_the_status_of_a_gate_follows_from_its_conditions(checks, status):
    lint = require("check", code="lint", check_name="lint")
    gate = verdict_on(UNIT_TESTS, lint, checks=checks)
    assert gate.status == status
    assert gate.open is (status == PASSED)


def test_what_is_known_of_the_gate_before_does_not_start_this_one():
    """An open gate before leaves a gate without facts of its own pending."""
    lint = require("check", code="lint", check_name="lint")
    first = Gate("G1", "One", 10, (UNIT_TESTS,))
    second = Gate("G2", "Two", 20, (require("prior_gate", prior_gate="G1"), lint))
    verdict = evaluate([first, second], facts(checks=(check(1),)), NOW)
    assert verdict.gate("G1").status == PASSED
    assert verdict.gate("G2").status == PENDING


def test_a_covered_failure_leaves_an_open_question_in_progress_not_failed():
    lint = require("check", code="lint", check_name="lint", waivable=False)
    gate = verdict_on(
        UNIT_TESTS, lint, checks=(check(1, "fail"),), grants=(grant(5, "G2"),)
    )
    assert gate.status == IN_PROGRESS


def test_the_verdict_says_what_was_judged_and_when():
    verdict = evaluate(chain(UNIT_TESTS), facts(), NOW)
    assert (verdict.release, verdict.revision) == (7, REVISION)
    assert verdict.evaluated_at == NOW
    assert [(gate.code, gate.name) for gate in verdict.gates] == [
        ("G1", "One"),
        ("G2", "Two"),
    ]


def test_gates_of_one_sequence_are_judged_in_the_order_of_their_codes():
    gates = [
        Gate("B", "B", 10, (require("prior_gate", prior_gate="A"),)),
        Gate("A", "A", 10, (UNIT_TESTS,)),
    ]
    verdict = evaluate(gates, facts(checks=(check(1),)), NOW)
    assert [(gate.code, gate.open) for gate in verdict.gates] == [
        ("A", True),
        ("B", True),
    ]


def test_the_verdict_lists_every_unmet_condition_with_its_gate():
    verdict = evaluate(chain(UNIT_TESTS), facts(), NOW)
    assert [(gate.code, c.code) for gate, c in verdict.unmet] == [
        ("G1", "it"),
        ("G2", "it"),
    ]
    assert not verdict.eligible


def test_a_release_is_eligible_when_every_gate_lets_it_through():
    gates = [*chain(UNIT_TESTS), Gate("G3", "Three", 30, (NO_FREEZE,))]
    for values in ({"checks": (check(1),)}, {"grants": (grant(1, "G1"),)}):
        verdict = evaluate(gates, facts(**values), NOW)
        assert verdict.eligible
        assert verdict.unmet == ()


def test_one_closed_gate_is_enough_to_stop_a_release():
    gates = [*chain(NO_FREEZE), Gate("G3", "Three", 30, (UNIT_TESTS,))]
    verdict = evaluate(gates, facts(), NOW)
    assert [gate.open for gate in verdict.gates] == [True, True, False]
    assert not verdict.eligible


def test_a_narrowed_verdict_keeps_the_gates_asked_for_and_only_those():
    gates = [*chain(NO_FREEZE), Gate("G3", "Three", 30, (UNIT_TESTS,))]
    verdict = evaluate(gates, facts(), NOW)
    narrowed = verdict.only(["G2", "G1"])
    assert narrowed.gates == verdict.gates[:2]
    assert narrowed == replace(verdict, gates=verdict.gates[:2])
    assert narrowed.eligible
    assert not verdict.only(["G3"]).eligible


def test_a_target_without_gates_is_open_to_every_release():
    assert evaluate(chain(UNIT_TESTS), facts(), NOW).only([]).eligible


def test_a_gate_that_was_not_judged_is_an_error_and_never_a_yes():
    verdict = evaluate(chain(NO_FREEZE), facts(), NOW)
    with pytest.raises(KeyError, match="G9"):
        verdict.gate("G9")
    with pytest.raises(KeyError, match="G9"):
        verdict.only(["G1", "G9"])


def test_instants_with_an_offset_are_told_in_utc():
    cet = timezone(timedelta(hours=2))
    now = NOW.replace(tzinfo=timezone.utc)
    window = freeze(1, now - HOUR, datetime(2026, 3, 2, 20, 30, tzinfo=cet))
    condition = judge(NO_FREEZE, now, freezes=(window,))
    assert condition.reason == "Freeze in force: Freeze 1 until 2026-03-02 18:30 UTC"


def test_definitions_facts_and_verdicts_cannot_be_changed():
    verdict = evaluate(chain(UNIT_TESTS), facts(checks=(check(1),)), NOW)
    for value, name in (
        (UNIT_TESTS, "kind"),
        (check(1), "status"),
        (facts(), "revision"),
        (verdict, "gates"),
        (verdict.gates[0], "conditions"),
        (verdict.gates[0].conditions[0], "state"),
    ):
        with pytest.raises(FrozenInstanceError):
            setattr(value, name, None)
