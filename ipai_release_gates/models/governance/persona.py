from odoo import api, fields, models
from odoo.fields import Domain


class Persona(models.Model):
    """A role in the release process that decides; held by the users of a group."""

    _name = "ipai.persona"
    _description = "Persona"
    _inherit = ["ipai.policy.mixin", "mail.thread", "mail.activity.mixin"]
    _order = "sequence, id"

    code = fields.Char(required=True)
    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    group_id = fields.Many2one(
        "res.groups",
        required=True,
        ondelete="restrict",
        help="Whoever is in this group holds the persona.",
    )
    active = fields.Boolean(default=True)
    contract_ids = fields.One2many(
        "ipai.persona.contract", "persona_id", string="Versions of the contract"
    )
    contract_id = fields.Many2one(
        "ipai.persona.contract",
        string="Contract in force",
        compute="_compute_contract_id",
        search="_search_contract_id",
    )
    mission = fields.Text(related="contract_id.mission")
    expertise_ids = fields.One2many(
        "ipai.persona.expertise", "persona_id", string="Holds"
    )

    _code_unique = models.Constraint(
        "UNIQUE (code)", "A persona with this code exists already."
    )

    # A new one is asked for by no requirement yet.
    _policy_deciding = frozenset({"code", "group_id", "active"})

    @api.depends("contract_ids.state")
    def _compute_contract_id(self):
        for persona in self:
            persona.contract_id = persona.contract_ids.filtered(
                lambda contract: contract.state == "active"
            )[:1]

    def _search_contract_id(self, operator, value):
        in_force = Domain("state", "=", "active")
        if operator in ("any", "any!"):
            inner = value if isinstance(value, Domain) else Domain("id", "in", value)
            return Domain("contract_ids", operator, in_force & inner)
        if operator != "in":
            return NotImplemented
        domain = Domain("contract_ids", "any", in_force & Domain("id", "in", value))
        if False in value:
            domain |= ~Domain("contract_ids", "any", in_force)
        return domain

    def action_new_contract(self):
        """Button: draft the next version of the contract, or the first."""
        self.ensure_one()
        former = self.contract_id or self.contract_ids[:1]
        if former:
            return former.action_new_version()
        draft = self.env["ipai.persona.contract"].create({"persona_id": self.id})
        return draft.action_new_version()

    @api.model
    def _held_by(self, user):
        """The personas a user holds.

        :param user: ``res.users`` record
        :returns: ``ipai.persona`` records
        """
        # Nobody holds an archived persona, in any context of the caller.
        personas = (
            self.sudo()  # sudo: groups of personas are public
            .with_context(active_test=True)
            .search_fetch([], ["code", "name", "group_id", "active"])
        )
        # sudo: the answer concerns the user
        held = user.sudo().all_group_ids
        return personas.filtered(lambda persona: persona.group_id in held)
