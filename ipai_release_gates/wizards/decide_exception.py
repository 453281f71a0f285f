from odoo import api, fields, models
from odoo.exceptions import UserError

from ..models.selections import DECISIONS


class ExceptionDecideWizard(models.TransientModel):
    """Approve or reject an exception as one of the personas it waits for."""

    _name = "ipai.exception.decide.wizard"
    _description = "Decide on an exception"

    exception_id = fields.Many2one("ipai.exception", required=True)
    # With the rights of the user, because a caller may pass the id of any exception.
    rationale = fields.Text(
        related="exception_id.rationale", related_sudo=False, string="Why"
    )
    risk_statement = fields.Text(
        related="exception_id.risk_statement", related_sudo=False
    )
    compensating_controls = fields.Text(
        related="exception_id.compensating_controls", related_sudo=False
    )
    expires_at = fields.Datetime(related="exception_id.expires_at", related_sudo=False)
    persona_id = fields.Many2one(
        "ipai.persona",
        string="As",
        compute="_compute_persona_id",
        store=True,
        readonly=False,
        precompute=True,
        required=True,
    )
    decision = fields.Selection(DECISIONS, required=True, default="approved")
    rationale_text = fields.Text(string="Rationale")
    obstacle = fields.Text(compute="_compute_obstacle")

    @api.depends("exception_id")
    @api.depends_context("uid")
    def _compute_persona_id(self):
        held = self.env["ipai.persona"]._held_by(self.env.user)
        for wizard in self:
            wizard.exception_id.check_access("read")
            wizard.persona_id = (wizard.exception_id.awaited_persona_ids & held)[:1]

    @api.depends("exception_id", "persona_id")
    @api.depends_context("uid")
    def _compute_obstacle(self):
        for wizard in self:
            wizard.exception_id.check_access("read")
            wizard.obstacle = (
                wizard.exception_id._refusal_to_decide(wizard.persona_id)
                if wizard.exception_id and wizard.persona_id
                else self.env._("It waits for no persona that you hold.")
            )

    def action_decide(self):
        """Record the decision with the rights of the current user."""
        self.ensure_one()
        text = (self.rationale_text or "").strip()
        if not text:
            raise UserError(self.env._("Rationale: say why you decide so."))
        self.env["ipai.approval"].create(
            [
                {
                    "exception_id": self.exception_id.id,
                    "persona_id": self.persona_id.id,
                    "decision": self.decision,
                    "rationale_text": text,
                }
            ]
        )
        return {"type": "ir.actions.act_window_close"}
