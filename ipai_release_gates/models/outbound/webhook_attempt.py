from odoo import api, fields, models
from odoo.tools import SQL


class WebhookAttempt(models.Model):
    """One attempt at a delivery, and its outcome."""

    _name = "ipai.webhook.attempt"
    _description = "Attempt at a delivery"
    _inherit = "ipai.guarded.mixin"
    _order = "id desc"
    _rec_name = "outcome"
    _log_access = False

    delivery_id = fields.Many2one(
        "ipai.webhook.delivery",
        required=True,
        index=True,
        readonly=True,
        ondelete="cascade",
    )
    endpoint_id = fields.Many2one(
        "ipai.webhook.endpoint", required=True, readonly=True, ondelete="restrict"
    )
    company_id = fields.Many2one(related="endpoint_id.company_id", related_sudo=False)
    attempted_at = fields.Datetime(string="When", required=True, readonly=True)
    is_success = fields.Boolean(string="Delivered", readonly=True)
    http_status = fields.Integer(string="HTTP", readonly=True)
    duration_ms = fields.Integer(string="Milliseconds", readonly=True)
    outcome = fields.Char(
        readonly=True, help="What the receiver said, or why it was not reached."
    )

    _latest = models.Index("(endpoint_id, attempted_at DESC)")
    _successes = models.Index("(endpoint_id, attempted_at DESC) WHERE is_success")

    @api.model
    def _health_of(self, endpoints):
        """The successes and failures of endpoints since they were switched on.

        :returns: dict of endpoint id to ``(last success, failing since, failures in a
            row)``
        """
        if not endpoints.ids:
            return {}
        self.flush_model()
        endpoints.flush_model(["switched_on_at"])
        rows = self.env.execute_query(
            SQL(
                """
                SELECT e.id, success.at, failures.since, failures.count
                  FROM ipai_webhook_endpoint e
            CROSS JOIN LATERAL (
                       SELECT max(attempted_at) AS at
                         FROM ipai_webhook_attempt
                        WHERE endpoint_id = e.id AND is_success
                       ) success
            CROSS JOIN LATERAL (
                       SELECT min(attempted_at) AS since, count(*) AS count
                         FROM ipai_webhook_attempt
                        WHERE endpoint_id = e.id
                          AND attempted_at > coalesce(success.at, '-infinity')
                          AND attempted_at >= coalesce(e.switched_on_at, '-infinity')
                       ) failures
                 WHERE e.id IN %s
                """,
                tuple(endpoints.ids),
            )
        )
        return {row[0]: (row[1] or False, row[2] or False, row[3]) for row in rows}
