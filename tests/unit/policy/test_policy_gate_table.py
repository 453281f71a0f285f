"""The gates of ``domain.md``: what is missing closes its gate, and no other."""

from dataclasses import replace

import pytest
import tables
from policy import (
    BYPASSED,
    FAILED,
    IN_PROGRESS,
    PASSED,
    PENDING,
    Freeze,
    Grant,
    Incident,
    PendingReview,
    ReleaseFacts,
)
from policy_gates import (
    COMPLETE,
    GATES,
    HOUR,
    NEXT_REVISION,
    NOW,
    REVISION,
    added,
    altered,
    altered_approval,
    altered_check,
    altered_deployment,
    check,
    judged,
    unmet,
    without_approval,
    without_check,
    without_evidence,
)
from policy_kit import evaluate

FREEZE = Freeze(41, "Year end", NOW - HOUR, NOW + HOUR)
INCIDENT = Incident(51, "INC-51", "critical", True, False)
REVIEW = PendingReview(71, "EX-1", NOW - HOUR)
LATE = {"deadline": NOW - 2 * HOUR}

#: What is wrong, the facts, the status of the gate it closes, every unmet condition.
ROWS = {
    # G1 Build Integrity
    "no build": (without_check("build"), IN_PROGRESS, ["G1/branch_build"]),
    "a failed build": (
        altered_check("build", status="fail"),
        FAILED,
        ["G1/branch_build", "G2/no_failed_check"],
    ),
    "a build with a warning": (
        altered_check("build", status="warning"),
        IN_PROGRESS,
        ["G1/branch_build"],
    ),
    "no unit tests": (
        without_check("unit_tests"),
        IN_PROGRESS,
        ["G1/required_checks"],
    ),
    "no lint": (
        without_check("lint"),
        IN_PROGRESS,
        ["G1/required_checks"],
    ),
    "a skipped required check": (
        altered_check("lint", status="skipped"),
        IN_PROGRESS,
        ["G1/required_checks"],
    ),
    "no build log": (
        without_evidence("build_log"),
        IN_PROGRESS,
        ["G1/build_log", "G3/evidence_package"],
    ),
    # G2 Validation Readiness
    "no acceptance criteria": (
        without_evidence("acceptance_criteria"),
        IN_PROGRESS,
        ["G2/acceptance_criteria", "G3/evidence_package"],
    ),
    "no defect register": (
        without_evidence("defect_register"),
        IN_PROGRESS,
        ["G2/defect_register", "G3/evidence_package"],
    ),
    "no test evidence": (
        without_evidence("test_result"),
        IN_PROGRESS,
        ["G2/test_evidence", "G3/evidence_package"],
    ),
    "a failing check nobody requires": (
        added("checks", replace(check(5, "smoke"), status="fail", gate="G2")),
        FAILED,
        ["G2/no_failed_check"],
    ),
    "no QA sign-off": (without_approval("G2"), IN_PROGRESS, ["G2/qa_signoff"]),
    "a QA sign-off by an author": (
        altered_approval("G2", person="dora"),
        IN_PROGRESS,
        ["G2/qa_signoff"],
    ),
    "a QA sign-off by another persona": (
        altered_approval("G2", persona="release_manager"),
        IN_PROGRESS,
        ["G2/qa_signoff"],
    ),
    "a QA rejection": (
        altered_approval("G2", decision="rejected"),
        FAILED,
        ["G2/qa_signoff"],
    ),
    # G3 Promotion Readiness
    "no rollback plan": (
        without_evidence("rollback_plan"),
        IN_PROGRESS,
        ["G3/evidence_package", "G3/rollback_plan"],
    ),
    "no release notes": (
        without_evidence("release_notes"),
        IN_PROGRESS,
        ["G3/evidence_package", "G3/release_notes"],
    ),
    "no release sign-off": (
        without_approval("G3"),
        IN_PROGRESS,
        ["G3/rm_signoff"],
    ),
    "a release sign-off by the QA signatory": (
        altered_approval("G3", person="quinn"),
        IN_PROGRESS,
        ["G3/rm_signoff"],
    ),
    "a release sign-off by a service account": (
        altered_approval("G3", service_account=True),
        IN_PROGRESS,
        ["G3/rm_signoff"],
    ),
    "a freeze window": (added("freezes", FREEZE), IN_PROGRESS, ["G3/no_freeze"]),
    "an open blocking incident": (
        added("incidents", INCIDENT),
        FAILED,
        ["G3/no_open_incident"],
    ),
    # G4 Post-Deploy Operational Confirmation
    "no production deployment": (
        altered_deployment(environment="staging"),
        IN_PROGRESS,
        ["G4/production_deployment", "G4/confirmed_in_time"],
    ),
    "a production deployment of another revision": (
        altered_deployment(revision=NEXT_REVISION),
        IN_PROGRESS,
        ["G4/production_deployment", "G4/confirmed_in_time"],
    ),
    "a failed production deployment": (
        altered_deployment(status="failed"),
        FAILED,
        ["G4/production_deployment", "G4/confirmed_in_time"],
    ),
    "no health check": (
        without_check("health_check"),
        IN_PROGRESS,
        ["G4/health_checks"],
    ),
    "a health check of staging": (
        altered_check("health_check", environment="staging"),
        IN_PROGRESS,
        ["G4/health_checks"],
    ),
    "a red health check": (
        altered_check("health_check", status="fail"),
        FAILED,
        ["G4/health_checks"],
    ),
    "no monitoring baseline": (
        without_evidence("monitoring_baseline"),
        IN_PROGRESS,
        ["G4/monitoring_baseline"],
    ),
    "a monitoring baseline out of the normal": (
        altered(
            "evidence",
            lambda evidence: evidence.type == "monitoring_baseline",
            metadata={"status": "degraded"},
        ),
        FAILED,
        ["G4/monitoring_baseline"],
    ),
    "no fallback timer": (
        without_evidence("fallback_timer"),
        IN_PROGRESS,
        ["G4/fallback_timer"],
    ),
    "an outcome not reached in time": (
        altered_deployment(**LATE),
        FAILED,
        ["G4/confirmed_in_time"],
    ),
}

#: Gates that close because a gate before them is closed.
BUILDS_ON = {"G1": ("G2/g1_passed", "G3/g2_passed"), "G2": ("G3/g2_passed",)}


def test_a_release_that_has_everything_passes_every_gate():
    verdict = judged(COMPLETE)
    assert [(gate.code, gate.status) for gate in verdict.gates] == [
        ("G1", PASSED),
        ("G2", PASSED),
        ("G3", PASSED),
        ("G4", PASSED),
    ]
    assert verdict.eligible
    assert unmet(verdict) == []


@pytest.mark.parametrize("row", ROWS)
def test_what_is_missing_closes_its_gate_and_is_named(row):
    facts, status, named = ROWS[row]
    first = named[0][:2]
    expected = {*named, *BUILDS_ON.get(first, ())}
    verdict = judged(facts)
    assert set(unmet(verdict)) == expected
    assert len(unmet(verdict)) == len(expected)
    assert verdict.gate(first).status == status
    for gate in verdict.gates:
        closed = any(line.startswith(f"{gate.code}/") for line in expected)
        assert gate.open is not closed
        assert closed or gate.status == PASSED


@pytest.mark.parametrize("row", ROWS)
def test_an_exception_for_what_is_unmet_opens_the_gate_as_bypassed(row):
    facts, _status, named = ROWS[row]
    first = named[0][:2]
    pairs = frozenset(tuple(line.split("/")) for line in named)
    grant = Grant(61, REVISION, frozenset({first}), NOW - HOUR, NOW + HOUR, pairs)
    verdict = judged(replace(facts, grants=(grant,)))
    assert verdict.gate(first).status == BYPASSED
    assert verdict.eligible
    waived = [
        f"{gate.code}/{condition.code}"
        for gate in verdict.gates
        for condition in gate.conditions
        if condition.waived_by == 61
    ]
    assert set(waived) == set(named)


def every_requirement():
    return [
        pytest.param(gate.code, requirement.code, id=f"{gate.code}-{requirement.code}")
        for gate in GATES
        for requirement in gate.requirements
    ]


def test_an_overdue_review_closes_g3_and_no_exception_opens_it():
    overdue = added("reviews", REVIEW)
    grant = Grant(61, REVISION, frozenset({"G3"}), NOW - HOUR, NOW + HOUR)
    for facts in (overdue, replace(overdue, grants=(grant,))):
        verdict = judged(facts)
        assert unmet(verdict) == ["G3/no_overdue_review"]
        assert verdict.gate("G3").status == IN_PROGRESS


@pytest.mark.parametrize(("gate", "code"), every_requirement())
def test_every_requirement_of_the_table_can_close_its_gate(gate, code):
    line = f"{gate}/{code}"
    wrong = [added("reviews", REVIEW), *(facts for facts, *_rest in ROWS.values())]
    assert any(line in unmet(judged(facts)) for facts in wrong)


@pytest.mark.parametrize(("gate", "code"), every_requirement())
def test_a_requirement_taken_from_the_gate_is_no_longer_asked(gate, code):
    def trimmed(given):
        kept = tuple(
            r for r in given.requirements if (given.code, r.code) != (gate, code)
        )
        return replace(given, requirements=kept)

    verdict = evaluate([trimmed(given) for given in GATES], COMPLETE, NOW)
    assert verdict.eligible
    assert code not in [c.code for c in verdict.gate(gate).conditions]


def test_a_fresh_release_lacks_everything_and_nothing_speaks_against_it():
    fresh = ReleaseFacts(1, REVISION, required_checks=("unit_tests", "lint"))
    verdict = judged(fresh)
    assert [gate.status for gate in verdict.gates] == [PENDING] * 4
    missing = set().union(*(row.missing for row in tables.GATES.values()))
    assert set(unmet(verdict)) == {line.replace(":", "/") for line in missing}
    assert len(unmet(verdict)) == len(missing)


def test_a_new_revision_reopens_every_gate():
    verdict = judged(replace(COMPLETE, revision=NEXT_REVISION))
    fresh = judged(
        ReleaseFacts(1, NEXT_REVISION, required_checks=COMPLETE.required_checks)
    )
    assert verdict == fresh
    assert not any(gate.open for gate in verdict.gates)


def test_going_back_to_a_revision_finds_what_was_recorded_for_it():
    moved = replace(COMPLETE, revision=NEXT_REVISION)
    assert judged(replace(moved, revision=REVISION)) == judged(COMPLETE)


def test_the_evidence_package_names_every_piece_that_is_missing():
    verdict = judged(replace(COMPLETE, evidence=()))
    package = verdict.gate("G3").conditions[0]
    assert package.reason == (
        "The evidence package is incomplete: build log (G1), acceptance criteria (G2), "
        "defect register (G2), test result (G2), rollback plan (G3), release notes (G3)"
    )


def test_the_evidence_package_does_not_ask_for_evidence_of_later_gates():
    package = judged(COMPLETE).gate("G3").conditions[0]
    assert [number for _kind, number in package.facts] == [11, 12, 13, 14, 15, 16]


def test_a_red_health_check_after_deployment_does_not_reopen_the_gates_before():
    facts = ROWS["a red health check"][0]
    statuses = [gate.status for gate in judged(facts).gates]
    assert statuses == [PASSED, PASSED, PASSED, FAILED]


def test_an_exception_on_a_gate_shows_there_and_not_on_the_gates_after_it():
    facts = ROWS["no lint"][0]
    grant = Grant(61, REVISION, frozenset({"G1"}), NOW - HOUR, NOW + HOUR)
    verdict = judged(replace(facts, grants=(grant,)))
    assert [g.status for g in verdict.gates] == [BYPASSED, PASSED, PASSED, PASSED]
    prior = verdict.gate("G2").conditions[-1]
    assert prior.reason == "G1 is bypassed by an exception"


def test_an_exception_that_ends_closes_its_gate_and_those_that_build_on_it():
    facts = ROWS["no lint"][0]
    grant = Grant(61, REVISION, frozenset({"G1"}), NOW - HOUR, NOW + HOUR)
    verdict = judged(replace(facts, grants=(grant,)), NOW + HOUR)
    assert unmet(verdict) == ["G1/required_checks", "G2/g1_passed", "G3/g2_passed"]


@pytest.mark.parametrize("stage", tables.STAGES)
def test_a_stage_asks_only_for_its_own_gates(stage):
    demanded = tables.STAGES[stage].gates
    assert judged(COMPLETE).only(demanded).eligible
    for row, (facts, _status, named) in ROWS.items():
        closed = {line[:2] for line in named}
        if named[0].startswith("G1"):
            closed |= {"G2", "G3"}
        if named[0].startswith("G2"):
            closed |= {"G3"}
        narrowed = judged(facts).only(demanded)
        assert narrowed.eligible is not bool(closed & set(demanded)), row
        assert {gate.code for gate, _condition in narrowed.unmet} == closed & set(
            demanded
        )
