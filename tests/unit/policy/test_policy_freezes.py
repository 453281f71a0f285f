"""Freeze and change windows: when they recur, on whose clock, and what that means."""

from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from policy.freezes import (
    ALLOW,
    DENY,
    MONTHLY,
    ONCE,
    WEEKLY,
    YEARLY,
    Standing,
    Window,
    longest,
    occurrences,
    standing,
)

PARIS = "Europe/Paris"
PROFILE = settings(database=None, deadline=None, derandomize=True, max_examples=150)


def utc(tz, *local):
    """The naive UTC instant of an unambiguous local time."""
    at = datetime(*local, tzinfo=ZoneInfo(tz))
    return at.astimezone(timezone.utc).replace(tzinfo=None)


def window(start, end, tz=PARIS, **more):
    return Window(utc(tz, *start), utc(tz, *end), tz=tz, **more)


def on_the_wall(tz, found):
    """Occurrences as the local clock shows them."""
    zone = ZoneInfo(tz)
    return [
        tuple(
            f"{at.replace(tzinfo=timezone.utc).astimezone(zone):%Y-%m-%d %H:%M}"
            for at in each
        )
        for each in found
    ]


# --- once ----------------------------------------------------------------------------


def test_a_window_that_does_not_recur_occurs_as_entered_until_it_has_ended():
    once = window((2026, 12, 20, 0, 0), (2027, 1, 3, 0, 0))
    as_entered = [(once.starts_at, once.ends_at)]
    later = once.ends_at + timedelta(days=400)
    assert occurrences(once, once.starts_at - timedelta(days=9), later) == as_entered
    assert occurrences(once, once.ends_at - timedelta(seconds=1), later) == as_entered
    assert occurrences(once, once.ends_at, later) == []
    assert occurrences(once, datetime(2026, 1, 1), once.starts_at) == []


def test_a_window_may_last_until_the_end_of_time():
    forever = Window(datetime(2026, 1, 1), datetime.max, tz="Pacific/Kiritimati")
    assert occurrences(forever, datetime(2030, 1, 1), datetime(2030, 2, 1))


# --- weekly and the change of the clocks ---------------------------------------------


@pytest.mark.parametrize(
    ("begin", "offsets"),
    [((2026, 3, 20), (1, 1, 1, 2)), ((2026, 10, 16), (2, 2, 2, 1))],
)
def test_a_weekend_stays_a_weekend_on_the_wall_when_the_clocks_change(begin, offsets):
    weekend = window(
        (2026, 1, 2, 16, 0), (2026, 1, 5, 8, 0), recurrence=WEEKLY, weekdays={4}
    )
    at = datetime(*begin)
    found = occurrences(weekend, at, at + timedelta(days=14))
    friday = date(*begin)
    assert on_the_wall(PARIS, found) == [
        (
            f"{friday + timedelta(days=7 * n)} 16:00",
            f"{friday + timedelta(days=7 * n + 3)} 08:00",
        )
        for n in (0, 1)
    ]
    hours = [each.hour for pair in found for each in pair]
    assert hours == [16 - offsets[0], 8 - offsets[1], 16 - offsets[2], 8 - offsets[3]]


def test_weekdays_each_have_their_occurrence():
    nights = window(
        (2026, 6, 1, 18, 0),
        (2026, 6, 2, 8, 0),
        recurrence=WEEKLY,
        weekdays={0, 1, 2, 3},
    )
    found = occurrences(nights, datetime(2026, 6, 8), datetime(2026, 6, 15))
    assert [start[:10] for start, _end in on_the_wall(PARIS, found)] == [
        # Sunday night is none; Thursday's ends on Friday.
        "2026-06-08",
        "2026-06-09",
        "2026-06-10",
        "2026-06-11",
    ]


def test_without_weekdays_the_weekday_of_the_start_recurs():
    weekly = window((2026, 6, 3, 9, 0), (2026, 6, 3, 17, 0), recurrence=WEEKLY)
    found = occurrences(weekly, datetime(2026, 6, 4), datetime(2026, 6, 18))
    assert [start[:10] for start, _end in on_the_wall(PARIS, found)] == [
        "2026-06-10",
        "2026-06-17",
    ]


def test_a_local_weekday_counts_where_the_one_of_utc_is_another():
    # Monday 08:00 in Auckland is Sunday in UTC.
    monday = window(
        (2026, 6, 1, 8, 0),
        (2026, 6, 1, 9, 0),
        tz="Pacific/Auckland",
        recurrence=WEEKLY,
        weekdays={0},
    )
    assert monday.starts_at.weekday() == 6
    found = occurrences(monday, datetime(2026, 6, 2), datetime(2026, 6, 9))
    assert on_the_wall("Pacific/Auckland", found) == [
        ("2026-06-08 08:00", "2026-06-08 09:00")
    ]


@pytest.mark.parametrize(
    ("kind", "day", "expected"),
    [
        # 02:30 is passed over: one reading lies before the change, one after it.
        (DENY, (2026, 3, 29), ("00:30", "02:00")),
        (ALLOW, (2026, 3, 29), ("01:30", "02:00")),
        # 02:30 comes twice.
        (DENY, (2026, 10, 25), ("00:30", "03:00")),
        (ALLOW, (2026, 10, 25), ("01:30", "03:00")),
    ],
)
def test_the_doubtful_hour_is_frozen(kind, day, expected):
    sunday = window(
        (2026, 1, 4, 2, 30),
        (2026, 1, 4, 4, 0),
        recurrence=WEEKLY,
        weekdays={6},
        kind=kind,
    )
    at = datetime(*day)
    ((start, end),) = occurrences(sunday, at, at + timedelta(days=1))
    assert (f"{start:%H:%M}", f"{end:%H:%M}") == expected


def test_a_change_window_inside_an_hour_that_is_passed_over_does_not_occur():
    short = window(
        (2026, 3, 22, 2, 15),
        (2026, 3, 22, 2, 45),
        recurrence=WEEKLY,
        kind=ALLOW,
    )
    found = occurrences(short, datetime(2026, 3, 28), datetime(2026, 4, 6))
    assert [start[:10] for start, _end in on_the_wall(PARIS, found)] == ["2026-04-05"]


# --- monthly and yearly --------------------------------------------------------------


def test_a_day_that_a_month_lacks_falls_on_its_last():
    closing = window(
        (2026, 1, 31, 20, 0), (2026, 2, 1, 6, 0), recurrence=MONTHLY, tz="UTC"
    )
    found = occurrences(closing, datetime(2026, 2, 2), datetime(2026, 7, 2))
    assert [start.strftime("%m-%d") for start, _end in found] == [
        "02-28",
        "03-31",
        "04-30",
        "05-31",
        "06-30",
    ]


def test_a_leap_day_recurs_every_year():
    leap = window((2028, 2, 29, 0, 0), (2028, 3, 1, 0, 0), recurrence=YEARLY, tz="UTC")
    found = occurrences(leap, datetime(2028, 1, 1), datetime(2033, 1, 1))
    assert [start.strftime("%Y-%m-%d") for start, _end in found] == [
        "2028-02-29",
        "2029-02-28",
        "2030-02-28",
        "2031-02-28",
        "2032-02-29",
    ]


def test_year_end_is_found_from_either_side_of_it():
    year_end = window(
        (2026, 12, 20, 0, 0), (2027, 1, 3, 0, 0), recurrence=YEARLY, tz="UTC"
    )
    for at in (datetime(2028, 12, 1), datetime(2029, 1, 2, 23, 59)):
        found = occurrences(year_end, at, at + timedelta(days=35))
        assert found == [(datetime(2028, 12, 20), datetime(2029, 1, 3))]
    assert not occurrences(year_end, datetime(2029, 1, 3), datetime(2029, 2, 7))


# --- the end of a recurrence ---------------------------------------------------------


def test_the_last_occurrence_starts_on_the_last_day():
    weekly = window(
        (2026, 6, 5, 23, 30),
        (2026, 6, 6, 1, 0),
        recurrence=WEEKLY,
        until=date(2026, 6, 19),
    )
    found = occurrences(weekly, datetime(2026, 6, 1), datetime(2027, 6, 1))
    assert [start[:10] for start, _end in on_the_wall(PARIS, found)] == [
        "2026-06-05",
        "2026-06-12",
        "2026-06-19",
    ]


# --- how long it may last ------------------------------------------------------------


@pytest.mark.parametrize(
    ("recurrence", "weekdays", "days"),
    [
        (WEEKLY, (), 7),
        (WEEKLY, {4}, 7),
        (WEEKLY, {0, 3}, 3),
        (WEEKLY, {0, 6}, 1),
        (MONTHLY, (), 28),
        (YEARLY, (), 365),
    ],
)
def test_an_occurrence_lasts_until_the_next_at_most(recurrence, weekdays, days):
    assert longest(recurrence, weekdays) == timedelta(days=days)


def test_what_does_not_recur_may_last_as_long_as_it_likes():
    assert longest(ONCE) is None


# --- what it means -------------------------------------------------------------------

NOW = datetime(2026, 6, 10, 12)
SOON = NOW + timedelta(days=7)
HOUR = timedelta(hours=1)
OPEN = [(NOW - HOUR, NOW + HOUR)]
LATER = [(NOW + HOUR, NOW + 2 * HOUR)]
TOO_LATE = [(SOON, SOON + HOUR)]
OVER = [(NOW - 2 * HOUR, NOW)]


@pytest.mark.parametrize(
    ("windows", "expected"),
    [
        ([], None),
        ([("A", DENY, OPEN)], Standing("in_force", DENY, ("A",), NOW + HOUR)),
        ([("A", DENY, LATER)], Standing("coming", DENY, ("A",), NOW + HOUR)),
        ([("A", DENY, TOO_LATE)], None),
        ([("A", DENY, OVER)], None),
        ([("A", ALLOW, OPEN)], None),
        ([("A", ALLOW, LATER)], Standing("in_force", ALLOW, ("A",), NOW + HOUR)),
        # A change window that will not come again still says "only then".
        ([("A", ALLOW, [])], Standing("in_force", ALLOW, ("A",), None)),
        ([("A", ALLOW, OVER)], Standing("in_force", ALLOW, ("A",), None)),
        ([("A", ALLOW, OPEN), ("B", ALLOW, [])], None),
        # Deny beats allow.
        (
            [("A", ALLOW, OPEN), ("B", DENY, OPEN)],
            Standing("in_force", DENY, ("B",), NOW + HOUR),
        ),
        (
            [("A", ALLOW, OPEN), ("B", DENY, LATER)],
            Standing("coming", DENY, ("B",), NOW + HOUR),
        ),
    ],
)
def test_deny_beats_allow_and_outside_a_change_window_nothing_passes(windows, expected):
    assert standing(windows, NOW, SOON) == expected


# --- what holds for all of them ------------------------------------------------------


@st.composite
def windows(draw, kinds=(DENY, ALLOW)):
    start = draw(st.datetimes(datetime(2020, 1, 1), datetime(2026, 1, 1)))
    start = start.replace(microsecond=0)
    recurrence = draw(st.sampled_from((WEEKLY, MONTHLY, YEARLY)))
    minutes = draw(st.integers(1, 24 * 60))
    tz = draw(
        st.sampled_from(
            ("UTC", PARIS, "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata")
        )
    )
    found = Window(
        start,
        start + timedelta(minutes=minutes),
        kind=draw(st.sampled_from(kinds)),
        recurrence=recurrence,
        tz=tz,
        until=draw(st.none() | st.dates(date(2020, 1, 1), date(2028, 1, 1))),
    )
    if recurrence != WEEKLY:
        return found
    days = {found.local()[0].weekday()} | draw(st.sets(st.integers(0, 6)))
    return Window(**{**vars(found), "weekdays": frozenset(days)})


@PROFILE
@given(windows(), st.datetimes(datetime(2020, 1, 1), datetime(2029, 1, 1)))
@example(Window(NOW, NOW + HOUR, recurrence=WEEKLY), NOW)
def test_a_period_holds_exactly_what_a_longer_one_holds_of_it(window, begin):
    """Where one looks from changes nothing about when a window is in force."""
    end = begin + timedelta(days=35)
    wide = occurrences(window, datetime(2019, 1, 1), datetime(2030, 1, 1))
    assert occurrences(window, begin, end) == [
        (at, to) for at, to in wide if to > begin and at < end
    ]


@PROFILE
@given(windows())
def test_occurrences_are_in_order_and_none_comes_before_the_first(window):
    found = occurrences(window, datetime(2019, 1, 1), datetime(2030, 1, 1))
    assert found == sorted(set(found))
    assert all(at < to for at, to in found)
    assert all(at >= window.starts_at for at, _to in found)
    if not window.until or window.until >= window.local()[0].date():
        assert found[0] == (window.starts_at, window.ends_at)


@PROFILE
@given(windows(kinds=(DENY,)))
def test_occurrences_start_and_end_at_the_time_on_the_wall_but_for_doubtful_hours(
    window,
):
    start, end = window.local()
    zone = ZoneInfo(window.tz)
    for at, to in occurrences(window, datetime(2024, 1, 1), datetime(2026, 1, 1)):
        for instant, wall in ((at, start), (to, end)):
            local = instant.replace(tzinfo=timezone.utc).astimezone(zone)
            if (local.hour, local.minute) == (wall.hour, wall.minute):
                continue
            nearby = {
                (local + timedelta(hours=hours)).utcoffset() for hours in (-30, 30)
            }
            assert len(nearby) == 2, "no change of the clocks explains this"
