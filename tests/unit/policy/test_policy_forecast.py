"""What time alone makes of a verdict is known beforehand."""

from datetime import datetime, timedelta

import pytest
from policy import (
    BYPASSED,
    DEPLOYMENT_CONFIRMED,
    FAILED,
    IN_PROGRESS,
    PASSED,
    PENDING,
    Check,
    Deployment,
    Drill,
    EnvironmentControl,
    Freeze,
    Gate,
    Grant,
    PendingReview,
    ReleaseFacts,
    Requirement,
)
from policy_kit import evaluate, forecast, horizon, turning_points

HOUR = timedelta(hours=1)
REVISION = "4f2c9ab" + "0" * 33
START = datetime(2026, 3, 2, 12, 0)
LINT = Gate("G1", "Build", 10, (Requirement("lint", "Lint", "check", "lint"),))


def facts(*grants):
    return ReleaseFacts(1, REVISION, grants=grants)


def covering(number, start, end):
    return Grant(number, REVISION, frozenset({"G1"}), start, end)


def statuses(verdict):
    return {gate.code: gate.status for gate in verdict.gates}


def test_a_coming_exception_opens_the_gate_from_its_beginning_to_its_end():
    verdict, steps = forecast(
        [LINT], facts(covering(1, START + HOUR, START + 2 * HOUR)), START
    )
    assert statuses(verdict) == {"G1": PENDING}
    assert [(at, statuses(later)) for at, later in steps] == [
        (START + HOUR, {"G1": BYPASSED}),
        (START + 2 * HOUR, {"G1": PENDING}),
    ]


def test_an_exception_that_another_one_outlives_is_no_step():
    grants = (covering(1, START, START + HOUR), covering(2, START, START + 2 * HOUR))
    _verdict, steps = forecast([LINT], facts(*grants), START)
    assert [at for at, _later in steps] == [START + 2 * HOUR]


def test_where_too_many_steps_lie_ahead_the_horizon_says_how_far_was_looked():
    grants = [covering(n, START + n * HOUR, START + 99 * HOUR) for n in range(1, 80)]
    points = turning_points([LINT], facts(*grants), START)
    assert horizon([LINT], facts(*grants), START) == points[50]
    assert horizon([LINT], facts(*grants[:5]), START) is None


def asks(kind, **values):
    return Gate("G1", "Gate", 10, (Requirement("it", "It", kind, **values),))


INSTANT = timedelta(microseconds=1)
DEPLOYED = Deployment(1, REVISION, "production", "succeeded", START, START + HOUR)
CHECK = Check(1, REVISION, "lint", "pass", START)
CONTROL = EnvironmentControl(1, "production", "ttl", "pass", START, START + HOUR)
DRILL = Drill(1, "production", "backup_restore", True, START)
FREEZE = Freeze(1, "Quiet", START + HOUR, START + 2 * HOUR)
#: what the gate asks for, what is recorded, and the steps that time will take
STEPS = {
    "evidence grows too old": (
        asks("check", check_name="lint", freshness=HOUR),
        {"checks": (CHECK,)},
        [(START + HOUR + INSTANT, IN_PROGRESS)],
    ),
    "a drill grows too old": (
        asks("recovery_drill", freshness=HOUR),
        {"drills": (DRILL,)},
        [(START + HOUR + INSTANT, IN_PROGRESS)],
    ),
    "a check of a control grows too old": (
        asks("environment_controls", freshness=HOUR / 2),
        {"controls": (CONTROL,)},
        [(START + HOUR / 2 + INSTANT, IN_PROGRESS), (START + HOUR, FAILED)],
    ),
    "an agreed lifetime ends": (
        asks("environment_controls"),
        {"controls": (CONTROL,)},
        [(START + HOUR, FAILED)],
    ),
    "a deadline passes": (
        asks("deployment", deployment_aspect=DEPLOYMENT_CONFIRMED),
        {"deployments": (DEPLOYED,)},
        [(START + HOUR + INSTANT, FAILED)],
    ),
    "a soak is over": (
        asks("soak_time", environment="production", soak=3 * HOUR),
        {"deployments": (DEPLOYED,)},
        [(START + 3 * HOUR, PASSED)],
    ),
    "a review becomes overdue": (
        asks("no_overdue_review"),
        {"reviews": (PendingReview(1, "EX-1", START + HOUR),)},
        [(START + HOUR + INSTANT, IN_PROGRESS)],
    ),
    "a freeze comes and goes": (
        asks("no_freeze"),
        {"freezes": (FREEZE,)},
        [(START + HOUR, IN_PROGRESS), (START + 2 * HOUR, PASSED)],
    ),
}


@pytest.mark.parametrize("what", STEPS)
def test_every_kind_of_step_is_known_to_the_instant(what):
    gate, known, expected = STEPS[what]
    recorded = ReleaseFacts(1, REVISION, **known)
    _verdict, steps = forecast([gate], recorded, START)
    assert [(at, later.gate("G1").status) for at, later in steps] == expected
    before = expected[0][0] - INSTANT
    assert statuses(evaluate([gate], recorded, before)) == statuses(_verdict)
