from odoo import api, fields, models
from odoo.tools import SQL

from .kpis import COMMON, KPIS, LABELS, UNITS


class PersonaKpi(models.Model):
    """The KPIs of the personas, per project and month, from recorded facts alone."""

    _name = "ipai.report.persona.kpi"
    _description = "Persona KPI"
    _inherit = "ipai.report.view.mixin"
    _auto = False
    _order = "month desc, number, project_id, id"
    _rec_name = "kpi"

    kpi = fields.Selection(LABELS, string="KPI", readonly=True)
    number = fields.Integer(readonly=True, aggregator=None)
    persona_id = fields.Many2one("ipai.persona", readonly=True)
    project_id = fields.Many2one("ipai.project", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    month = fields.Date(readonly=True, help="The first day of the month, UTC.")
    unit = fields.Selection(UNITS, readonly=True)
    value = fields.Float(readonly=True, aggregator="avg")
    numerator = fields.Float(
        readonly=True, help="What was counted: hits, hours or a number."
    )
    denominator = fields.Float(
        readonly=True, help="Out of how many; 0: it is a number."
    )
    target = fields.Float(readonly=True, aggregator=None)
    target_state = fields.Selection(
        [("met", "Met"), ("missed", "Missed")],
        string="Target met",
        readonly=True,
        help="Empty: no target is set.",
    )
    former_value = fields.Float(string="Month before", readonly=True, aggregator=None)
    trend = fields.Selection(
        [("better", "Better"), ("same", "The same"), ("worse", "Worse")],
        readonly=True,
        help="Against the month before; empty: nothing was counted then.",
    )
    record_model = fields.Char(readonly=True)
    record_count = fields.Integer(string="Records", readonly=True)
    record_ids = fields.Json(readonly=True)

    _depends = {
        "ipai.kpi.target": ("kpi", "target"),
        "ipai.persona": ("code",),
        "ipai.project": ("company_id", "required_checks"),
        "ipai.release": ("project_id",),
        "ipai.release.stage": ("code", "sequence", "gate_id", "environment_category"),
        "ipai.gate": ("sequence",),
        "ipai.gate.requirement": (
            "gate_id",
            "active",
            "kind",
            "check_name",
            "evidence_type_id",
        ),
        "ipai.evidence.type": ("code",),
        "ipai.ledger.entry": ("release_id", "sequence", "kind", "recorded_at", "body"),
        "ipai.revision": ("release_id", "source_ref", "recorded_at"),
        "ipai.check": ("revision_id", "name", "status", "recorded_at"),
        "ipai.evidence": (
            "release_id",
            "revision_id",
            "type_code",
            "gate_id",
            "metadata",
            "recorded_at",
        ),
        "ipai.deployment": ("release_id", "rolled_back_at"),
        "ipai.incident": (
            "release_id",
            "project_id",
            "deployment_id",
            "detected_at",
            "resolved_at",
        ),
        "ipai.environment": ("project_id", "active"),
        "ipai.environment.control": ("environment_id", "status"),
        "ipai.recovery.drill": ("environment_id", "executed_at", "outcome"),
    }

    @api.model
    def _query(self):
        counted = SQL(" UNION ALL ").join(
            SQL(
                "SELECT %s::int AS number, c.project_id, c.at::timestamp AS at,"
                " c.res_id::int AS res_id, c.numerator::float8 AS numerator,"
                " c.denominator::float8 AS denominator FROM (%s) c",
                kpi.number,
                kpi.query,
            )
            for kpi in KPIS.values()
        )
        kinds = SQL(", ").join(
            SQL(
                "(%s::int, %s::text, %s::text, %s::text, %s::boolean, %s::text)",
                kpi.number,
                code,
                kpi.persona,
                kpi.unit,
                kpi.higher_is_better,
                kpi.model,
            )
            for code, kpi in KPIS.items()
        )
        return SQL(
            """
            WITH kind (number, code, persona, unit, higher, model) AS (
                VALUES %(kinds)s
            ),
            %(common)s,
            summed AS (
                SELECT c.number, c.project_id,
                       date_trunc('month', c.at)::date AS month,
                       sum(c.numerator) AS numerator,
                       sum(c.denominator) AS denominator,
                       sum(c.numerator) / coalesce(sum(c.denominator), 1) AS value,
                       count(*)::int AS record_count,
                       jsonb_agg(c.res_id ORDER BY c.res_id) AS record_ids
                  FROM (%(counted)s) c
              GROUP BY 1, 2, 3
                HAVING sum(c.denominator) IS DISTINCT FROM 0
            )
            SELECT s.project_id::bigint * 100000000
                   + (extract(year FROM s.month) * 12
                      + extract(month FROM s.month))::bigint * 100
                   + s.number AS id,
                   k.code AS kpi,
                   k.number,
                   p.id AS persona_id,
                   s.project_id,
                   j.company_id,
                   s.month,
                   k.unit,
                   s.value,
                   s.numerator,
                   s.denominator,
                   t.target,
                   CASE WHEN t.target IS NULL THEN NULL
                        WHEN s.value = t.target OR (s.value > t.target) = k.higher
                        THEN 'met'
                        ELSE 'missed'
                   END AS target_state,
                   f.value AS former_value,
                   CASE WHEN f.value IS NULL THEN NULL
                        WHEN s.value = f.value THEN 'same'
                        WHEN (s.value > f.value) = k.higher THEN 'better'
                        ELSE 'worse'
                   END AS trend,
                   k.model AS record_model,
                   s.record_count,
                   s.record_ids
              FROM summed s
              JOIN kind k ON k.number = s.number
              JOIN ipai_project j ON j.id = s.project_id
         LEFT JOIN ipai_persona p ON p.code = k.persona
         LEFT JOIN ipai_kpi_target t ON t.kpi = k.code
         LEFT JOIN summed f
                ON f.number = s.number AND f.project_id = s.project_id
               AND f.month = s.month - interval '1 month'
            """,
            kinds=kinds,
            common=COMMON,
            counted=counted,
        )

    def action_open_records(self):
        """Open the records that this row counts."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.display_name,
            "res_model": self.record_model,
            "view_mode": "list,form",
            "domain": [("id", "in", self.record_ids)],
            "context": {"active_test": False},
        }
