from odoo import fields, models


class ExpertiseDomain(models.Model):
    """A field of knowledge a gate condition draws on; personas hold domains."""

    _name = "ipai.expertise.domain"
    _description = "Expertise domain"
    _inherit = "ipai.policy.mixin"
    _order = "code"

    code = fields.Char(required=True, help="Dotted code, e.g. odoo.release.governance.")
    name = fields.Char(required=True, translate=True)
    scope = fields.Text(translate=True)
    expertise_ids = fields.One2many(
        "ipai.persona.expertise", "domain_id", string="Held by"
    )
    capability_ids = fields.One2many(
        "ipai.agent.capability", "domain_id", string="Capabilities of agents"
    )

    _code_unique = models.Constraint(
        "UNIQUE (code)", "An expertise domain with this code exists already."
    )

    # Says who is asked, never what a gate comes to.
    _policy_deciding = frozenset()
