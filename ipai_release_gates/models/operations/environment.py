from odoo import fields, models

from ..selections import ENVIRONMENT_CATEGORIES


class Environment(models.Model):
    """A place a project is deployed to."""

    _name = "ipai.environment"
    _description = "Environment"
    _inherit = "ipai.policy.mixin"
    _order = "project_id, category, name"

    name = fields.Char(required=True)
    project_id = fields.Many2one(
        "ipai.project", required=True, ondelete="restrict", index=True
    )
    company_id = fields.Many2one(related="project_id.company_id", related_sudo=False)
    category = fields.Selection(ENVIRONMENT_CATEGORIES, required=True)
    url = fields.Char(string="Address")
    active = fields.Boolean(default=True)

    _name_unique = models.Constraint(
        "UNIQUE (project_id, name)",
        "This project has an environment with this name already.",
    )

    def _policy_name(self):
        return f"{self.project_id.name}/{self.name}"

    def _affected_releases(self):
        return (
            super()
            ._affected_releases()
            .filtered(lambda release: release.project_id in self.project_id)
        )
