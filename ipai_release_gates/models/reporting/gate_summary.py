from odoo import api, fields, models
from odoo.tools import SQL

from ..selections import GATE_STATUSES
from .analytics_mixin import RELEASE_FIELDS
from .expressions import NOW, OPEN, forecast_step, hours, person


class GateSummary(models.Model):
    """The status of each gate of each release now, with the facts that decide it."""

    _name = "ipai.report.gate.summary"
    _description = "Gate summary"
    _inherit = "ipai.report.mixin"
    _auto = False
    _order = "release_id desc, gate_sequence, id"

    release_gate_id = fields.Many2one(
        "ipai.release.gate", string="Judgement", readonly=True
    )
    gate_id = fields.Many2one("ipai.gate", readonly=True)
    gate_sequence = fields.Integer(readonly=True, aggregator=None)
    status = fields.Selection(
        GATE_STATUSES,
        readonly=True,
        help="At this moment: an exception that is over counts no more, whether or "
        "not the gate was judged again since.",
    )
    is_overtaken = fields.Boolean(
        string="Changed by time",
        readonly=True,
        help="Time alone changed the status since the gate was judged.",
    )
    met_count = fields.Integer(
        string="Conditions met",
        readonly=True,
        help="As the gate was last judged; where time has closed it since, nothing "
        "until it is judged again.",
    )
    condition_count = fields.Integer(string="Conditions", readonly=True)
    blocking_reasons = fields.Text(
        string="Blocking reasons (English)",
        readonly=True,
        help="What the gate lacked when it was last judged.",
    )
    blocking_text = fields.Text(
        string="Blocking Reasons",
        compute="_compute_blocking_text",
        help="What the gate lacked when it was last judged.",
    )
    pass_count = fields.Integer(
        string="Checks passed",
        readonly=True,
        help="Checks of the current revision that count at this gate, the latest of "
        "each name and environment.",
    )
    fail_count = fields.Integer(string="Checks failed", readonly=True)
    warning_count = fields.Integer(string="Checks with warnings", readonly=True)
    skipped_count = fields.Integer(string="Checks skipped", readonly=True)
    evidence_count = fields.Integer(
        string="Evidence",
        readonly=True,
        help="Pieces of evidence of the current revision that serve this gate.",
    )
    approval_count = fields.Integer(
        string="Approvals",
        readonly=True,
        help="People whose latest decision on this gate and revision approves.",
    )
    evaluated_at = fields.Datetime(string="Judged", readonly=True)
    resolved_at = fields.Datetime(
        string="Resolved",
        readonly=True,
        help="When the gate last passed or was bypassed.",
    )
    waived_until = fields.Datetime(
        readonly=True, help="When the first exception that keeps the gate open ends."
    )
    hours_to_pass = fields.Float(
        readonly=True,
        aggregator="avg",
        help="From the current revision's recording until the gate was resolved.",
    )
    hours_waiting = fields.Float(
        readonly=True,
        aggregator="avg",
        help="Since the current revision was recorded, for a gate of an open release "
        "that is still closed.",
    )

    _depends = {
        "ipai.release": RELEASE_FIELDS,
        "ipai.release.gate": (
            "release_id",
            "gate_id",
            "status",
            "forecast",
            "met_count",
            "condition_count",
            "blocking_reasons",
            "waived_until",
            "evaluated_at",
            "resolved_at",
        ),
        "ipai.gate": ("sequence",),
        "ipai.revision": ("recorded_at",),
        "ipai.check": (
            "release_id",
            "revision_id",
            "name",
            "environment_category",
            "status",
            "gate_id",
        ),
        "ipai.evidence": ("release_id", "revision_id", "gate_id"),
        "ipai.approval": (
            "release_id",
            "revision_id",
            "gate_id",
            "approver_id",
            "decision",
        ),
        "res.users": ("login", "partner_id"),
        "res.partner": ("email", "email_normalized"),
    }

    @api.depends("blocking_reasons", "release_gate_id.blocking_text")
    @api.depends_context("lang")
    def _compute_blocking_text(self):
        for row in self:
            row.blocking_text = (
                row.blocking_reasons and row.release_gate_id.blocking_text
            )

    @api.model
    def _query(self):
        return SQL(
            """
            SELECT rg.id,
                   rg.id AS release_gate_id,
                   %(release)s,
                   rg.gate_id,
                   g.sequence AS gate_sequence,
                   gate.status,
                   gate.status <> rg.status AS is_overtaken,
                   CASE WHEN gate.status IN %(open)s THEN rg.condition_count
                        WHEN gate.status = rg.status THEN rg.met_count
                   END AS met_count,
                   rg.condition_count,
                   CASE WHEN gate.status NOT IN %(open)s THEN rg.blocking_reasons
                   END AS blocking_reasons,
                   %(passed)s AS pass_count,
                   %(failed)s AS fail_count,
                   %(warning)s AS warning_count,
                   %(skipped)s AS skipped_count,
                   (SELECT count(*)::int
                      FROM ipai_evidence e
                     WHERE e.release_id = r.id AND e.revision_id = r.revision_id
                       AND (e.gate_id IS NULL OR e.gate_id = rg.gate_id)
                   ) AS evidence_count,
                   %(approvals)s AS approval_count,
                   rg.evaluated_at,
                   gate.resolved_at,
                   CASE WHEN rg.waived_until > %(now)s THEN rg.waived_until
                   END AS waived_until,
                   CASE WHEN gate.status IN %(open)s
                         AND gate.resolved_at >= v.recorded_at
                        THEN %(hours_to_pass)s
                   END AS hours_to_pass,
                   CASE WHEN gate.status NOT IN %(open)s AND r.is_open
                        THEN %(hours_waiting)s
                   END AS hours_waiting
              FROM ipai_release_gate rg
              JOIN ipai_release r ON r.id = rg.release_id
              JOIN ipai_gate g ON g.id = rg.gate_id
         LEFT JOIN ipai_revision v ON v.id = r.revision_id
         LEFT JOIN LATERAL (%(step)s) step ON TRUE
        CROSS JOIN LATERAL (
                       SELECT coalesce(step.status, rg.status) AS status,
                              CASE WHEN step.status IN %(open)s THEN step.began_at
                                   ELSE rg.resolved_at
                              END AS resolved_at
                   ) gate
            """,
            release=self._release_columns,
            open=OPEN,
            now=NOW,
            step=forecast_step(SQL("rg")),
            passed=_check_count("pass"),
            failed=_check_count("fail"),
            warning=_check_count("warning"),
            skipped=_check_count("skipped"),
            approvals=_approval_count(),
            hours_to_pass=hours(SQL("gate.resolved_at - v.recorded_at")),
            hours_waiting=hours(SQL("%s - v.recorded_at", NOW)),
        )


def _check_count(status):
    """The number of checks of a status that count at a gate, as in the policy core.

    Of each name and environment the latest check counts, among those of this gate: a
    check that failed for a later gate has no effect on earlier ones. One subquery per
    column: PostgreSQL does not compute a column that a list does not show.
    """
    return SQL(
        """
        (SELECT count(*)::int
           FROM (SELECT DISTINCT ON (c.name, c.environment_category) c.status
                   FROM ipai_check c
              LEFT JOIN ipai_gate named ON named.id = c.gate_id
                  WHERE c.release_id = r.id AND c.revision_id = r.revision_id
                    AND (c.status <> 'fail'
                         OR coalesce(named.sequence, g.sequence) <= g.sequence)
               ORDER BY c.name, c.environment_category, c.id DESC
                ) latest
          WHERE latest.status = %(status)s)
        """,
        status=status,
    )


def _approval_count():
    """The number of persons who approve a gate, by the latest decision of each."""
    return SQL(
        """
        (SELECT count(*)::int
           FROM (SELECT DISTINCT ON (%(person)s) a.decision
                   FROM ipai_approval a
                   JOIN res_users u ON u.id = a.approver_id
                   JOIN res_partner p ON p.id = u.partner_id
                  WHERE a.release_id = r.id AND a.revision_id = r.revision_id
                    AND a.gate_id = rg.gate_id
               ORDER BY %(person)s, a.id DESC
                ) standing
          WHERE standing.decision = 'approved')
        """,
        person=person(SQL("u"), SQL("p")),
    )
