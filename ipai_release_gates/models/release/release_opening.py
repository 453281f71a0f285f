import re

from odoo import api, models
from odoo.exceptions import UserError, ValidationError

from ..selections import COMMIT_PATTERN

_EMAIL = re.compile(r"[^@\s,;<>]+@[^@\s,;<>]+")


class Release(models.Model):
    """Opens releases and binds them to a revision."""

    _inherit = "ipai.release"

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
        # sudo: the right to open checked
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
        self.sudo()._ensure_gates()  # sudo: the right to open checked
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
        # sudo: the caller checked the right
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
