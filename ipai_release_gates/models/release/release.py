import uuid

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from ... import ingest, ledger
from ..selections import (
    COMMIT_PATTERN,
    ENVIRONMENT_CATEGORIES,
    GATE_STATUSES,
    RELEASE_STATUSES,
)


class Release(models.Model):
    """A revision of a project on its way through the gates.

    Three kinds of fields, three doors. People describe a release (``_described``).
    ``stage_id`` moves it, through :meth:`_move_to` only. System writes set everything
    that a verdict rests on, from recorded facts.

    This file has the fields, and the doors ``create`` and ``write``. The other parts:

    - ``release_opening``: opening a release, and its revisions
    - ``release_gates``: judging its gates and appending to its ledger
    - ``release_facts``: the facts that a verdict rests on
    - ``release_move``: moves between stages
    - ``release_computed``: fields for screens
    - ``release_actions``: buttons
    """

    _name = "ipai.release"
    _description = "Release"
    _inherit = ["ipai.guarded.mixin", "mail.thread", "mail.activity.mixin"]
    _order = "priority desc, id desc"

    name = fields.Char(required=True, tracking=True)
    active = fields.Boolean(default=True)
    project_id = fields.Many2one(
        "ipai.project", required=True, ondelete="restrict", index=True
    )
    company_id = fields.Many2one(
        related="project_id.company_id", store=True, index=True
    )
    uuid = fields.Char(
        string="UUID",
        required=True,
        readonly=True,
        copy=False,
        default=lambda self: str(uuid.uuid4()),
        help="Identifies the release to CI and agents.",
    )
    user_id = fields.Many2one(
        "res.users", string="Owner", default=lambda self: self.env.user
    )
    priority = fields.Selection([("0", "Normal"), ("1", "Urgent")], default="0")
    description = fields.Html(sanitize=True)
    planned_date = fields.Date()
    environment_target = fields.Selection(
        ENVIRONMENT_CATEGORIES, default="production", required=True
    )
    scope_metadata = fields.Json()

    source_ref = fields.Char(
        string="Commit",
        required=True,
        tracking=True,
        help="Full commit SHA of the current revision. Changing it re-opens the gates.",
    )
    short_ref = fields.Char(
        related="revision_id.short_ref", related_sudo=False, string="Short commit"
    )
    artifact_digest = fields.Char(help="Digest of the artifact built from the commit.")
    author_emails = fields.Char(
        string="Authors",
        required=True,
        help="E-mail addresses of everyone who authored or committed the revision, "
        "separated by commas. None of them can sign it off.",
    )
    revision_id = fields.Many2one(
        "ipai.revision", string="Current revision", ondelete="restrict", copy=False
    )
    revision_ids = fields.One2many("ipai.revision", "release_id")

    stage_id = fields.Many2one(
        "ipai.release.stage",
        required=True,
        index=True,
        ondelete="restrict",
        tracking=True,
        copy=False,
        default=lambda self: self.env["ipai.release.stage"]._first(),
        group_expand="_read_group_stage_ids",
    )
    stage_entered_at = fields.Datetime(
        copy=False, default=lambda self: self.env.cr.now()
    )
    move_reason = fields.Char(
        string="Reason of the last move back", copy=False, tracking=True
    )
    status = fields.Selection(
        RELEASE_STATUSES, default="draft", required=True, copy=False, tracking=True
    )
    is_open = fields.Boolean(compute="_compute_is_open", store=True)

    release_gate_ids = fields.One2many("ipai.release.gate", "release_id", copy=False)
    gate_marks = fields.Json(compute="_compute_gate_marks")
    next_gate_status = fields.Selection(
        GATE_STATUSES,
        string="Next gate",
        copy=False,
        index=True,
        help="State of the gate that the next stage demands.",
    )
    blocking_summary = fields.Char(
        string="Blocked by (English)", copy=False, help="As it is sent and kept."
    )
    blocking_terms = fields.Json(
        copy=False, help="What the summary of what blocks is made of."
    )
    blocking_text = fields.Char(string="Blocked by", compute="_compute_blocking_text")
    awaited_personas = fields.Char(
        copy=False,
        help="Codes of the personas accountable for what blocks, between commas.",
    )
    verdict_tree = fields.Json(
        compute="_compute_verdict_tree",
        help="Every gate with its conditions, judged at this moment.",
    )
    fact_links = fields.Json(
        compute="_compute_fact_links",
        help="Where the facts of each kind can be opened, for the current user.",
    )
    check_ids = fields.One2many("ipai.check", "release_id")
    evidence_ids = fields.One2many("ipai.evidence", "release_id")
    approval_ids = fields.One2many("ipai.approval", "release_id")
    deployment_ids = fields.One2many("ipai.deployment", "release_id")
    incident_ids = fields.One2many("ipai.incident", "release_id")
    exception_ids = fields.One2many("ipai.exception", "release_id")
    ledger_entry_ids = fields.One2many("ipai.ledger.entry", "release_id")
    check_count = fields.Integer(compute="_compute_fact_counts")
    evidence_count = fields.Integer(compute="_compute_fact_counts")
    approval_count = fields.Integer(compute="_compute_fact_counts")
    deployment_count = fields.Integer(compute="_compute_fact_counts")
    incident_count = fields.Integer(compute="_compute_fact_counts")
    exception_count = fields.Integer(compute="_compute_fact_counts")

    bypassed_until = fields.Datetime(
        compute="_compute_bypassed_until",
        help="When the first exception that keeps a gate open ends.",
    )
    rejudge_at = fields.Datetime(
        copy=False, help="When time alone may have changed how the gates stand."
    )

    # One row serialises facts, moves and ledger: see ``_append_to_ledger``.
    fact_version = fields.Integer(default=0, required=True, copy=False)
    ledger_sequence = fields.Integer(default=0, required=True, copy=False)
    ledger_hash = fields.Char(default=ledger.GENESIS, required=True, copy=False)

    _project_name_unique = models.Constraint(
        "UNIQUE (project_id, name)",
        "This project has a release with this name already.",
    )
    _uuid_unique = models.Constraint("UNIQUE (uuid)", "UUIDs are unique.")
    _source_ref_format = models.Constraint(
        f"CHECK (source_ref ~ '{COMMIT_PATTERN}')",
        "Commit must be a full SHA of 40 or 64 hexadecimal digits, not a branch or a "
        "short one.",
    )
    _board = models.Index("(stage_id, priority DESC, id DESC) WHERE active")
    _revision = models.Index("(revision_id)")
    _to_rejudge = models.Index("(rejudge_at, id) WHERE is_open")

    _described = frozenset(
        {
            "name",
            "active",
            "user_id",
            "priority",
            "description",
            "planned_date",
            "environment_target",
            "scope_metadata",
        }
    )
    _revised = frozenset({"source_ref", "author_emails", "artifact_digest"})
    _readers = {
        "name": ingest.fields.line(ingest.fields.MAX_KEY),
        "scope_metadata": ingest.fields.metadata,
    }
    _creatable = _described | _revised | {"project_id", "stage_id"}
    _writable = _described | _revised | {"stage_id", "move_reason"}

    # --- doors -----------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        if self._is_system():
            return super().create(vals_list)
        self.check_access("create")
        prepared, requested = [], []
        for vals in vals_list:
            for name in self._creatable:
                if f"default_{name}" in self.env.context:
                    vals = {name: self.env.context[f"default_{name}"], **vals}
            self._refuse_fields(vals, self._creatable)
            # Before the check of the name: it would disclose releases of others.
            self.env["ipai.project"].browse(vals.get("project_id") or ()).check_access(
                "read"
            )
            vals = {**vals, **self._read_entered(vals)}
            requested.append(vals.pop("stage_id", False))
            vals["source_ref"] = self._normalise_commit(vals.get("source_ref"))
            emails = self._normalise_authors(vals.get("author_emails"))
            vals["author_emails"] = ", ".join(emails)
            prepared.append(vals)
        releases = self.system_create(prepared)
        releases._open()
        for release, stage_id in zip(releases, requested, strict=True):
            # A release created in a later stage meets the same rule as one moved there.
            if stage_id and stage_id != release.stage_id.id:
                release.write({"stage_id": stage_id})
        return releases

    def write(self, vals):
        if self._is_system():
            return super().write(vals)
        self._refuse_fields(vals, self._writable)
        self.check_access("write")
        described = {k: v for k, v in vals.items() if k in self._described}
        revised = {k: v for k, v in vals.items() if k in self._revised}
        if described or revised:
            self._require_editor(archives="active" in described)
        if described:
            self.system_write({**described, **self._read_entered(described)})
        if revised:
            for release in self:
                release._revise(
                    revised.get("source_ref", release.source_ref),
                    self._normalise_authors(
                        revised.get("author_emails", release.author_emails)
                    ),
                    revised.get("artifact_digest"),
                )
        if "stage_id" in vals:
            self._move_or_refuse(vals["stage_id"], vals.get("move_reason"))
        elif "move_reason" in vals:
            raise UserError(
                self.env._("A reason is given together with the move it explains.")
            )
        return True

    def copy(self, default=None):
        raise UserError(
            self.env._("A release cannot be duplicated: open a new one for its commit.")
        )

    def _require_editor(self, archives=False):
        """Only the release manager, or a developer while in the first stage, edits.

        :param archives: whether the edit archives; that is the release manager's
        """
        user = self.env.user
        if user.has_group("ipai_release_gates.group_release_manager"):
            return
        # sudo: same for every user
        first = self.env["ipai.release.stage"].sudo()._first()
        if (
            not archives
            and user.has_group("ipai_release_gates.group_developer")
            and all(release.stage_id == first for release in self)
        ):
            return
        raise AccessError(
            self.env._(
                "Only a release manager changes or archives a release; a developer "
                "may change it while it is in %s.",
                first.name,
            )
        )

    @api.model
    def _read_group_stage_ids(self, stages, domain):
        return stages.search([])
