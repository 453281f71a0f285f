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
        context={"active_test": False},
        help="Users the authors resolved to when the revision was recorded.",
    )
    authors = fields.Char(compute="_compute_authors")
    recorded_by_id = fields.Many2one("res.users", required=True, ondelete="restrict")
    recorded_at = fields.Datetime(required=True)

    _source_ref_format = models.Constraint(
        f"CHECK (source_ref ~ '{COMMIT_PATTERN}')",
        "A revision is a full commit SHA of 40 or 64 hexadecimal digits.",
    )
    _has_authors = models.Constraint(
        "CHECK (jsonb_array_length(author_emails) > 0)",
        "A revision names its authors: without them no independence can be shown.",
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

    def _share_authors(self):
        """Name this revision's authors on the other open releases of its commit.

        The author of a commit is its author for every release: a person known as
        author on one cannot sign it on another.
        """
        self.ensure_one()
        others = self.search(
            [
                ("id", "!=", self.id),
                ("source_ref", "=", self.source_ref),
                ("release_id.project_id", "=", self.release_id.project_id.id),
                ("release_id.is_open", "=", True),
            ]
        )
        for other in others:
            emails = sorted({*other.author_emails, *self.author_emails})
            if emails == sorted(other.author_emails):
                continue
            other.system_write(
                {
                    "author_emails": emails,
                    "author_ids": [(4, user.id) for user in self.author_ids],
                }
            )
            release = other.release_id
            if release.revision_id != other:
                continue
            release.system_write({"author_emails": ", ".join(emails)})
            body = {
                "from": other.source_ref,
                "to": other.source_ref,
                "authors": emails,
            }
            draft = (release.id, "revision_changed", other, body)
            release._rejudge([draft], starts=False)
