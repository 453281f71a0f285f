from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError

from .. import policy
from ..models.selections import EXCEPTION_TYPES, RISK_LEVELS

_USUAL_LIFE = timedelta(days=7)


class ExceptionWizard(models.TransientModel):
    """Request an exception for each of some releases."""

    _name = "ipai.exception.wizard"
    _description = "Request an exception"
    _inherit = "ipai.release.wizard"

    exception_type = fields.Selection(
        EXCEPTION_TYPES,
        string="Type",
        required=True,
        compute="_compute_exception_type",
        store=True,
        readonly=False,
        precompute=True,
    )
    risk_level = fields.Selection(
        RISK_LEVELS,
        string="Risk",
        required=True,
        compute="_compute_risk_level",
        store=True,
        readonly=False,
        precompute=True,
    )
    rules = fields.Char(compute="_compute_rules")
    gate_ids = fields.Many2many(
        "ipai.gate",
        "ipai_exception_wizard_gate_rel",
        "wizard_id",
        "gate_id",
        string="Impacted gates",
    )
    requirement_ids = fields.Many2many(
        "ipai.gate.requirement",
        "ipai_exception_wizard_requirement_rel",
        "wizard_id",
        "requirement_id",
        string="Waived requirements",
        domain="[('gate_id', 'in', gate_ids), ('waivable', '=', True)]",
        help="Empty: every waivable requirement of the impacted gates. Only a gate "
        "bypass and an emergency cover whole gates.",
    )
    rationale = fields.Text(required=True, help="Why the gate cannot be met as it is.")
    risk_statement = fields.Text(
        required=True, help="What may go wrong, and whom it would hit."
    )
    compensating_controls = fields.Text(
        help="What keeps the risk small meanwhile. Needed from high risk on."
    )
    expires_at = fields.Datetime(
        required=True,
        compute="_compute_expires_at",
        store=True,
        readonly=False,
        precompute=True,
    )

    @api.depends("requirement_ids")
    def _compute_exception_type(self):
        for wizard in self:
            fitting = {
                requirement._waiving_type() for requirement in wizard.requirement_ids
            }
            if len(fitting) == 1:
                wizard.exception_type = fitting.pop()
            elif fitting or not wizard.exception_type:
                wizard.exception_type = "gate_bypass"

    @api.depends("exception_type")
    def _compute_risk_level(self):
        for wizard in self:
            wizard.risk_level = policy.level_of(
                wizard.exception_type, wizard.risk_level or "low"
            )

    @api.depends("risk_level")
    def _compute_expires_at(self):
        now = self.env.cr.now().replace(microsecond=0)
        for wizard in self:
            longest = policy.RISKS[wizard.risk_level or "low"].longest
            latest = now + min(longest, _USUAL_LIFE)
            if not wizard.expires_at or wizard.expires_at > now + longest:
                wizard.expires_at = latest

    @api.depends("risk_level")
    @api.depends_context("lang")
    def _compute_rules(self):
        names = {
            persona.code: persona.name
            for persona in self.env["ipai.persona"].search([])
        }
        for wizard in self:
            risk = policy.RISKS[wizard.risk_level or "low"]
            hours = int(risk.longest.total_seconds() // 3600)
            sentences = [
                self.env._(
                    "Lasts %(life)s at most. Approved by %(personas)s: neither by you "
                    "nor by an author of the commit.",
                    life=self.env._("%s days", hours // 24)
                    if hours > 48
                    else self.env._("%s hours", hours),
                    personas=[names.get(code, code) for code in risk.personas],
                )
            ]
            if risk.review_within:
                sentences.append(
                    self.env._(
                        "A review is due %s days after it takes effect.",
                        risk.review_within.days,
                    )
                )
            wizard.rules = " ".join(sentences)

    def action_request(self):
        """Draft and request the exceptions with the rights of the current user."""
        self.ensure_one()
        if not self.release_ids:
            raise UserError(self.env._("Choose the releases it is for."))
        exceptions = self.env["ipai.exception"].create(
            [
                {
                    "release_id": release.id,
                    "exception_type": self.exception_type,
                    "risk_level": self.risk_level,
                    "rationale": self.rationale,
                    "risk_statement": self.risk_statement,
                    "compensating_controls": self.compensating_controls,
                    "gate_ids": [(6, 0, self.gate_ids.ids)],
                    "requirement_ids": [(6, 0, self.requirement_ids.ids)],
                    # A life is counted from now, not from when the form was opened.
                    "effective_from": self.env.cr.now(),
                    "expires_at": self.expires_at,
                }
                for release in self.release_ids
            ]
        )
        exceptions.action_request()
        return self._done(
            self.env._(
                "%(exceptions)s requested; waits for %(personas)s.",
                exceptions=", ".join(exceptions.mapped("display_name")),
                personas=", ".join(exceptions.awaited_persona_ids.mapped("name")),
            )
        )
