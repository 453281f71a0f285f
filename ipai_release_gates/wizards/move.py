from odoo import api, fields, models
from odoo.exceptions import UserError


class MoveWizard(models.TransientModel):
    """Move some releases to a stage, forward or back; back needs a reason."""

    _name = "ipai.move.wizard"
    _description = "Move releases"
    _inherit = "ipai.release.wizard"

    allowed_stage_ids = fields.Many2many(
        "ipai.release.stage", compute="_compute_allowed_stage_ids"
    )
    stage_id = fields.Many2one(
        "ipai.release.stage",
        string="To",
        required=True,
        compute="_compute_stage_id",
        compute_sudo=False,
        precompute=True,
        store=True,
        readonly=False,
        domain="[('id', 'in', allowed_stage_ids)]",
    )
    is_back = fields.Boolean(compute="_compute_is_back")
    reason = fields.Char(help="Kept in the ledger with the move.")

    @api.depends_context("uid")
    def _compute_allowed_stage_ids(self):
        held = self.env["ipai.persona"]._held_by(self.env.user)
        self.allowed_stage_ids = self.env["ipai.release.stage"].search(
            [("persona_ids", "in", held.ids)]
        )

    @api.depends("release_ids")
    def _compute_stage_id(self):
        back = self.env.context.get("ipai_move_back")
        for wizard in self:
            if wizard.stage_id:
                continue
            release = wizard._releases()[:1]
            wizard.stage_id = (
                release.previous_stage_id if back else release.next_stage_id
            )

    @api.depends("stage_id", "release_ids")
    def _compute_is_back(self):
        for wizard in self:
            target = (wizard.stage_id.sequence, wizard.stage_id.id)
            wizard.is_back = bool(wizard.stage_id) and any(
                target < (release.stage_id.sequence, release.stage_id.id)
                for release in wizard._releases()
            )

    def action_move(self):
        """Move the releases by the method that every move uses."""
        self.ensure_one()
        if not self.release_ids:
            raise UserError(self.env._("Choose the releases to move."))
        vals = {"stage_id": self.stage_id.id}
        if self.is_back:
            vals["move_reason"] = self.reason
        self.release_ids.write(vals)
        return self._done(
            self.env._(
                "%(releases)s moved to %(stage)s.",
                releases=", ".join(self.release_ids.mapped("name")),
                stage=self.stage_id.name,
            )
        )
