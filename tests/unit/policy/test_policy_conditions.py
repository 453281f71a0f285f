"""One requirement at a time: what meets it, what does not, and what people are told."""

from dataclasses import FrozenInstanceError, replace
from datetime import datetime, timedelta, timezone

import pytest
from policy import (
    ALLOW,
    BYPASSED,
    DENY,
    DEPLOYMENT_CONFIRMED,
    FAILED,
    IN_PROGRESS,
    MET,
    NOT_APPLICABLE,
    PASSED,
    PENDING,
    UNMET,
    WAIVED,
    Approval,
    Check,
    Deployment,
    Drill,
    EnvironmentControl,
    Evidence,
    Freeze,
    Gate,
    Grant,
    Incident,
    PendingReview,
    ReleaseFacts,
    Requirement,
)
from policy_kit import REQUIREMENT_KINDS, evaluate

NOW = datetime(2026, 3, 2, 12, 0)
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)
REVISION = "4f2c9ab" + "0" * 33
OLD_REVISION = "0ddba11" + "1" * 33
#: Shares its first seven characters with the current revision and is another commit.
LOOKALIKE = "4f2c9ab" + "f" * 33


# --- short ways to say a fact --------------------------------------------------------


def check(number, status="pass", *, name="unit_tests", at=NOW - HOUR, **values):
    return Check(number, values.pop("revision", REVISION), name, status, at, **values)


def evidence(number, kind="test_result", *, at=NOW - HOUR, **values):
    return Evidence(number, values.pop("revision", REVISION), kind, at, **values)


def approval(number, person, decision="approved", *, gate="G2", **values):
    return Approval(
        number,
        values.pop("revision", REVISION),
        gate,
        values.pop("persona", "qa_tester"),
        decision,
        person,
        values.pop("at", NOW - HOUR),
        **values,
    )


def deployment(number, status="succeeded", *, environment="production", **values):
    return Deployment(
        number,
        values.pop("revision", REVISION),
        environment,
        status,
        values.pop("at", NOW - HOUR),
        **values,
    )


def control(number, status="pass", *, name="mail_captured", **values):
    return EnvironmentControl(
        number,
        values.pop("environment", "production"),
        name,
        status,
        values.pop("at", NOW - HOUR),
        values.pop("until", None),
    )


def grant(
    number,
    *gates,
    start=NOW - HOUR,
    end=NOW + HOUR,
    requirements=(),
    revision=REVISION,
):
    return Grant(
        number, revision, frozenset(gates), start, end, frozenset(requirements)
    )


def require(kind, **values):
    return Requirement(values.pop("code", "it"), "What it is", kind, **values)


def facts(**values):
    for name in ("authors", "unresolved_authors"):
        if name in values:
            values[name] = frozenset(values[name])
    return ReleaseFacts(7, REVISION, **values)


def verdict_on(*requirements, now=NOW, **values):
    """G2, made of these requirements, judged."""
    gate = Gate("G2", "Validation Readiness", 20, requirements)
    return evaluate([gate], facts(**values), now).gate("G2")


def judge(requirement, now=NOW, **values):
    """The single condition of G2."""
    (condition,) = verdict_on(requirement, now=now, **values).conditions
    return condition


def assert_met(condition, reason, *deciding):
    assert (condition.state, condition.reason) == (MET, reason)
    assert condition.facts == deciding
    assert not condition.adverse
    assert (condition.waived_by, condition.waived_until) == (None, None)


def assert_unmet(condition, reason, *deciding, adverse=False):
    assert (condition.state, condition.reason) == (UNMET, reason)
    assert condition.facts == deciding
    assert condition.adverse is adverse
    assert (condition.waived_by, condition.waived_until) == (None, None)


# --- check ---------------------------------------------------------------------------

UNIT_TESTS = require("check", check_name="unit_tests")


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


# --- no failed check -----------------------------------------------------------------

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


# --- evidence ------------------------------------------------------------------------

TEST_RESULT = require("evidence", evidence_type="test_result")


def test_recorded_evidence_meets_its_requirement():
    assert_met(
        judge(TEST_RESULT, evidence=(evidence(1),)),
        "Test result recorded for revision 4f2c9ab",
        ("evidence", 1),
    )


def test_missing_evidence_is_named_with_its_gate_and_revision():
    assert_unmet(
        judge(TEST_RESULT, evidence=(evidence(1, "build_log"),)),
        "No test result recorded for G2 and revision 4f2c9ab",
    )


@pytest.mark.parametrize("revision", [OLD_REVISION, LOOKALIKE])
def test_evidence_of_another_revision_does_not_count(revision):
    assert_unmet(
        judge(TEST_RESULT, evidence=(evidence(1, revision=revision),)),
        "No test result recorded for G2 and revision 4f2c9ab",
    )


def test_evidence_for_the_gate_or_for_the_whole_release_counts():
    assert judge(TEST_RESULT, evidence=(evidence(1, gate="G2"),)).state == MET
    assert judge(TEST_RESULT, evidence=(evidence(1, gate=None),)).state == MET


def test_evidence_for_another_gate_does_not_count():
    assert_unmet(
        judge(TEST_RESULT, evidence=(evidence(1, gate="G3"),)),
        "No test result recorded for G2 and revision 4f2c9ab",
    )


def test_the_latest_evidence_of_a_type_decides():
    condition = judge(TEST_RESULT, evidence=(evidence(3), evidence(1), evidence(2)))
    assert condition.facts == (("evidence", 3),)


def test_evidence_is_fresh_up_to_and_including_its_limit():
    fresh = replace(TEST_RESULT, freshness=timedelta(hours=48))
    at_limit = NOW - timedelta(hours=48)
    assert judge(fresh, evidence=(evidence(1, at=at_limit),)).state == MET
    assert_unmet(
        judge(fresh, evidence=(evidence(1, at=at_limit - SECOND),)),
        "The test result was recorded 2026-02-28 11:59 UTC, older than the 48 hours "
        "allowed; record it again",
        ("evidence", 1),
    )


def test_old_evidence_recorded_again_is_fresh():
    fresh = replace(TEST_RESULT, freshness=HOUR)
    recorded = (evidence(1, at=NOW - 9 * HOUR), evidence(2, at=NOW - HOUR))
    assert judge(fresh, evidence=recorded).state == MET


NORMAL_BASELINE = require(
    "evidence",
    evidence_type="monitoring_baseline",
    metadata_match={"status": "normal"},
)


def baseline(number, **metadata):
    return evidence(number, "monitoring_baseline", metadata=metadata)


def test_evidence_that_says_what_is_expected_meets_the_requirement():
    condition = judge(NORMAL_BASELINE, evidence=(baseline(1, status="normal"),))
    assert_met(
        condition,
        "Monitoring baseline recorded for revision 4f2c9ab",
        ("evidence", 1),
    )


def test_evidence_that_says_otherwise_speaks_against_the_release():
    assert_unmet(
        judge(NORMAL_BASELINE, evidence=(baseline(1, status="degraded"),)),
        "The monitoring baseline must say `status` is `normal`, it says `degraded`",
        ("evidence", 1),
        adverse=True,
    )


def test_evidence_that_says_nothing_is_unmet_but_not_adverse():
    assert_unmet(
        judge(NORMAL_BASELINE, evidence=(baseline(1, other="normal"),)),
        "The monitoring baseline must say `status` is `normal`, it says nothing",
        ("evidence", 1),
    )


def test_the_latest_evidence_decides_what_is_said():
    good, bad = baseline(1, status="normal"), baseline(2, status="degraded")
    assert judge(NORMAL_BASELINE, evidence=(good, bad)).state == UNMET
    assert judge(NORMAL_BASELINE, evidence=(bad, replace(good, id=3))).state == MET


@pytest.mark.parametrize("container", [list, tuple])
def test_one_of_several_expected_values_is_enough(container):
    either = replace(
        NORMAL_BASELINE, metadata_match={"status": container(("normal", "better"))}
    )
    assert judge(either, evidence=(baseline(1, status="better"),)).state == MET
    assert_unmet(
        judge(either, evidence=(baseline(1, status="worse"),)),
        "The monitoring baseline must say `status` is `normal` or `better`, it says "
        "`worse`",
        ("evidence", 1),
        adverse=True,
    )


def test_every_expected_key_must_be_said():
    both = replace(
        NORMAL_BASELINE, metadata_match={"status": "normal", "alerting": True}
    )
    assert judge(both, evidence=(baseline(1, status="normal"),)).state == UNMET
    said = baseline(1, status="normal", alerting=True)
    assert judge(both, evidence=(said,)).state == MET
    assert judge(both, evidence=(baseline(1, alerting=True),)).state == UNMET


def test_the_right_words_do_not_make_old_evidence_fresh():
    fresh = replace(NORMAL_BASELINE, freshness=timedelta(minutes=30))
    condition = judge(fresh, evidence=(baseline(1, status="normal"),))
    assert_unmet(
        condition,
        "The monitoring baseline was recorded 2026-03-02 11:00 UTC, older than the "
        "0.5 hours allowed; record it again",
        ("evidence", 1),
    )


# --- the evidence package ------------------------------------------------------------


def package_gates(**package):
    def wants(code, kind, **values):
        return require("evidence", code=code, evidence_type=kind, **values)

    return [
        Gate("G1", "One", 10, (wants("log", "build_log"),)),
        Gate(
            "G2",
            "Two",
            20,
            (
                require("evidence", code="package", **package),
                wants("uat", "uat_summary", freshness=timedelta(hours=10)),
            ),
        ),
        Gate("G3", "Three", 30, (wants("notes", "release_notes"),)),
    ]


def package_of(*recorded, **package):
    verdict = evaluate(package_gates(**package), facts(evidence=recorded), NOW)
    return verdict.gate("G2").conditions[0]


def test_the_package_is_complete_with_the_evidence_of_this_and_earlier_gates():
    assert_met(
        package_of(evidence(4, "build_log"), evidence(2, "uat_summary")),
        "The evidence package is complete",
        ("evidence", 4),
        ("evidence", 2),
    )


def test_an_incomplete_package_lists_all_that_is_missing_and_where():
    assert_unmet(
        package_of(),
        "The evidence package is incomplete: build log (G1), uat summary (G2)",
    )


def test_an_incomplete_package_names_only_what_is_missing():
    assert_unmet(
        package_of(evidence(2, "uat_summary")),
        "The evidence package is incomplete: build log (G1)",
        ("evidence", 2),
    )


def test_evidence_in_the_package_must_belong_to_the_gate_that_demands_it():
    condition = package_of(
        evidence(1, "build_log", gate="G1"), evidence(2, "uat_summary", gate="G1")
    )
    assert condition.reason == "The evidence package is incomplete: uat summary (G2)"


def test_evidence_too_old_for_its_own_requirement_is_missing_from_the_package():
    old = evidence(2, "uat_summary", at=NOW - 11 * HOUR)
    condition = package_of(evidence(1, "build_log", at=NOW - 11 * HOUR), old)
    assert condition.reason == "The evidence package is incomplete: uat summary (G2)"
    assert condition.facts == (("evidence", 1), ("evidence", 2))


def test_the_packages_own_freshness_limit_holds_for_everything_in_it():
    recorded = (
        evidence(1, "build_log", at=NOW - 6 * HOUR),
        evidence(2, "uat_summary", at=NOW - 5 * HOUR),
    )
    assert package_of(*recorded, freshness=6 * HOUR).state == MET
    assert_unmet(
        package_of(*recorded, freshness=5 * HOUR),
        "The evidence package is incomplete: build log (G1)",
        ("evidence", 1),
        ("evidence", 2),
    )


def test_a_package_with_a_longer_limit_does_not_loosen_the_shorter_one():
    recorded = (
        evidence(1, "build_log"),
        evidence(2, "uat_summary", at=NOW - 11 * HOUR),
    )
    assert package_of(*recorded, freshness=99 * HOUR).state == UNMET


# --- approval ------------------------------------------------------------------------

SIGN_OFF = require("approval", persona="qa_tester")
NO_SIGN_OFF = "No valid sign-off by a qa tester for revision 4f2c9ab"


def test_a_sign_off_by_the_persona_meets_the_requirement():
    assert_met(
        judge(SIGN_OFF, approvals=(approval(1, "quinn"),)),
        "Signed off by a qa tester for revision 4f2c9ab",
        ("approval", 1),
    )


def test_a_missing_sign_off_names_the_persona():
    assert_unmet(judge(SIGN_OFF), NO_SIGN_OFF)


@pytest.mark.parametrize(
    "other",
    [
        approval(1, "quinn", persona="release_manager"),
        approval(1, "quinn", gate="G3"),
        approval(1, "quinn", revision=OLD_REVISION),
        approval(1, "quinn", revision=LOOKALIKE),
    ],
    ids=["another persona", "another gate", "an old revision", "a similar revision"],
)
def test_a_sign_off_of_something_else_does_not_count(other):
    assert_unmet(judge(SIGN_OFF, approvals=(other,)), NO_SIGN_OFF)


def test_an_author_of_the_revision_cannot_sign():
    assert_unmet(
        judge(SIGN_OFF, authors={"dev", "quinn"}, approvals=(approval(1, "quinn"),)),
        f"{NO_SIGN_OFF} (an author of the revision cannot sign)",
    )


def test_somebody_elses_sign_off_counts_beside_the_authors():
    approvals = (approval(1, "dev"), approval(2, "quinn"))
    condition = judge(SIGN_OFF, authors={"dev"}, approvals=approvals)
    assert (condition.state, condition.facts) == (MET, (("approval", 2),))


def test_an_author_nobody_can_place_blocks_every_sign_off():
    assert_unmet(
        judge(
            SIGN_OFF,
            authors={"dev"},
            unresolved_authors={"zoe@example.com", "who@example.com"},
            approvals=(approval(1, "quinn"),),
        ),
        "Independence cannot be shown: no user is known for author who@example.com, "
        "zoe@example.com; a governance administrator must map the address to a user",
    )


def test_a_service_account_cannot_sign():
    assert_unmet(
        judge(SIGN_OFF, approvals=(approval(1, "ci", service_account=True),)),
        f"{NO_SIGN_OFF} (a service account cannot sign)",
    )


def test_a_sign_off_is_fresh_up_to_and_including_its_limit():
    fresh = replace(SIGN_OFF, freshness=HOUR)
    assert judge(fresh, approvals=(approval(1, "quinn"),)).state == MET
    assert_unmet(
        judge(fresh, approvals=(approval(1, "quinn", at=NOW - HOUR - SECOND),)),
        f"{NO_SIGN_OFF} (a sign-off was recorded 2026-03-02 10:59 UTC, older than the "
        "1 hour allowed; record it again)",
    )


@pytest.mark.parametrize("decision", ["rejected", "request_changes"])
def test_a_decision_against_speaks_against_the_release(decision):
    assert_unmet(
        judge(SIGN_OFF, approvals=(approval(1, "quinn", decision),)),
        f"A qa tester decided `{decision}`; that person must approve, or a new "
        "revision must come",
        ("approval", 1),
        adverse=True,
    )


def test_another_persons_approval_does_not_outvote_a_rejection():
    for approvals in (
        (approval(1, "quinn", "rejected"), approval(2, "quentin")),
        (approval(1, "quentin"), approval(2, "quinn", "rejected")),
    ):
        condition = judge(SIGN_OFF, approvals=approvals)
        assert (condition.state, condition.adverse) == (UNMET, True)


def test_every_rejection_is_among_the_deciding_facts_and_the_latest_is_told():
    assert_unmet(
        judge(
            SIGN_OFF,
            approvals=(
                approval(2, "quentin", "request_changes"),
                approval(1, "quinn", "rejected"),
            ),
        ),
        "A qa tester decided `request_changes`; that person must approve, or a new "
        "revision must come",
        ("approval", 1),
        ("approval", 2),
        adverse=True,
    )


def test_the_same_persons_later_approval_supersedes_the_rejection():
    decisions = (approval(1, "quinn", "rejected"), approval(2, "quinn"))
    for approvals in (decisions, decisions[::-1]):
        assert_met(
            judge(SIGN_OFF, approvals=approvals),
            "Signed off by a qa tester for revision 4f2c9ab",
            ("approval", 2),
        )


def test_the_same_persons_later_rejection_supersedes_the_approval():
    decisions = (approval(1, "quinn"), approval(2, "quinn", "rejected"))
    for approvals in (decisions, decisions[::-1]):
        condition = judge(SIGN_OFF, approvals=approvals)
        assert (condition.state, condition.facts) == (UNMET, (("approval", 2),))


def test_a_decision_on_another_gate_supersedes_nothing():
    approvals = (approval(1, "quinn", "rejected"), approval(2, "quinn", gate="G3"))
    assert judge(SIGN_OFF, approvals=approvals).state == UNMET
    approvals = (approval(1, "quinn"), approval(2, "quinn", "rejected", gate="G3"))
    assert judge(SIGN_OFF, approvals=approvals).state == MET


def test_a_rejection_of_an_old_revision_is_history():
    approvals = (
        approval(1, "quinn", "rejected", revision=OLD_REVISION),
        approval(2, "quentin"),
    )
    assert judge(SIGN_OFF, approvals=approvals).state == MET


def test_a_late_decision_on_an_old_revision_supersedes_nothing():
    approvals = (
        approval(1, "quinn"),
        approval(2, "quinn", "rejected", revision=OLD_REVISION),
    )
    assert judge(SIGN_OFF, approvals=approvals).facts == (("approval", 1),)


def test_an_old_rejection_does_not_wear_off():
    fresh = replace(SIGN_OFF, freshness=HOUR)
    approvals = (
        approval(1, "quinn", "rejected", at=NOW - 99 * HOUR),
        approval(2, "quentin"),
    )
    assert judge(fresh, approvals=approvals).state == UNMET


def test_an_authors_rejection_still_counts():
    approvals = (approval(1, "dev", "rejected"), approval(2, "quinn"))
    assert judge(SIGN_OFF, authors={"dev"}, approvals=approvals).adverse


def test_another_personas_rejection_does_not_decide_for_this_persona():
    approvals = (
        approval(1, "rita", "rejected", persona="release_manager"),
        approval(2, "quinn"),
    )
    assert judge(SIGN_OFF, approvals=approvals).state == MET


TWO_SIGN_OFFS = replace(SIGN_OFF, min_count=2)


def test_two_sign_offs_need_two_people():
    assert_met(
        judge(TWO_SIGN_OFFS, approvals=(approval(1, "quinn"), approval(2, "quentin"))),
        "Signed off by a qa tester for revision 4f2c9ab",
        ("approval", 1),
        ("approval", 2),
    )


def test_one_person_counts_once_however_often_they_approve():
    assert_unmet(
        judge(TWO_SIGN_OFFS, approvals=(approval(1, "quinn"), approval(2, "quinn"))),
        "1 of 2 sign-offs by a qa tester for revision 4f2c9ab",
        ("approval", 2),
    )


def test_one_person_in_two_personas_counts_for_the_latest_only():
    gate = verdict_on(
        SIGN_OFF,
        replace(SIGN_OFF, code="rm", persona="release_manager"),
        approvals=(
            approval(1, "quinn"),
            approval(2, "quinn", persona="release_manager"),
        ),
    )
    assert [c.state for c in gate.conditions] == [UNMET, MET]


def test_the_refusal_lists_each_reason_against_a_sign_off_once():
    assert_unmet(
        judge(
            replace(TWO_SIGN_OFFS, freshness=2 * HOUR),
            authors={"ann", "abe"},
            approvals=(
                approval(1, "ann"),
                approval(2, "abe"),
                approval(3, "ci", service_account=True),
                approval(4, "quinn"),
                approval(5, "quentin", at=NOW - 3 * HOUR),
            ),
        ),
        "1 of 2 sign-offs by a qa tester for revision 4f2c9ab (an author of the "
        "revision cannot sign; a service account cannot sign; a sign-off was recorded "
        "2026-03-02 09:00 UTC, older than the 2 hours allowed; record it again)",
        ("approval", 4),
    )


@pytest.mark.parametrize("count", [0, -1])
def test_a_sign_off_requirement_never_asks_for_nobody(count):
    assert_unmet(judge(replace(SIGN_OFF, min_count=count)), NO_SIGN_OFF)


DISTINCT = replace(SIGN_OFF, distinct_from_gate="G1")


def test_the_signatory_of_the_named_gate_cannot_sign_this_one():
    approvals = (approval(1, "rita", gate="G1", persona="sre"), approval(2, "rita"))
    assert_unmet(
        judge(DISTINCT, approvals=approvals),
        f"{NO_SIGN_OFF} (the signatory of G1 cannot also sign G2)",
    )


def test_somebody_else_than_the_signatory_of_the_named_gate_can_sign():
    approvals = (approval(1, "rita", gate="G1"), approval(2, "quinn"))
    assert judge(DISTINCT, approvals=approvals).facts == (("approval", 2),)


def test_whoever_signed_a_third_gate_can_sign():
    approvals = (approval(1, "quinn", gate="G3"), approval(2, "quinn"))
    assert judge(DISTINCT, approvals=approvals).state == MET


def test_whoever_signed_the_named_gate_for_an_old_revision_can_sign():
    approvals = (
        approval(1, "quinn", gate="G1", revision=OLD_REVISION),
        approval(2, "quinn"),
    )
    assert judge(DISTINCT, approvals=approvals).state == MET


def test_whoever_rejected_the_named_gate_is_not_its_signatory():
    approvals = (approval(1, "quinn", "rejected", gate="G1"), approval(2, "quinn"))
    assert judge(DISTINCT, approvals=approvals).state == MET


def test_without_a_named_gate_one_person_may_sign_several_gates():
    approvals = (approval(1, "quinn", gate="G1"), approval(2, "quinn"))
    assert judge(SIGN_OFF, approvals=approvals).state == MET


# --- prior gate ----------------------------------------------------------------------


def chain(*first, prior="G1"):
    """G1 made of ``first``, and G2 that demands it, in the wrong order."""
    return [
        Gate("G2", "Two", 20, (require("prior_gate", prior_gate=prior),)),
        Gate("G1", "One", 10, first),
    ]


def second(gates, **values):
    return evaluate(gates, facts(**values), NOW).gate("G2").conditions[0]


def test_a_passed_gate_before_meets_the_requirement():
    assert_met(second(chain(UNIT_TESTS), checks=(check(1),)), "G1 passed")


def test_a_bypassed_gate_before_meets_the_requirement_and_says_so():
    condition = second(chain(UNIT_TESTS), grants=(grant(1, "G1"),))
    assert_met(condition, "G1 is bypassed by an exception")


def test_a_closed_gate_before_is_named_with_its_status():
    assert_unmet(second(chain(UNIT_TESTS)), "G1 One is pending")
    assert_unmet(
        second(chain(UNIT_TESTS), checks=(check(1, "skipped"),)),
        "G1 One is in progress",
    )
    assert_unmet(
        second(chain(UNIT_TESTS), checks=(check(1, "fail"),)), "G1 One is failed"
    )


@pytest.mark.parametrize("code", ["G2", "G3", "GX"])
def test_only_a_gate_before_can_be_demanded(code):
    gates = [*chain(UNIT_TESTS, prior=code), Gate("G3", "Three", 30, (UNIT_TESTS,))]
    assert_unmet(
        second(gates, checks=(check(1),)),
        f"G2 demands {code}, which is not a gate before it",
    )


# --- deployment ----------------------------------------------------------------------

DEPLOYED = require("deployment")
CONFIRMED = require("deployment", deployment_aspect=DEPLOYMENT_CONFIRMED)


def test_a_succeeded_production_deployment_meets_the_requirement():
    assert_met(
        judge(DEPLOYED, deployments=(deployment(1),)),
        "Revision 4f2c9ab runs in production",
        ("deployment", 1),
    )


@pytest.mark.parametrize(
    "other",
    [deployment(1, environment="staging"), deployment(1, revision=OLD_REVISION)],
    ids=["another environment", "an old revision"],
)
def test_a_deployment_of_something_else_does_not_count(other):
    assert_unmet(
        judge(DEPLOYED, deployments=(other,)),
        "Revision 4f2c9ab has not been deployed to production",
    )


def test_a_requirement_may_name_another_environment():
    staged = replace(DEPLOYED, environment="staging")
    assert_met(
        judge(staged, deployments=(deployment(1, environment="staging"),)),
        "Revision 4f2c9ab runs in staging",
        ("deployment", 1),
    )
    assert_unmet(
        judge(staged, deployments=(deployment(1),)),
        "Revision 4f2c9ab has not been deployed to staging",
    )


@pytest.mark.parametrize("requirement", [DEPLOYED, CONFIRMED])
def test_a_deployment_in_progress_is_neither_success_nor_failure(requirement):
    assert_unmet(
        judge(requirement, deployments=(deployment(1, "in_progress"),)),
        "The deployment to production is still in progress",
        ("deployment", 1),
    )


@pytest.mark.parametrize("requirement", [DEPLOYED, CONFIRMED])
@pytest.mark.parametrize("status", ["failed", "rolled_back"])
def test_an_unsuccessful_deployment_speaks_against_the_release(requirement, status):
    assert_unmet(
        judge(requirement, deployments=(deployment(1, status),)),
        f"The latest deployment of revision 4f2c9ab to production is `{status}`",
        ("deployment", 1),
        adverse=True,
    )


def test_the_latest_deployment_is_the_one_deployed_last():
    early, late = NOW - 9 * HOUR, NOW - HOUR
    assert_met(
        judge(
            DEPLOYED,
            deployments=(deployment(1, at=late), deployment(2, "failed", at=early)),
        ),
        "Revision 4f2c9ab runs in production",
        ("deployment", 1),
    )
    condition = judge(
        DEPLOYED,
        deployments=(deployment(1, at=early), deployment(2, "failed", at=late)),
    )
    assert (condition.state, condition.facts) == (UNMET, (("deployment", 2),))


def test_of_two_deployments_at_one_instant_the_one_recorded_last_counts():
    deployments = (deployment(2, "failed"), deployment(1))
    for given in (deployments, deployments[::-1]):
        assert judge(DEPLOYED, deployments=given).facts == (("deployment", 2),)


def test_before_the_deadline_confirmation_is_due_but_holds_nothing_up():
    pending = deployment(1, deadline=NOW)
    assert_met(
        judge(CONFIRMED, deployments=(pending,)),
        "Confirmation is due by 2026-03-02 12:00 UTC",
        ("deployment", 1),
    )


def test_past_the_deadline_an_unconfirmed_deployment_speaks_against_the_release():
    assert_unmet(
        judge(CONFIRMED, deployments=(deployment(1, deadline=NOW - SECOND),)),
        "Not confirmed by the deadline, 2026-03-02 11:59 UTC; deploy again or roll "
        "back",
        ("deployment", 1),
        adverse=True,
    )


def test_a_deployment_confirmed_in_time_stays_confirmed():
    deadline = NOW - 5 * HOUR
    for confirmed_at in (deadline, deadline - HOUR):
        timely = deployment(1, deadline=deadline, confirmed_at=confirmed_at)
        assert_met(
            judge(CONFIRMED, deployments=(timely,)),
            f"Confirmed on {confirmed_at:%Y-%m-%d %H:%M} UTC, in time",
            ("deployment", 1),
        )


def test_a_deployment_confirmed_too_late_is_not_confirmed():
    deadline = NOW - 5 * HOUR
    late = deployment(1, deadline=deadline, confirmed_at=deadline + SECOND)
    condition = judge(CONFIRMED, deployments=(late,))
    assert (condition.state, condition.adverse) == (UNMET, True)


def test_without_a_deadline_confirmation_cannot_be_late():
    assert_met(
        judge(CONFIRMED, deployments=(deployment(1),)),
        "No deadline is set for confirming the deployment",
        ("deployment", 1),
    )


def test_a_missed_deadline_does_not_undo_that_the_deployment_succeeded():
    missed = deployment(1, deadline=NOW - HOUR)
    assert judge(DEPLOYED, deployments=(missed,)).state == MET


# --- incidents -----------------------------------------------------------------------

NO_INCIDENT = require("no_open_incident")


def incident(number, *, blocking=True, resolved=False):
    return Incident(number, f"INC-{number}", "critical", blocking, resolved)


def test_without_a_blocking_incident_the_requirement_is_met():
    assert_met(judge(NO_INCIDENT), "No blocking incident is open")


@pytest.mark.parametrize(
    "harmless", [incident(1, resolved=True), incident(1, blocking=False)]
)
def test_a_resolved_or_harmless_incident_blocks_nothing(harmless):
    assert judge(NO_INCIDENT, incidents=(harmless,)).state == MET


def test_every_blocking_incident_is_listed_in_the_order_recorded():
    assert_unmet(
        judge(
            NO_INCIDENT,
            incidents=(incident(3), incident(2, resolved=True), incident(1)),
        ),
        "Blocking incident still open: INC-1 (critical), INC-3 (critical)",
        ("incident", 1),
        ("incident", 3),
        adverse=True,
    )


# --- freezes -------------------------------------------------------------------------

NO_FREEZE = require("no_freeze")


def freeze(number, start, end):
    return Freeze(number, f"Freeze {number}", start, end)


def test_outside_every_freeze_the_requirement_is_met():
    windows = (freeze(1, NOW - 2 * HOUR, NOW), freeze(2, NOW + SECOND, NOW + HOUR))
    assert_met(judge(NO_FREEZE, freezes=windows), "No freeze window is in force")


def test_a_freeze_is_in_force_from_its_first_instant_until_before_its_last():
    window = freeze(1, NOW, NOW + HOUR)
    assert judge(NO_FREEZE, NOW - SECOND, freezes=(window,)).state == MET
    assert judge(NO_FREEZE, NOW, freezes=(window,)).state == UNMET
    assert judge(NO_FREEZE, NOW + HOUR - SECOND, freezes=(window,)).state == UNMET
    assert judge(NO_FREEZE, NOW + HOUR, freezes=(window,)).state == MET


def test_every_freeze_in_force_is_listed_with_its_end_in_the_order_recorded():
    assert_unmet(
        judge(
            NO_FREEZE,
            freezes=(
                freeze(2, NOW - HOUR, NOW + 2 * HOUR),
                freeze(1, NOW, NOW + HOUR),
                freeze(3, NOW + HOUR, NOW + 2 * HOUR),
            ),
        ),
        "Freeze in force: Freeze 1 until 2026-03-02 13:00 UTC, Freeze 2 until "
        "2026-03-02 14:00 UTC",
        ("freeze", 1),
        ("freeze", 2),
    )


def change_window(number, start, end, **values):
    return Freeze(number, f"Window {number}", start, end, ALLOW, **values)


def test_inside_a_change_window_promotion_is_possible():
    windows = (
        change_window(1, NOW - HOUR, NOW + HOUR),
        change_window(2, NOW - HOUR, NOW + 2 * HOUR),
        change_window(3, NOW + HOUR, NOW + 2 * HOUR),
    )
    assert_met(
        judge(NO_FREEZE, freezes=windows),
        "Inside the change window Window 2 until 2026-03-02 14:00 UTC",
        ("freeze", 1),
        ("freeze", 2),
    )


def test_outside_every_change_window_the_next_one_is_named():
    windows = (
        change_window(3, NOW + 2 * HOUR, NOW + 3 * HOUR),
        change_window(2, NOW + HOUR, NOW + 2 * HOUR),
        change_window(1, NOW - HOUR, NOW),
    )
    assert_unmet(
        judge(NO_FREEZE, freezes=windows),
        "Outside every change window of production; the next one, Window 2, opens "
        "2026-03-02 13:00 UTC",
        ("freeze", 2),
    )


def test_change_windows_that_are_all_over_leave_nothing_open():
    assert_unmet(
        judge(NO_FREEZE, freezes=(change_window(1, NOW - HOUR, NOW),)),
        "Outside every change window of production, and none is to come; a governance "
        "administrator must define one",
        ("freeze", 1),
    )


def test_a_freeze_beats_a_change_window():
    windows = (freeze(2, NOW - HOUR, NOW + HOUR), change_window(1, NOW, NOW + HOUR))
    assert_unmet(
        judge(NO_FREEZE, freezes=windows),
        "Freeze in force: Freeze 2 until 2026-03-02 13:00 UTC",
        ("freeze", 2),
    )


@pytest.mark.parametrize("kind", [DENY, ALLOW])
def test_a_window_of_another_environment_says_nothing(kind):
    start = NOW if kind == DENY else NOW + HOUR
    window = Freeze(1, "It", start, NOW + 2 * HOUR, kind, "staging")
    staging = require("no_freeze", environment="staging")
    assert judge(NO_FREEZE, freezes=(window,)).state == MET
    assert judge(staging, freezes=(window,)).state == UNMET


# --- recovery drills -----------------------------------------------------------------

DRILL = require(
    "recovery_drill", drill_type="backup_restore", freshness=timedelta(days=30)
)


def drill(number, *, days=1, successful=True, **values):
    return Drill(
        number,
        values.pop("environment", "production"),
        values.pop("type", "backup_restore"),
        successful,
        NOW - timedelta(days=days),
    )


def test_a_recent_successful_drill_is_enough():
    assert_met(
        judge(DRILL, drills=(drill(1),)),
        "The backup restore drill of production on 2026-03-01 12:00 UTC succeeded",
        ("drill", 1),
    )


def test_a_drill_counts_up_to_its_age_limit():
    assert judge(DRILL, drills=(drill(1, days=30),)).state == MET
    assert_unmet(
        judge(DRILL, NOW + SECOND, drills=(drill(1, days=30),)),
        "The latest backup restore drill of production: recorded 2026-01-31 12:00 "
        "UTC, older than the 720 hours allowed; record it again",
        ("drill", 1),
    )


def test_the_latest_drill_decides():
    drills = (drill(2, days=3), drill(1, days=2, successful=False))
    for given in (drills, drills[::-1]):
        assert_unmet(
            judge(DRILL, drills=given),
            "The latest backup restore drill of production, 2026-02-28 12:00 UTC, did "
            "not succeed; repeat it",
            ("drill", 1),
            adverse=True,
        )


@pytest.mark.parametrize(
    "other", [drill(1, environment="staging"), drill(1, type="failover")]
)
def test_a_drill_of_something_else_does_not_count(other):
    assert_unmet(
        judge(DRILL, drills=(other,)),
        "No backup restore drill of production has been recorded",
    )


def test_without_a_type_any_drill_counts():
    anything = require("recovery_drill")
    assert judge(anything, drills=(drill(1, type="failover"),)).state == MET


# --- post-event reviews --------------------------------------------------------------

NO_OVERDUE = require("no_overdue_review", waivable=False)


def review(number, due_at):
    return PendingReview(number, f"EX-{number}", due_at)


def test_a_review_blocks_once_it_is_overdue():
    pending = (review(5, NOW),)
    assert_met(judge(NO_OVERDUE, reviews=pending), "No post-event review is overdue")
    assert_unmet(
        judge(NO_OVERDUE, NOW + SECOND, reviews=pending),
        "Post-event review overdue: EX-5, due 2026-03-02 12:00 UTC",
        ("exception", 5),
    )


# --- soak ----------------------------------------------------------------------------

SOAK = require("soak_time", soak=timedelta(hours=24))


def staged(number, status="succeeded", *, hours, **values):
    values.setdefault("environment", "staging")
    return deployment(number, status, at=NOW - timedelta(hours=hours), **values)


def test_a_revision_that_ran_long_enough_has_soaked():
    assert_met(
        judge(SOAK, deployments=(staged(1, hours=24),)),
        "Revision 4f2c9ab ran in staging for 24 hours or more",
        ("deployment", 1),
    )


def test_a_revision_still_soaking_says_until_when():
    assert_unmet(
        judge(SOAK, deployments=(staged(1, hours=23),)),
        "Revision 4f2c9ab must run in staging until 2026-03-02 13:00 UTC",
        ("deployment", 1),
    )


@pytest.mark.parametrize(
    "other",
    [
        staged(1, "failed", hours=99),
        staged(1, "in_progress", hours=99),
        staged(1, hours=99, environment="production"),
        staged(1, hours=99, revision=OLD_REVISION),
    ],
    ids=["failed", "in progress", "another environment", "an old revision"],
)
def test_only_a_succeeded_deployment_of_this_revision_soaks(other):
    assert_unmet(
        judge(SOAK, deployments=(other,)),
        "Revision 4f2c9ab has not run in staging yet",
    )


def test_deploying_again_starts_the_soak_again():
    deployments = (staged(2, hours=99), staged(1, hours=1))
    for given in (deployments, deployments[::-1]):
        assert judge(SOAK, deployments=given).facts == (("deployment", 1),)
        assert judge(SOAK, deployments=given).state == UNMET


def test_of_two_soaking_deployments_at_one_instant_the_one_recorded_last_counts():
    deployments = (staged(2, hours=30), staged(1, hours=30))
    for given in (deployments, deployments[::-1]):
        assert judge(SOAK, deployments=given).facts == (("deployment", 2),)


def test_a_deployment_told_of_late_soaks_from_when_it_was_told():
    backdated = staged(1, hours=99, recorded_at=NOW - HOUR)
    assert_unmet(
        judge(SOAK, deployments=(backdated,)),
        "Revision 4f2c9ab must run in staging until 2026-03-03 11:00 UTC",
        ("deployment", 1),
    )


def test_a_soak_may_be_asked_of_another_environment():
    elsewhere = replace(SOAK, environment="production", soak=HOUR)
    assert_met(
        judge(elsewhere, deployments=(deployment(1),)),
        "Revision 4f2c9ab ran in production for 1 hour or more",
        ("deployment", 1),
    )
    assert judge(elsewhere, deployments=(staged(1, hours=99),)).state == UNMET


# --- environment controls ------------------------------------------------------------

CONTROLS = require("environment_controls")


def test_controls_that_all_hold_meet_the_requirement():
    assert_met(
        judge(CONTROLS, controls=(control(2, name="masking"), control(1))),
        "Every control of production holds",
        ("control", 1),
        ("control", 2),
    )


def test_controls_nobody_checked_are_unmet():
    elsewhere = control(1, environment="staging")
    assert_unmet(
        judge(CONTROLS, controls=(elsewhere,)),
        "No control of production has been checked",
    )


@pytest.mark.parametrize("status", ["fail", "unknown"])
def test_one_control_that_does_not_hold_speaks_against_the_release(status):
    assert_unmet(
        judge(
            CONTROLS,
            controls=(
                control(3, status, name="ttl"),
                control(2),
                control(1, status, name="masking"),
            ),
        ),
        f"Controls of production: masking is `{status}`, ttl is `{status}`",
        ("control", 1),
        ("control", 2),
        ("control", 3),
        adverse=True,
    )


def test_a_failing_control_of_another_environment_is_not_held_against_this_one():
    bad = control(2, "fail", environment="staging")
    assert judge(CONTROLS, controls=(control(1), bad)).state == MET
    on_staging = replace(CONTROLS, environment="staging")
    assert judge(on_staging, controls=(control(1), bad)).facts == (("control", 2),)


def test_a_control_that_holds_for_a_time_is_over_after_it():
    lifetime = control(2, name="ttl", until=NOW)
    assert judge(CONTROLS, NOW - SECOND, controls=(lifetime,)).state == MET
    assert_unmet(
        judge(CONTROLS, controls=(control(1), lifetime)),
        "Controls of production: ttl is `over`",
        ("control", 1),
        ("control", 2),
        adverse=True,
    )


def test_a_control_is_fresh_up_to_and_including_its_limit():
    fresh = replace(CONTROLS, freshness=HOUR)
    assert judge(fresh, controls=(control(1),)).state == MET
    old = control(2, name="masking", at=NOW - HOUR - SECOND)
    older = control(3, name="ttl", at=NOW - 9 * HOUR)
    assert_unmet(
        judge(fresh, controls=(older, old, control(1))),
        "Controls of production not checked for 1 hour: masking, ttl",
        ("control", 1),
        ("control", 2),
        ("control", 3),
    )


# --- exceptions ----------------------------------------------------------------------


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


# --- the gate and the verdict --------------------------------------------------------


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
