"""G1 to G4 from tests/kit/tables, a release that has everything, and less of it."""

from dataclasses import replace
from datetime import datetime, timedelta

import tables
from policy import (
    Approval,
    Check,
    Deployment,
    Evidence,
    Gate,
    ReleaseFacts,
    Requirement,
)
from policy_kit import evaluate

NOW = datetime(2026, 3, 2, 12, 0)
HOUR = timedelta(hours=1)
REVISION = "4f2c9ab" + "0" * 33
NEXT_REVISION = "9be0d11" + "2" * 33


#: The gates of the table, as the policy room takes them.
GATES = tuple(
    Gate(
        row.code,
        row.name,
        10 * number,
        tuple(
            Requirement(code, code.replace("_", " ").capitalize(), **values)
            for code, values in row.requirements.items()
        ),
    )
    for number, row in enumerate(tables.GATES.values(), 1)
)


def check(number, name, **values):
    return Check(number, REVISION, name, "pass", NOW - 9 * HOUR, **values)


def evidence(number, kind, gate, **metadata):
    return Evidence(number, REVISION, kind, NOW - 8 * HOUR, gate, metadata)


def approval(number, gate, persona, person):
    return Approval(number, REVISION, gate, persona, "approved", person, NOW - 7 * HOUR)


COMPLETE = ReleaseFacts(
    1,
    REVISION,
    authors=frozenset({"dora"}),
    required_checks=("unit_tests", "lint"),
    checks=(
        check(1, "build", gate="G1"),
        check(2, "unit_tests", gate="G1"),
        check(3, "lint", gate="G1"),
        check(4, "health_check", gate="G4", environment="production"),
    ),
    evidence=(
        evidence(11, "build_log", "G1"),
        evidence(12, "acceptance_criteria", "G2"),
        evidence(13, "defect_register", "G2"),
        evidence(14, "test_result", "G2"),
        evidence(15, "rollback_plan", "G3"),
        evidence(16, "release_notes", "G3"),
        evidence(17, "monitoring_baseline", "G4", status="normal"),
        evidence(18, "fallback_timer", "G4", minutes=30),
    ),
    approvals=(
        approval(21, "G2", "qa_tester", "quinn"),
        approval(22, "G3", "release_manager", "rita"),
    ),
    deployments=(
        Deployment(
            31,
            REVISION,
            "production",
            "succeeded",
            NOW - 6 * HOUR,
            deadline=NOW + 18 * HOUR,
        ),
    ),
)


# --- taking things away --------------------------------------------------------------


def without(field, match):
    """The complete facts without those of a field that match; something must."""
    given = getattr(COMPLETE, field)
    kept = tuple(fact for fact in given if not match(fact))
    assert len(kept) == len(given) - 1
    return replace(COMPLETE, **{field: kept})


def without_check(name):
    return without("checks", lambda check: check.name == name)


def without_evidence(kind):
    return without("evidence", lambda evidence: evidence.type == kind)


def without_approval(gate):
    return without("approvals", lambda approval: approval.gate == gate)


def altered(field, match, **values):
    """The complete facts with one of them altered."""
    without(field, match)
    given = getattr(COMPLETE, field)
    return replace(
        COMPLETE,
        **{field: tuple(replace(f, **values) if match(f) else f for f in given)},
    )


def altered_check(name, **values):
    return altered("checks", lambda check: check.name == name, **values)


def altered_approval(gate, **values):
    return altered("approvals", lambda approval: approval.gate == gate, **values)


def altered_deployment(**values):
    return altered("deployments", lambda deployment: True, **values)


def added(field, fact):
    return replace(COMPLETE, **{field: (*getattr(COMPLETE, field), fact)})


def judged(facts, now=NOW):
    return evaluate(GATES, facts, now)


def unmet(verdict):
    return [f"{gate.code}/{condition.code}" for gate, condition in verdict.unmet]
