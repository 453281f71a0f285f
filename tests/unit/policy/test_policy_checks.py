"""Requirement kinds ``check`` and ``no_failed_check``: what meets them, and why not."""

from dataclasses import replace
from datetime import timedelta

import pytest
from policy import (
    FAILED,
    MET,
    NOT_APPLICABLE,
    PASSED,
    UNMET,
    Gate,
)
from policy_facts import (
    HOUR,
    LOOKALIKE,
    NOW,
    OLD_REVISION,
    SECOND,
    UNIT_TESTS,
    assert_met,
    assert_unmet,
    check,
    facts,
    judge,
    require,
    verdict_on,
)
from policy_kit import evaluate

# --- check ------------------------------------------------------------------------


def test_a_passing_check_meets_its_requirement():
    assert_met(
        judge(UNIT_TESTS, checks=(check(1),)),
        "`unit_tests` passed for revision 4f2c9ab",
        ("check", 1),
    )


def test_a_check_that_never_ran_is_named():
    assert_unmet(
        judge(UNIT_TESTS, checks=(check(1, name="lint"),)),
        "No successful `unit_tests` check for revision 4f2c9ab",
    )


@pytest.mark.parametrize(
    ("status", "adverse"), [("fail", True), ("warning", False), ("skipped", False)]
)
def test_a_check_with_any_other_status_than_pass_is_unmet(status, adverse):
    assert_unmet(
        judge(UNIT_TESTS, checks=(check(1, status),)),
        f"The latest `unit_tests` check for revision 4f2c9ab is `{status}`, it must be "
        "`pass`",
        ("check", 1),
        adverse=adverse,
    )


def test_the_latest_check_of_a_name_counts_in_both_directions():
    repaired = judge(UNIT_TESTS, checks=(check(1, "fail"), check(2)))
    broken = judge(UNIT_TESTS, checks=(check(1), check(2, "fail")))
    assert (repaired.state, repaired.facts) == (MET, (("check", 2),))
    assert (broken.state, broken.facts) == (UNMET, (("check", 2),))


def test_the_latest_check_is_the_last_recorded_whatever_order_it_is_read_in():
    assert judge(UNIT_TESTS, checks=(check(2), check(1, "fail"))).state == MET
    assert judge(UNIT_TESTS, checks=(check(2, "fail"), check(1))).state == UNMET


@pytest.mark.parametrize("revision", [OLD_REVISION, LOOKALIKE])
def test_a_check_of_another_revision_does_not_count(revision):
    assert_unmet(
        judge(UNIT_TESTS, checks=(check(1, revision=revision),)),
        "No successful `unit_tests` check for revision 4f2c9ab",
    )


def test_a_late_failure_of_another_revision_changes_nothing():
    assert_met(
        judge(UNIT_TESTS, checks=(check(1), check(2, "fail", revision=OLD_REVISION))),
        "`unit_tests` passed for revision 4f2c9ab",
        ("check", 1),
    )


def test_a_check_is_fresh_up_to_and_including_its_limit():
    fresh = replace(UNIT_TESTS, freshness=timedelta(hours=24))
    at_limit = NOW - timedelta(hours=24)
    assert judge(fresh, checks=(check(1, at=at_limit),)).state == MET
    assert_unmet(
        judge(fresh, checks=(check(1, at=at_limit - SECOND),)),
        "Check `unit_tests`: recorded 2026-03-01 11:59 UTC, older than the 24 hours "
        "allowed; record it again",
        ("check", 1),
    )


def test_without_a_freshness_limit_a_check_never_grows_old():
    assert judge(UNIT_TESTS, checks=(check(1, at=NOW - 9999 * HOUR),)).state == MET


def test_a_check_required_on_an_environment_must_have_run_there():
    staged = require("check", check_name="health", environment="staging")
    on_staging = check(1, name="health", environment="staging")
    elsewhere = (
        check(2, name="health", environment="production"),
        check(3, name="health"),
    )
    assert_met(
        judge(staged, checks=(on_staging,)),
        "`health` passed for revision 4f2c9ab",
        ("check", 1),
    )
    assert_unmet(
        judge(staged, checks=elsewhere),
        "No successful `health` check on staging for revision 4f2c9ab",
    )


def test_a_failure_on_another_environment_is_not_held_against_the_required_one():
    staged = require("check", check_name="health", environment="staging")
    checks = (
        check(1, name="health", environment="staging"),
        check(2, "fail", name="health", environment="production"),
    )
    assert judge(staged, checks=checks).facts == (("check", 1),)
    assert judge(staged, checks=checks).state == MET


def test_success_on_one_environment_does_not_hide_failure_on_another():
    condition = judge(
        require("check", check_name="health"),
        checks=(
            check(1, "fail", name="health", environment="staging"),
            check(2, name="health", environment="production"),
        ),
    )
    assert_unmet(
        condition,
        "The latest `health` check for revision 4f2c9ab is `fail`, it must be `pass`",
        ("check", 1),
        ("check", 2),
        adverse=True,
    )


def test_every_check_the_project_requires_must_pass():
    every = require("check")
    required = ("unit_tests", "lint")
    assert_met(
        judge(
            every, required_checks=required, checks=(check(1), check(2, name="lint"))
        ),
        "`unit_tests`, `lint` passed for revision 4f2c9ab",
        ("check", 1),
        ("check", 2),
    )


def test_the_refusal_names_every_required_check_that_is_not_there_yet():
    assert_unmet(
        judge(
            require("check", freshness=HOUR),
            required_checks=("unit_tests", "lint", "sbom", "types"),
            checks=(
                check(1, "fail"),
                check(2, name="types"),
                check(3, name="sbom", at=NOW - 2 * HOUR),
                check(4, "fail", name="not_required"),
            ),
        ),
        "The latest `unit_tests` check for revision 4f2c9ab is `fail`, it must be "
        "`pass`; No successful `lint` check for revision 4f2c9ab; Check `sbom`: "
        "recorded 2026-03-02 10:00 UTC, older than the 1 hour allowed; record it again",
        ("check", 1),
        ("check", 3),
        ("check", 2),
        adverse=True,
    )


def test_a_failure_stays_adverse_when_a_milder_problem_follows():
    condition = judge(
        require("check"),
        required_checks=("unit_tests", "lint"),
        checks=(check(1, "fail"), check(2, "skipped", name="lint")),
    )
    assert condition.adverse


def test_a_project_that_requires_no_checks_makes_the_requirement_not_applicable():
    gate = verdict_on(require("check"))
    (condition,) = gate.conditions
    assert condition.state == NOT_APPLICABLE
    assert condition.reason == "The project's policy requires no checks"
    assert (condition.facts, condition.adverse) == ((), False)
    assert gate.status == PASSED


def test_a_named_check_is_required_even_of_a_project_that_requires_none():
    assert judge(UNIT_TESTS, required_checks=()).state == UNMET


# --- no failed check --------------------------------------------------------------

NO_FAILED = require("no_failed_check")


def test_no_failing_check_meets_the_requirement():
    assert_met(
        judge(NO_FAILED, checks=(check(1), check(2, "warning", name="lint"))),
        "No check fails for revision 4f2c9ab",
    )


def test_every_failing_check_is_listed():
    assert_unmet(
        judge(
            NO_FAILED,
            checks=(
                check(3, "fail", name="lint"),
                check(2),
                check(1, "fail", name="smoke"),
            ),
        ),
        "Failing for revision 4f2c9ab: `smoke`, `lint`",
        ("check", 1),
        ("check", 3),
        adverse=True,
    )


def test_a_failure_that_was_repaired_is_history():
    assert judge(NO_FAILED, checks=(check(1, "fail"), check(2))).state == MET


def test_a_failure_of_another_revision_is_not_held_against_this_one():
    stale = check(1, "fail", revision=OLD_REVISION)
    assert judge(NO_FAILED, checks=(stale,)).state == MET


def test_a_failure_on_one_environment_is_not_repaired_on_another():
    checks = (
        check(1, "fail", environment="staging"),
        check(2, environment="production"),
    )
    assert judge(NO_FAILED, checks=checks).facts == (("check", 1),)


def three_gates():
    return [
        Gate(code, code, sequence, (NO_FAILED,))
        for code, sequence in (("G1", 10), ("G2", 20), ("G3", 30))
    ]


def open_gates(gates, now=NOW, **values):
    verdict = evaluate(gates, facts(**values), now)
    return [gate.code for gate in verdict.gates if gate.open]


def test_a_failure_closes_its_own_gate_and_later_ones_but_not_earlier_ones():
    assert open_gates(three_gates(), checks=(check(1, "fail", gate="G2"),)) == ["G1"]


def test_a_failure_without_a_gate_closes_every_gate():
    assert open_gates(three_gates(), checks=(check(1, "fail"),)) == []


def test_a_failure_for_a_gate_nobody_knows_closes_every_gate():
    assert open_gates(three_gates(), checks=(check(1, "fail", gate="GX"),)) == []


def test_a_failure_at_a_later_gate_does_not_hide_the_failure_before_it():
    checks = (check(1, "fail", gate="G1"), check(2, "fail", gate="G3"))
    verdict = evaluate(three_gates(), facts(checks=checks), NOW)
    assert [g.conditions[0].facts for g in verdict.gates] == [
        (("check", 1),),
        (("check", 1),),
        (("check", 2),),
    ]
    assert [gate.status for gate in verdict.gates] == [FAILED] * 3


def test_a_success_at_a_later_gate_repairs_the_check():
    checks = (check(1, "fail", gate="G1"), check(2, gate="G3"))
    assert open_gates(three_gates(), checks=checks) == ["G1", "G2", "G3"]
