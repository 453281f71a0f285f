from odoo import api, fields, models
from odoo.exceptions import ValidationError


class AgentCapability(models.Model):
    """What an agent can do; it maps to a domain first, to a persona second."""

    _name = "ipai.agent.capability"
    _inherit = "ipai.policy.mixin"
    _description = "Capability of agents"
    _order = "code"

    code = fields.Char(required=True, help="Dotted code, e.g. build.triage.")
    name = fields.Char(required=True, translate=True)
    domain_id = fields.Many2one(
        "ipai.expertise.domain",
        string="Expertise domain",
        required=True,
        index=True,
        ondelete="restrict",
    )
    persona_id = fields.Many2one(
        "ipai.persona",
        ondelete="restrict",
        index="btree_not_null",
        domain="[('expertise_ids.domain_id', '=', domain_id)]",
        help="Whom an agent with this capability works for: a persona that holds the "
        "domain. Empty: its primary.",
    )

    _code_unique = models.Constraint(
        "UNIQUE (code)", "A capability with this code exists already."
    )
    _code_format = models.Constraint(
        r"CHECK (code ~ '^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$')",
        "A code has lower-case letters, digits, underscores and dots.",
    )

    # Says who is asked, never what a gate comes to.
    _policy_deciding = frozenset()

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            if not vals.get("domain_id") and not self.env.context.get(
                "default_domain_id"
            ):
                raise ValidationError(
                    self.env._(
                        "The capability %s maps to no expertise domain: name its "
                        "domain first, then a persona that holds it.",
                        vals.get("code") or "",
                    )
                )
        return super().create(vals_list)

    @api.constrains("domain_id", "persona_id")
    def _validate_persona(self):
        for capability in self.filtered("persona_id"):
            if (
                capability.domain_id
                not in capability.persona_id.expertise_ids.domain_id
            ):
                raise ValidationError(
                    self.env._(
                        "%(persona)s does not hold %(domain)s, which the capability "
                        "%(capability)s needs.",
                        persona=capability.persona_id.name,
                        domain=capability.domain_id.code,
                        capability=capability.code,
                    )
                )
