import re

from odoo import api, fields, models
from odoo.exceptions import ValidationError


class Project(models.Model):
    """A repository with its release policy."""

    _name = "ipai.project"
    _description = "Project"
    _inherit = "ipai.policy.mixin"
    _order = "name"

    name = fields.Char(
        string="Repository", required=True, help="owner/name, as the forge spells it."
    )
    active = fields.Boolean(default=True)
    description = fields.Text()
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company
    )
    member_ids = fields.Many2many(
        "res.users",
        string="Members",
        help="Developers see and feed the releases of the projects they belong to.",
    )
    required_checks = fields.Char(
        default="unit_tests, lint",
        help="Names of the checks that must pass for every revision, separated by "
        "commas.",
    )
    confirmation_hours = fields.Float(
        string="G4 deadline (hours)",
        default=24.0,
        required=True,
        help="How long after a production deployment its outcome must be confirmed.",
    )
    environment_ids = fields.One2many("ipai.environment", "project_id")
    release_ids = fields.One2many("ipai.release", "project_id")
    release_count = fields.Integer(compute="_compute_release_count")

    _name_unique = models.Constraint(
        "UNIQUE (name)", "A project with this repository exists already."
    )
    _name_format = models.Constraint(
        "CHECK (name ~ '^[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)+$')",
        "A project is named like its repository: owner/name.",
    )
    _confirmation_hours_positive = models.Constraint(
        "CHECK (confirmation_hours > 0)", "The G4 deadline must be positive."
    )

    @api.depends("release_ids")
    def _compute_release_count(self):
        counts = dict(
            self.env["ipai.release"]._read_group(
                [("project_id", "in", self.ids)], ["project_id"], ["__count"]
            )
        )
        for project in self:
            project.release_count = counts.get(project, 0)

    @api.constrains("required_checks")
    def _validate_required_checks(self):
        for project in self:
            for name in project._required_check_names():
                if not re.fullmatch(r"[A-Za-z0-9_.:/ -]{1,128}", name):
                    raise ValidationError(
                        self.env._(
                            "“%(check)s” is not a check name (project %(project)s). "
                            "Separate names by commas.",
                            check=name,
                            project=project.name,
                        )
                    )

    def _required_check_names(self):
        """Names of the required checks, in order, without repeats."""
        self.ensure_one()
        names = (name.strip() for name in (self.required_checks or "").split(","))
        return tuple(dict.fromkeys(name for name in names if name))

    def _affected_releases(self):
        return (
            super()
            ._affected_releases()
            .filtered(lambda release: release.project_id in self)
        )

    def action_open_releases(self):
        """Open the board, narrowed to this project."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "ipai_release_gates.ipai_release_action"
        )
        action["domain"] = [("project_id", "=", self.id)]
        action["context"] = {"default_project_id": self.id}
        return action
