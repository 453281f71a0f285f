from odoo import api, fields, models
from odoo.tools import SQL

from ..selections import EXCEPTION_TYPES, RISK_LEVELS
from .analytics_mixin import RELEASE_FIELDS
from .expressions import NOW, hours


class ExceptionStatus(models.Model):
    """The present state of each exception, and the time it has left."""

    _name = "ipai.report.exception.status"
    _description = "Exception status"
    _inherit = "ipai.report.mixin"
    _auto = False
    _rec_name = "exception_id"
    _order = "expires_at desc, id desc"
    _subject = "exception_id"

    exception_id = fields.Many2one("ipai.exception", readonly=True)
    revision_id = fields.Many2one("ipai.revision", readonly=True)
    exception_type = fields.Selection(EXCEPTION_TYPES, string="Type", readonly=True)
    risk_level = fields.Selection(RISK_LEVELS, string="Risk", readonly=True)
    gate_ids = fields.Many2many(
        "ipai.gate",
        "ipai_exception_gate_rel",
        "exception_id",
        "gate_id",
        string="Impacted gates",
        readonly=True,
    )
    status = fields.Selection(
        [
            ("draft", "Draft"),
            ("requested", "Requested"),
            ("scheduled", "Scheduled"),
            ("active", "Active"),
            ("expired", "Expired"),
            ("revoked", "Revoked"),
            ("closed", "Closed"),
            ("rejected", "Rejected"),
        ],
        readonly=True,
        help="As the clock has it at this moment.",
    )
    is_current = fields.Boolean(
        string="Of the current revision",
        readonly=True,
        help="It was approved for the release's current revision; it covers no other.",
    )
    in_force = fields.Boolean(
        readonly=True, help="Active, in its time, and of the current revision."
    )
    effective_from = fields.Datetime(readonly=True)
    expires_at = fields.Datetime(readonly=True)
    hours_left = fields.Float(readonly=True, aggregator="avg")
    hours_granted = fields.Float(
        string="Life (hours)",
        readonly=True,
        aggregator="avg",
        help="From when it takes effect until it expires.",
    )
    requester_id = fields.Many2one("res.users", readonly=True)
    requested_at = fields.Datetime(readonly=True)
    approved_at = fields.Datetime(readonly=True)
    ended_at = fields.Datetime(readonly=True)
    hours_to_decide = fields.Float(
        readonly=True,
        aggregator="avg",
        help="From the request until the last approval.",
    )
    is_extension = fields.Boolean(string="Extension", readonly=True)
    review = fields.Selection(
        [
            ("none", "Not Needed"),
            ("pending", "Pending"),
            ("overdue", "Overdue"),
            ("complete", "Complete"),
        ],
        string="Post-event review",
        readonly=True,
    )
    review_due_at = fields.Datetime(string="Review due", readonly=True)

    _depends = {
        "ipai.release": RELEASE_FIELDS,
        "ipai.exception": (
            "release_id",
            "revision_id",
            "exception_type",
            "risk_level",
            "state",
            "effective_from",
            "expires_at",
            "recorded_by_id",
            "requested_at",
            "approved_at",
            "ended_at",
            "extension_of_id",
            "review_status",
            "review_due_at",
        ),
    }

    @api.model
    def _query(self):
        return SQL(
            """
            SELECT x.id,
                   x.id AS exception_id,
                   %(release)s,
                   x.revision_id,
                   x.exception_type,
                   x.risk_level,
                   clock.status,
                   clock.is_current,
                   clock.status = 'active' AND clock.is_current AS in_force,
                   x.effective_from,
                   x.expires_at,
                   CASE WHEN clock.status IN ('active', 'scheduled', 'requested')
                        THEN greatest(%(hours_left)s, 0) ELSE 0
                   END AS hours_left,
                   %(hours_granted)s AS hours_granted,
                   x.recorded_by_id AS requester_id,
                   x.requested_at,
                   x.approved_at,
                   x.ended_at,
                   %(hours_to_decide)s AS hours_to_decide,
                   x.extension_of_id IS NOT NULL AS is_extension,
                   CASE WHEN x.review_status = 'waived' THEN 'none'
                        WHEN x.review_status = 'pending'
                         AND x.review_due_at < %(now)s THEN 'overdue'
                        ELSE x.review_status
                   END AS review,
                   x.review_due_at
              FROM ipai_exception x
              JOIN ipai_release r ON r.id = x.release_id
        CROSS JOIN LATERAL (
                       SELECT CASE WHEN x.state <> 'active' THEN x.state
                                   WHEN x.expires_at <= %(now)s THEN 'expired'
                                   WHEN x.effective_from > %(now)s THEN 'scheduled'
                                   ELSE 'active'
                              END AS status,
                              coalesce(x.revision_id = r.revision_id, FALSE)
                                  AS is_current
                   ) clock
            """,
            release=self._release_columns,
            now=NOW,
            hours_left=hours(SQL("x.expires_at - %s", NOW)),
            hours_granted=hours(SQL("x.expires_at - x.effective_from")),
            hours_to_decide=hours(SQL("x.approved_at - x.requested_at")),
        )
