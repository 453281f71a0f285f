"""Requirement kind ``evidence``, a type of it or the whole package."""

from dataclasses import replace
from datetime import timedelta

import pytest
from policy import (
    MET,
    UNMET,
    Gate,
)
from policy_facts import (
    HOUR,
    LOOKALIKE,
    NOW,
    OLD_REVISION,
    SECOND,
    assert_met,
    assert_unmet,
    evidence,
    facts,
    judge,
    require,
)
from policy_kit import evaluate

# --- evidence ---------------------------------------------------------------------

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


# --- the evidence package ---------------------------------------------------------


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
