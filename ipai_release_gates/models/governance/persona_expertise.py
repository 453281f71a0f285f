from odoo import api, fields, models


class PersonaExpertise(models.Model):
    """That a persona holds an expertise domain: as its primary, or shared."""

    _name = "ipai.persona.expertise"
    _inherit = "ipai.policy.mixin"
    _description = "Expertise of a persona"
    _order = "domain_id, level, persona_id"

    persona_id = fields.Many2one(
        "ipai.persona", required=True, index=True, ondelete="restrict"
    )
    domain_id = fields.Many2one(
        "ipai.expertise.domain", required=True, index=True, ondelete="restrict"
    )
    level = fields.Selection(
        [("primary", "Primary"), ("shared", "Shared")],
        required=True,
        default="shared",
        help="The primary persona answers for the domain; others share in it.",
    )

    _once = models.Constraint(
        "UNIQUE (persona_id, domain_id)", "The persona holds this domain already."
    )
    _one_primary = models.UniqueIndex(
        "(domain_id) WHERE level = 'primary'",
        "This domain has a primary persona already.",
    )

    # Says who is asked, never what a gate comes to.
    _policy_deciding = frozenset()

    @api.depends("persona_id.name", "domain_id.name")
    def _compute_display_name(self):
        for held in self:
            names = (held.persona_id.name, held.domain_id.name)
            held.display_name = " – ".join(filter(None, names))

    def _policy_name(self):
        return f"{self.persona_id.code}/{self.domain_id.code}"

    def write(self, vals):
        former = [(held.persona_id, held.domain_id) for held in self]
        result = super().write(vals)
        self._refuse_if_relied_on(former)
        return result

    def unlink(self):
        former = [(held.persona_id, held.domain_id) for held in self]
        result = super().unlink()
        self._refuse_if_relied_on(former)
        return result

    def _refuse_if_relied_on(self, pairs):
        """Refuse that a persona lost a domain which a capability of its needs.

        :param pairs: list of ``(persona, domain)`` as they were
        """
        personas = self.env["ipai.persona"].union(*(pair[0] for pair in pairs))
        capabilities = self.env["ipai.agent.capability"].search(
            [("persona_id", "in", personas.ids)]
        )
        capabilities._validate_persona()
