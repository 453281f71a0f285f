from odoo import fields, models
from odoo.exceptions import UserError


class OpenIncidentWizard(models.TransientModel):
    """Open an incident on each of some releases."""

    _name = "ipai.open.incident.wizard"
    _description = "Open an incident"
    _inherit = "ipai.release.wizard"

    name = fields.Char(string="Summary", required=True)
    severity = fields.Selection(
        selection=lambda self: (
            self.env["ipai.incident"]
            ._fields["severity"]
            ._description_selection(self.env)
        ),
        required=True,
    )
    blocking = fields.Boolean(
        default=True,
        help="Holds the production promotions of the project while it is open.",
    )
    detected_at = fields.Datetime(required=True, default=lambda self: self.env.cr.now())
    deployment_id = fields.Many2one(
        "ipai.deployment",
        domain="[('release_id', 'in', release_ids)]",
        help="What was deployed when it happened; starts the fallback timer.",
    )

    def action_open(self):
        """Open the incidents with the rights of the current user."""
        self.ensure_one()
        if not self.release_ids:
            raise UserError(self.env._("Choose the releases it happened to."))
        deployment = self.deployment_id
        self.env["ipai.incident"].create(
            [
                {
                    "release_id": release.id,
                    "name": self.name,
                    "severity": self.severity,
                    "blocking": self.blocking,
                    "detected_at": self.detected_at,
                    "deployment_id": deployment.release_id == release and deployment.id,
                }
                for release in self.release_ids
            ]
        )
        return self._done(
            self.env._(
                "Incident opened on %s.", ", ".join(self.release_ids.mapped("name"))
            )
        )
