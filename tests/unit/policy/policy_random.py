"""Random definitions and facts, the same in every run.

``POLICY_EXPLORE=1`` makes new ones, and many more of them.
"""

import os
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import combinations, product

import polib
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from policy import (
    ALLOW,
    DENY,
    DEPLOYMENT_CONFIRMED,
    DEPLOYMENT_SUCCEEDED,
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

from conftest import ADDON

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
            "soak": (timedelta(0), timedelta(hours=24)),
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
