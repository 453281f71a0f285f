from odoo import api, fields, models

from ..selections import ENVIRONMENT_CATEGORIES
from .environment_control import CONTROLS_OF


class Environment(models.Model):
    """An environment that a project is deployed to, with its safety controls."""

    _name = "ipai.environment"
    _description = "Environment"
    _inherit = ["ipai.policy.mixin", "mail.thread", "mail.activity.mixin"]
    _order = "project_id, category, name"

    name = fields.Char(required=True)
    project_id = fields.Many2one(
        "ipai.project", required=True, ondelete="restrict", index=True
    )
    company_id = fields.Many2one(related="project_id.company_id", related_sudo=False)
    category = fields.Selection(ENVIRONMENT_CATEGORIES, required=True)
    url = fields.Char(string="Address")
    active = fields.Boolean(default=True)
    owner_id = fields.Many2one(
        "res.users",
        ondelete="restrict",
        help="Is told when the environment ends or something is wrong with it; "
        "without an owner every SRE is.",
    )
    expires_at = fields.Datetime(
        string="Ends on",
        help="An environment that is not production ends on a day, or is kept for a "
        "reason.",
    )
    keep = fields.Boolean(help="Has no end, for the reason given.")
    keep_reason = fields.Char(string="Why it is kept")
    control_ids = fields.One2many("ipai.environment.control", "environment_id")
    event_ids = fields.One2many("ipai.environment.event", "environment_id")
    drill_ids = fields.One2many("ipai.recovery.drill", "environment_id")
    unmet_control_count = fields.Integer(
        string="Controls that do not hold",
        compute="_compute_unmet_control_count",
        store=True,
        help="Controls whose last check failed, or that were never checked.",
    )
    event_count = fields.Integer(compute="_compute_record_counts")
    drill_count = fields.Integer(compute="_compute_record_counts")

    _name_unique = models.Constraint(
        "UNIQUE (project_id, name)",
        "This project has an environment with this name already.",
    )
    _keep_reason_given = models.Constraint(
        "CHECK (keep IS NOT TRUE OR trim(coalesce(keep_reason, '')) <> '')",
        "An environment is kept for a reason: say which.",
    )

    @api.depends("control_ids.status")
    def _compute_unmet_control_count(self):
        for environment in self:
            environment.unmet_control_count = sum(
                control.status != "pass" for control in environment.control_ids
            )

    def _compute_record_counts(self):
        for model, field in (
            ("ipai.environment.event", "event_count"),
            ("ipai.recovery.drill", "drill_count"),
        ):
            counts = {}
            if self.env[model].has_access("read"):
                counts = dict(
                    self.env[model]._read_group(
                        [("environment_id", "in", self.ids)],
                        ["environment_id"],
                        ["__count"],
                    )
                )
            for environment in self:
                environment[field] = counts.get(environment._origin, 0)

    @api.model_create_multi
    def create(self, vals_list):
        environments = super().create(vals_list)
        environments._ensure_controls()
        return environments

    def write(self, vals):
        result = super().write(vals)
        if "category" in vals:
            self._ensure_controls()
        elif vals.keys() & {"expires_at", "keep", "keep_reason", "active"}:
            # sudo: the system judges lifetimes
            self.sudo().control_ids._judge_lifetime()
        return result

    def _policy_name(self):
        return f"{self.project_id.name}/{self.name}"

    def _affected_releases(self):
        return (
            super()
            ._affected_releases()
            .filtered(lambda release: release.project_id in self.project_id)
        )

    def _ensure_controls(self):
        """Give these environments the controls of their category, and no others.

        Safe to call again, and for environments that are older than their controls.
        """
        # sudo: only the system creates controls
        environments = self.sudo()
        wanted = {
            (environment.id, kind)
            for environment in environments
            for kind in CONTROLS_OF[environment.category]
        }
        controls = environments.with_context(active_test=False).control_ids
        known = {(c.environment_id.id, c.kind): c for c in controls}
        for key, control in known.items():
            if key not in wanted:
                control._discard()
        controls.system_create(
            [
                {"environment_id": environment_id, "kind": kind, "status": "unknown"}
                for environment_id, kind in sorted(wanted - known.keys())
            ]
        )
        environments.control_ids._judge_lifetime()

    def _people_to_notify(self, record):
        """The people to notify of an event of this environment.

        :param record: the record of the notification, which they must be able to read
        :returns: the owner, else every holder of the persona SRE
        """
        self.ensure_one()
        # sudo: holders do not depend on user
        environment = self.sudo()
        persona = environment.env["ipai.persona"].search([("code", "=", "sre")])
        for people in (environment.owner_id, persona.group_id.all_user_ids):
            readers = people.filtered(
                lambda user: (
                    user.active
                    and not user.share
                    and record.with_user(user).has_access("read")
                )
            )
            if readers:
                return readers
        return environment.env["res.users"]

    # --- doors -----------------------------------------------------------------------

    def action_open_events(self):
        """Open the events of this environment."""
        return self._open_records("ipai_environment_event_action")

    def action_open_drills(self):
        """Open the drills of this environment."""
        return self._open_records("ipai_recovery_drill_action")

    def _open_records(self, name):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            f"ipai_release_gates.{name}"
        )
        action["domain"] = [("environment_id", "=", self.id)]
        action["context"] = {"default_environment_id": self.id}
        return action
