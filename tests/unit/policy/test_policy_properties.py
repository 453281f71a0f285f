"""What holds for every definition and every set of facts, however odd.

The examples are the same in every run. ``POLICY_EXPLORE=1`` looks at new ones, and at
many more of them.
"""

import os
import re
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import combinations, product

import polib
from conftest import ADDON
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from policy import (
    ALLOW,
    BYPASSED,
    DENY,
    DEPLOYMENT_CONFIRMED,
    DEPLOYMENT_SUCCEEDED,
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
    Reason,
    ReleaseFacts,
    Requirement,
)
from policy_kit import REQUIREMENT_KINDS, evaluate, forecast

EXPLORE = os.environ.get("POLICY_EXPLORE") == "1"
PROFILE = settings(
    database=None,
    deadline=None,
    derandomize=not EXPLORE,
    max_examples=1000 if EXPLORE else 80,
    suppress_health_check=[HealthCheck.too_slow],
)

TRANSLATABLE = {
    entry.msgid
    for entry in polib.pofile(str(ADDON / "i18n" / "ipai_release_gates.pot"))
}

NOW = datetime(2026, 3, 2, 12, 0)
CURRENT = "4f2c9ab" + "0" * 33
#: The second one looks like the current revision wherever it is shortened.
OTHERS = ("0ddba11" + "1" * 33, "4f2c9ab" + "f" * 33)
GATE_CODES = ("G1", "G2", "G3", "G4")
ENVIRONMENTS = ("staging", "production")
CHECKS = ("unit_tests", "lint")
EVIDENCE = ("build_log", "test_result")
PERSONAS = ("qa_tester", "qa_tester", "release_manager")
PEOPLE = ("ann", "bob", "cat", "dan")
FACT_FIELDS = {
    "check": "checks",
    "evidence": "evidence",
    "approval": "approvals",
    "deployment": "deployments",
    "incident": "incidents",
    "freeze": "freezes",
    "control": "controls",
    "drill": "drills",
    "exception": "reviews",
}
OF_A_REVISION = ("checks", "evidence", "approvals", "deployments", "grants")


# --- random definitions and facts ----------------------------------------------------
#
# Each value comes out of a pool, so that it costs one draw; what a pool repeats is
# drawn more often, and what it names first is what a failing example shrinks to.

pick = st.sampled_from


def pool(kind, /, **choices):
    """Every combination of the choices, as values of a kind."""
    every = product(*choices.values())
    return [kind(**dict(zip(choices, each, strict=True))) for each in every]


def hours(*counts):
    return tuple(NOW + timedelta(hours=count) for count in counts)


RECORDED = hours(-1, -2, -3, -20, -60)
ANY_TIME = hours(-60, -12, -1, 0, 1, 12, 60)
MOSTLY_CURRENT = (CURRENT,) * 5 + OTHERS
LIMITS = (None, None, None, timedelta(hours=12), timedelta(hours=48))
ANYWHERE = (None, *ENVIRONMENTS)

REQUIREMENTS = {
    kind: pool(
        Requirement,
        code=("r",),
        name=("What it is",),
        kind=(kind,),
        waivable=(True, True, False),
        freshness=LIMITS,
        **own,
    )
    for kind, own in {
        "check": {
            "check_name": (None, *CHECKS),
            "environment": (None, None, *ANYWHERE),
        },
        "evidence": {
            "evidence_type": (*EVIDENCE, None),
            "metadata_match": ({}, {"status": ["normal", "better"]}),
        },
        "approval": {
            "persona": PERSONAS,
            "min_count": (1, 1, 2, 0),
            "distinct_from_gate": (None, None, *GATE_CODES),
        },
        "prior_gate": {"prior_gate": GATE_CODES},
        "deployment": {
            "environment": ANYWHERE,
            "deployment_aspect": (DEPLOYMENT_SUCCEEDED, DEPLOYMENT_CONFIRMED),
        },
        "no_failed_check": {},
        "no_open_incident": {},
        "no_freeze": {"environment": ANYWHERE},
        "no_overdue_review": {},
        "recovery_drill": {
            "environment": ANYWHERE,
            "drill_type": (None, "backup_restore"),
        },
        "soak_time": {
            "environment": ANYWHERE,
            "soak": (timedelta(hours=1), timedelta(hours=24)),
        },
        "environment_controls": {"environment": ANYWHERE},
    }.items()
}


@st.composite
def definitions(draw, *kinds):
    """One to four gates in any order, with none to three requirements each.

    :param kinds: the kinds of requirement the gates are made of, by default every one
    """
    requirements = pick(kinds or REQUIREMENT_KINDS).flatmap(
        lambda kind: pick(REQUIREMENTS[kind])
    )
    gates = []
    for index in range(draw(pick((2, 1, 3, 4)))):
        asked = [draw(requirements) for _ in range(draw(pick((1, 2, 3, 1, 2, 0))))]
        asked = tuple(replace(r, code=f"r{n}") for n, r in enumerate(asked))
        sequence = 10 * (index + draw(pick((0, 0, 1))))
        gates.append(Gate(GATE_CODES[index], f"Gate {index}", sequence, asked))
    return draw(st.permutations(gates))


def checks(revisions=(CURRENT,), statuses=("pass",) * 5 + ("fail", "warning")):
    return pick(
        pool(
            Check,
            id=(0,),
            revision=revisions,
            name=CHECKS,
            status=statuses,
            recorded_at=RECORDED,
            gate=(None, *GATE_CODES),
            environment=ANYWHERE,
        )
    )


def evidence(revisions=(CURRENT,)):
    return pick(
        pool(
            Evidence,
            id=(0,),
            revision=revisions,
            type=EVIDENCE,
            recorded_at=RECORDED,
            gate=(None, None, *GATE_CODES),
            metadata=(
                {},
                {"status": "normal"},
                {"status": "normal"},
                {"status": "odd"},
            ),
        )
    )


def approvals(
    revisions=(CURRENT,),
    decisions=("approved",) * 5 + ("rejected",),
    people=PEOPLE,
):
    return pick(
        pool(
            Approval,
            id=(0,),
            revision=revisions,
            gate=("G1", "G1", *GATE_CODES),
            persona=PERSONAS,
            decision=decisions,
            person=people,
            recorded_at=RECORDED,
            service_account=(False, False, False, False, True),
        )
    )


def deployments(
    revisions=(CURRENT,),
    statuses=("succeeded",) * 5 + ("in_progress", "failed", "rolled_back"),
):
    return pick(
        pool(
            Deployment,
            id=(0,),
            revision=revisions,
            environment=ENVIRONMENTS,
            status=statuses,
            deployed_at=RECORDED,
            deadline=(None, *hours(-12, 1)),
            confirmed_at=(None, *hours(-20, -2)),
        )
    )


incidents = pick(
    pool(
        Incident,
        id=(0,),
        name=("INC",),
        severity=("critical",),
        blocking=(True, False),
        resolved=(False, True, True),
    )
)
freezes = pick(
    pool(
        Freeze,
        id=(0,),
        name=("Quiet",),
        starts_at=ANY_TIME,
        ends_at=ANY_TIME,
        kind=(DENY, DENY, ALLOW),
        environment=ANYWHERE,
    )
)
drills = pick(
    pool(
        Drill,
        id=(0,),
        environment=ENVIRONMENTS,
        type=("backup_restore", "failover"),
        successful=(True, True, False),
        executed_at=RECORDED,
    )
)
reviews = pick(pool(PendingReview, id=(0,), name=("EX-1",), due_at=ANY_TIME))
controls = pick(
    pool(
        EnvironmentControl,
        id=(0,),
        environment=ENVIRONMENTS,
        name=("masking", "ttl"),
        status=("pass", "pass", "pass", "fail"),
        checked_at=RECORDED,
        holds_until=(None, None, *hours(-1, 1, 12)),
    )
)
grants = pick(
    pool(
        Grant,
        id=(0,),
        revision=MOSTLY_CURRENT,
        gates=[frozenset(pair) for pair in combinations(GATE_CODES, 2)],
        effective_from=hours(-12, -1, 0, 1),
        expires_at=hours(12, 60, 1, 0),
        requirements=[frozenset()] * 2
        + [frozenset({("G1", "r0"), ("G2", code)}) for code in ("r0", "r1", "r2")],
    )
)


def numbered(values, first=1):
    """Give each fact an id of its own, in the order they were recorded."""
    return tuple(replace(fact, id=n) for n, fact in enumerate(values, first))


def some(strategy, most=4):
    return st.lists(strategy, max_size=most).map(numbered)


everything = st.builds(
    ReleaseFacts,
    release=st.just(1),
    revision=st.just(CURRENT),
    authors=pick([frozenset()] + [frozenset({person}) for person in PEOPLE]),
    unresolved_authors=pick([frozenset()] * 7 + [frozenset({"who@example.com"})]),
    required_checks=pick((CHECKS[:1], CHECKS, CHECKS[:1], ())),
    checks=some(checks(MOSTLY_CURRENT), 6),
    evidence=some(evidence(MOSTLY_CURRENT), 6),
    approvals=some(approvals(MOSTLY_CURRENT), 8),
    deployments=some(deployments(MOSTLY_CURRENT)),
    incidents=some(incidents, 2),
    freezes=some(freezes, 2),
    controls=some(controls),
    drills=some(drills, 2),
    reviews=some(reviews, 1),
    grants=some(grants, 2),
)
instants = pick(ANY_TIME)


# --- reading verdicts ----------------------------------------------------------------


def open_gates(gates, facts, now=NOW):
    return {gate.code for gate in evaluate(gates, facts, now).gates if gate.open}


def plus(facts, **added):
    """The facts with some more, recorded after all others."""
    changes = {}
    for name, fact in added.items():
        before = getattr(facts, name)
        last = max((f.id for f in before), default=0)
        changes[name] = (*before, replace(fact, id=last + 1))
    return replace(facts, **changes)


def conditions_of(gates, facts, now=NOW):
    """Every gate definition, requirement and condition that belong together."""
    by_code = {gate.code: gate for gate in gates}
    for judged in evaluate(gates, facts, now).gates:
        gate = by_code[judged.code]
        for requirement, condition in zip(
            gate.requirements, judged.conditions, strict=False
        ):
            yield gate, requirement, condition


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


# --- what an open gate proves --------------------------------------------------------


def covers(facts, gate, requirement, now=NOW):
    """Whether an exception in force covers this, told without the core's help."""
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
