"""The five figures of software delivery performance, from plain rows.

Names and meanings follow DORA (DevOps Research and Assessment, dora.dev): deployment
frequency, change lead time, change fail rate, failed deployment recovery time, rework
rate. What counts when is decided in docs/decisions/0030 and worked out in
``delivery.py``; here it is only summed up.

The bands are those DORA published with its clusters of teams: frequency and lead time
of the Accelerate State of DevOps Report 2024, change fail rate and recovery time of the
report of 2023, because in that of 2024 the medium cluster fails less often than the
high one and recovers as fast, which makes no scale. The report of 2025 has no clusters.
DORA publishes no bands for the rework rate.
"""

from dataclasses import dataclass
from statistics import median

#: From the best on. What no threshold holds is low.
BANDS = ("elite", "high", "medium", "low")

_DAY, _WEEK, _MONTH = 24.0, 7 * 24.0, 30 * 24.0


@dataclass(frozen=True)
class Metric:
    """One figure.

    :param label: its name
    :param unit: as of ``kpis.UNITS``; hours, a share, or a number a week
    :param higher_is_better: which way is good
    :param thresholds: the worst value of elite, of high and of medium, or nothing
    """

    label: str
    unit: str
    higher_is_better: bool
    thresholds: tuple[float, ...] = ()

    def band(self, value):
        """The band of a value, one of :data:`BANDS`; ``None`` without bands or value"""
        if value is None or not self.thresholds:
            return None
        for band, threshold in zip(BANDS, self.thresholds, strict=False):
            if value >= threshold if self.higher_is_better else value <= threshold:
                return band
        return BANDS[-1]


METRICS = {
    # Elite: on demand, several a day; high: daily to weekly; medium: to monthly.
    "deployment_frequency": Metric(
        "Deployment frequency (a week)", "number", True, (7.0, 1.0, 7 / 30)
    ),
    "change_lead_time": Metric(
        "Change lead time", "hours", False, (_DAY, _WEEK, _MONTH)
    ),
    "change_fail_rate": Metric("Change fail rate", "share", False, (0.05, 0.10, 0.15)),
    "recovery_time": Metric(
        "Failed deployment recovery time", "hours", False, (1.0, _DAY, _WEEK)
    ),
    "rework_rate": Metric("Rework rate", "share", False),
}

LABELS = [(code, metric.label) for code, metric in METRICS.items()]


@dataclass(frozen=True)
class Change:
    """A change brought to production: a deployment that is over and no rollback.

    :param at: when, naive UTC
    :param lead_hours: since its commit was heard of; ``None`` if it ran before
    :param is_failure: failed, rolled back, or with an incident
    :param recovery_hours: until made good; ``None`` if it did not fail, or is not yet
    :param is_rework: nobody had planned it
    """

    at: object
    lead_hours: float | None
    is_failure: bool
    recovery_hours: float | None
    is_rework: bool


@dataclass(frozen=True)
class Figure:
    """A value and how many records it speaks of; no value out of no records."""

    value: float | None
    count: int
    of: int


def figures(changes, days):
    """The five figures of some changes.

    :param changes: sequence of :class:`Change`
    :param days: how many days they were made in
    :returns: dict of metric to :class:`Figure`; times are medians
    """
    total = len(changes)
    leads = [each.lead_hours for each in changes if each.lead_hours is not None]
    failures = [each for each in changes if each.is_failure]
    recoveries = [
        each.recovery_hours for each in failures if each.recovery_hours is not None
    ]
    reworks = sum(each.is_rework for each in changes)
    return {
        "deployment_frequency": Figure(
            total * 7 / days if total else None, total, total
        ),
        "change_lead_time": Figure(_median(leads), len(leads), total),
        "change_fail_rate": Figure(_share(len(failures), total), len(failures), total),
        "recovery_time": Figure(_median(recoveries), len(recoveries), len(failures)),
        "rework_rate": Figure(_share(reworks, total), reworks, total),
    }


def _median(values):
    return median(values) if values else None


def _share(part, total):
    return part / total if total else None
