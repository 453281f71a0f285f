from odoo import api, fields, models
from odoo.tools import SQL

from ..selections import ENVIRONMENT_CATEGORIES, SOURCE_SYSTEMS
from . import delivery
from .analytics_mixin import RELEASE_FIELDS
from .expressions import NOW, OPEN, forecast_step, hours


class DeploymentHistory(models.Model):
    """Each deployment with its environment, its outcome and the status of G4 now."""

    _name = "ipai.report.deployment.history"
    _description = "Deployment history"
    _inherit = "ipai.report.mixin"
    _auto = False
    _rec_name = "deployment_id"
    _order = "deployed_at desc, id desc"
    _subject = "deployment_id"

    deployment_id = fields.Many2one("ipai.deployment", readonly=True)
    environment_id = fields.Many2one("ipai.environment", readonly=True)
    environment_category = fields.Selection(
        ENVIRONMENT_CATEGORIES, string="Category", readonly=True
    )
    status = fields.Selection(
        [
            ("in_progress", "In Progress"),
            ("succeeded", "Succeeded"),
            ("failed", "Failed"),
            ("rolled_back", "Rolled Back"),
        ],
        readonly=True,
    )
    deployed_at = fields.Datetime(string="Deployed", readonly=True)
    revision_id = fields.Many2one("ipai.revision", readonly=True)
    source_ref = fields.Char(string="Commit", readonly=True)
    is_current = fields.Boolean(string="Of the current revision", readonly=True)
    actor_id = fields.Many2one("res.users", string="Recorded by", readonly=True)
    source_system = fields.Selection(SOURCE_SYSTEMS, readonly=True)
    rollback_of_id = fields.Many2one("ipai.deployment", readonly=True)
    is_rollback = fields.Boolean(
        string="A rollback", readonly=True, help="It brings back what ran before."
    )
    was_rolled_back = fields.Boolean(readonly=True)
    rolled_back_at = fields.Datetime(string="Rolled back on", readonly=True)
    rollback_trigger = fields.Selection(
        [
            ("incident", "Incident"),
            ("health_check", "Health check"),
            ("g4_deadline", "G4 deadline"),
            ("manual", "Decision"),
        ],
        readonly=True,
    )
    rollback_outcome = fields.Selection(
        [("restored", "Restored"), ("partial", "Partial"), ("failed", "Failed")],
        readonly=True,
    )
    restored_id = fields.Many2one(
        "ipai.deployment",
        string="Restored deployment",
        readonly=True,
        help="The earlier deployment that runs again after the rollback.",
    )
    hours_until_rollback = fields.Float(
        readonly=True,
        aggregator="avg",
        help="From the deployment until it was rolled back.",
    )
    is_unauthorised = fields.Boolean(
        string="Unauthorised",
        readonly=True,
        help="Reported after the fact; the revision was not approved for production.",
    )
    g4_status = fields.Selection(
        [("pending", "Pending"), ("passed", "Passed"), ("failed", "Failed")],
        string="G4",
        readonly=True,
        help="Production only. At this moment: what is not confirmed by its deadline "
        "has failed, unless an exception covers that.",
    )
    is_judged = fields.Boolean(
        string="Judged by G4",
        readonly=True,
        help="The latest to production of the release's current revision.",
    )
    confirmation_due_at = fields.Datetime(string="Confirm by", readonly=True)
    confirmed_at = fields.Datetime(string="Confirmed on", readonly=True)
    hours_to_confirm = fields.Float(
        readonly=True,
        aggregator="avg",
        help="From the deployment until its outcome was confirmed.",
    )
    lead_time_hours = fields.Float(
        string="Lead time (hours)",
        readonly=True,
        aggregator="avg",
        help="From the release's first revision to this deployment.",
    )
    failure_share = fields.Float(
        string="Share failed",
        readonly=True,
        aggregator="avg",
        help="Of the deployments that are over, those that failed or were rolled back.",
    )
    is_change = fields.Boolean(
        string="Change",
        readonly=True,
        help="Brought a change to production, well or not: over, and no rollback.",
    )
    is_first_delivery = fields.Boolean(
        string="First delivery",
        readonly=True,
        help="A change whose commit was known to the project, and had never run in its "
        "production before.",
    )
    change_lead_hours = fields.Float(
        string="Change lead time (hours)",
        readonly=True,
        aggregator="avg",
        help="Of a first delivery: since the project first heard of the commit.",
    )
    is_change_failure = fields.Boolean(
        string="Change failure",
        readonly=True,
        help="A change that failed, was rolled back or has an incident.",
    )
    is_restored = fields.Boolean(
        string="Restored",
        readonly=True,
        help="A change failure that is made good: rolled back, its incidents resolved, "
        "or replaced by a deployment that succeeded.",
    )
    restored_at = fields.Datetime(string="Restored on", readonly=True)
    recovery_hours = fields.Float(
        string="Recovery time (hours)",
        readonly=True,
        aggregator="avg",
        help="From the first incident, else from the deployment, until restored.",
    )
    is_rework = fields.Boolean(
        string="Rework",
        readonly=True,
        help="An unplanned change: made while an incident was open, after a change "
        "that failed or was rolled back, or under an emergency exception.",
    )

    _depends = {
        "ipai.release": RELEASE_FIELDS,
        "ipai.release.gate": ("release_id", "gate_id", "status", "forecast"),
        "ipai.release.stage": ("sequence", "gate_id", "is_closing"),
        "ipai.revision": ("release_id", "source_ref", "recorded_at"),
        "ipai.environment": ("category",),
        "ipai.deployment": (
            "release_id",
            "revision_id",
            "environment_id",
            "status",
            "deployed_at",
            "recorded_by_id",
            "source_system",
            "rollback_of_id",
            "rolled_back_at",
            "rollback_trigger",
            "rollback_outcome",
            "restored_id",
            "is_unauthorised",
            "g4_status",
            "confirmation_due_at",
            "confirmed_at",
        ),
        "ipai.incident": (
            "deployment_id",
            "project_id",
            "detected_at",
            "resolved_at",
        ),
        "ipai.exception": (
            "release_id",
            "revision_id",
            "exception_type",
            "effective_from",
            "approved_at",
            "expires_at",
            "ended_at",
        ),
    }

    @api.model
    def _query(self):
        return SQL(
            """
            WITH closing AS (
                SELECT gate_id
                  FROM ipai_release_stage
                 WHERE is_closing AND gate_id IS NOT NULL
              ORDER BY sequence DESC, id DESC
                 LIMIT 1
            )
            SELECT d.id,
                   d.id AS deployment_id,
                   %(release)s,
                   d.environment_id,
                   e.category AS environment_category,
                   d.status,
                   d.deployed_at,
                   d.revision_id,
                   v.source_ref,
                   coalesce(d.revision_id = r.revision_id, FALSE) AS is_current,
                   d.recorded_by_id AS actor_id,
                   d.source_system,
                   d.rollback_of_id,
                   d.rollback_of_id IS NOT NULL AS is_rollback,
                   d.status = 'rolled_back' AS was_rolled_back,
                   d.rolled_back_at,
                   d.rollback_trigger,
                   d.rollback_outcome,
                   d.restored_id,
                   %(until_rollback)s AS hours_until_rollback,
                   d.is_unauthorised IS TRUE AS is_unauthorised,
                   CASE WHEN e.category <> 'production' THEN NULL
                        WHEN gate.is_judged THEN gate.g4_status
                        WHEN d.g4_status = 'pending' AND d.confirmed_at IS NULL
                         AND d.confirmation_due_at < %(now)s THEN 'failed'
                        ELSE d.g4_status
                   END AS g4_status,
                   e.category = 'production' AND gate.is_judged AS is_judged,
                   d.confirmation_due_at,
                   d.confirmed_at,
                   %(hours_to_confirm)s AS hours_to_confirm,
                   greatest(%(lead_time)s, 0) AS lead_time_hours,
                   CASE WHEN d.status <> 'in_progress'
                        THEN (d.status IN ('failed', 'rolled_back'))::int::float8
                   END AS failure_share,
                   %(is_change)s AS is_change,
                   %(is_first_delivery)s AS is_first_delivery,
                   %(change_lead_hours)s AS change_lead_hours,
                   %(is_change_failure)s AS is_change_failure,
                   recovery.restored_at IS NOT NULL AS is_restored,
                   recovery.restored_at,
                   %(recovery_hours)s AS recovery_hours,
                   coalesce(%(is_rework)s, FALSE) AS is_rework
              FROM ipai_deployment d
              JOIN ipai_release r ON r.id = d.release_id
              JOIN ipai_environment e ON e.id = d.environment_id
         LEFT JOIN ipai_revision v ON v.id = d.revision_id
         LEFT JOIN closing ON TRUE
         LEFT JOIN ipai_release_gate rg
                ON rg.release_id = r.id AND rg.gate_id = closing.gate_id
         LEFT JOIN LATERAL (%(step)s) step ON TRUE
         LEFT JOIN LATERAL (%(trouble)s) trouble ON TRUE
         LEFT JOIN LATERAL (%(recovery)s) recovery ON TRUE
        CROSS JOIN LATERAL (
                       -- Of a revision, G4 judges the latest production deployment.
                       SELECT rg.id IS NOT NULL AND d.revision_id = r.revision_id
                              AND NOT EXISTS (
                                  SELECT FROM ipai_deployment l
                                    JOIN ipai_environment le
                                      ON le.id = l.environment_id
                                   WHERE l.release_id = d.release_id
                                     AND l.revision_id = d.revision_id
                                     AND le.category = e.category
                                     AND (l.deployed_at, l.id) > (d.deployed_at, d.id)
                              ) AS is_judged,
                              CASE WHEN coalesce(step.status, rg.status) IN %(open)s
                                   THEN 'passed'
                                   WHEN coalesce(step.status, rg.status) = 'failed'
                                   THEN 'failed'
                                   ELSE 'pending'
                              END AS g4_status
                   ) gate
            """,
            release=self._release_columns,
            open=OPEN,
            now=NOW,
            step=forecast_step(SQL("rg")),
            trouble=delivery.TROUBLE,
            recovery=delivery.RECOVERY,
            is_change=delivery.IS_CHANGE,
            is_first_delivery=delivery.IS_FIRST_DELIVERY,
            change_lead_hours=delivery.CHANGE_LEAD_HOURS,
            is_change_failure=delivery.IS_CHANGE_FAILURE,
            recovery_hours=delivery.RECOVERY_HOURS,
            is_rework=delivery.IS_REWORK,
            until_rollback=hours(SQL("d.rolled_back_at - d.deployed_at")),
            hours_to_confirm=hours(SQL("d.confirmed_at - d.deployed_at")),
            lead_time=hours(
                SQL(
                    "d.deployed_at - (SELECT first.recorded_at FROM ipai_revision first"
                    " WHERE first.release_id = r.id ORDER BY first.id LIMIT 1)"
                )
            ),
        )
