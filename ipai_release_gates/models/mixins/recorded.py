from odoo import api, fields, models

from ..selections import SOURCE_SYSTEMS
from .deferred import ContextBatch


class FactBatch(ContextBatch):
    """Collects the ledger entries of facts, to judge each release once.

    An instance in the context defers the work of :meth:`RecordedMixin._record`.
    """

    key = "ipai_fact_batch"

    def __init__(self):
        self.drafts = []
        self.release_ids = set()

    def record(self, env):
        """Judge every release once, append its entries, and empty the batch."""
        drafts, release_ids = self.drafts, self.release_ids
        self.drafts, self.release_ids = [], set()
        env["ipai.release"].browse(sorted(release_ids))._rejudge(drafts)


class RecordedMixin(models.AbstractModel):
    """What facts and cases about a release share.

    Recording one *updates the release row* (``fact_version`` and the head of the
    ledger) in the same transaction. PostgreSQL then refuses a stage move that was
    decided on a snapshot older than the record; row locks alone do not.
    """

    _name = "ipai.recorded.mixin"
    _inherit = "ipai.guarded.mixin"
    _description = "Record about a release"
    _order = "id desc"

    release_id = fields.Many2one(
        "ipai.release", required=True, index=True, ondelete="restrict"
    )
    revision_id = fields.Many2one(
        "ipai.revision",
        required=True,
        index=True,
        ondelete="restrict",
        readonly=True,
        help="The revision this fact speaks of. It counts for that revision only.",
    )
    # Read with the rights of the user, because a form that is not yet saved may name
    # any release or revision by its id.
    source_ref = fields.Char(
        related="revision_id.source_ref", related_sudo=False, string="Commit"
    )
    short_ref = fields.Char(
        related="revision_id.short_ref", related_sudo=False, string="Short commit"
    )
    project_id = fields.Many2one(related="release_id.project_id", related_sudo=False)
    company_id = fields.Many2one(related="release_id.company_id", related_sudo=False)
    source_system = fields.Selection(
        SOURCE_SYSTEMS, required=True, default="manual", readonly=True
    )
    recorded_by_id = fields.Many2one(
        "res.users",
        string="Recorded by",
        required=True,
        ondelete="restrict",
        readonly=True,
        default=lambda self: self.env.uid,
    )
    recorded_at = fields.Datetime(
        required=True, readonly=True, default=lambda self: self.env.cr.now()
    )
    is_stale = fields.Boolean(
        string="Stale",
        compute="_compute_is_stale",
        search="_search_is_stale",
        help="Recorded for a revision that is no longer the release's current one: "
        "kept as history, not counted.",
    )

    @api.depends("revision_id", "release_id.revision_id")
    def _compute_is_stale(self):
        for fact in self:
            # A fact in a form has no revision yet.
            fact.is_stale = bool(
                fact.release_id
                and fact.revision_id
                and fact.revision_id != fact.release_id.revision_id
            )

    def _search_is_stale(self, operator, value):
        if operator != "in":
            return NotImplemented
        current = self.env["ipai.release"]._search([]).subselect("revision_id")
        if set(value) == {True}:
            return [("release_id", "!=", False), ("revision_id", "not in", current)]
        if set(value) == {False}:
            return ["|", ("release_id", "=", False), ("revision_id", "in", current)]
        return [(1, "=", 1)] if value else [(0, "=", 1)]

    @api.model_create_multi
    def create(self, vals_list):
        if not self._is_system():
            prepared = [self._prepare_manual_fact(vals) for vals in vals_list]
            return self.system_create(prepared)
        facts = super().create(vals_list)
        facts._record()
        return facts

    def _prepare_manual_fact(self, vals):
        """Check what a person may set and bind the fact to the current revision.

        :param vals: values as passed to ``create``
        :returns: complete values for a system write
        """
        for name in self._creatable:
            if f"default_{name}" in self.env.context:
                vals = {name: self.env.context[f"default_{name}"], **vals}
        self._refuse_fields(vals, self._creatable)
        vals = {
            **vals,
            **self._read_entered(vals),
            "source_system": "manual",
            "recorded_by_id": self.env.uid,
            "recorded_at": self.env.cr.now(),
        }
        release = self.env["ipai.release"].browse(vals.get("release_id") or ())
        if release:
            release.check_access("read")
            # sudo: read access checked above
            vals["revision_id"] = release.sudo().revision_id.id
        return vals

    def _record(self):
        """Judge the releases of these records again, and append to their ledgers."""
        bound = self.filtered("release_id")
        drafts = [fact._ledger_draft() for fact in bound]
        batch = FactBatch.of(self.env)
        if batch:
            batch.drafts += drafts
            batch.release_ids.update(bound.release_id.ids)
        else:
            bound.release_id._rejudge(drafts)

    def _ledger_draft(self):
        """The ledger entry of this record.

        :returns: ``(release id, kind, subject, body)``, see ``ipai.ledger.entry``
        """
        raise NotImplementedError
