from odoo import api, fields, models
from odoo.exceptions import UserError


class UatWizard(models.TransientModel):
    """Ask a customer to accept a release."""

    _name = "ipai.uat.wizard"
    _description = "Ask for a UAT"

    release_id = fields.Many2one("ipai.release", required=True, readonly=True)
    partner_id = fields.Many2one("res.partner", string="Customer")
    criteria = fields.Text(
        string="Acceptance criteria",
        help="One per line. The customer passes or fails each of them.",
    )
    message = fields.Text(help="What the customer reads first.")
    days = fields.Integer(string="Link works for (days)", default=14, required=True)
    by_hand = fields.Boolean(
        string="I pass the link on",
        help="Shows you the link instead of mailing it. The evidence will say so.",
    )
    link = fields.Char(compute="_compute_link")

    @api.model
    def default_get(self, fields):
        values = super().default_get(fields)
        context = self.env.context
        if "release_id" in fields and context.get("active_model") == "ipai.release":
            values["release_id"] = context.get("active_id")
        release = self.env["ipai.release"].browse(values.get("release_id") or ())
        # sudo: back to the user's rights
        former = release.sudo(False).uat_invitation_ids[:1] if release else release
        if former and "criteria" in fields:
            # After a new commit, the customer is asked about the same criteria.
            values["criteria"] = "\n".join(former.criterion_ids.mapped("name"))
            values["partner_id"] = former.partner_id.id
        return values

    @api.depends_context("uat_link")
    def _compute_link(self):
        # The link is in the context of the action only. It is not stored, so no other
        # user can find it and answer in the customer's name.
        self.link = self.env.context.get("uat_link")

    def action_ask(self):
        """Invite the customer by e-mail, or show the link once, to pass on by hand.

        :returns: client action with a notification, or action that shows the link
        :raises UserError: when no customer is chosen
        """
        self.ensure_one()
        if not self.partner_id:
            raise UserError(self.env._("Customer: choose who is to accept."))
        invitation, link = self.env["ipai.uat.invitation"]._invite(
            self.release_id,
            self.partner_id,
            (self.criteria or "").splitlines(),
            self.days,
            self.message,
            self.by_hand,
        )
        if link:
            return {
                "type": "ir.actions.act_window",
                "res_model": self._name,
                "res_id": self.id,
                "view_mode": "form",
                "target": "new",
                "name": self.env._("Pass this link on"),
                "context": {"uat_link": link},
            }
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self.env._("%s was asked by e-mail.", invitation.email),
                "next": {"type": "ir.actions.act_window_close"},
            },
        }
