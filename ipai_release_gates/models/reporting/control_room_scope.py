"""What the control room is asked for: a span of days, projects, a team."""

from collections import namedtuple
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from odoo import fields
from odoo.exceptions import ValidationError
from odoo.fields import Domain

#: The spans that go by a name, in days; a quarter is the calendar's.
RANGES = {"7d": 7, "30d": 30, "90d": 90}
#: The longest span, in days: every request computes the figures again.
LONGEST = 731
_KEYS = {"range", "from", "to", "project_ids", "member_id"}

Bucket = namedtuple("Bucket", "start end day")


@dataclass(frozen=True)
class Scope:
    """What the figures speak of.

    :param now: the instant, naive UTC, to the second as it travels
    :param first, last: the first and the last day, in the time zone of the user
    :param start, end: the same as instants, naive UTC; ``end`` is not in it any more
    :param former: when the span of the same length before it began
    :param project_ids: the projects, or ``None`` for all the user may see
    """

    now: datetime
    zone: ZoneInfo
    name: str
    first: date
    last: date
    project_ids: tuple[int, ...] | None
    asked_project_ids: tuple[int, ...]
    member_id: int | None

    @property
    def days(self):
        return (self.last - self.first).days + 1

    @property
    def start(self):
        return self._instant(self.first)

    @property
    def end(self):
        return self._instant(self.last + timedelta(days=1))

    @property
    def former(self):
        return self._instant(self.first - timedelta(days=self.days))

    def _instant(self, day):
        local = datetime.combine(day, time(), self.zone)
        return local.astimezone(UTC).replace(tzinfo=None)

    def within(self, field):
        """The domain of what happened in the span."""
        return Domain(field, ">=", self.start) & Domain(field, "<", self.end)

    def of_projects(self, field="project_id"):
        """The domain of what belongs to the projects."""
        if self.project_ids is None:
            return Domain.TRUE
        return Domain(field, "in", self.project_ids)

    def buckets(self):
        """The span in days, weeks or months of 30 days; the last of them is whole."""
        step = 1 if self.days <= 14 else 7 if self.days <= 120 else 30
        buckets, last = [], self.last + timedelta(days=1)
        while last > self.first:
            first = max(last - timedelta(days=step), self.first)
            buckets.append(Bucket(self._instant(first), self._instant(last), first))
            last = first
        return buckets[::-1]

    def told(self):
        """The filters as they are in force."""
        return {
            "range": self.name,
            "from": self.first.isoformat(),
            "to": self.last.isoformat(),
            "project_ids": list(self.asked_project_ids),
            "member_id": self.member_id or False,
        }


def read_scope(env, filters, projects):
    """What the filters ask for.

    :param env: of the user, whose time zone the days are in
    :param filters: dict of ``range`` (one of :data:`RANGES`, ``quarter`` or
        ``custom``), ``from`` and ``to`` (ISO dates of a custom range, both in it),
        ``project_ids`` and ``member_id``; a missing key does not narrow
    :param projects: the projects the user may read; others do not count
    :returns: :class:`Scope`
    :raises ValidationError: naming the filter that cannot be read
    """
    filters = {} if filters is None else filters
    if not isinstance(filters, dict) or filters.keys() - _KEYS:
        raise ValidationError(
            env._("Filters are an object of: %s.", ", ".join(sorted(_KEYS)))
        )
    zone = ZoneInfo(env.tz.zone) if hasattr(env.tz, "zone") else ZoneInfo(str(env.tz))
    now = env.cr.now().replace(microsecond=0)
    today = now.replace(tzinfo=UTC).astimezone(zone).date()
    name = filters.get("range") or "30d"
    first, last = _days(env, name, filters, today)
    asked = _ids(env, filters.get("project_ids") or [])
    member_id = filters.get("member_id") or None
    if member_id is not None and (
        not isinstance(member_id, int) or isinstance(member_id, bool)
    ):
        raise ValidationError(env._("Team (member_id) must be the id of a user."))
    known = tuple(sorted(set(asked) & set(projects.ids)))
    chosen = projects.browse(known) if known else projects
    if member_id:
        chosen = chosen.filtered(lambda project: member_id in project.member_ids.ids)
    return Scope(
        now=now,
        zone=zone,
        name=name,
        first=first,
        last=last,
        project_ids=tuple(chosen.ids) if known or member_id else None,
        asked_project_ids=known,
        member_id=member_id,
    )


def _days(env, name, filters, today):
    if name in RANGES:
        return today - timedelta(days=RANGES[name] - 1), today
    if name == "quarter":
        return date(today.year, (today.month - 1) // 3 * 3 + 1, 1), today
    if name != "custom":
        raise ValidationError(
            env._("Range must be one of %s.", ", ".join([*RANGES, "quarter", "custom"]))
        )
    days = []
    for key in ("from", "to"):
        try:
            days.append(fields.Date.to_date(date.fromisoformat(filters[key])))
        except (KeyError, TypeError, ValueError):
            raise ValidationError(
                env._("A custom range needs “%s” as a date, such as 2026-01-31.", key)
            ) from None
    first, last = days[0], min(days[1], today)
    if first > last:
        raise ValidationError(
            env._("A custom range begins before it ends, and not in the future.")
        )
    if (last - first).days >= LONGEST:
        raise ValidationError(env._("A custom range is at most %s days.", LONGEST))
    return first, last


def _ids(env, values):
    if not isinstance(values, list | tuple) or not all(
        isinstance(value, int) and not isinstance(value, bool) for value in values
    ):
        raise ValidationError(
            env._("Projects (project_ids) must be a list of ids of projects.")
        )
    return values
