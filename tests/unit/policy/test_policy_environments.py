"""Requirement kinds about environments: drills and controls."""

from dataclasses import replace
from datetime import timedelta

import pytest
from policy import (
    MET,
    Drill,
)
from policy_facts import (
    HOUR,
    NOW,
    SECOND,
    assert_met,
    assert_unmet,
    control,
    judge,
    require,
)

# --- recovery drills --------------------------------------------------------------

DRILL = require(
    "recovery_drill", drill_type="backup_restore", freshness=timedelta(days=30)
)


def drill(number, *, days=1, successful=True, **values):
    return Drill(
        number,
        values.pop("environment", "production"),
        values.pop("type", "backup_restore"),
        successful,
        NOW - timedelta(days=days),
    )


def test_a_recent_successful_drill_is_enough():
    assert_met(
        judge(DRILL, drills=(drill(1),)),
        "The backup restore drill of production on 2026-03-01 12:00 UTC succeeded",
        ("drill", 1),
    )


def test_a_drill_counts_up_to_its_age_limit():
    assert judge(DRILL, drills=(drill(1, days=30),)).state == MET
    assert_unmet(
        judge(DRILL, NOW + SECOND, drills=(drill(1, days=30),)),
        "The latest backup restore drill of production: recorded 2026-01-31 12:00 "
        "UTC, older than the 720 hours allowed; record it again",
        ("drill", 1),
    )


def test_the_latest_drill_decides():
    drills = (drill(2, days=3), drill(1, days=2, successful=False))
    for given in (drills, drills[::-1]):
        assert_unmet(
            judge(DRILL, drills=given),
            "The latest backup restore drill of production, 2026-02-28 12:00 UTC, did "
            "not succeed; repeat it",
            ("drill", 1),
            adverse=True,
        )


@pytest.mark.parametrize(
    "other", [drill(1, environment="staging"), drill(1, type="failover")]
)
def test_a_drill_of_something_else_does_not_count(other):
    assert_unmet(
        judge(DRILL, drills=(other,)),
        "No backup restore drill of production has been recorded",
    )


def test_without_a_type_any_drill_counts():
    anything = require("recovery_drill")
    assert judge(anything, drills=(drill(1, type="failover"),)).state == MET


# --- environment controls ---------------------------------------------------------

CONTROLS = require("environment_controls")


def test_controls_that_all_hold_meet_the_requirement():
    assert_met(
        judge(CONTROLS, controls=(control(2, name="masking"), control(1))),
        "Every control of production holds",
        ("control", 1),
        ("control", 2),
    )


def test_controls_nobody_checked_are_unmet():
    elsewhere = control(1, environment="staging")
    assert_unmet(
        judge(CONTROLS, controls=(elsewhere,)),
        "No control of production has been checked",
    )


@pytest.mark.parametrize("status", ["fail", "unknown"])
def test_one_control_that_does_not_hold_speaks_against_the_release(status):
    assert_unmet(
        judge(
            CONTROLS,
            controls=(
                control(3, status, name="ttl"),
                control(2),
                control(1, status, name="masking"),
            ),
        ),
        f"Controls of production: masking is `{status}`, ttl is `{status}`",
        ("control", 1),
        ("control", 2),
        ("control", 3),
        adverse=True,
    )


def test_a_failing_control_of_another_environment_is_not_held_against_this_one():
    bad = control(2, "fail", environment="staging")
    assert judge(CONTROLS, controls=(control(1), bad)).state == MET
    on_staging = replace(CONTROLS, environment="staging")
    assert judge(on_staging, controls=(control(1), bad)).facts == (("control", 2),)


def test_a_control_that_holds_for_a_time_is_over_after_it():
    lifetime = control(2, name="ttl", until=NOW)
    assert judge(CONTROLS, NOW - SECOND, controls=(lifetime,)).state == MET
    assert_unmet(
        judge(CONTROLS, controls=(control(1), lifetime)),
        "Controls of production: ttl is `over`",
        ("control", 1),
        ("control", 2),
        adverse=True,
    )


def test_a_control_is_fresh_up_to_and_including_its_limit():
    fresh = replace(CONTROLS, freshness=HOUR)
    assert judge(fresh, controls=(control(1),)).state == MET
    old = control(2, name="masking", at=NOW - HOUR - SECOND)
    older = control(3, name="ttl", at=NOW - 9 * HOUR)
    assert_unmet(
        judge(fresh, controls=(older, old, control(1))),
        "Controls of production not checked for 1 hour: masking, ttl",
        ("control", 1),
        ("control", 2),
        ("control", 3),
    )
