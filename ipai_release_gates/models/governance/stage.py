from odoo import api, fields, models

from ..selections import ENVIRONMENT_CATEGORIES, RELEASE_STATUSES


class ReleaseStage(models.Model):
    """A column of the release board: the gate it demands, and who may move there."""

    _name = "ipai.release.stage"
    _description = "Release stage"
    _inherit = "ipai.policy.mixin"
    _order = "sequence, id"

    code = fields.Char(required=True)
    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10, required=True)
    description = fields.Text(translate=True)
    gate_id = fields.Many2one(
        "ipai.gate",
        string="Demanded gate",
        ondelete="restrict",
        help="Entering this stage needs this gate and the gates of all stages before.",
    )
    persona_ids = fields.Many2many(
        "ipai.persona",
        string="Movers",
        help="Personas who may move a release into this stage.",
    )
    environment_category = fields.Selection(
        ENVIRONMENT_CATEGORIES,
        string="Promotion target",
        help="The environment a release in this stage may be promoted to.",
    )
    release_status = fields.Selection(
        RELEASE_STATUSES,
        help="Status a release takes on entering this stage; empty keeps it.",
    )
    is_closing = fields.Boolean(
        string="Closing stage", help="Releases in this stage are closed."
    )
    pulls_back = fields.Boolean(
        string="Pulled back by a new revision",
        default=True,
        help="A new revision sends a release in this stage back to the first stage.",
    )
    fold = fields.Boolean(string="Folded on the board")
    rotting_threshold_days = fields.Integer(
        string="Days to rot",
        default=0,
        help="Cards that sit here longer than this are marked. 0: never.",
    )

    _code_unique = models.Constraint(
        "UNIQUE (code)", "A stage with this code exists already."
    )

    @api.model
    def _first(self):
        """The stage in which every release starts."""
        return self.search([], limit=1)

    @api.model
    def _in_order(self):
        """All stages, with what moves and boards ask of them read at once."""
        return self.search_fetch(
            [], ["code", "name", "sequence", "gate_id", "is_closing", "release_status"]
        )

    def _gates_to_enter(self):
        """The gates that entering this stage demands: its own and all before it."""
        self.ensure_one()
        stages = self._in_order()
        position = stages.ids.index(self.id)
        return stages[: position + 1].gate_id.sorted(lambda g: (g.sequence, g.id))
