"""When freeze and change windows are in force: recurrence on the local clock.

A window is entered as its first occurrence. What recurs is the time on the wall:
“Friday 16:00 to Monday 08:00 in Paris” stays so when the clocks change. Instants are
naive UTC, as everywhere in the core.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from typing import Any, Literal
from zoneinfo import ZoneInfo

from dateutil import rrule

from .facts import ALLOW, DENY

ONCE = "none"
WEEKLY = "weekly"
MONTHLY = "monthly"
YEARLY = "yearly"

#: The start and the end of an occurrence, naive UTC.
Period = tuple[datetime, datetime]

Frequency = Literal[0, 1, 2]

#: No offset from UTC, and no change of it, is larger.
_SLACK = timedelta(days=2)


@dataclass(frozen=True)
class Window:
    """A window as governance entered it, to the second.

    :param starts_at: start of the first occurrence, naive UTC
    :param ends_at: end of the first occurrence, naive UTC
    :param kind: ``deny`` (nothing is promoted) or ``allow`` (promoted only inside)
    :param recurrence: ``none``, ``weekly``, ``monthly`` or ``yearly``
    :param weekdays: of a weekly one, 0 is Monday; empty means the weekday of the start
    :param tz: name of the time zone whose clock counts
    :param until: the last local date on which an occurrence starts, or ``None``
    """

    starts_at: datetime
    ends_at: datetime
    kind: str = DENY
    recurrence: str = ONCE
    weekdays: frozenset[int] = frozenset()
    tz: str = "UTC"
    until: date | None = None

    def local(self) -> tuple[datetime, datetime]:
        """The first occurrence on the local clock, as ``(start, end)``."""
        zone = ZoneInfo(self.tz)
        start, end = (
            instant.replace(tzinfo=timezone.utc).astimezone(zone).replace(tzinfo=None)
            for instant in (self.starts_at, self.ends_at)
        )
        return start, end


def occurrences(window: Window, begin: datetime, end: datetime) -> list[Period]:
    """The occurrences that have not ended at ``begin`` and start before ``end``.

    The first occurrence is as entered. Where the clocks change in a later one, a local
    time may come twice or not at all: the doubtful hour belongs to a freeze and not to
    a change window, so that in doubt nothing is promoted.

    :param window: a :class:`Window`
    :param begin: naive UTC
    :param end: naive UTC
    :returns: list of ``(starts_at, ends_at)`` in order, naive UTC
    """
    first = (window.starts_at, window.ends_at)
    if window.recurrence == ONCE:
        found = [first]
    else:
        found = [
            first if at == window.local()[0] else _instants(window, at)
            for at in _local_starts(window, begin, end)
        ]
    return [(at, to) for at, to in found if at < to and to > begin and at < end]


def longest(recurrence: str, weekdays: Iterable[int] = ()) -> timedelta | None:
    """How long an occurrence may last before it meets the one after it.

    :param recurrence: as in :class:`Window`
    :param weekdays: of a weekly one
    :returns: a timedelta, or ``None`` for a window that does not recur
    """
    if recurrence == WEEKLY:
        days = sorted(weekdays) or [0]
        following = [*days[1:], days[0] + 7]
        return timedelta(
            days=min(b - a for a, b in zip(days, following, strict=True)),
        )
    # The shortest month and the shortest year.
    return {MONTHLY: timedelta(days=28), YEARLY: timedelta(days=365)}.get(recurrence)


def _local_starts(window: Window, begin: datetime, end: datetime) -> list[datetime]:
    """Local starts of the occurrences that could meet a period, and some around it."""
    start, stop = window.local()
    begin, end = begin - (stop - start) - _SLACK, end + _SLACK
    rule: dict[str, Any] = {"dtstart": start}
    if window.until:
        rule["until"] = datetime.combine(window.until, time.max)
    if window.recurrence == WEEKLY:
        frequency: Frequency = rrule.WEEKLY
        if window.weekdays:
            rule["byweekday"] = sorted(window.weekdays)
        # Years of weeks that are over need not be gone through one by one.
        over = max((begin - start) // timedelta(weeks=1), 0)
        rule["dtstart"] = start + over * timedelta(weeks=1)
    else:
        frequency = rrule.MONTHLY
        # A day that a month does not have falls on its last one.
        rule["bymonthday"] = range(min(start.day, 28), start.day + 1)
        rule["bysetpos"] = -1
        if window.recurrence == YEARLY:
            frequency = rrule.YEARLY
            rule["bymonth"] = start.month
    return rrule.rrule(frequency, **rule).between(begin, end, inc=True)


def _instants(window: Window, at: datetime) -> Period:
    """An occurrence that starts at a local time, as instants."""
    start, stop = window.local()
    starts, ends = _readings(window.tz, at), _readings(window.tz, at + (stop - start))
    if window.kind == ALLOW:
        return max(starts), min(ends)
    return min(starts), max(ends)


def _readings(tz: str, local: datetime) -> set[datetime]:
    """The instants a local time may stand for: two where the clocks change."""
    zone = ZoneInfo(tz)
    return {
        local.replace(tzinfo=zone, fold=fold)
        .astimezone(timezone.utc)
        .replace(tzinfo=None)
        for fold in (0, 1)
    }


@dataclass(frozen=True)
class Standing:
    """What the windows that apply to something mean for it at an instant.

    :param state: ``in_force`` (nothing is promoted) or ``coming``
    :param kind: of the windows that say so
    :param names: of these windows, in order
    :param at: when that ends, or when it starts if it is coming; ``None`` when no end
        is known
    """

    state: str
    kind: str
    names: tuple[str, ...]
    at: datetime | None


def standing(
    windows: Iterable[tuple[str, str, Collection[Period]]],
    now: datetime,
    soon: datetime,
) -> Standing | None:
    """What some windows mean at ``now``, looking ahead until ``soon``.

    A freeze in force wins over an open change window. Where change windows apply and
    none is open, nothing is promoted either.

    :param windows: iterable of ``(name, kind, occurrences)`` of the windows that apply
    :param now: naive UTC
    :param soon: naive UTC; a freeze that starts before it is coming
    :returns: a :class:`Standing`, or ``None`` when there is nothing to say
    """
    windows = list(windows)
    denied = [
        (name, to)
        for name, kind, found in windows
        for at, to in found
        if kind == DENY and at <= now < to
    ]
    if denied:
        return Standing(
            "in_force", DENY, _names(denied), max(to for _name, to in denied)
        )
    allowing = [(name, found) for name, kind, found in windows if kind == ALLOW]
    if allowing and not any(
        at <= now < to for _name, found in allowing for at, to in found
    ):
        opens = [at for _name, found in allowing for at, _to in found if at > now]
        return Standing(
            "in_force", ALLOW, _names(allowing), min(opens) if opens else None
        )
    coming = sorted(
        (at, name)
        for name, kind, found in windows
        for at, _to in found
        if kind == DENY and now < at < soon
    )
    if coming:
        return Standing("coming", DENY, (coming[0][1],), coming[0][0])
    return None


def _names(pairs: Iterable[tuple[str, Any]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name, _rest in pairs))
