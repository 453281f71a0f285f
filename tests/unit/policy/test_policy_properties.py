"""What holds for every definition and every set of facts, however odd."""

import re
from dataclasses import replace
from datetime import timedelta

from hypothesis import example, given
from hypothesis import strategies as st
from policy import (
    BYPASSED,
    FAILED,
    IN_PROGRESS,
    MET,
    NOT_APPLICABLE,
    PASSED,
    PENDING,
    UNMET,
    WAIVED,
    Check,
    Gate,
    Reason,
    ReleaseFacts,
    Requirement,
)
from policy_kit import evaluate
from policy_random import (
    CURRENT,
    FACT_FIELDS,
    GATE_CODES,
    NOW,
    OF_A_REVISION,
    OTHERS,
    PROFILE,
    TRANSLATABLE,
    approvals,
    checks,
    controls,
    definitions,
    deployments,
    everything,
    evidence,
    freezes,
    grants,
    incidents,
    instants,
    numbered,
    open_gates,
    pick,
    plus,
    some,
)

# --- no bad news ever opens a gate ---------------------------------------------------

NO_FAILED_CHECK = (Requirement("r0", "No check fails", "no_failed_check"),)
TWO_GATES = [
    Gate("G1", "First", 10, NO_FAILED_CHECK),
    Gate("G2", "Second", 20, NO_FAILED_CHECK),
]


@PROFILE
@given(
    definitions("no_failed_check", "check", "prior_gate"),
    everything,
    checks(statuses=("fail",)),
)
@example(
    gates=TWO_GATES,
    facts=ReleaseFacts(
        1, CURRENT, checks=(Check(1, CURRENT, "lint", "fail", NOW, gate="G1"),)
    ),
    check=Check(0, CURRENT, "lint", "fail", NOW, gate="G2"),
)
def test_a_failing_check_never_opens_a_gate(gates, facts, check):
    after = open_gates(gates, plus(facts, checks=check))
    assert after <= open_gates(gates, facts)


@PROFILE
@given(
    definitions("approval"),
    everything,
    approvals((CURRENT, *OTHERS), ("approved", "rejected"), ("eve",)),
    pick(("author", "service", "persona", "stale", "against", "gate")),
)
def test_an_approval_that_cannot_count_never_opens_a_gate(gates, facts, added, why):
    if why == "author":
        facts = replace(facts, authors=facts.authors | {"eve"})
    changes = {
        "author": {"revision": CURRENT, "decision": "approved"},
        "service": {"revision": CURRENT, "service_account": True},
        "persona": {"revision": CURRENT, "persona": "sre"},
        "stale": {"revision": OTHERS[0]},
        "against": {"revision": CURRENT, "decision": "rejected"},
        "gate": {"revision": CURRENT, "gate": "GX"},
    }
    before = open_gates(gates, facts)
    after = open_gates(gates, plus(facts, approvals=replace(added, **changes[why])))
    assert after <= before


@PROFILE
@given(
    definitions("approval"),
    everything,
    approvals(decisions=("rejected", "request_changes")),
)
def test_a_decision_against_never_opens_its_own_gate(gates, facts, added):
    after = open_gates(gates, plus(facts, approvals=added))
    assert added.gate not in after - open_gates(gates, facts)


BAD_NEWS = {
    "incidents": incidents,
    "freezes": freezes,
    "controls": controls.map(lambda control: replace(control, status="fail")),
    "deployments": deployments(statuses=("failed", "rolled_back")),
}


@PROFILE
@given(
    definitions(
        "deployment",
        "soak_time",
        "no_freeze",
        "no_open_incident",
        "environment_controls",
    ),
    everything,
    st.data(),
)
def test_other_bad_news_never_opens_a_gate(gates, facts, data):
    name = data.draw(pick(tuple(BAD_NEWS)))
    added = data.draw(BAD_NEWS[name])
    after = open_gates(gates, plus(facts, **{name: added}))
    assert after <= open_gates(gates, facts)


@PROFILE
@given(definitions(), everything, st.data())
def test_taking_an_exception_away_never_opens_a_gate(gates, facts, data):
    kept = tuple(g for g in facts.grants if data.draw(st.booleans()))
    after = open_gates(gates, replace(facts, grants=kept))
    assert after <= open_gates(gates, facts)


@PROFILE
@given(definitions(), everything, grants)
def test_an_exception_only_touches_the_gates_it_names_and_those_after(
    gates, facts, grant
):
    before = evaluate(gates, facts, NOW)
    after = evaluate(gates, plus(facts, grants=grant), NOW)
    named = {gate for gate, _code in grant.requirements} or grant.gates
    reached = False
    for old, new in zip(before.gates, after.gates, strict=True):
        reached = reached or new.code in named
        assert reached or old == new
        for was, now in zip(old.conditions, new.conditions, strict=True):
            if now.waived_by not in (None, was.waived_by):
                assert new.code in named
                assert grant.effective_from <= NOW < grant.expires_at


# --- time and revisions --------------------------------------------------------------


@PROFILE
@given(
    definitions(
        "deployment",
        "deployment",
        "check",
        "evidence",
        "environment_controls",
        "no_freeze",
    ),
    everything,
    instants,
    st.integers(0, 99),
)
def test_time_alone_never_opens_a_gate_that_waits_for_nothing(
    gates, facts, now, waited
):
    later = now + timedelta(hours=waited)
    opened = open_gates(gates, facts, later) - open_gates(gates, facts, now)
    if any(now < grant.effective_from <= later for grant in facts.grants):
        return
    # A gate opens by time only where it, or a gate before it, waits for time.
    order = sorted(gates, key=lambda gate: (gate.sequence, gate.code))
    waits = False
    for gate in order:
        kinds = {requirement.kind for requirement in gate.requirements}
        waits = waits or bool(kinds & {"no_freeze", "soak_time"})
        assert waits or gate.code not in opened


LATE_FACTS = {
    "checks": some(checks(OTHERS)),
    "evidence": some(evidence(OTHERS)),
    "approvals": some(approvals(OTHERS)),
    "deployments": some(deployments(OTHERS)),
}


@PROFILE
@given(definitions(), everything, st.data())
def test_facts_of_other_revisions_change_nothing(gates, facts, data):
    more = {}
    for name, strategy in LATE_FACTS.items():
        # Recorded later, and in the middle of what is read.
        late = numbered(data.draw(strategy), 100)
        known = getattr(facts, name)
        more[name] = known[:1] + late + known[1:]
    assert evaluate(gates, replace(facts, **more), NOW) == evaluate(gates, facts, NOW)


@PROFILE
@given(definitions(), everything)
def test_a_revision_without_facts_of_its_own_starts_from_nothing(gates, facts):
    bare = replace(facts, revision="9be0d11" + "2" * 33)
    empty = replace(bare, **dict.fromkeys(OF_A_REVISION, ()))
    assert evaluate(gates, bare, NOW) == evaluate(gates, empty, NOW)


# --- the same facts, the same verdict ------------------------------------------------


@PROFILE
@given(definitions(), everything, st.data())
def test_the_order_in_which_things_are_read_changes_nothing(gates, facts, data):
    shuffled = {
        name: tuple(data.draw(st.permutations(getattr(facts, name))))
        for name in (*FACT_FIELDS.values(), "grants")
    }
    verdict = evaluate(
        data.draw(st.permutations(gates)), replace(facts, **shuffled), NOW
    )
    assert verdict == evaluate(gates, facts, NOW)


@PROFILE
@given(definitions(), everything, instants)
def test_the_same_facts_always_give_the_same_verdict(gates, facts, now):
    first = evaluate(gates, facts, now)
    evaluate(gates, replace(facts, checks=(), grants=()), now + timedelta(hours=1))
    assert evaluate(list(gates), replace(facts), now) == first


# --- what a verdict may say ----------------------------------------------------------


@PROFILE
@given(definitions(), everything)
def test_a_verdict_keeps_to_its_words(gates, facts):
    verdict = evaluate(gates, facts, NOW)
    order = sorted(gates, key=lambda gate: (gate.sequence, gate.code))
    assert [gate.code for gate in verdict.gates] == [gate.code for gate in order]
    for definition, gate in zip(order, verdict.gates, strict=True):
        codes = [r.code for r in definition.requirements] or ["requirements"]
        assert [c.code for c in gate.conditions] == codes
        assert gate.status in {PENDING, IN_PROGRESS, PASSED, FAILED, BYPASSED}
        for condition in gate.conditions:
            assert condition.state in {MET, UNMET, WAIVED, NOT_APPLICABLE}
            assert condition.reason == condition.reason.strip()
            assert condition.reason
            assert "\n" not in condition.reason
            assert "None" not in condition.reason
            assert not (condition.adverse and condition.state in {MET, NOT_APPLICABLE})
            waived = condition.state == WAIVED
            assert (condition.waived_by is not None) is waived
            assert (condition.waived_until is not None) is waived


def templates(reason):
    """What a reason and those in it were made from."""
    yield reason.template
    for value in reason.values.values():
        if isinstance(value, Reason):
            yield from templates(value)


@PROFILE
@given(definitions(), everything)
def test_every_reason_can_be_said_in_another_language(gates, facts):
    for gate in evaluate(gates, facts, NOW).gates:
        for condition in gate.conditions:
            assert isinstance(condition.reason, Reason)
            for template in templates(condition.reason):
                words = re.sub(r"%\(\w+\)s|\W", "", template)
                is_code = template == template.lower() and "%(" not in template
                assert not words or is_code or template in TRANSLATABLE, template


@PROFILE
@given(definitions(), everything)
def test_every_deciding_fact_exists_and_speaks_of_the_current_revision(gates, facts):
    for gate in evaluate(gates, facts, NOW).gates:
        for condition in gate.conditions:
            for kind, number in condition.facts:
                name = FACT_FIELDS[kind]
                (fact,) = (f for f in getattr(facts, name) if f.id == number)
                assert name not in OF_A_REVISION or fact.revision == CURRENT


@PROFILE
@given(definitions(), everything)
def test_the_status_of_a_gate_is_what_its_conditions_make_it(gates, facts):
    verdict = evaluate(gates, facts, NOW)
    for gate in verdict.gates:
        states = {condition.state for condition in gate.conditions}
        satisfied = UNMET not in states
        assert gate.open is satisfied
        assert (gate.status == BYPASSED) is (satisfied and WAIVED in states)
        assert (gate.status == PASSED) is (satisfied and WAIVED not in states)
        against = any(c.adverse and c.state == UNMET for c in gate.conditions)
        assert (gate.status == FAILED) is against
    assert verdict.eligible is all(gate.open for gate in verdict.gates)
    assert verdict.unmet == tuple(
        (gate, condition)
        for gate in verdict.gates
        for condition in gate.conditions
        if condition.state == UNMET
    )


@PROFILE
@given(definitions(), everything, st.sets(pick(GATE_CODES)))
def test_narrowing_keeps_the_gates_asked_for_as_they_are(gates, facts, codes):
    verdict = evaluate(gates, facts, NOW)
    codes &= {gate.code for gate in gates}
    narrowed = verdict.only(codes)
    assert narrowed.gates == tuple(g for g in verdict.gates if g.code in codes)
    assert all(narrowed.gate(code) == verdict.gate(code) for code in codes)
    assert narrowed.eligible is all(verdict.gate(code).open for code in codes)
    assert verdict.only(gate.code for gate in gates) == verdict
