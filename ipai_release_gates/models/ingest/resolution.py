from odoo import api, models

from ... import ingest


class ControlPlane(models.AbstractModel):
    """The release and the revision that an event is about, found by their names."""

    _inherit = "ipai.control.plane"

    @api.model
    def _resolve(self, submissions):
        """Find the release and the revision of each event."""
        submissions = [s for s in submissions if s.open]
        if not submissions:
            return
        self._resolve_addressed(submissions)
        self._resolve_by_commit([s for s in submissions if s.open and not s.release])
        self._resolve_revisions([s for s in submissions if s.open])

    @api.model
    def _resolve_addressed(self, submissions):
        """Releases named by uuid, database id, or project and name."""
        ids, uuids, names = set(), set(), set()
        for submission in submissions:
            address = submission.envelope.release_id
            if isinstance(address, int):
                ids.add(address)
            elif isinstance(address, str):
                uuids.add(address)
            elif isinstance(address, dict):
                names.add(address["name"])
        if not (ids or uuids or names):
            return
        domain = [
            ("active", "in", [True, False]),
            "|",
            "|",
            ("id", "in", list(ids)),
            ("uuid", "in", list(uuids)),
            ("name", "in", list(names)),
        ]
        # Searched as the caller: a release they may not read is unknown to them.
        releases = self.env["ipai.release"].search_fetch(
            domain, ["uuid", "name", "project_id", "revision_id", "is_open"]
        )
        by_address = {}
        for release in releases.sudo():  # sudo: names of releases found readable
            by_address[release.id] = release
            by_address[release.uuid] = release
            by_address[release.project_id.name, release.name] = release
        for submission in submissions:
            envelope = submission.envelope
            address = envelope.release_id
            if address is None:
                continue
            if isinstance(address, dict):
                address = (address["project"], address["name"])
            release = by_address.get(address)
            if not release or (
                envelope.project and envelope.project != release.project_id.name
            ):
                submission.reject(
                    "unknown_release",
                    self.env._("No release %s that you may see.", envelope.release_id),
                    "release_id",
                )
            else:
                submission.release = release

    @api.model
    def _resolve_by_commit(self, submissions):
        """Releases named by project and commit; without one the event waits."""
        if not submissions:
            return
        names = {s.envelope.project for s in submissions}
        projects = {
            project.name: project
            for project in self.env["ipai.project"].search(
                [("name", "in", list(names))]
            )
        }
        releases = self.env["ipai.release"].search(
            [
                ("active", "in", [True, False]),
                ("project_id", "in", [p.id for p in projects.values()]),
                (
                    "revision_ids.source_ref",
                    "in",
                    list({s.envelope.source_ref for s in submissions}),
                ),
            ]
        )
        by_commit = {}
        # sudo: commits of releases found readable
        for release in releases.sorted("id").sudo():
            for revision in release.revision_ids:
                key = (release.project_id.name, revision.source_ref)
                current = revision == release.revision_id
                rank = (current, release.is_open, release.id)
                if key not in by_commit or rank > by_commit[key][0]:
                    by_commit[key] = (rank, release)
        for submission in submissions:
            envelope = submission.envelope
            if envelope.project not in projects:
                submission.reject(
                    "unknown_release",
                    self.env._("No project %s that you may see.", envelope.project),
                    "project",
                )
            elif submission.kind.subject == ingest.kinds.NEW_REVISION:
                submission.reject(
                    "missing_field",
                    self.env._("A revision must name its release by release_id."),
                    "release_id",
                )
            else:
                _rank, submission.release = by_commit.get(
                    (envelope.project, envelope.source_ref), (None, None)
                )
                if not submission.release:
                    self._wait(submission, projects[envelope.project])

    @api.model
    def _resolve_revisions(self, submissions):
        """The revision of each fact: the latest one with its commit."""
        facts = []
        for submission in submissions:
            if not submission.envelope.source_ref:
                # An event without a commit is about the current revision.
                submission.revision = submission.release.revision_id
            elif submission.kind.subject != ingest.kinds.NEW_REVISION:
                facts.append(submission)
        if not facts:
            return
        revisions = (
            self.env["ipai.revision"]
            # sudo: rows of all senders are compared
            .sudo()
            .search(
                [
                    ("release_id", "in", list({s.release.id for s in facts})),
                    ("source_ref", "in", list({s.envelope.source_ref for s in facts})),
                ],
                order="id",
            )
        )
        latest = {(r.release_id.id, r.source_ref): r for r in revisions}
        for submission in facts:
            submission.revision = latest.get(
                (submission.release.id, submission.envelope.source_ref)
            )
            if not submission.revision:
                self._wait(submission, submission.release.project_id)

    @api.model
    def _wait(self, submission, project):
        submission.answer = ingest.answers.pending(
            submission.log.id,
            {
                "project": project.name,
                "source_ref": submission.envelope.source_ref,
                "message": self.env._(
                    "No release has this commit yet; kept until one does."
                ),
            },
        )
        # sudo: the façade writes its own rows
        submission.log.sudo().system_write(
            {
                "project_id": project.id,
                "source_ref": submission.envelope.source_ref,
                "company_id": project.company_id.id,
            }
        )

    @api.model
    def _bind_pending(self, releases):
        """Process events that waited for a commit some release has now."""
        # Each event is processed with the rights of its sender.
        waiting = (
            self.env["ipai.ingest.log"]
            # sudo: rows of all senders are compared
            .sudo()
            .search(
                [
                    ("status", "=", "pending"),
                    ("project_id", "in", releases.project_id.ids),
                    ("source_ref", "in", releases.mapped("source_ref")),
                ],
                order="id",
            )
        )
        if waiting:
            waiting._process_again()
