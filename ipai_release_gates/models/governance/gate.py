from odoo import api, fields, models
from odoo.exceptions import UserError


class Gate(models.Model):
    """A gate: requirements that must hold before a release may pass."""

    _name = "ipai.gate"
    _description = "Gate"
    _inherit = "ipai.policy.mixin"
    _order = "sequence, id"
    _rec_names_search = ["code", "name"]

    code = fields.Char(required=True, help="Short code, e.g. G1.")
    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10, required=True)
    description = fields.Text(translate=True)
    requirement_ids = fields.One2many("ipai.gate.requirement", "gate_id")
    requirement_count = fields.Integer(compute="_compute_requirement_count")
    stage_ids = fields.One2many(
        "ipai.release.stage", "gate_id", string="Blocks entry to"
    )

    _code_unique = models.Constraint(
        "UNIQUE (code)", "A gate with this code exists already."
    )
    _code_format = models.Constraint(
        "CHECK (code ~ '^[A-Z][A-Z0-9_]{0,15}$')",
        "A gate code is a capital letter followed by up to 15 capitals, digits or "
        "underscores.",
    )

    @api.depends("requirement_ids")
    def _compute_requirement_count(self):
        for gate in self:
            gate.requirement_count = len(gate.requirement_ids)

    @api.depends("code", "name")
    def _compute_display_name(self):
        for gate in self:
            gate.display_name = f"{gate.code} {gate.name}" if gate.code else gate.name

    def _accountable_for(self, conditions):
        """Codes of the personas that answer for some judged conditions of this gate.

        :param conditions: iterable of :class:`policy.Condition`
        """
        codes = {condition.code for condition in conditions}
        demanded = self.requirement_ids.filtered(lambda each: each.code in codes)
        return set(demanded.accountable_persona_id.mapped("code"))

    @api.model_create_multi
    def create(self, vals_list):
        gates = super().create(vals_list)
        # One row per (release, gate): a new gate reaches the open releases too.
        releases = gates._affected_releases()
        releases._ensure_gates()
        releases._rejudge_in_batches()
        return gates

    def unlink(self):
        # Not by the database's cascade, which the ledger would not hear of.
        self.with_context(active_test=False).requirement_ids.unlink()
        return super().unlink()

    @api.ondelete(at_uninstall=False)
    def _unlink_except_in_use(self):
        if (
            self.env["ipai.release.gate"]
            .sudo()  # sudo: only existence is asked
            .search_count([("gate_id", "in", self.ids)], limit=1)
        ):
            raise UserError(
                self.env._(
                    "Releases were judged by this gate. Archive its requirements "
                    "instead, or take it off its stage."
                )
            )
