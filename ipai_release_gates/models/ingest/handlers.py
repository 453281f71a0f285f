import base64
from datetime import timedelta

from odoo import api, models

from .lookup import Refused

#: How far a sender's clock may be ahead of ours.
CLOCK_SKEW = timedelta(minutes=5)


class ControlPlane(models.AbstractModel):
    """What each type of event becomes.

    A bulk handler looks at one event and plans the facts it adds; the plans of many
    events are stored together. A single handler acts at once, because what follows it
    depends on it.

    A plan is a list of ``(model, values)``. A value may refer to a record of the same
    plan by its position in it, as :class:`Planned`.
    """

    _inherit = "ipai.control.plane"

    @api.model
    def _bulk_handlers(self):
        return {
            "build_complete": self._plan_build,
            "check_result": self._plan_check,
            "evidence": self._plan_evidence,
            "health_check": self._plan_health,
        }

    @api.model
    def _single_handlers(self):
        return {
            "revision": self._take_revision,
            "gate_signoff": self._take_signoff,
            "deployment_event": self._take_deployment,
        }

    # --- facts in bulk ---------------------------------------------------------------

    @api.model
    def _plan_build(self, submission, lookup):
        payload = submission.envelope.payload
        gate = lookup.gate(submission) or lookup.first_gate
        checks = [
            ("ipai.check", self._check_values(submission, gate, check))
            for check in payload["checks"]
        ]
        build = {"name": "build", "status": payload["status"]}
        statuses = {c["name"]: c["status"] for c in (*payload["checks"], build)}
        return [
            *checks,
            ("ipai.check", self._check_values(submission, gate, build)),
            (
                "ipai.evidence",
                self._evidence_values(
                    submission,
                    lookup,
                    gate,
                    "build_log",
                    url=payload["log_url"],
                    sha256=payload.get("sha256"),
                ),
            ),
            (
                "ipai.evidence",
                self._evidence_values(
                    submission,
                    lookup,
                    gate,
                    "check_status",
                    url=payload["log_url"],
                    metadata=statuses,
                ),
            ),
        ]

    @api.model
    def _plan_check(self, submission, lookup):
        values = self._check_values(
            submission, lookup.gate(submission), submission.envelope.payload
        )
        return [("ipai.check", values)]

    @api.model
    def _plan_evidence(self, submission, lookup):
        payload = submission.envelope.payload
        values = self._evidence_values(
            submission,
            lookup,
            lookup.gate(submission),
            payload["type"],
            **{
                key: payload.get(key)
                for key in ("url", "filename", "sha256", "size", "metadata", "content")
            },
        )
        return [("ipai.evidence", values)]

    @api.model
    def _plan_health(self, submission, lookup):
        payload = submission.envelope.payload
        environment = lookup.environment(submission)
        gate = lookup.gate(submission)
        if not gate and environment.category == "production":
            gate = lookup.closing_gate
        health = {"name": "health_check", "status": payload["status"]}
        checks = [
            (
                "ipai.check",
                {
                    **self._check_values(submission, gate, check),
                    "environment_id": environment.id,
                    "environment_category": environment.category,
                },
            )
            for check in (*payload.get("checks", ()), health)
        ]
        deployment = lookup.latest_deployment(submission, environment)
        evidence = self._evidence_values(
            submission,
            lookup,
            gate,
            "health_check",
            url=payload.get("url"),
            metadata={
                **payload.get("metadata", {}),
                "status": payload["status"],
                "environment": environment.name,
            },
        )
        evidence["deployment_id"] = deployment.id
        return [*checks, ("ipai.evidence", evidence)]

    @api.model
    def _create_planned(self, plans):
        """Create the facts of many plans with one call per model.

        :param plans: list of ``(submission, [(model, values)])``
        """
        for model, label in (("ipai.check", "checks"), ("ipai.evidence", "evidence")):
            owners, vals_list = [], []
            for submission, plan in plans:
                for planned_model, values in plan:
                    if planned_model == model:
                        owners.append(submission)
                        vals_list.append(values)
            if not vals_list:
                continue
            # The façade is how CI and people without rights on facts record them; the
            # sender's authority for the event type was checked.
            records = self.env[model].sudo().engine_create(vals_list)
            for submission, record in zip(owners, records, strict=True):
                submission.created.setdefault(label, []).append(record.id)

    @api.model
    def _fact_values(self, submission):
        return {
            "release_id": submission.release.id,
            "revision_id": submission.revision.id,
            "source_system": submission.envelope.source_system,
            "recorded_by_id": self.env.uid,
            "recorded_at": self.env.cr.now(),
            "ingest_log_id": submission.log.id,
        }

    @api.model
    def _check_values(self, submission, gate, check):
        return {
            **self._fact_values(submission),
            "gate_id": gate.id,
            "name": check["name"],
            "status": check["status"],
            "artifact_ref": check.get("artifact_ref"),
            "metadata": check.get("metadata"),
        }

    @api.model
    def _evidence_values(self, submission, lookup, gate, type_code, **values):
        type_ = lookup.evidence_types.get(type_code)
        if not type_:
            raise Refused(
                "invalid_field",
                self.env._(
                    "Unknown type of evidence; known are %s.",
                    ", ".join(sorted(lookup.evidence_types)),
                ),
                "payload.type",
            )
        problems = type_._metadata_errors(values.get("metadata"))
        if problems:
            path, message = problems[0]
            raise Refused("invalid_field", message, f"payload.{path}")
        content = values.pop("content", None)
        if content is not None:
            values["content"] = base64.b64encode(content)
        return {
            **self._fact_values(submission),
            "gate_id": gate.id,
            "type_id": type_.id,
            "type_code": type_code,
            **values,
        }

    # --- events that were kept -------------------------------------------------------

    @api.model
    def _refuse_overtaken_plan(self, submission, plan):
        """Refuse a kept event when one of its facts was recorded anew since."""
        for model, values in plan if submission.kept else ():
            same = ("name", "environment_category")
            if model == "ipai.evidence":
                same = ("type_code",)
            self._refuse_overtaken(
                submission,
                model,
                [
                    ("revision_id", "=", submission.revision.id),
                    *((name, "=", values.get(name, False)) for name in same),
                ],
            )

    @api.model
    def _refuse_overtaken(self, submission, model, domain):
        """Refuse a kept event when something newer speaks of the same.

        The latest fact counts: processed late, an event would replace what was found
        after it was sent, an old ``pass`` a newer ``fail``.

        :param domain: which records of the event's release speak of the same
        """
        if not submission.kept:
            return
        # Only that there is one is told, not what it says.
        since = (
            self.env[model]
            .sudo()
            .search(
                [
                    ("release_id", "=", submission.release.id),
                    ("recorded_at", ">=", submission.log.received_at),
                    *domain,
                ]
            )
        )
        # Of events that arrived together, the order in which they came decides.
        if "ingest_log_id" in since:
            since = since.filtered(
                lambda fact: (
                    not fact.ingest_log_id or fact.ingest_log_id.id > submission.log.id
                )
            )
        if since:
            raise Refused(
                "invalid_field",
                self.env._(
                    "Something newer was recorded since this was sent; send it as a "
                    "new event if it still holds."
                ),
                "payload",
            )

    # --- events that act at once -----------------------------------------------------

    @api.model
    def _take_revision(self, submission, lookup):
        envelope, release = submission.envelope, submission.release
        if not release.is_open:
            raise Refused(
                "release_closed",
                self.env._("%s is closed: open a new release.", release.name),
                "release_id",
            )
        self._refuse_overtaken(submission, "ipai.revision", [])
        changed = release._revise(envelope.source_ref, envelope.payload["authors"])
        submission.revision = release.revision_id
        return {"changed": changed, "stage": release.stage_id.code}

    @api.model
    def _take_signoff(self, submission, lookup):
        payload = submission.envelope.payload
        gate = lookup.gate(submission)
        # A persona is named by its code, which is public; whether the sender holds it
        # is judged by the sign-off itself.
        persona = (
            self.env["ipai.persona"].sudo().search([("code", "=", payload["persona"])])
        )
        if not persona:
            raise Refused(
                "invalid_field", self.env._("Unknown persona."), "payload.persona"
            )
        self._refuse_overtaken(
            submission,
            "ipai.approval",
            [
                ("revision_id", "=", submission.revision.id),
                ("gate_id", "=", gate.id),
                ("approver_id", "=", self.env.uid),
            ],
        )
        approval = self.env["ipai.approval"]._sign(
            submission.release.sudo(False),
            submission.revision,
            gate,
            persona,
            {
                "decision": payload["decision"],
                "rationale_text": payload.get("rationale_text"),
                "rationale_structured": payload.get("rationale_structured"),
                "source_system": submission.envelope.source_system,
                "ingest_log_id": submission.log.id,
            },
        )
        submission.created["approvals"] = approval.ids

    @api.model
    def _take_deployment(self, submission, lookup):
        payload = submission.envelope.payload
        environment = lookup.environment(submission)
        # The façade records deployments for CI; its authority was checked.
        Deployment = self.env["ipai.deployment"].sudo()
        known = Deployment.search(
            [
                ("environment_id", "=", environment.id),
                (
                    "external_id",
                    "in",
                    [payload["external_id"], payload.get("rollback_of")],
                ),
            ]
        ).grouped("external_id")
        rollback_of = known.get(payload.get("rollback_of"), Deployment)
        if payload.get("rollback_of") and not rollback_of:
            raise Refused(
                "invalid_field",
                self.env._(
                    "%(environment)s has no deployment %(reference)s.",
                    environment=environment.name,
                    reference=payload["rollback_of"],
                ),
                "payload.rollback_of",
            )
        deployment = known.get(payload["external_id"], Deployment)
        if deployment:
            # After a detour over another commit it still is of its first revision.
            if (
                deployment.release_id != submission.release
                or deployment.source_ref != submission.revision.source_ref
            ):
                raise Refused(
                    "invalid_field",
                    self.env._(
                        "This external_id belongs to a deployment of revision %s.",
                        deployment.short_ref,
                    ),
                    "payload.external_id",
                )
            submission.revision = deployment.revision_id
            deployment._advance(payload["status"])
        else:
            self._refuse_overtaken(
                submission,
                "ipai.deployment",
                [("environment_id", "=", environment.id)],
            )
            deployed_at = self._deployed_at(payload)
            deployment = Deployment.engine_create(
                [
                    {
                        **self._fact_values(submission),
                        "environment_id": environment.id,
                        "external_id": payload["external_id"],
                        "status": payload["status"],
                        "rollback_of_id": rollback_of.id,
                        "deployed_at": deployed_at,
                    }
                ]
            )
        if deployment.status == "succeeded" and deployment.rollback_of_id:
            deployment.rollback_of_id._advance("rolled_back")
        submission.created["deployments"] = deployment.ids
        return {"deployment_status": deployment.status}

    @api.model
    def _deployed_at(self, payload):
        """When a deployment happened, by the sender's clock if it gave a time.

        A time to come would move the deadline of its confirmation.
        """
        now = self.env.cr.now()
        if "deployed_at" not in payload:
            return now
        deployed_at = payload["deployed_at"].replace(tzinfo=None)
        if deployed_at > now + CLOCK_SKEW:
            raise Refused(
                "invalid_field",
                self.env._("Must not lie in the future."),
                "payload.deployed_at",
            )
        return deployed_at
