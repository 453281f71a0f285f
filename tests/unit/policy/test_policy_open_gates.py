"""What an open gate proves, and what time alone brings, for random facts."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st
from policy import MET, UNMET, WAIVED
from policy_kit import evaluate, forecast
from policy_random import (
    CURRENT,
    NOW,
    PROFILE,
    conditions_of,
    definitions,
    everything,
    open_gates,
)

# --- what an open gate proves --------------------------------------------------------


def covers(facts, gate, requirement, now=NOW):
    """Whether an exception in force covers this, decided without the core's help."""
    return requirement.waivable and any(
        grant.effective_from <= now < grant.expires_at
        and (
            (gate.code, requirement.code) in grant.requirements
            or (not grant.requirements and gate.code in grant.gates)
        )
        for grant in facts.grants
    )


@PROFILE
@given(definitions(), everything)
def test_a_condition_is_waived_only_and_always_under_an_exception(gates, facts):
    for gate, requirement, condition in conditions_of(gates, facts):
        covered = covers(facts, gate, requirement)
        assert covered or condition.state != WAIVED
        assert not covered or condition.state != UNMET
        bare = replace(facts, grants=())
        if condition.state == WAIVED and requirement.kind != "prior_gate":
            (without,) = (
                c
                for g, r, c in conditions_of(gates, bare)
                if (g.code, r.code) == (gate.code, requirement.code)
            )
            assert without.state == UNMET


@PROFILE
@given(definitions("evidence"), everything)
def test_a_gate_never_opens_without_its_evidence_or_an_exception(gates, facts):
    opened = open_gates(gates, facts)
    for gate in gates:
        for requirement in gate.requirements:
            if requirement.kind != "evidence" or requirement.evidence_type is None:
                continue
            present = [
                evidence
                for evidence in facts.evidence
                if evidence.revision == CURRENT
                and evidence.type == requirement.evidence_type
                and evidence.gate in (None, gate.code)
                and (
                    requirement.freshness is None
                    or evidence.recorded_at >= NOW - requirement.freshness
                )
            ]
            covered = covers(facts, gate, requirement)
            assert gate.code not in opened or present or covered


@PROFILE
@given(definitions("evidence"), everything)
def test_a_complete_package_holds_all_evidence_so_far(gates, facts):
    judged = {
        (gate.code, requirement.code): condition
        for gate, requirement, condition in conditions_of(
            gates, replace(facts, grants=())
        )
    }
    for gate in gates:
        for requirement in gate.requirements:
            if requirement.kind != "evidence" or requirement.evidence_type:
                continue
            if judged[gate.code, requirement.code].state != MET:
                continue
            for other in gates:
                for demanded in other.requirements:
                    if (
                        other.sequence <= gate.sequence
                        and demanded.kind == "evidence"
                        and demanded.evidence_type
                    ):
                        assert judged[other.code, demanded.code].state == MET


@PROFILE
@given(definitions("approval"), everything)
def test_a_sign_off_that_counts_is_by_enough_independent_people(gates, facts):
    for gate, requirement, condition in conditions_of(gates, facts):
        if requirement.kind != "approval" or condition.state != MET:
            continue
        by_id = {approval.id: approval for approval in facts.approvals}
        signed = [by_id[number] for _kind, number in condition.facts]
        people = {approval.person for approval in signed}
        assert len(people) == len(signed)
        assert len(people) >= max(1, requirement.min_count)
        assert not facts.unresolved_authors
        assert not people & facts.authors
        for approval in signed:
            assert (approval.gate, approval.persona, approval.decision) == (
                gate.code,
                requirement.persona,
                "approved",
            )
            assert not approval.service_account
            assert approval.revision == CURRENT
        latest = {
            (approval.gate, approval.person): approval
            for approval in sorted(facts.approvals, key=lambda a: a.id)
            if approval.revision == CURRENT
        }
        for person in people:
            assert latest[gate.code, person] in signed
            before = latest.get((requirement.distinct_from_gate, person))
            assert before is None or before.decision != "approved"


@PROFILE
@given(definitions(), everything)
def test_a_gate_that_demands_another_opens_only_after_it(gates, facts):
    opened = open_gates(gates, facts)
    for gate, requirement, condition in conditions_of(gates, facts):
        if requirement.kind == "prior_gate" and condition.state == MET:
            assert requirement.prior_gate in opened
            assert requirement.prior_gate != gate.code


@PROFILE
@given(definitions(), everything)
def test_a_gate_with_a_kind_that_no_addon_judges_opens_by_an_exception_only(
    gates, facts
):
    """Uninstalling an addon opens nothing."""
    foreign = [
        replace(
            gate,
            requirements=tuple(
                replace(requirement, kind="moon_phase")
                for requirement in gate.requirements
            ),
        )
        for gate in gates
    ]
    for gate in evaluate(foreign, facts, NOW).gates:
        states = {condition.state for condition in gate.conditions}
        assert states <= {UNMET, WAIVED}
        assert gate.open is (states == {WAIVED})


@PROFILE
@given(definitions(), everything)
def test_a_gate_without_requirements_never_opens(gates, facts):
    opened = open_gates(gates, facts)
    assert all(gate.requirements for gate in gates if gate.code in opened)


@PROFILE
@given(definitions("check"), everything)
def test_a_failing_required_check_never_counts_as_passed(gates, facts):
    for _gate, requirement, condition in conditions_of(gates, facts):
        if requirement.kind != "check" or condition.state != MET:
            continue
        names = (requirement.check_name,) if requirement.check_name else None
        latest = {
            (check.name, check.environment): check.status
            for check in sorted(facts.checks, key=lambda c: c.id)
            if check.revision == CURRENT
        }
        for name in names or facts.required_checks:
            statuses = [
                status
                for (known, environment), status in latest.items()
                if known == name and requirement.environment in (None, environment)
            ]
            assert statuses
            assert set(statuses) == {"pass"}


# --- what time alone brings ----------------------------------------------------------


def statuses(verdict):
    return {gate.code: gate.status for gate in verdict.gates}


@PROFILE
@given(definitions(), everything, st.integers(0, 150), st.integers(0, 1))
def test_at_every_later_instant_the_forecast_says_what_a_fresh_verdict_says(
    gates, known, hours, seconds
):
    verdict, steps = forecast(gates, known, NOW)
    later = NOW + timedelta(hours=hours, seconds=seconds)
    expected = verdict
    for at, step in steps:
        if at <= later:
            expected = step
    assert statuses(evaluate(gates, known, later)) == statuses(expected)
