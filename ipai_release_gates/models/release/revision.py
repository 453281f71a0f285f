from odoo import api, fields, models

from ..selections import COMMIT_PATTERN


class Revision(models.Model):
    """A commit that was, or is, a release's current revision.

    Facts point here rather than at a commit SHA: a release that returns to an earlier
    commit gets a new row, so what was signed before the detour stays stale.
    """

    _name = "ipai.revision"
    _inherit = "ipai.guarded.mixin"
    _description = "Revision"
    _order = "id desc"
    _rec_name = "short_ref"

    release_id = fields.Many2one("ipai.release", required=True, ondelete="restrict")
    source_ref = fields.Char(string="Commit", required=True, index=True)
    short_ref = fields.Char(string="Short commit", compute="_compute_short_ref")
    artifact_digest = fields.Char()
    author_emails = fields.Json(required=True)
    author_ids = fields.Many2many(
        "res.users",
        string="Known authors",
        help="Users the authors resolved to when the revision was recorded.",
    )
    authors = fields.Char(compute="_compute_authors")
    recorded_by_id = fields.Many2one("res.users", required=True, ondelete="restrict")
    recorded_at = fields.Datetime(required=True)

    _source_ref_format = models.Constraint(
        f"CHECK (source_ref ~ '{COMMIT_PATTERN}')",
        "A revision is a full commit SHA of 40 or 64 hexadecimal digits.",
    )
    _release_source_ref = models.Index("(release_id, source_ref, id DESC)")

    @api.depends("source_ref")
    def _compute_short_ref(self):
        for revision in self:
            revision.short_ref = (revision.source_ref or "")[:7]

    @api.depends("author_emails")
    def _compute_authors(self):
        for revision in self:
            revision.authors = ", ".join(revision.author_emails or [])
