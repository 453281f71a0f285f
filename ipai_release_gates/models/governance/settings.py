from odoo import api, fields, models


class Settings(models.Model):
    """What governance sets for the whole database; there is one record.

    Not in Odoo's own settings: those ask for an administrator of Odoo, who has no part
    in governance.
    """

    _name = "ipai.settings"
    _inherit = "ipai.policy.mixin"
    _description = "Settings of the release gates"

    payload_retention_days = fields.Integer(
        string="Keep what was sent (days)",
        required=True,
        default=180,
        help="After that long the text of an accepted or duplicate event is removed, "
        "unless evidence or a sign-off rests on it. 0: it is kept for ever.",
    )
    requests_per_minute = fields.Integer(
        string="Requests per minute and key",
        required=True,
        default=1200,
        help="How many requests one API key may send over HTTP in a minute: that many "
        "at once, and then evenly spread. A list of events is one request. 0: as many "
        "as it likes.",
    )

    pending_days = fields.Integer(
        string="Wait for a release (days)",
        required=True,
        default=30,
        help="How long a result waits for a release with its commit before it is "
        "marked as orphaned. 0: for ever.",
    )
    delivery_retention_days = fields.Integer(
        string="Keep deliveries (days)",
        required=True,
        default=90,
        help="After that long a delivery of a webhook is removed, unless it is still "
        "queued. 0: it is kept for ever.",
    )
    webhook_patience_days = fields.Integer(
        string="Switch off failing endpoints after (days)",
        required=True,
        default=5,
        help="An endpoint to which nothing was delivered for that long, while it was "
        "tried, is switched off and governance is told. 0: never.",
    )

    # No verdict rests on them; the chain records their changes all the same.
    _policy_deciding = frozenset()

    _only_one = models.UniqueIndex("((1))", "There is one record of settings.")
    _retention_range = models.Constraint(
        "CHECK (payload_retention_days BETWEEN 0 AND 36500)",
        "What was sent is kept for 0 (for ever) to 36500 days.",
    )
    _requests_range = models.Constraint(
        "CHECK (requests_per_minute BETWEEN 0 AND 1000000)",
        "A key has 0 (no limit) to 1000000 requests a minute.",
    )
    _pending_range = models.Constraint(
        "CHECK (pending_days BETWEEN 0 AND 36500)",
        "A result waits for a release for 0 (for ever) to 36500 days.",
    )
    _webhook_ranges = models.Constraint(
        "CHECK (delivery_retention_days BETWEEN 0 AND 36500"
        " AND webhook_patience_days BETWEEN 0 AND 365)",
        "Deliveries are kept for 0 (for ever) to 36500 days, and an endpoint is "
        "switched off after 0 (never) to 365 days.",
    )

    @api.depends_context("lang")
    def _compute_display_name(self):
        self.display_name = self.env._("Settings")

    def _policy_name(self):
        return "settings"

    @api.model
    def _current(self):
        """The settings in force; the defaults if there is no record."""
        # sudo: settings are public, no secrets
        settings = self.sudo().search([], limit=1)
        return settings or settings.new()
