"""Requirement kinds that look at a project: incidents, freezes, reviews."""

import pytest
from policy import (
    ALLOW,
    DENY,
    MET,
    UNMET,
    Freeze,
    Incident,
    PendingReview,
)
from policy_facts import (
    HOUR,
    NO_FREEZE,
    NOW,
    SECOND,
    assert_met,
    assert_unmet,
    freeze,
    judge,
    require,
)

# --- incidents --------------------------------------------------------------------

NO_INCIDENT = require("no_open_incident")


def incident(number, *, blocking=True, resolved=False):
    return Incident(number, f"INC-{number}", "critical", blocking, resolved)


def test_without_a_blocking_incident_the_requirement_is_met():
    assert_met(judge(NO_INCIDENT), "No blocking incident is open")


@pytest.mark.parametrize(
    "harmless", [incident(1, resolved=True), incident(1, blocking=False)]
)
def test_a_resolved_or_harmless_incident_blocks_nothing(harmless):
    assert judge(NO_INCIDENT, incidents=(harmless,)).state == MET


def test_every_blocking_incident_is_listed_in_the_order_recorded():
    assert_unmet(
        judge(
            NO_INCIDENT,
            incidents=(incident(3), incident(2, resolved=True), incident(1)),
        ),
        "Blocking incident still open: INC-1 (critical), INC-3 (critical)",
        ("incident", 1),
        ("incident", 3),
        adverse=True,
    )


# --- freezes ----------------------------------------------------------------------


def test_outside_every_freeze_the_requirement_is_met():
    windows = (freeze(1, NOW - 2 * HOUR, NOW), freeze(2, NOW + SECOND, NOW + HOUR))
    assert_met(judge(NO_FREEZE, freezes=windows), "No freeze window is in force")


def test_a_freeze_is_in_force_from_its_first_instant_until_before_its_last():
    window = freeze(1, NOW, NOW + HOUR)
    assert judge(NO_FREEZE, NOW - SECOND, freezes=(window,)).state == MET
    assert judge(NO_FREEZE, NOW, freezes=(window,)).state == UNMET
    assert judge(NO_FREEZE, NOW + HOUR - SECOND, freezes=(window,)).state == UNMET
    assert judge(NO_FREEZE, NOW + HOUR, freezes=(window,)).state == MET


def test_every_freeze_in_force_is_listed_with_its_end_in_the_order_recorded():
    assert_unmet(
        judge(
            NO_FREEZE,
            freezes=(
                freeze(2, NOW - HOUR, NOW + 2 * HOUR),
                freeze(1, NOW, NOW + HOUR),
                freeze(3, NOW + HOUR, NOW + 2 * HOUR),
            ),
        ),
        "Freeze in force: Freeze 1 until 2026-03-02 13:00 UTC, Freeze 2 until "
        "2026-03-02 14:00 UTC",
        ("freeze", 1),
        ("freeze", 2),
    )


def change_window(number, start, end, **values):
    return Freeze(number, f"Window {number}", start, end, ALLOW, **values)


def test_inside_a_change_window_promotion_is_possible():
    windows = (
        change_window(1, NOW - HOUR, NOW + HOUR),
        change_window(2, NOW - HOUR, NOW + 2 * HOUR),
        change_window(3, NOW + HOUR, NOW + 2 * HOUR),
    )
    assert_met(
        judge(NO_FREEZE, freezes=windows),
        "Inside the change window Window 2 until 2026-03-02 14:00 UTC",
        ("freeze", 1),
        ("freeze", 2),
    )


def test_outside_every_change_window_the_next_one_is_named():
    windows = (
        change_window(3, NOW + 2 * HOUR, NOW + 3 * HOUR),
        change_window(2, NOW + HOUR, NOW + 2 * HOUR),
        change_window(1, NOW - HOUR, NOW),
    )
    assert_unmet(
        judge(NO_FREEZE, freezes=windows),
        "Outside every change window of production; the next one, Window 2, opens "
        "2026-03-02 13:00 UTC",
        ("freeze", 2),
    )


def test_change_windows_that_are_all_over_leave_nothing_open():
    assert_unmet(
        judge(NO_FREEZE, freezes=(change_window(1, NOW - HOUR, NOW),)),
        "Outside every change window of production, and none is to come; a governance "
        "administrator must define one",
        ("freeze", 1),
    )


def test_a_freeze_beats_a_change_window():
    windows = (freeze(2, NOW - HOUR, NOW + HOUR), change_window(1, NOW, NOW + HOUR))
    assert_unmet(
        judge(NO_FREEZE, freezes=windows),
        "Freeze in force: Freeze 2 until 2026-03-02 13:00 UTC",
        ("freeze", 2),
    )


@pytest.mark.parametrize("kind", [DENY, ALLOW])
def test_a_window_of_another_environment_says_nothing(kind):
    start = NOW if kind == DENY else NOW + HOUR
    window = Freeze(1, "It", start, NOW + 2 * HOUR, kind, "staging")
    staging = require("no_freeze", environment="staging")
    assert judge(NO_FREEZE, freezes=(window,)).state == MET
    assert judge(staging, freezes=(window,)).state == UNMET


# --- post-event reviews -----------------------------------------------------------

NO_OVERDUE = require("no_overdue_review", waivable=False)


def review(number, due_at):
    return PendingReview(number, f"EX-{number}", due_at)


def test_a_review_blocks_once_it_is_overdue():
    pending = (review(5, NOW),)
    assert_met(judge(NO_OVERDUE, reviews=pending), "No post-event review is overdue")
    assert_unmet(
        judge(NO_OVERDUE, NOW + SECOND, reviews=pending),
        "Post-event review overdue: EX-5, due 2026-03-02 12:00 UTC",
        ("exception", 5),
    )
