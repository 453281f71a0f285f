from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError

from ...ingest import fields as readers

#: Kinds that users enter; the system adds the others.
_OF_PEOPLE = frozenset({"note", "action", "communication"})


class IncidentEntry(models.Model):
    """An entry of an incident's timeline; entries are append-only."""

    _name = "ipai.incident.entry"
    _inherit = ["ipai.guarded.mixin", "ipai.append.only.mixin"]
    _description = "Timeline entry"
    _order = "occurred_at, id"
    _rec_name = "text"

    incident_id = fields.Many2one("ipai.incident", required=True, ondelete="restrict")
    occurred_at = fields.Datetime(
        string="When", required=True, default=lambda self: self.env.cr.now()
    )
    recorded_at = fields.Datetime(
        required=True, readonly=True, default=lambda self: self.env.cr.now()
    )
    kind = fields.Selection(
        [
            ("detected", "Detected"),
            ("changed", "Changed"),
            ("note", "Note"),
            ("action", "Action"),
            ("communication", "Communication"),
            ("fallback", "Fallback due"),
            ("resolved", "Resolved"),
            ("reopened", "Reopened"),
            ("review", "Post-mortem"),
        ],
        required=True,
        default="note",
    )
    text = fields.Text(required=True)
    author_id = fields.Many2one(
        "res.users",
        required=True,
        readonly=True,
        ondelete="restrict",
        default=lambda self: self.env.uid,
    )

    _timeline = models.Index("(incident_id, occurred_at, id)")

    _creatable = frozenset({"incident_id", "occurred_at", "kind", "text"})
    _readers = {"text": readers.text}

    @api.model_create_multi
    def create(self, vals_list):
        if self._is_system():
            return super().create(vals_list)
        self.check_access("create")
        return self.system_create([self._prepare_by_hand(vals) for vals in vals_list])

    def write(self, vals):
        raise AccessError(self.env._("A timeline entry is never changed."))

    def _prepare_by_hand(self, vals):
        self._refuse_fields(vals, self._creatable)
        now = self.env.cr.now()
        incident = self.env["ipai.incident"].browse(vals.get("incident_id"))
        incident.check_access("read")
        kind = vals.get("kind", "note")
        if kind not in _OF_PEOPLE:
            raise ValidationError(
                self.env._("This kind of entry is written by what it tells of.")
            )
        occurred_at = fields.Datetime.to_datetime(vals.get("occurred_at")) or now
        if occurred_at > now:
            raise ValidationError(
                self.env._("An entry tells what happened, not what will.")
            )
        return {
            **vals,
            **self._read_entered(vals),
            "kind": kind,
            "occurred_at": occurred_at,
            "recorded_at": now,
            "author_id": self.env.uid,
        }
