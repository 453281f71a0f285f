from odoo import api, fields, models
from odoo.exceptions import UserError


class DeployWizard(models.TransientModel):
    """Record the deployment of some releases to an environment."""

    _name = "ipai.deploy.wizard"
    _description = "Record a deployment"
    _inherit = "ipai.release.wizard"

    project_ids = fields.Many2many("ipai.project", compute="_compute_project_ids")
    environment_id = fields.Many2one(
        "ipai.environment",
        string="To",
        required=True,
        compute="_compute_environment_id",
        compute_sudo=False,
        precompute=True,
        store=True,
        readonly=False,
        domain="[('project_id', 'in', project_ids)]",
    )
    reference = fields.Char(
        required=True,
        help="Identifies the deployment to whoever performs it. With many releases "
        "the number of each is added.",
    )
    status = fields.Selection(
        [
            ("in_progress", "In Progress"),
            ("succeeded", "Succeeded"),
            ("failed", "Failed"),
        ],
        required=True,
        default="in_progress",
    )
    rollback_of_id = fields.Many2one(
        "ipai.deployment",
        string="In place of",
        domain="[('environment_id', '=', environment_id),"
        " ('status', '!=', 'rolled_back')]",
        help="The deployment that this one takes back. The way back to a revision "
        "that ran there before is never held by a gate.",
    )
    obstacle = fields.Text(compute="_compute_obstacle")

    @api.depends("release_ids")
    def _compute_project_ids(self):
        for wizard in self:
            wizard.project_ids = wizard._releases().project_id

    @api.depends("release_ids")
    def _compute_environment_id(self):
        for wizard in self:
            projects = wizard._releases().project_id
            if wizard.environment_id.project_id in projects:
                continue
            environments = projects[:1].environment_ids
            wizard.environment_id = environments.filtered(
                lambda environment: environment.category == "production"
            )[:1]

    @api.depends("release_ids", "environment_id", "rollback_of_id")
    def _compute_obstacle(self):
        Deployment = self.env["ipai.deployment"]
        for wizard in self:
            # A caller may pass any id, so only records that the user may read are used.
            # sudo: obstacles depend on all facts
            environment = wizard.environment_id._origin._filtered_access("read").sudo()
            # sudo: obstacles depend on all facts
            back = wizard.rollback_of_id._origin._filtered_access("read").sudo()
            messages = []
            # sudo: obstacles depend on all facts
            for release in wizard._releases().sudo() if environment else ():
                problems = Deployment._obstacles(
                    release, release.revision_id, environment, back
                )
                if problems:
                    messages.append(
                        Deployment._refused_message(release, environment, problems)
                    )
            wizard.obstacle = "\n".join(messages)

    def action_deploy(self):
        """Record the deployments with the rights of the current user.

        :raises GateRefused: with the requirements that are not met
        """
        self.ensure_one()
        if not self.release_ids:
            raise UserError(self.env._("Choose the releases that are deployed."))
        many = len(self.release_ids) > 1
        self.env["ipai.deployment"].create(
            [
                {
                    "release_id": release.id,
                    "environment_id": self.environment_id.id,
                    "external_id": (
                        f"{self.reference}-{release.id}" if many else self.reference
                    ),
                    "status": self.status,
                    "rollback_of_id": self.rollback_of_id.id,
                }
                for release in self.release_ids
            ]
        )
        return self._done(
            self.env._(
                "Deployment of %(releases)s to %(environment)s recorded.",
                releases=", ".join(self.release_ids.mapped("name")),
                environment=self.environment_id.name,
            )
        )
