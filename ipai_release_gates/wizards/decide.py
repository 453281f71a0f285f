from odoo import api, fields, models
from odoo.exceptions import UserError

from .. import policy


class DecideWizard(models.TransientModel):
    """Decide on a gate of some releases: approve, reject or request changes."""

    _name = "ipai.decide.wizard"
    _description = "Decide on a gate"
    _inherit = "ipai.release.wizard"

    allowed_gate_ids = fields.Many2many(
        "ipai.gate", compute="_compute_allowed_gate_ids"
    )
    gate_id = fields.Many2one(
        "ipai.gate",
        required=True,
        compute="_compute_gate_id",
        compute_sudo=False,
        precompute=True,
        store=True,
        readonly=False,
        domain="[('id', 'in', allowed_gate_ids)]",
    )
    persona_id = fields.Many2one(
        "ipai.persona", string="As", compute="_compute_persona_id"
    )
    decision = fields.Selection(
        [
            ("approved", "Approve"),
            ("rejected", "Reject"),
            ("request_changes", "Request changes"),
        ],
        required=True,
        default="approved",
    )
    line_ids = fields.One2many(
        "ipai.decide.wizard.line",
        "wizard_id",
        string="Criteria",
        compute="_compute_line_ids",
        compute_sudo=False,
        store=True,
        readonly=False,
    )
    rationale_text = fields.Text(string="Rationale")
    obstacle = fields.Text(compute="_compute_obstacle")

    @api.depends_context("uid")
    def _compute_allowed_gate_ids(self):
        signed = self.env["ipai.gate.requirement"].search([("kind", "=", "approval")])
        held = self.env["ipai.persona"]._held_by(self.env.user)
        self.allowed_gate_ids = signed.filtered(
            lambda requirement: requirement.approval_persona_id in held
        ).gate_id

    @api.depends("release_ids")
    def _compute_gate_id(self):
        for wizard in self:
            allowed = wizard.allowed_gate_ids._origin
            if wizard.gate_id._origin in allowed:
                continue
            # Proposes the first gate that is still closed.
            closed = wizard._releases().release_gate_ids.filtered(
                lambda row, allowed=allowed: (
                    row.gate_id in allowed and row.status not in ("passed", "bypassed")
                )
            )
            wizard.gate_id = closed.sorted("gate_sequence").gate_id[:1] or allowed[:1]

    @api.depends("gate_id")
    @api.depends_context("uid")
    def _compute_persona_id(self):
        held = self.env["ipai.persona"]._held_by(self.env.user)
        for wizard in self:
            asked = wizard.gate_id.requirement_ids.approval_persona_id
            wizard.persona_id = (asked & held)[:1]

    @api.depends("gate_id", "release_ids")
    def _compute_line_ids(self):
        for wizard in self:
            verdicts = wizard._releases()._verdicts()
            wizard.line_ids = [(5, 0, 0)] + [
                (
                    0,
                    0,
                    {
                        "code": requirement.code,
                        "name": requirement.name,
                        "finding": self._finding(verdicts.values(), requirement),
                    },
                )
                for requirement in wizard.gate_id.requirement_ids
                if requirement._is_criterion()
            ]

    def _finding(self, verdicts, requirement):
        """The finding on a requirement, as a text over one or many releases."""
        found = [
            condition
            for verdict in verdicts
            for condition in verdict.gate(requirement.gate_id.code).conditions
            if condition.code == requirement.code
        ]
        if len(found) > 1:
            return self.env._(
                "Holds for %(met)s of %(all)s releases",
                met=sum(condition.state != policy.UNMET for condition in found),
                all=len(found),
            )
        return "".join(condition.reason for condition in found)

    @api.depends("gate_id", "release_ids")
    @api.depends_context("uid")
    def _compute_obstacle(self):
        refusal_to_sign = self.env["ipai.approval"]._refusal_to_sign
        for wizard in self:
            obstacles = []
            if wizard.gate_id and wizard.persona_id:
                # sudo: the obstacle depends on all facts
                gate, persona = wizard.gate_id.sudo(), wizard.persona_id.sudo()
                # sudo: the obstacle depends on all facts
                for release in wizard._releases().sudo():
                    reason = refusal_to_sign(
                        release, release.revision_id, gate, persona
                    )
                    if reason:
                        obstacles.append(f"{release.name}: {reason}")
            wizard.obstacle = "\n".join(obstacles)

    def action_decide(self):
        """Record the decision with the rights of the current user."""
        self.ensure_one()
        if not self.release_ids:
            raise UserError(self.env._("Choose the releases you decide on."))
        text = (self.rationale_text or "").strip()
        if self.decision != "approved" and not text:
            raise UserError(self.env._("Say what must change: a rationale is needed."))
        left = self.line_ids.filtered(lambda line: not line.verified)
        if self.decision == "approved" and left and not text:
            raise UserError(
                self.env._(
                    "Not verified: %s. Verify it, or say in the rationale why you "
                    "approve all the same.",
                    ", ".join(left.mapped("name")),
                )
            )
        self.env["ipai.approval"].create(
            [
                {
                    "release_id": release.id,
                    "gate_id": self.gate_id.id,
                    "persona_id": self.persona_id.id,
                    "decision": self.decision,
                    "rationale_structured": self._checklist() or False,
                    "rationale_text": text or False,
                }
                for release in self.release_ids
            ]
        )
        return self._done(
            self.env._(
                "%(gate)s of %(releases)s: decision recorded.",
                gate=self.gate_id.code,
                releases=", ".join(self.release_ids.mapped("name")),
            )
        )

    def _checklist(self):
        return [
            {"code": line.code, "name": line.name, "verified": line.verified}
            for line in self.line_ids
        ]


class DecideWizardLine(models.TransientModel):
    """One criterion of the gate, and whether the signatory verified it."""

    _name = "ipai.decide.wizard.line"
    _description = "Criterion of a decision"

    wizard_id = fields.Many2one("ipai.decide.wizard", required=True, ondelete="cascade")
    code = fields.Char(required=True)
    name = fields.Char(string="Criterion", required=True)
    finding = fields.Char(help="What the recorded facts say at this moment.")
    verified = fields.Boolean()
