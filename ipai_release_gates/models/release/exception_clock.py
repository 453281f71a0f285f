from odoo import api, models
from odoo.fields import Domain


class ReleaseException(models.Model):
    """What an exception is at this moment: status, time left, whom it waits for."""

    _inherit = "ipai.exception"

    @api.depends("exception_type", "gate_ids")
    def _compute_display_name(self):
        labels = dict(self._fields["exception_type"].selection)
        for exception in self:
            # sudo: board shows these gate codes
            gates = ", ".join(exception.sudo().gate_ids.mapped("code"))
            label = labels.get(exception.exception_type, "")
            exception.display_name = f"{exception._reference()} {label} {gates}".strip()

    @api.depends("state", "effective_from", "expires_at", "review_status")
    def _compute_by_the_clock(self):
        now = self.env.cr.now()
        for exception in self:
            status = exception.state
            if status == "active" and exception.expires_at <= now:
                status = "expired"
            elif status == "active" and exception.effective_from > now:
                status = "scheduled"
            exception.status = status
            exception.in_force = status == "active" and not exception.is_stale
            left = (exception.expires_at or now) - now
            exception.hours_left = (
                max(left.total_seconds() / 3600, 0.0)
                if status in ("active", "scheduled", "requested")
                else 0.0
            )
            exception.review_overdue = bool(
                exception.review_status == "pending"
                and exception.review_due_at
                and exception.review_due_at < now
            )

    def _search_in_force(self, operator, value):
        if operator != "in":
            return NotImplemented
        now = self.env.cr.now()
        domain = (
            Domain("state", "=", "active")
            & Domain("effective_from", "<=", now)
            & Domain("expires_at", ">", now)
            & Domain("is_stale", "=", False)
        )
        return domain if True in value else ~domain

    def _search_review_overdue(self, operator, value):
        if operator != "in":
            return NotImplemented
        domain = Domain("review_status", "=", "pending") & Domain(
            "review_due_at", "<", self.env.cr.now()
        )
        return domain if True in value else ~domain

    @api.depends("state", "risk_level", "approval_ids.decision")
    def _compute_awaited_persona_ids(self):
        personas = self.env["ipai.persona"].search([]).grouped("code")
        for exception in self:
            awaited = set()
            if exception.state == "requested":
                # sudo: count decisions the reader cannot see
                decided = exception.sudo()._approving_personas()
                awaited = exception._risk_personas() - set(decided.values())
            exception.awaited_persona_ids = self.env["ipai.persona"].union(
                *(personas[code] for code in awaited if code in personas)
            )

    @api.depends("state", "approval_ids.decision")
    @api.depends_context("uid")
    def _compute_i_can_decide(self):
        held = self.env["ipai.persona"]._held_by(self.env.user)
        for exception in self:
            exception.i_can_decide = any(
                not exception._refusal_to_decide(persona)
                for persona in exception.awaited_persona_ids & held
            )
