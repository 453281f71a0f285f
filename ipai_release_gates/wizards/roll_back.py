from odoo import api, fields, models
from odoo.exceptions import UserError


class RollBackWizard(models.TransientModel):
    """Record the rollback of deployments, with its evidence."""

    _name = "ipai.roll.back.wizard"
    _description = "Record a rollback"
    _inherit = "ipai.release.wizard"

    deployment_ids = fields.Many2many(
        "ipai.deployment",
        string="Deployments",
        compute="_compute_deployment_ids",
        compute_sudo=False,
        precompute=True,
        store=True,
        readonly=False,
        domain="[('release_id', 'in', release_ids), ('status', '!=', 'rolled_back')]",
    )
    environment_ids = fields.Many2many(
        "ipai.environment", compute="_compute_environment_ids"
    )
    trigger = fields.Selection(
        selection=lambda self: (
            self.env["ipai.deployment"]
            ._fields["rollback_trigger"]
            ._description_selection(self.env)
        ),
        required=True,
    )
    reason = fields.Text(required=True)
    outcome = fields.Selection(
        selection=lambda self: (
            self.env["ipai.deployment"]
            ._fields["rollback_outcome"]
            ._description_selection(self.env)
        ),
        required=True,
    )
    restored_id = fields.Many2one(
        "ipai.deployment",
        string="Runs again",
        domain="[('environment_id', 'in', environment_ids),"
        " ('status', '=', 'succeeded'), ('id', 'not in', deployment_ids)]",
        help="The earlier deployment that was restored.",
    )
    url = fields.Char(string="Address")
    content = fields.Binary(string="File", attachment=False)
    filename = fields.Char()
    note = fields.Text(help="What shows that it was rolled back.")

    @api.depends("release_ids")
    def _compute_deployment_ids(self):
        for wizard in self:
            if wizard.deployment_ids:
                continue
            latest = self.env["ipai.deployment"]
            for release in wizard._releases():
                latest |= latest.search(
                    [
                        ("release_id", "=", release.id),
                        ("environment_id.category", "=", "production"),
                        ("status", "in", ("in_progress", "succeeded", "failed")),
                    ],
                    order="deployed_at desc, id desc",
                    limit=1,
                )
            wizard.deployment_ids = latest

    @api.depends("deployment_ids")
    def _compute_environment_ids(self):
        for wizard in self:
            wizard.environment_ids = wizard.deployment_ids._origin.environment_id

    def action_roll_back(self):
        """Record the rollbacks with the rights of the current user."""
        self.ensure_one()
        if not self.deployment_ids:
            raise UserError(self.env._("Choose the deployments that were rolled back."))
        for deployment in self.deployment_ids:
            deployment.action_roll_back(
                self.trigger,
                self.reason,
                self.outcome,
                {
                    "url": self.url,
                    "content": self.content,
                    "filename": self.filename,
                    "note": self.note,
                },
                self.restored_id.id,
            )
        return self._done(
            self.env._(
                "Rollback of %s recorded.",
                ", ".join(self.deployment_ids.mapped("external_id")),
            )
        )
