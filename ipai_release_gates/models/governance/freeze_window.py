from odoo import fields, models


class FreezeWindow(models.Model):
    """A period in which nothing may be promoted to production."""

    _name = "ipai.freeze.window"
    _description = "Freeze window"
    _inherit = "ipai.policy.mixin"
    _order = "starts_at desc, id desc"

    name = fields.Char(string="Reason", required=True)
    starts_at = fields.Datetime(required=True)
    ends_at = fields.Datetime(required=True)
    project_ids = fields.Many2many(
        "ipai.project",
        string="Projects",
        # A freeze of an archived project is not one of every project.
        context={"active_test": False},
        # Nor may a freeze come to bind every project because its own was deleted.
        ondelete="restrict",
        help="Empty: every project.",
    )
    active = fields.Boolean(default=True)

    _ends_after_start = models.Constraint(
        "CHECK (ends_at > starts_at)", "A freeze must end after it starts."
    )

    def _policy_value_of(self, name):
        if name == "project_ids":
            # A freeze belongs to no company, the projects do: by reference, so that
            # their names are known to those only who may read them.
            return sorted(f"ipai.project,{project.id}" for project in self.project_ids)
        return super()._policy_value_of(name)

    def _affected_releases(self):
        affected = super()._affected_releases()
        if all(window.project_ids for window in self):
            affected = affected.filtered(
                lambda release: release.project_id in self.project_ids
            )
        return affected
