from psycopg2.errors import UniqueViolation

from odoo import api, models
from odoo.exceptions import AccessError, ConcurrencyError

from ... import ingest
from ...errors import GateRefused, Rejected, rejects_calls

_ROLES = {
    "developer": "ipai_release_gates.group_developer",
    "qa_tester": "ipai_release_gates.group_qa_tester",
    "release_manager": "ipai_release_gates.group_release_manager",
    "sre": "ipai_release_gates.group_sre",
    "ci_service": "ipai_release_gates.group_ci_service",
    "auditor": "ipai_release_gates.group_auditor",
    "governance_admin": "ipai_release_gates.group_governance_admin",
}
_OPENERS = {"ci_service", "developer", "release_manager"}


class ControlPlane(models.AbstractModel):
    """The contract with CI and agents, version 1: stable, over XML-RPC and JSON-2.

    Each public method is one atomic operation and answers with values that every
    transport can carry.
    """

    _name = "ipai.control.plane"
    _description = "Release control plane"

    @api.model
    @rejects_calls
    def open_release(self, values):
        """Open a release, or return the one of that name.

        :param dict values: ``project`` (owner/name), ``name``, ``source_ref`` (full
            commit SHA), ``environment_target`` (dev, staging or production),
            ``authors`` (list of the e-mail addresses of everyone who authored or
            committed the revision); optionally ``artifact_digest``,
            ``scope_metadata`` (object), ``initiating_actor``
        :returns: ``{"id", "uuid", "name", "project", "stage", "status", "source_ref",
            "created"}``; a release that existed keeps its revision
        :raises CallRejected: naming the field that is missing or wrong
        :raises AccessError: when the caller may not open releases
        """
        if not self._roles() & _OPENERS:
            raise AccessError(
                self.env._(
                    "Only a developer, a release manager or a CI service opens a "
                    "release."
                )
            )
        vals = self._release_values(values)
        # An archived release keeps its name.
        release = (
            self.env["ipai.release"]
            .with_context(active_test=False)
            .search(
                [
                    ("project_id", "=", vals["project_id"]),
                    ("name", "=", vals["name"]),
                ],
                limit=1,
            )
        )
        created = not release
        if created:
            Release = self.env["ipai.release"]
            if "ci_service" in self._roles():
                # A CI service has rights on releases through this façade only. Its
                # role was checked above and every value is validated.
                Release = Release.sudo()  # sudo: CI services open by façade only
            try:
                with self.env.cr.savepoint():
                    release = Release.create(vals)
            except UniqueViolation as error:
                # Somebody else is opening it: retried by Odoo, which then finds it.
                raise ConcurrencyError(str(error)) from error
        # The answer is about a release the caller may open anyway.
        release = release.sudo()  # sudo: the caller may open the release
        return ingest.answers.portable(
            {
                "id": release.id,
                "uuid": release.uuid,
                "name": release.name,
                "project": release.project_id.name,
                "stage": release.stage_id.code,
                "status": release.status,
                "source_ref": release.source_ref,
                "created": created,
            }
        )

    @api.model
    @rejects_calls
    def verdict(self, release, target="production"):
        """Judge a release for a promotion target, now. Changes nothing.

        :param release: uuid, database id or ``{"project", "name"}``
        :param str target: ``dev``, ``staging`` or ``production``
        :returns: ``{"eligible", "target", "release", "revision", "evaluated_at",
            "gates": [{"code", "name", "status", "conditions": [{"code", "name",
            "kind", "state", "reason", "waived_until", "facts"}]}]}``
        :raises CallRejected: for an unknown target or release
        """
        if target not in ingest.TARGETS:
            raise Rejected(
                "invalid_field",
                self.env._(
                    "target must be one of %(targets)s, not “%(target)s”.",
                    targets=", ".join(ingest.TARGETS),
                    target=target,
                ),
                "target",
            )
        found = self._find_release(release)
        stage = (
            self.env["ipai.release.stage"]
            # sudo: stages are shared vocabulary
            .sudo()
            .search([("environment_category", "=", target)], limit=1)
        )
        verdict = found._verdicts()[found.id]
        gates = stage._gates_to_enter().mapped("code") if stage else []
        if not stage and target != "dev":
            raise Rejected(
                "invalid_field",
                self.env._(
                    "No stage promotes to %s; governance must define one.", target
                ),
                "target",
            )
        verdict = verdict.only(gates)
        return ingest.answers.portable(
            {
                "eligible": verdict.eligible,
                "target": target,
                "release": found.uuid,
                "revision": verdict.revision,
                "evaluated_at": f"{verdict.evaluated_at.isoformat()}Z",
                "gates": self.env["ipai.release"]._verdict_data(verdict),
            }
        )

    @api.model
    @rejects_calls
    def request_move(self, release, stage, reason=None):
        """Move a release into a stage, or answer the refusal as data.

        :param release: uuid, database id or ``{"project", "name"}``
        :param stage: code, name or database id of the stage
        :param str reason: why, needed to move back
        :returns: ``{"moved", "release", "stage", "requested_stage", "status",
            "reasons": [{"gate", "code", "kind", "reason"}], "message"}``
        :raises CallRejected: for an unknown release or stage
        """
        found = self._find_release(release)
        target = self._find_stage(stage)
        reasons, message = [], ""
        try:
            with self.env.cr.savepoint():
                found._move_to(target, reason)
        except GateRefused as refusal:
            reasons = refusal.context["refusal"]["releases"][0]["reasons"]
            message = str(refusal)
            # Refused, but this transaction commits: the ledger entry goes with it.
            # sudo: system writes the ledger
            found.sudo()._append_to_ledger(found._refusal_drafts(refusal))
        # The caller could read the release; so can they read where it stands now.
        found = found.sudo()  # sudo: the caller could read the release
        return ingest.answers.portable(
            {
                "moved": not reasons,
                "release": found.uuid,
                "stage": found.stage_id.code,
                # sudo: codes of stages are public
                "requested_stage": target.sudo().code,
                "status": found.status,
                "reasons": reasons,
                "message": message,
            }
        )

    # --- what the methods share ------------------------------------------------------

    @api.model
    def _roles(self):
        """The roles of the current user, as the contract names them."""
        user = self.env.user
        return frozenset(
            role for role, group in _ROLES.items() if user.has_group(group)
        )

    @api.model
    def _release_values(self, values):
        """Check what ``open_release`` was sent.

        :returns: values for ``ipai.release``
        """
        try:
            values = ingest.read_release(values)
        except ingest.fields.Invalid as invalid:
            at, message, code = invalid.problems[0]
            field = ingest.fields.path_of(at) or "values"
            # The message is the contract's own, the same on every transport.
            raise Rejected(code, f"{field}: {message}", field) from invalid
        project = self.env["ipai.project"].search(
            [("name", "=", values["project"])], limit=1
        )
        if not project:
            raise Rejected(
                "invalid_field",
                self.env._(
                    "project: “%s” is unknown. A governance administrator adds it "
                    "under Release Gates → Configuration → Projects.",
                    values["project"],
                ),
                "project",
            )
        metadata = dict(values.get("scope_metadata") or {})
        if values.get("initiating_actor"):
            metadata["initiating_actor"] = values["initiating_actor"]
        return {
            "project_id": project.id,
            "name": values["name"],
            "source_ref": values["source_ref"],
            "environment_target": values["environment_target"],
            "author_emails": ", ".join(values["authors"]),
            "artifact_digest": values.get("artifact_digest") or False,
            "scope_metadata": metadata or False,
        }

    @api.model
    def _find_release(self, release):
        """The release a caller names, if they may read it.

        :raises Rejected: when there is none they may know of
        """
        domain = self._release_domain(release)
        if domain:
            # An archived release is off the board, not out of the contract.
            domain = [*domain, ("active", "in", [True, False])]
        found = self.env["ipai.release"].search(domain, limit=1) if domain else None
        if not found:
            raise Rejected(
                "unknown_release",
                self.env._(
                    "release: “%s” is unknown. Give a uuid, a database id or "
                    "{project, name}.",
                    release,
                ),
                "release",
            )
        return found

    @api.model
    def _release_domain(self, release):
        """The domain for a release as callers name it, or ``None``."""
        if isinstance(release, bool):
            return None
        if isinstance(release, int):
            return [("id", "=", release)]
        if isinstance(release, str):
            if release.isdecimal() and len(release) < 10:
                return [("id", "=", int(release))]
            return [("uuid", "=", release.strip().lower())]
        if isinstance(release, dict) and set(release) == {"project", "name"}:
            return [
                ("project_id.name", "=", str(release["project"])),
                ("name", "=", str(release["name"])),
            ]
        return None

    @api.model
    def _find_stage(self, stage):
        # Stages are the columns everybody sees; a caller may name any of them.
        # sudo: stages are columns that everybody sees
        stages = self.env["ipai.release.stage"].sudo().search([])
        found = stages.filtered(
            lambda s: (
                stage in (s.code, s.name)
                or (not isinstance(stage, bool) and stage == s.id)
            )
        )[:1]
        if not found:
            raise Rejected(
                "invalid_field",
                self.env._(
                    "stage: “%(stage)s” is unknown; stages are %(known)s.",
                    stage=stage,
                    known=", ".join(stages.mapped("code")),
                ),
                "stage",
            )
        return found.sudo(False)
