import re
import uuid
from functools import partial

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import SQL

from ... import ingest, ledger, policy
from ..mixins.policy import PolicyBatch
from ..selections import (
    COMMIT_PATTERN,
    ENVIRONMENT_CATEGORIES,
    GATE_STATUSES,
    RELEASE_STATUSES,
)
from ..terms import translate
from .reasons import said, said_again

_EMAIL = re.compile(r"[^@\s,;<>]+@[^@\s,;<>]+")


class Release(models.Model):
    """A revision of a project on its way through the gates.

    Three kinds of fields, three doors. People describe a release (``_described``).
    ``stage_id`` moves it, through :meth:`_move_to` only. Everything a verdict rests on
    is written by the engine from recorded facts.
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
            # Before the name is found taken: that would tell of foreign releases.
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
        first = self.env["ipai.release.stage"].sudo()._first()  # the same for everyone
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

    # --- opening and revisions -------------------------------------------------------

    @api.model
    def _normalise_commit(self, source_ref):
        commit = (source_ref or "").strip().lower()
        # All zeros is how git says that there is no commit.
        if not re.fullmatch(COMMIT_PATTERN, commit) or not commit.strip("0"):
            raise ValidationError(
                self.env._(
                    "Commit (source_ref) must be a full SHA of 40 or 64 hexadecimal "
                    "digits, not “%s”. A branch or a short SHA can move; "
                    "`git rev-parse HEAD` prints the full one.",
                    source_ref or "",
                )
            )
        return commit

    @api.model
    def _normalise_authors(self, emails):
        """A sorted list of lower-case addresses from a comma-separated string."""
        parts = [part.strip().lower() for part in re.split(r"[,;\n]", emails or "")]
        parts = sorted({part for part in parts if part})
        wrong = [part for part in parts if not _EMAIL.fullmatch(part)]
        if wrong or not parts:
            raise ValidationError(
                self.env._(
                    "Authors must be the e-mail addresses of everyone who authored or "
                    "committed the revision, separated by commas; got “%s”.",
                    ", ".join(wrong) or "",
                )
            )
        return parts

    def _open(self):
        """Give new releases their first revision, their gates and their chain."""
        drafts = []
        # Revisions, gates and chain are the engine's; who may open was checked.
        for release in self.sudo():
            emails = self._normalise_authors(release.author_emails)
            release._record_revision(release.source_ref, emails)
            drafts.append(
                (
                    release.id,
                    "release_opened",
                    release,
                    {
                        "project": release.project_id.name,
                        "name": release.name,
                        "source_ref": release.source_ref,
                        "authors": release.revision_id.author_emails,
                        "stage": release.stage_id.code,
                    },
                )
            )
        self.sudo()._ensure_gates()  # as above
        self._rejudge(drafts, starts=False)
        self.env["ipai.control.plane"]._bind_pending(self)

    def _ensure_gates(self):
        """Make the one row per release and gate where it is missing."""
        gates = self.env["ipai.gate"].search([])
        existing = {
            (release.id, gate.id)
            for release, gate in self.env["ipai.release.gate"]._read_group(
                [("release_id", "in", self.ids)], ["release_id", "gate_id"]
            )
        }
        self.env["ipai.release.gate"].system_create(
            [
                {"release_id": release.id, "gate_id": gate.id}
                for release in self
                for gate in gates
                if (release.id, gate.id) not in existing
            ]
        )

    def _known_authors(self, source_ref, emails):
        """Authors once named for a commit of the project stay its authors.

        Otherwise recording the same commit again with fewer authors would let one of
        them sign it.
        """
        self.ensure_one()
        known = set(emails)
        for revision in self.env["ipai.revision"].search(
            [
                ("source_ref", "=", source_ref),
                ("release_id.project_id", "=", self.project_id.id),
            ]
        ):
            known.update(revision.author_emails)
        return sorted(known)

    def _record_revision(self, source_ref, emails, artifact_digest=None):
        self.ensure_one()
        emails = self._known_authors(source_ref, emails)
        authors = set().union(*self._resolve_authors(emails).values())
        if self.env.user.has_group("ipai_release_gates.group_developer"):
            # A developer who records a commit by hand may have written it, whomever
            # they name.
            authors.add(self.env.uid)
        revision = self.env["ipai.revision"].system_create(
            [
                {
                    "release_id": self.id,
                    "source_ref": source_ref,
                    "artifact_digest": artifact_digest or self.artifact_digest,
                    "author_emails": emails,
                    "author_ids": [(6, 0, sorted(authors))],
                    "recorded_by_id": self.env.uid,
                    "recorded_at": self.env.cr.now(),
                }
            ]
        )
        self.system_write(
            {
                "revision_id": revision.id,
                "source_ref": source_ref,
                "artifact_digest": revision.artifact_digest,
                "author_emails": ", ".join(emails),
            }
        )
        revision._share_authors()
        return revision

    def _revise(self, source_ref, emails, artifact_digest=None):
        """Make a commit the release's current revision.

        Gates re-open because facts of the former revision no longer count; a release
        past the first stage goes back there, unless its stage says otherwise. Naming
        the current commit again changes nothing, but may add authors.

        :param source_ref: full commit SHA
        :param emails: addresses of everyone who authored or committed it
        :param artifact_digest: digest of the artifact built from it, if known
        :returns: whether the revision changed
        :raises UserError: when the release is closed or cancelled
        """
        self.ensure_one()
        # The caller's right to revise was checked by the door it came through.
        release = self.sudo()
        source_ref = self._normalise_commit(source_ref)
        if not release.is_open:
            raise UserError(
                self.env._(
                    "%s is closed: open a new release for the new revision.",
                    release.name,
                )
            )
        previous = release.revision_id
        same_commit = source_ref == previous.source_ref
        digest_changed = bool(
            artifact_digest and artifact_digest != previous.artifact_digest
        )
        if same_commit and not digest_changed:
            emails = release._known_authors(source_ref, emails)
            if set(emails) == set(previous.author_emails):
                return False
            resolved = release._resolve_authors(emails)
            previous.system_write(
                {
                    "author_emails": emails,
                    "author_ids": [
                        (4, uid) for uid in sorted(set().union(*resolved.values()))
                    ],
                }
            )
            release.system_write({"author_emails": ", ".join(emails)})
            previous._share_authors()
        else:
            release._record_revision(source_ref, emails, artifact_digest)
        drafts = [
            (
                release.id,
                "revision_changed",
                release.revision_id,
                {
                    "from": previous.source_ref,
                    "to": source_ref,
                    "authors": release.revision_id.author_emails,
                },
            )
        ]
        changed = release.revision_id != previous
        if changed:
            drafts += release._pull_back()
        release._rejudge(drafts)
        if changed:
            self.env["ipai.control.plane"]._bind_pending(self)
        return changed

    def _pull_back(self):
        """Send the release to the first stage because its revision changed."""
        self.ensure_one()
        first = self.env["ipai.release.stage"]._first()
        if self.stage_id == first or not self.stage_id.pulls_back:
            return []
        body = {
            "from": self.stage_id.code,
            "to": first.code,
            "reason": "revision changed",
            "source_ref": self.source_ref,
        }
        self.system_write(
            {
                "stage_id": first.id,
                "stage_entered_at": self.env.cr.now(),
                "move_reason": self.env._("New revision %s", self.short_ref),
                "status": "in_progress",
            }
        )
        return [(self.id, "move_allowed", self, body)]

    # --- what facts do to a release --------------------------------------------------

    def _rejudge(self, drafts, starts=True, verdicts=None):
        """Judge the gates anew and move the row that serialises everything.

        :param drafts: ledger entries of the facts, see ``ipai.ledger.entry``
        :param starts: whether these facts make a draft release one in progress
        :param verdicts: what :meth:`_verdicts` said after the last of these facts
        """
        # The consequences of a fact do not depend on the rights of its author.
        releases = self.sudo()
        if starts:
            releases.filtered(lambda r: r.status == "draft").system_write(
                {"status": "in_progress"}
            )
        gate_drafts = releases._refresh_gates(verdicts)
        releases._append_to_ledger(drafts + gate_drafts)

    def _rejudge_in_batches(self):
        """Judge the gates anew after a definition changed, in bounded batches."""
        batch = PolicyBatch.of(self.env)
        if batch:
            batch.release_ids.update(self.ids)
            return
        for start in range(0, len(self), 200):
            self[start : start + 200]._rejudge([], starts=False)

    def _append_to_ledger(self, drafts):
        """Update the row of every release and append to its ledger chain.

        The update is what makes a concurrent stage move fail with a serialization
        error; the head of the chain moves in the same statement. Rows are taken in the
        order of their ids, so that two bulk writers cannot deadlock.

        :param drafts: list of ``(release id, kind, subject record, body)``
        """
        if not self:
            return
        cr = self.env.cr
        self.flush_recordset()
        heads = self.env.execute_query(
            SQL(
                "SELECT id, ledger_sequence, ledger_hash FROM ipai_release"
                " WHERE id IN %s ORDER BY id FOR UPDATE",
                tuple(self.ids),
            )
        )
        entries, moved = self.env["ipai.ledger.entry"]._extend(heads, drafts)
        rows = SQL(", ").join(
            SQL("(%s, %s, %s)", release_id, sequence, digest)
            for release_id, sequence, digest in moved
        )
        cr.execute(
            SQL(
                "UPDATE ipai_release r SET fact_version = r.fact_version + 1,"
                " ledger_sequence = head.sequence, ledger_hash = head.hash"
                " FROM (VALUES %s) AS head (id, sequence, hash) WHERE r.id = head.id",
                rows,
            )
        )
        self.invalidate_recordset(
            ["fact_version", "ledger_sequence", "ledger_hash"], flush=False
        )
        self.env["ipai.ledger.entry"]._store(entries)

    def _refresh_gates(self, verdicts=None):
        """Store what the gates of these releases stand at, for people to see.

        :param verdicts: fresh ones, if they are there already
        :returns: ledger drafts of the gates whose status changed
        """
        if not self:
            return []
        forecasts = {} if verdicts else self._forecasts()
        verdicts = verdicts or {key: value[0] for key, value in forecasts.items()}
        confirmed = self._confirm_deployments(verdicts)
        # What was just confirmed does not fail when its deadline passes.
        forecasts.update(confirmed._forecasts() if confirmed else {})
        drafts = []
        Row = self.env["ipai.release.gate"]
        for row in Row.search_fetch([("release_id", "in", self.ids)], Row._judged):
            release_id = row.release_id.id
            steps = forecasts[release_id][1] if release_id in forecasts else None
            drafts += row._store_verdict(verdicts[release_id], steps)
        for release in self.filtered(lambda release: release.id in forecasts):
            rejudge_at = forecasts[release.id][2]
            if release.rejudge_at != rejudge_at:
                release.system_write({"rejudge_at": rejudge_at})
        self._store_next_gate(verdicts)
        return drafts

    def _store_next_gate(self, verdicts):
        stages = self.env["ipai.release.stage"]._in_order()
        for release in self:
            later = stages.filtered(
                lambda s, at=release.stage_id: (
                    (s.sequence, s.id) > (at.sequence, at.id) and s.gate_id
                )
            )[:1]
            status, summary, terms, awaited = False, False, False, False
            if later and release.is_open:
                verdict = verdicts[release.id].gate(later.gate_id.code)
                status = verdict.status
                unmet = verdict.unmet
                awaited = _between_commas(later.gate_id._accountable_for(unmet))
                if unmet:
                    first = next((c for c in unmet if c.adverse), unmet[0])
                    more = len(unmet) - 1
                    reason = policy.Reason(
                        "%(gate)s: %(reason)s%(more)s",
                        gate=verdict.code,
                        reason=first.reason,
                        more=f" (+{more})" if more else "",
                    )
                    summary, terms = str(reason), [reason.as_data()]
            vals = {
                "next_gate_status": status,
                "blocking_summary": summary,
                "blocking_terms": terms,
                "awaited_personas": awaited,
            }
            if any((release[name] or False) != vals[name] for name in vals):
                release.system_write(vals)

    # --- computed --------------------------------------------------------------------

    @api.depends("stage_id.is_closing", "status")
    def _compute_is_open(self):
        for release in self:
            release.is_open = (
                not release.stage_id.is_closing and release.status != "cancelled"
            )

    @api.depends("release_gate_ids.status", "release_gate_ids.forecast")
    def _compute_gate_marks(self):
        labels = dict(GATE_STATUSES)
        now = self.env.cr.now()
        for release in self:
            marks = []
            for row in release.release_gate_ids.sorted("gate_sequence"):
                status = row._status_at(now)
                marks.append(
                    {
                        "code": row.gate_id.code,
                        "name": row.gate_id.name,
                        "status": status,
                        "label": labels[status],
                    }
                )
            release.gate_marks = marks

    @api.depends("blocking_summary", "blocking_terms")
    @api.depends_context("lang")
    def _compute_blocking_text(self):
        for release in self:
            release.blocking_text = said_again(
                self.env, release.blocking_summary, release.blocking_terms
            )

    @api.depends("release_gate_ids.waived_until")
    def _compute_bypassed_until(self):
        now = self.env.cr.now()
        for release in self:
            ends = release.release_gate_ids.mapped("waived_until")
            release.bypassed_until = min(
                (end for end in ends if end and end > now), default=False
            )

    @api.depends_context("uid", "lang")
    def _compute_verdict_tree(self):
        saved = self.filtered("id")
        (self - saved).verdict_tree = False
        verdicts = saved._verdicts()
        for release in saved:
            release.verdict_tree = self._verdict_data(
                verdicts[release.id], partial(said, self.env)
            )

    def _compute_fact_counts(self):
        for kind in self._fact_kinds():
            if not kind.count:
                continue
            counts = {}
            if self.env[kind.model].has_access("read"):
                counts = dict(
                    self.env[kind.model]._read_group(
                        [("release_id", "in", self.ids)], ["release_id"], ["__count"]
                    )
                )
            for release in self:
                release[kind.count] = counts.get(release._origin, 0)

    @api.depends_context("lang")
    def _compute_fact_links(self):
        links = {
            kind.code: {
                "model": kind.model,
                "one": translate(self.env, kind.view, kind.module),
                "many": translate(self.env, kind.view_many, kind.module),
            }
            for kind in self._fact_kinds()
            if self.env[kind.model].has_access("read")
        }
        self.fact_links = links

    # --- actions ---------------------------------------------------------------------

    def action_evaluate_gates(self):
        """Judge the gates of these releases now and store the result."""
        self.check_access("read")
        if not self.env["ipai.persona"]._held_by(self.env.user):
            raise AccessError(
                self.env._("Only a persona of the release process evaluates gates.")
            )
        self._rejudge([], starts=False)
        return True

    def action_cancel(self):
        """Give a release up. Its facts and its chain stay."""
        self.check_access("write")
        if not self.env.user.has_group("ipai_release_gates.group_release_manager"):
            raise AccessError(self.env._("Only a release manager cancels a release."))
        for release in self:
            if not release.is_open:
                raise UserError(self.env._("%s is closed already.", release.name))
            release.system_write({"status": "cancelled"})
        self._rejudge(
            [
                (
                    release.id,
                    "release_cancelled",
                    release,
                    {
                        "stage": release.stage_id.code,
                        "source_ref": release.source_ref,
                    },
                )
                for release in self
            ],
            starts=False,
        )
        return True


def _between_commas(codes):
    """Codes as text in which ``,code,`` is found; ``,,`` is nobody."""
    return f",{','.join(sorted(codes))},"
