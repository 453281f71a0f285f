from odoo import fields, models
from odoo.exceptions import UserError


class ExceptionEndWizard(models.TransientModel):
    """Revoke, close, extend or review an exception: what needs a few words."""

    _name = "ipai.exception.end.wizard"
    _description = "End, extend or review an exception"

    exception_id = fields.Many2one("ipai.exception", required=True)
    act = fields.Selection(
        [
            ("revoke", "Revoke"),
            ("close", "Close"),
            ("extend", "Extend"),
            ("review", "Review"),
        ],
        required=True,
    )
    words = fields.Text(required=True)
    expires_at = fields.Datetime(string="New expiry")

    def action_confirm(self):
        """Do it through the exception's own door, with the rights of the user."""
        self.ensure_one()
        exception = self.exception_id
        if self.act == "extend":
            if not self.expires_at:
                raise UserError(self.env._("New expiry: say until when."))
            extension = exception.action_extend(self.expires_at, self.words)
            return {
                "type": "ir.actions.act_window",
                "res_model": "ipai.exception",
                "res_id": extension.id,
                "views": [[False, "form"]],
            }
        if self.act == "review":
            exception.action_complete_review(self.words)
        elif self.act == "revoke":
            exception.action_revoke(self.words)
        else:
            exception.action_close(self.words)
        return {"type": "ir.actions.act_window_close"}
