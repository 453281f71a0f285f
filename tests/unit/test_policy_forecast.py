"""What time alone makes of a verdict is known beforehand."""

from datetime import datetime, timedelta

from policy import (
    BYPASSED,
    PENDING,
    Gate,
    Grant,
    ReleaseFacts,
    Requirement,
    forecast,
    horizon,
    turning_points,
)

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
