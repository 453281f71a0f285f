from datetime import timedelta

from odoo import api, fields, models, tools
from odoo.fields import Domain

#: GitHub fails a job that has waited for so long.
LONGEST_WAIT = timedelta(days=30)


class GithubRepository(models.Model):
    """A project, and its repository at GitHub that asks for and shows its gates."""

    _name = "ipai.github.repository"
    _description = "Repository at GitHub"
    _inherit = "ipai.policy.mixin"
    _order = "name, id"
    _check_company_auto = True

    project_id = fields.Many2one(
        "ipai.project", required=True, ondelete="restrict", index=True
    )
    company_id = fields.Many2one(related="project_id.company_id", store=True)
    active = fields.Boolean(default=True)
    app_id = fields.Many2one(
        "ipai.github.app",
        string="GitHub App",
        required=True,
        ondelete="restrict",
        check_company=True,
    )
    name = fields.Char(
        string="Repository",
        compute="_compute_name",
        store=True,
        readonly=False,
        required=True,
        precompute=True,
        help="owner/name at GitHub; that of the project unless it differs.",
    )
    installation = fields.Char(
        required=True,
        help="The number at the end of the address of the installation's settings: "
        "https://github.com/settings/installations/<number>",
    )
    environment_ids = fields.One2many(
        "ipai.github.environment",
        "repository_id",
        string="Environments",
        default=lambda self: [
            (0, 0, {"name": name, "target": name}) for name in ("staging", "production")
        ],
    )
    answer_mode = fields.Selection(
        [
            ("reject", "Reject at once"),
            ("wait", "Let it wait, and report"),
        ],
        string="Not eligible yet",
        required=True,
        default="reject",
        help="What GitHub is told of a deployment whose gates are not open. Reject at "
        "once: the job fails, and can be run again once the gates are open. Let it "
        "wait: the job waits, with a report of what is missing, until they are open or "
        "the deadline has passed.",
    )
    deadline_hours = fields.Float(
        string="Reject after (hours)",
        required=True,
        default=72.0,
        help="A deployment that waits for so long is rejected. GitHub itself fails it "
        "after 30 days.",
    )
    report_as = fields.Selection(
        [
            ("none", "Nothing"),
            ("checks", "Check runs"),
            ("statuses", "Commit statuses"),
        ],
        string="Gates on commits",
        required=True,
        default="checks",
        help="How a pull request shows the gates of the release of its commit. Check "
        "runs carry the conditions; commit statuses one line each.",
    )

    # No verdict depends on them, but a change is recorded.
    _policy_deciding = frozenset()

    _project_unique = models.UniqueIndex(
        "(project_id) WHERE active", "This project has a repository at GitHub already."
    )
    _name_format = models.Constraint(
        "CHECK (name ~ '^[A-Za-z0-9_.-]{1,100}/[A-Za-z0-9_.-]{1,100}$')",
        "A repository at GitHub is called owner/name.",
    )
    _installation_format = models.Constraint(
        "CHECK (installation ~ '^[1-9][0-9]{0,18}$')",
        "The installation is a number, as in the address of its settings at GitHub.",
    )
    _deadline_range = models.Constraint(
        "CHECK (deadline_hours > 0 AND deadline_hours <= 719)",
        "A deployment can wait for up to 719 hours: GitHub fails it after 30 days.",
    )

    @api.depends("project_id")
    def _compute_name(self):
        for repository in self:
            repository.name = repository.project_id.name or repository.name

    @api.model_create_multi
    def create(self, vals_list):
        repositories = super().create(vals_list)
        repositories._changed()
        return repositories

    def write(self, vals):
        former = self.project_id
        result = super().write(vals)
        self._changed(former)
        return result

    def unlink(self):
        former = self.project_id
        result = super().unlink()
        self.browse()._changed(former)
        return result

    def _affected_releases(self):
        return self.env["ipai.release"]

    def _changed(self, former=None):
        """Answer what waits and update what commits show, after a change of these."""
        self.env.registry.clear_cache()
        # sudo: includes records beyond user rights
        repositories = self.sudo()
        projects = repositories.project_id | (former or self.env["ipai.project"])
        # sudo: includes records beyond user rights
        self.env["ipai.github.protection"].sudo()._live(
            Domain("project_id", "in", projects.ids)
        )._answer_later()
        # Through the rows of the releases, as every change that commits show: then no
        # concurrent change of a release is missed.
        # sudo: includes records beyond user rights
        self.env["ipai.release"].sudo().search(
            [
                ("project_id", "in", repositories.filtered("active").project_id.ids),
                ("is_open", "=", True),
            ]
        )._rejudge_in_batches()

    @api.model
    def _of(self, project):
        """The repository in use of a project, or an empty record."""
        # sudo: answers depend on no user's rights
        return self.sudo().search(
            [("project_id", "=", project.id), ("active", "=", True)], limit=1
        )

    @api.model
    @tools.ormcache()
    def _linked_project_ids(self):
        """The projects that have a repository at GitHub, without a query."""
        # sudo: answers depend on no user's rights
        found = self.sudo().search([("active", "=", True)])
        return frozenset(found.project_id.ids)

    def _target_of(self, environment):
        """The promotion target an environment at GitHub is judged for, if it is mapped.

        :param str environment: its name at GitHub
        """
        self.ensure_one()
        for mapped in self.environment_ids:
            if mapped.name.lower() == environment.lower():
                return mapped.target
        return None
