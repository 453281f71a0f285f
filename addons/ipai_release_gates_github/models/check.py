from odoo import api, fields, models


class GithubCheck(models.Model):
    """What GitHub shows of one gate at one commit of a release.

    The system creates it when it first judges the gates of the commit. The other
    fields hold what GitHub accepted last.
    """

    _name = "ipai.github.check"
    _description = "Gate on a commit at GitHub"
    _inherit = "ipai.guarded.mixin"
    _order = "id desc"
    _rec_name = "gate_id"

    release_id = fields.Many2one(
        "ipai.release", required=True, readonly=True, ondelete="restrict", index=True
    )
    revision_id = fields.Many2one(
        "ipai.revision", required=True, readonly=True, ondelete="restrict", index=True
    )
    source_ref = fields.Char(
        related="revision_id.source_ref", related_sudo=False, string="Commit"
    )
    short_ref = fields.Char(
        related="revision_id.short_ref", related_sudo=False, string="Short commit"
    )
    gate_id = fields.Many2one(
        "ipai.gate", required=True, readonly=True, ondelete="restrict"
    )
    project_id = fields.Many2one(related="release_id.project_id", related_sudo=False)
    company_id = fields.Many2one(related="release_id.company_id", related_sudo=False)
    check_run = fields.Char(
        string="Check run", readonly=True, help="Its id at GitHub, once it has one."
    )
    name = fields.Char(string="Shown as", readonly=True)
    status = fields.Selection(
        [
            ("queued", "Queued"),
            ("in_progress", "In Progress"),
            ("completed", "Completed"),
            ("pending", "Pending"),
            ("success", "Success"),
            ("failure", "Failure"),
        ],
        string="Status at GitHub",
        readonly=True,
    )
    conclusion = fields.Selection(
        [
            ("success", "Success"),
            ("failure", "Failure"),
            ("neutral", "Neutral"),
        ],
        readonly=True,
    )
    sent_digest = fields.Char(readonly=True)
    sent_at = fields.Datetime(string="Sent", readonly=True)
    is_closed = fields.Boolean(
        string="Closed",
        readonly=True,
        help="The release has moved on to another commit; nothing more is sent.",
    )
    attempt_count = fields.Integer(string="Failed attempts", readonly=True)
    next_try_at = fields.Datetime(string="Next attempt", readonly=True)
    problem = fields.Char(readonly=True, help="What is in the way, and the way out.")

    _revision_gate_unique = models.Constraint(
        "UNIQUE (revision_id, gate_id)", "A commit shows each gate once."
    )

    @api.model
    def _external_id(self, revision, gate):
        """By which a check run is found again that was made but not noted."""
        return f"ipai/{revision.release_id.uuid}/{revision.id}/{gate.code}"
