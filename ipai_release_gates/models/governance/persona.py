from odoo import api, fields, models


class Persona(models.Model):
    """A role in the release process that decides; held by the users of a group."""

    _name = "ipai.persona"
    _description = "Persona"
    _inherit = "ipai.policy.mixin"
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
    mission = fields.Text(translate=True)
    active = fields.Boolean(default=True)

    _code_unique = models.Constraint(
        "UNIQUE (code)", "A persona with this code exists already."
    )

    # A new one is asked for by no requirement yet.
    _policy_deciding = frozenset({"code", "group_id", "active"})

    @api.model
    def _held_by(self, user):
        """The personas a user holds.

        :param user: ``res.users`` record
        :returns: ``ipai.persona`` records
        """
        # Which groups carry a persona is not secret, and the answer is about the user.
        # An archived persona is held by nobody, whatever context the caller sends.
        personas = (
            self.sudo()
            .with_context(active_test=True)
            .search_fetch([], ["code", "name", "group_id", "active"])
        )
        held = user.sudo().all_group_ids  # about the user, see above
        return personas.filtered(lambda persona: persona.group_id in held)
