from collections import defaultdict

from dateutil.relativedelta import relativedelta

from odoo import api, models
from odoo.fields import Domain

from . import dora
from .kpis import KPIS

_HISTORY = "ipai.report.deployment.history"
_KPI = "ipai.report.persona.kpi"
#: What of the changes each figure counts.
_COUNTED = {
    "deployment_frequency": Domain.TRUE,
    "change_lead_time": Domain("is_first_delivery", "=", True),
    "change_fail_rate": Domain("is_change_failure", "=", True),
    "recovery_time": Domain("is_restored", "=", True),
    "rework_rate": Domain("is_rework", "=", True),
}


class ControlRoom(models.AbstractModel):
    """How delivery goes: the figures of DORA, and the KPIs of the personas."""

    _inherit = "ipai.control.room"

    # --- delivery --------------------------------------------------------------------

    @api.model
    def _delivery(self, asked):
        """The figures of the span, of the span before it, and over time.

        :returns: dict with ``report`` and ``figures``, in the order of
            :data:`dora.METRICS`
        """
        scope, targets = asked.scope, asked.targets
        if not self._readable(_HISTORY):
            return None
        changes = self._changes(scope)
        inside = [each for each in changes if scope.start <= each.at < scope.end]
        before = [each for each in changes if each.at < scope.start]
        present = dora.figures(inside, scope.days)
        former = dora.figures(before, scope.days)
        trend = self._trend(scope, inside)
        here = (
            scope.of_projects()
            & Domain("is_change", "=", True)
            & scope.within("deployed_at")
        )
        views = ("list", "pivot", "graph")
        figures = [
            self._figure(
                _HISTORY,
                here & _COUNTED[key],
                present[key].count,
                views,
                key=key,
                value=present[key].value,
                of=present[key].of,
                former=former[key].value,
                unit=metric.unit,
                higher_is_better=metric.higher_is_better,
                band=metric.band(present[key].value),
                thresholds=list(metric.thresholds),
                target=targets.get(key),
                target_state=_state(metric, present[key].value, targets.get(key)),
                trend=[
                    {"from": day.isoformat(), **vars(figures[key])}
                    for day, figures in trend
                ],
            )
            for key, metric in dora.METRICS.items()
        ]
        return {"report": self._open(_HISTORY, here, views), "figures": figures}

    @api.model
    def _changes(self, scope):
        """The changes of the span and of the one before it, as plain values."""
        rows = self.env[_HISTORY].search_fetch(
            scope.of_projects()
            & Domain("is_change", "=", True)
            & Domain("deployed_at", ">=", scope.former)
            & Domain("deployed_at", "<", scope.end),
            [
                "deployed_at",
                "is_first_delivery",
                "change_lead_hours",
                "is_change_failure",
                "is_restored",
                "recovery_hours",
                "is_rework",
            ],
        )
        return [
            dora.Change(
                at=row.deployed_at,
                lead_hours=row.change_lead_hours if row.is_first_delivery else None,
                is_failure=row.is_change_failure,
                recovery_hours=row.recovery_hours if row.is_restored else None,
                is_rework=row.is_rework,
            )
            for row in rows
        ]

    @api.model
    def _trend(self, scope, changes):
        """The figures by days, weeks or months of the span.

        :returns: list of (first day, figures)
        """
        return [
            (
                bucket.day,
                dora.figures(
                    [each for each in changes if bucket.start <= each.at < bucket.end],
                    (bucket.end - bucket.start).total_seconds() / 86400,
                ),
            )
            for bucket in scope.buckets()
        ]

    @api.model
    def _targets(self):
        """What governance expects, by KPI or figure."""
        if not self._readable("ipai.kpi.target"):
            return {}
        targets = self.env["ipai.kpi.target"].search_fetch([], ["kpi", "target"])
        return {each.kpi: each.target for each in targets}

    # --- KPIs of the personas --------------------------------------------------------

    @api.model
    def _kpi_domain(self, scope, former=False):
        """The rows of the months that the span touches, or of as many before them."""
        first, last = scope.first.replace(day=1), scope.last.replace(day=1)
        if former:
            months = (last.year - first.year) * 12 + last.month - first.month + 1
            first -= relativedelta(months=months)
        return (
            scope.of_projects()
            & Domain("month", ">=", first)
            & Domain("month", "<=", last)
        )

    @api.model
    def _kpis(self, asked):
        """The KPIs of each persona, those of the user's personas first.

        :returns: dict with ``report`` and ``panels``, dicts with ``persona``,
            ``is_mine`` and ``kpis``
        """
        scope, targets, held = asked.scope, asked.targets, asked.held
        if not self._readable(_KPI):
            return None
        summed = defaultdict(lambda: [0.0, 0.0, 0])
        for kpi, month, over, under, count in self.env[_KPI]._read_group(
            self._kpi_domain(scope, former=True),
            ["kpi", "month:month"],
            ["numerator:sum", "denominator:sum", "record_count:sum"],
        ):
            is_former = month < scope.first.replace(day=1)
            totals = summed[kpi, is_former]
            for place, amount in enumerate((over, under, count)):
                totals[place] += amount or 0
        labels = dict(self.env[_KPI]._fields["kpi"]._description_selection(self.env))
        by_persona = defaultdict(list)
        operations = self._readable("ipai.incident")
        for code, kpi in KPIS.items():
            # As the record rules: KPIs of operations are for users who may read
            # operations. Without rows, the panel would claim that there is no data.
            if not (operations or kpi.model in ("ipai.release", "ipai.revision")):
                continue
            over, under, count = summed.get((code, False), (0.0, 0.0, 0))
            value = _ratio(over, under, count)
            former = _ratio(*summed.get((code, True), (0.0, 0.0, 0)))
            by_persona[kpi.persona].append(
                {
                    "key": code,
                    "name": labels[code],
                    "unit": kpi.unit,
                    "value": value,
                    "former": former,
                    "count": count,
                    "higher_is_better": kpi.higher_is_better,
                    "target": targets.get(code),
                    "target_state": _state(kpi, value, targets.get(code)),
                }
            )
        panels = [
            {
                "persona": persona.name,
                "is_mine": persona in held,
                "kpis": by_persona[persona.code],
            }
            for persona in self.env["ipai.persona"].search([])
            if persona.code in by_persona
        ]
        return {
            "report": self._open(
                _KPI, self._kpi_domain(scope), ("list", "pivot", "graph")
            ),
            "panels": sorted(panels, key=lambda panel: not panel["is_mine"]),
        }


def _ratio(over, under, count):
    """The value of some rows of a KPI; none out of no records."""
    if not count:
        return None
    return over / under if under else over


def _state(measured, value, target):
    """Whether a target is met; ``None`` without one, or without a value."""
    if value is None or target is None:
        return None
    met = value == target or (value > target) == measured.higher_is_better
    return "met" if met else "missed"
