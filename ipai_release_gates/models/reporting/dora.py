"""The five figures of software delivery performance, from plain rows.

Names and meanings follow DORA (DevOps Research and Assessment, dora.dev): deployment
frequency, change lead time, change fail rate, failed deployment recovery time, rework
rate. docs/decisions/0030 decides what counts, ``delivery.py`` computes it per
deployment, and this module sums it up.

The bands are those that DORA published with its clusters of teams. Frequency and lead
time are from the Accelerate State of DevOps Report 2024. Change fail rate and recovery
time are from the report of 2023: in that of 2024 the medium cluster fails less often
than the high one and recovers as fast, which makes no scale. The report of 2025 has no
clusters. DORA publishes no bands for the rework rate.
"""

from dataclasses import dataclass
from statistics import median

#: The best first. A value beyond every threshold is low.
BANDS = ("elite", "high", "medium", "low")

_DAY, _WEEK, _MONTH = 24.0, 7 * 24.0, 30 * 24.0


@dataclass(frozen=True)
class Metric:
    """One figure.

    :param label: its name
    :param unit: one of ``kpis.UNITS``; a number is per week
    :param higher_is_better: whether greater values are better
    :param thresholds: the worst values of elite, high and medium; empty without bands
    """

    label: str
    unit: str
    higher_is_better: bool
    thresholds: tuple[float, ...] = ()

    def band(self, value):
        """The band of a value, of :data:`BANDS`; ``None`` without bands or value."""
        if value is None or not self.thresholds:
            return None
        for band, threshold in zip(BANDS, self.thresholds, strict=False):
            if value >= threshold if self.higher_is_better else value <= threshold:
                return band
        return BANDS[-1]


METRICS = {
    # Elite: on demand, several a day; high: daily to weekly; medium: weekly to monthly.
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
    """A change in production: a finished deployment that is no rollback.

    :param at: time of the deployment, naive UTC
    :param lead_hours: since a revision first named its commit; ``None`` when the commit
        was in production before
    :param is_failure: whether it failed, was rolled back or has an incident
    :param recovery_hours: until production was restored; ``None`` when the change did
        not fail or production is not restored
    :param is_rework: whether it was unplanned
    """

    at: object
    lead_hours: float | None
    is_failure: bool
    recovery_hours: float | None
    is_rework: bool


@dataclass(frozen=True)
class Figure:
    """A figure: its value (``None`` without records) and the number of records.

    :param count: records that the value is computed from
    :param of: records that were looked at
    """

    value: float | None
    count: int
    of: int


def figures(changes, days):
    """The five figures of some changes.

    :param changes: sequence of :class:`Change`
    :param days: length of the period, in days
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
