from odoo import api, fields, models


class CheckControlWizard(models.TransientModel):
    """Record the result of a check of some controls."""

    _name = "ipai.check.control.wizard"
    _description = "Record a check of a control"

    control_ids = fields.Many2many(
        "ipai.environment.control",
        string="Controls",
        required=True,
        domain="[('kind', '!=', 'lifetime')]",
    )
    status = fields.Selection([("pass", "Pass"), ("fail", "Fail")], required=True)
    note = fields.Char(help="What was found; needed for a failure.")

    @api.model
    def default_get(self, fields):
        values = super().default_get(fields)
        context = self.env.context
        if (
            "control_ids" in fields
            and not values.get("control_ids")
            and context.get("active_model") == "ipai.environment.control"
        ):
            values["control_ids"] = context.get("active_ids") or []
        return values

    def action_record(self):
        """Record the check with the rights of the current user."""
        self.ensure_one()
        self.control_ids.record_check(self.status, self.note)
        return {"type": "ir.actions.act_window_close"}
