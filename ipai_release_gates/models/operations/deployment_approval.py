from odoo import api, models

from ...errors import GateRefused
from ..release.reasons import said


class Deployment(models.Model):
    """Which revision may be deployed to an environment.

    Only production is gated. A deployment by hand of an unapproved revision is refused;
    one that a pipeline made already is recorded, with an incident.
    """

    _inherit = "ipai.deployment"

    def _prepare_manual_fact(self, vals):
        self.check_access("create")
        vals = super()._prepare_manual_fact(vals)
        release = self.env["ipai.release"].browse(vals.get("release_id") or ())
        environment = self.env["ipai.environment"].browse(
            vals.get("environment_id") or ()
        )
        environment.check_access("read")
        if release and environment:
            # Read access to both was checked above.
            # sudo: approval depends on all facts
            release, back = release.sudo(), self.sudo()
            back = back.browse(vals.get("rollback_of_id") or ()).exists()
            # sudo: approval depends on all facts
            self._require_approval(release, environment.sudo(), back)
        if vals.get("status") == "rolled_back":
            self._refuse_bare_rollback()
        return vals

    @api.model
    def _require_approval(self, release, environment, rollback_of):
        """Require that the current revision of a release may be deployed.

        :raises GateRefused: naming every condition that is not met
        """
        problems = self._obstacles(
            release, release.revision_id, environment, rollback_of
        )
        if not problems:
            return
        stage = self._promoting_stage(environment)
        refusal = release._refusal_data(stage, {release: problems})
        title = self._refused_title(release, environment)
        body = {
            "environment": environment.name,
            "source_ref": release.source_ref,
            "unmet": [f"{p['gate']}:{p['code']}".lstrip(":") for p in problems],
        }
        release._record_afterwards([(release.id, "deployment_refused", release, body)])
        raise GateRefused(
            self._refused_message(release, environment, problems),
            {**refusal, "title": title},
        )

    @api.model
    def _obstacles(self, release, revision, environment, rollback_of):
        """The reasons why a revision may not be deployed to an environment now.

        Only production is gated, and a rollback never is: an approved revision that was
        deployed there before may always replace another deployment.

        :param release: ``ipai.release`` record, with all rights
        :param rollback_of: the deployment that is rolled back, or an empty record
        :returns: unmet conditions as a refused move names them; empty when approved
        """
        if environment.category != "production" or self._leads_back(
            revision, environment, rollback_of
        ):
            return []
        problems = []
        if release.status == "cancelled":
            problems.append(("cancelled", self.env._("The release is cancelled")))
        if revision != release.revision_id:
            problems.append(
                (
                    "revision",
                    self.env._(
                        "Revision %(deployed)s is not the release's current one, "
                        "%(current)s",
                        deployed=revision.short_ref,
                        current=release.revision_id.short_ref,
                    ),
                )
            )
        stage = self._promoting_stage(environment)
        if not stage:
            problems.append(
                (
                    "stage",
                    self.env._("No stage promotes to production; governance adds one"),
                )
            )
        unmet = [
            {"gate": "", "code": code, "kind": code, "reason": reason}
            for code, reason in problems
        ]
        if stage:
            gates = stage._gates_to_enter().mapped("code")
            verdict = release._verdicts()[release.id].only(gates)
            unmet += [
                {
                    "gate": gate.code,
                    "code": condition.code,
                    "kind": condition.kind,
                    "reason": said(self.env, condition.reason),
                }
                for gate, condition in verdict.unmet
            ]
        return unmet

    @api.model
    def _promoting_stage(self, environment):
        """The stage whose gates a deployment there needs."""
        stages = self.env["ipai.release.stage"].sudo()  # sudo: same for every user
        return stages.search(
            [("environment_category", "=", environment.category)], limit=1
        )

    @api.model
    def _leads_back(self, revision, environment, rollback_of):
        """Whether this is the return to an approved revision deployed there before."""
        if not rollback_of or rollback_of.environment_id != environment:
            return False
        # A deployment with a deadline succeeded once, also when it failed later.
        # sudo: only whether there is one
        return bool(
            self.sudo().search_count(
                [
                    ("environment_id", "=", environment.id),
                    ("revision_id.source_ref", "=", revision.source_ref),
                    ("confirmation_due_at", "!=", False),
                    ("is_unauthorised", "=", False),
                    ("id", "!=", rollback_of.id),
                ],
                limit=1,
            )
        )

    @api.model
    def _refused_title(self, release, environment):
        return self.env._(
            "%(release)s cannot be deployed to %(environment)s",
            release=release.name,
            environment=environment.name,
        )

    @api.model
    def _refused_message(self, release, environment, problems):
        lines = [f"{self._refused_title(release, environment)}:"]
        lines += [
            f"  - {p['gate']}: {p['reason']}" if p["gate"] else f"  - {p['reason']}"
            for p in problems
        ]
        return "\n".join(lines)

    def _report_unauthorised(self, problems):
        """Open the incident of a deployment that happened without approval.

        :param problems: as :meth:`_obstacles` returns them
        """
        self.ensure_one()
        incident = self.env["ipai.incident"].system_create(
            [
                {
                    "release_id": self.release_id.id,
                    "revision_id": self.revision_id.id,
                    "name": self.env._(
                        "Unauthorised deployment %(reference)s to %(environment)s",
                        reference=self.external_id,
                        environment=self.environment_id.name,
                    ),
                    "severity": "high",
                    "blocking": True,
                    "deployment_id": self.id,
                    "detected_at": self.env.cr.now(),
                    "source_system": self.source_system,
                    "recorded_by_id": self.env.uid,
                    "recorded_at": self.env.cr.now(),
                    "ingest_log_id": self.ingest_log_id.id,
                }
            ]
        )
        reasons = [f"{p['gate']} {p['reason']}".strip() for p in problems]
        incident._add_timeline_entry("note", "\n".join(reasons))
        return incident
