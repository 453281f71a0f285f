from odoo import fields, models
from odoo.exceptions import UserError


class Incident(models.Model):
    """Something went wrong; open and blocking, it holds its project's promotions."""

    _name = "ipai.incident"
    _inherit = "ipai.fact.mixin"
    _description = "Incident"

    name = fields.Char(string="Summary", required=True)
    external_id = fields.Char(string="Reference")
    severity = fields.Selection(
        [
            ("low", "Low"),
            ("medium", "Medium"),
            ("high", "High"),
            ("critical", "Critical"),
        ],
        required=True,
        default="medium",
    )
    project_id = fields.Many2one(store=True, related_sudo=True, index=True)
    deployment_id = fields.Many2one("ipai.deployment", ondelete="restrict")
    blocking = fields.Boolean(
        default=True, help="Holds the production promotions of the project while open."
    )
    detected_at = fields.Datetime(required=True, default=lambda self: self.env.cr.now())
    resolved_at = fields.Datetime(readonly=True)

    _resolved_after_detected = models.Constraint(
        "CHECK (resolved_at IS NULL OR resolved_at >= detected_at)",
        "An incident is resolved after it was detected.",
    )
    _open_blocking = models.Index("(project_id) WHERE blocking AND resolved_at IS NULL")

    _creatable = frozenset(
        {
            "release_id",
            "name",
            "external_id",
            "severity",
            "deployment_id",
            "blocking",
            "detected_at",
        }
    )

    def action_resolve(self):
        """Record that the incident is over."""
        self.check_access("write")
        for incident in self:
            if incident.resolved_at:
                raise UserError(self.env._("%s is resolved already.", incident.name))
            now = self.env.cr.now()
            incident.engine_write({"resolved_at": max(now, incident.detected_at)})
            incident._record()
        return True

    def _record(self):
        super()._record()
        # It holds every open release of the project, not only the one it names; those
        # may be out of the reporter's sight.
        releases = self.env["ipai.release"].sudo()
        others = releases.search(
            [
                ("project_id", "in", self.project_id.ids),
                ("is_open", "=", True),
                ("active", "in", [True, False]),
            ]
        )
        named = self.sudo().release_id  # only taken out of the set
        (others - named)._policy_recorded()

    def _ledger_draft(self):
        body = {
            "external_id": self.external_id or "",
            "summary": self.name,
            "severity": self.severity,
            "status": "resolved" if self.resolved_at else "open",
            "blocking": self.blocking,
        }
        return self.release_id.id, "incident", self, body
