"""What each level of risk asks of an exception."""

from datetime import datetime, timedelta

import pytest
from policy import RISKS, level_of, remind_at

NOW = datetime(2026, 3, 2, 12, 0)
DAY = timedelta(days=1)


def test_the_table_of_risks_is_the_domains():
    assert {
        level: (risk.longest, risk.personas, risk.review_within)
        for level, risk in RISKS.items()
    } == {
        "low": (30 * DAY, ("release_manager",), None),
        "medium": (14 * DAY, ("release_manager",), None),
        "high": (7 * DAY, ("release_manager", "sre"), None),
        "critical": (2 * DAY, ("release_manager", "sre"), 5 * DAY),
    }


def test_an_emergency_is_critical_whatever_was_said():
    assert level_of("emergency", "low") == "critical"
    assert level_of("gate_bypass", "low") == "low"


@pytest.mark.parametrize(
    "life, before",
    [
        (30 * DAY, 7 * DAY),
        (14 * DAY, 7 * DAY),
        (10 * DAY, 2 * DAY),
        (timedelta(hours=10), timedelta(hours=2)),
    ],
)
def test_a_reminder_comes_a_week_before_or_at_a_fifth_of_a_short_life(life, before):
    assert remind_at(NOW, NOW + life) == NOW + life - before
