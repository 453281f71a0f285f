from odoo import api, fields, models
from odoo.exceptions import AccessError

from ..selections import SOURCE_SYSTEMS


class ControlCheck(models.Model):
    """The result of one check of an environment's control.

    The latest check of a control decides. A lifetime has none: it follows from the
    configuration of the environment.
    """

    _name = "ipai.control.check"
    _inherit = "ipai.environment.fact.mixin"
    _description = "Check of a control"
    _order = "id desc"
    _rec_name = "kind"

    environment_id = fields.Many2one(
        "ipai.environment", required=True, readonly=True, ondelete="restrict"
    )
    project_id = fields.Many2one(
        related="environment_id.project_id", related_sudo=False
    )
    kind = fields.Selection("_select_kind", required=True, readonly=True)
    status = fields.Selection(
        [("pass", "Pass"), ("fail", "Fail")], required=True, readonly=True
    )
    note = fields.Char(readonly=True, help="What the check found.")
    checked_at = fields.Datetime(string="Checked on", required=True, readonly=True)
    checked_by_id = fields.Many2one(
        "res.users",
        string="Checked by",
        required=True,
        readonly=True,
        ondelete="restrict",
    )
    source_system = fields.Selection(SOURCE_SYSTEMS, required=True, readonly=True)

    _latest = models.Index("(environment_id, kind, id DESC)")

    @api.model
    def _select_kind(self):
        kind = self.env["ipai.environment.control"]._fields["kind"]
        return kind._description_selection(self.env)

    @api.model_create_multi
    def create(self, vals_list):
        if not self._is_system():
            raise AccessError(
                self.env._("A check is recorded by checking the control itself.")
            )
        checks = super().create(vals_list)
        checks._record_in_governance()
        return checks

    def _governance_draft(self):
        project = self.environment_id.project_id
        body = {
            "project": project.name,
            "environment": self.environment_id.name,
            "control": self.kind,
            "status": self.status,
            "note": self.note or "",
        }
        return "control_check", self, body, project.company_id
