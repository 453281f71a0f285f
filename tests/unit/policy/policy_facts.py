"""Short ways to write facts and requirements, and to judge them."""

from datetime import datetime, timedelta

from policy import (
    MET,
    UNMET,
    Approval,
    Check,
    Deployment,
    EnvironmentControl,
    Evidence,
    Freeze,
    Gate,
    Grant,
    ReleaseFacts,
    Requirement,
)
from policy_kit import evaluate

NOW = datetime(2026, 3, 2, 12, 0)
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)
REVISION = "4f2c9ab" + "0" * 33
OLD_REVISION = "0ddba11" + "1" * 33
#: Shares its first seven characters with the current revision and is another commit.
LOOKALIKE = "4f2c9ab" + "f" * 33


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


UNIT_TESTS = require("check", check_name="unit_tests")


SIGN_OFF = require("approval", persona="qa_tester")


def chain(*first, prior="G1"):
    """G1 made of ``first``, and G2 that demands it, in the wrong order."""
    return [
        Gate("G2", "Two", 20, (require("prior_gate", prior_gate=prior),)),
        Gate("G1", "One", 10, first),
    ]


def second(gates, **values):
    return evaluate(gates, facts(**values), NOW).gate("G2").conditions[0]


NO_FREEZE = require("no_freeze")


def freeze(number, start, end):
    return Freeze(number, f"Freeze {number}", start, end)


def staged(number, status="succeeded", *, hours, **values):
    values.setdefault("environment", "staging")
    return deployment(number, status, at=NOW - timedelta(hours=hours), **values)
