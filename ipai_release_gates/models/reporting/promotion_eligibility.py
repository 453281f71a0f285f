from odoo import api, fields, models
from odoo.tools import SQL

from ..selections import ENVIRONMENT_CATEGORIES
from .analytics_mixin import RELEASE_FIELDS
from .expressions import OPEN, forecast_step


class PromotionEligibility(models.Model):
    """Whether each release may be promoted to each target now.

    The gates that a target needs are read from the stages, as for a move.
    """

    _name = "ipai.report.promotion.eligibility"
    _description = "Promotion eligibility"
    _inherit = "ipai.report.mixin"
    _auto = False
    _order = "release_id desc, id"

    target = fields.Selection(ENVIRONMENT_CATEGORIES, readonly=True)
    is_own_target = fields.Boolean(
        string="Target of the release",
        readonly=True,
        help="The environment this release was opened for.",
    )
    eligibility = fields.Selection(
        [("eligible", "Eligible"), ("bypassed", "Bypassed"), ("blocked", "Blocked")],
        readonly=True,
        help="Bypassed: eligible only thanks to an exception, and only until it ends.",
    )
    is_eligible = fields.Boolean(string="Eligible", readonly=True)
    is_bypassed = fields.Boolean(
        string="Bypassed",
        readonly=True,
        help="Eligible only thanks to an exception.",
    )
    gate_count = fields.Integer(
        string="Gates", readonly=True, help="The gates this target needs."
    )
    open_gate_count = fields.Integer(string="Gates open", readonly=True)
    blocking_gates = fields.Char(
        readonly=True, help="The gates that keep the release from this target."
    )
    bypassed_gates = fields.Char(
        readonly=True, help="The gates that only an exception keeps open."
    )
    eligible_share = fields.Float(
        string="Share eligible",
        readonly=True,
        aggregator="avg",
        help="Of the releases, those that may be promoted, bypassed ones included.",
    )
    bypassed_share = fields.Float(
        string="Share bypassed", readonly=True, aggregator="avg"
    )

    _depends = {
        "ipai.release": (*RELEASE_FIELDS, "environment_target"),
        "ipai.release.gate": ("release_id", "gate_id", "status", "forecast"),
        "ipai.release.stage": ("sequence", "gate_id", "environment_category"),
        "ipai.gate": ("code", "sequence"),
    }

    @api.model
    def _query(self):
        return SQL(
            """
            WITH stage AS (
                SELECT environment_category, gate_id,
                       row_number() OVER (ORDER BY sequence, id) AS place
                  FROM ipai_release_stage
            ), target AS (
                SELECT t.number, t.category, min(stage.place) AS place
                  FROM (VALUES (0, 'dev'), (1, 'staging'), (2, 'production'))
                       AS t (number, category)
             LEFT JOIN stage ON stage.environment_category = t.category
              GROUP BY t.number, t.category
            ), needed AS (
                SELECT DISTINCT target.number, g.id AS gate_id, g.code, g.sequence
                  FROM target
                  JOIN stage ON stage.place <= target.place
                  JOIN ipai_gate g ON g.id = stage.gate_id
            )
            SELECT r.id * 3 + target.number AS id,
                   %(release)s,
                   target.category AS target,
                   r.environment_target = target.category AS is_own_target,
                   CASE WHEN NOT answer.is_eligible THEN 'blocked'
                        WHEN judged.bypassed_gates IS NULL THEN 'eligible'
                        ELSE 'bypassed'
                   END AS eligibility,
                   answer.is_eligible,
                   answer.is_bypassed,
                   judged.gate_count,
                   judged.open_gate_count,
                   judged.blocking_gates,
                   judged.bypassed_gates,
                   answer.is_eligible::int::float8 AS eligible_share,
                   answer.is_bypassed::int::float8 AS bypassed_share
              FROM ipai_release r
        CROSS JOIN target
        CROSS JOIN LATERAL (
                       SELECT count(*)::int AS gate_count,
                              (count(*) FILTER (WHERE gate.status IN %(open)s))::int
                                  AS open_gate_count,
                              string_agg(
                                  needed.code, ', '
                                  ORDER BY needed.sequence, needed.gate_id
                              ) FILTER (WHERE gate.status NOT IN %(open)s)
                                  AS blocking_gates,
                              string_agg(
                                  needed.code, ', '
                                  ORDER BY needed.sequence, needed.gate_id
                              ) FILTER (WHERE gate.status = 'bypassed')
                                  AS bypassed_gates
                         FROM needed
                    LEFT JOIN ipai_release_gate rg
                           ON rg.release_id = r.id AND rg.gate_id = needed.gate_id
                    LEFT JOIN LATERAL (%(step)s) step ON TRUE
                   CROSS JOIN LATERAL (
                                  -- A gate that nobody judged lets nothing through.
                                  SELECT coalesce(step.status, rg.status, 'pending')
                                         AS status
                              ) gate
                        WHERE needed.number = target.number
                   ) judged
        CROSS JOIN LATERAL (
                       -- A target that no stage promotes to is out of reach, but for
                       -- development, which needs nothing.
                       SELECT judged.open_gate_count = judged.gate_count
                              AND (target.place IS NOT NULL OR target.category = 'dev')
                              AS fits
                   ) fit
        CROSS JOIN LATERAL (
                       SELECT fit.fits AS is_eligible,
                              fit.fits AND judged.bypassed_gates IS NOT NULL
                              AS is_bypassed
                   ) answer
            """,
            release=self._release_columns,
            open=OPEN,
            step=forecast_step(SQL("rg")),
        )
