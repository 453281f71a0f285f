from odoo import api, fields, models
from odoo.exceptions import ValidationError

from . import dora
from .kpis import KPIS, LABELS, UNITS

#: The measures that can have a target, by code.
_MEASURED = {**KPIS, **dora.METRICS}


class KpiTarget(models.Model):
    """The target of a KPI, set by governance, in the unit of the KPI."""

    _name = "ipai.kpi.target"
    _description = "KPI target"
    _inherit = "ipai.policy.mixin"
    _order = "kpi, id"
    _rec_name = "kpi"

    kpi = fields.Selection(LABELS + dora.LABELS, string="KPI", required=True)
    target = fields.Float(required=True, digits=(12, 4))
    unit = fields.Selection(UNITS, compute="_compute_of_kpi")
    higher_is_better = fields.Boolean(compute="_compute_of_kpi")

    _kpi_unique = models.Constraint("UNIQUE (kpi)", "This KPI has a target already.")
    _target_positive = models.Constraint(
        "CHECK (target >= 0)", "A target cannot be negative."
    )

    # No gate depends on a KPI.
    _policy_deciding = frozenset()

    @api.depends("kpi")
    def _compute_of_kpi(self):
        for record in self:
            kpi = _MEASURED.get(record.kpi)
            record.unit = kpi and kpi.unit
            record.higher_is_better = bool(kpi and kpi.higher_is_better)

    @api.constrains("kpi", "target")
    def _validate_share(self):
        for record in self:
            if record.unit == "share" and record.target > 1:
                raise ValidationError(
                    self.env._("A share is at most 1, which is all of them.")
                )
