import base64
from datetime import timedelta

from odoo import api, models
from odoo.tools import ormcache

from ... import ingest
from ...errors import Rejected
from ..operations.environment_control import DECIDED_BY

#: How far a sender's clock may be ahead of ours.
CLOCK_SKEW = timedelta(minutes=5)


class ControlPlane(models.AbstractModel):
    """The handlers of the core's kinds of events.

    A handler that plans returns the facts of one event as a list of ``(model,
    values)``; the plans of many events are stored together. A handler that takes an
    event acts at once, because the events after it depend on the result.
    """

    _inherit = "ipai.control.plane"

    # --- kinds -----------------------------------------------------------------------

    @api.model
    def _event_kinds(self):
        """The kinds of events that this database takes.

        Hook: a satellite adds its own, ``return super()._event_kinds() + (MINE,)``,
        and the method that the kind names.

        :returns: tuple of :class:`ingest.EventKind`, in the order of descriptions
        """
        return ingest.KINDS

    @api.model
    @ormcache()
    def _event_kinds_by_code(self):
        """The kinds of :meth:`_event_kinds` by code, in order."""
        return ingest.by_code(self._event_kinds())

    @api.model
    @ormcache()
    def _planned_models(self):
        """What the kinds plan, by model: :class:`ingest.kinds.Planned`."""
        return ingest.planned_by(self._event_kinds())

    @api.model
    def _describe_api(self):
        """The HTTP API of this database in OpenAPI, as a dict that JSON can carry."""
        return ingest.openapi.describe(
            self._event_kinds_by_code(),
            self._formats_by_code(),
            self.env["ipai.webhook.source"]._providers_by_code(),
        )

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
        event = self._environment_event_values(
            submission,
            environment,
            "health_check",
            {"status": payload["status"], "reference": deployment.external_id or ""},
        )
        event["deployment_id"] = deployment.id
        return [
            *checks,
            ("ipai.evidence", evidence),
            ("ipai.environment.event", event),
        ]

    @api.model
    def _create_planned(self, plans):
        """Create the facts of many plans with one call per model.

        :param plans: list of ``(submission, [(model, values)])``
        """
        known = self._planned_models()
        found = {model: [] for model in known}
        for submission, plan in plans:
            for model, values in plan:
                found[model].append((submission, values))
        for model, planned in found.items():
            if not planned:
                continue
            submissions, vals_list = zip(*planned, strict=True)
            # The façade is how CI and people without rights on facts record them; the
            # sender's authority for the event type was checked.
            # sudo: authority of the sender was checked
            records = self.env[model].sudo().system_create(list(vals_list))
            label = known[model].label
            for submission, record in zip(submissions, records, strict=True):
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
            raise Rejected(
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
            raise Rejected("invalid_field", message, f"payload.{path}")
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
        """Refuse a kept event when one of its facts was recorded again since."""
        planned = self._planned_models()
        for model, values in plan if submission.kept else ():
            same = planned[model].same
            if not same:
                continue
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
        since = (
            self.env[model]
            # sudo: facts of other senders count too
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
                    not fact.ingest_log_id or not submission.follows(fact.ingest_log_id)
                )
            )
        if since:
            raise Rejected(
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
            raise Rejected(
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
        # Codes are public; the sign-off checks that the sender holds the persona.
        persona = (
            # sudo: personas are shared vocabulary
            self.env["ipai.persona"].sudo().search([("code", "=", payload["persona"])])
        )
        if not persona:
            raise Rejected(
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
        # sudo: authority of the sender was checked
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
            raise Rejected(
                "invalid_field",
                self.env._(
                    "%(environment)s has no deployment %(reference)s.",
                    environment=environment.name,
                    reference=payload["rollback_of"],
                ),
                "payload.rollback_of",
            )
        manual = submission.envelope.source_system == "manual"
        if manual and payload["status"] == "rolled_back":
            raise Rejected(
                "invalid_field",
                self.env._(
                    "A person records a rollback with its trigger, reason, outcome and "
                    "evidence: on the deployment, by Roll Back."
                ),
                "payload.status",
            )
        deployment = known.get(payload["external_id"], Deployment)
        if deployment:
            # After a detour over another commit it still is of its first revision.
            if (
                deployment.release_id != submission.release
                or deployment.source_ref != submission.revision.source_ref
            ):
                raise Rejected(
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
            obstacles = Deployment._obstacles(
                submission.release, submission.revision, environment, rollback_of
            )
            # What has not happened yet is refused, so that a pipeline stops; a person
            # records no such deployment at all.
            if obstacles and (manual or payload["status"] == "in_progress"):
                raise Rejected(
                    "forbidden",
                    Deployment._refused_message(
                        submission.release, environment, obstacles
                    ),
                    "payload.source_ref",
                )
            deployment = Deployment.system_create(
                [
                    {
                        **self._fact_values(submission),
                        "environment_id": environment.id,
                        "external_id": payload["external_id"],
                        "status": payload["status"],
                        "rollback_of_id": rollback_of.id,
                        "deployed_at": deployed_at,
                        "is_unauthorised": bool(obstacles),
                    }
                ]
            )
            if obstacles:
                incident = deployment._report_unauthorised(obstacles)
                submission.created["incidents"] = incident.ids
        submission.created["deployments"] = deployment.ids
        return {
            "deployment_status": deployment.status,
            "unauthorised": deployment.is_unauthorised,
        }

    @api.model
    def _deployed_at(self, payload):
        """When a deployment happened, by the sender's clock if it gave a time.

        A time to come would move the deadline of its confirmation.
        """
        return self._past_moment(payload, "deployed_at")

    @api.model
    def _past_moment(self, payload, name):
        """A time of the sender's clock, or now when none was given."""
        now = self.env.cr.now()
        if name not in payload:
            return now
        moment = payload[name].replace(tzinfo=None)
        if moment > now + CLOCK_SKEW:
            raise Rejected(
                "invalid_field",
                self.env._("Must not lie in the future."),
                f"payload.{name}",
            )
        return moment

    # --- incidents -------------------------------------------------------------------

    @api.model
    def _take_incident(self, submission, lookup):
        payload = submission.envelope.payload
        release = submission.release
        # The façade records incidents for CI; its authority was checked.
        # sudo: authority of the sender was checked
        Incident = self.env["ipai.incident"].sudo()
        incident = Incident.search(
            [
                ("project_id", "=", release.project_id.id),
                ("external_id", "=", payload["external_id"]),
            ]
        )
        self._refuse_overtaken_incident(submission, incident)
        detected_at = self._past_moment(payload, "detected_at")
        known = {
            "name": payload["summary"],
            "severity": payload["severity"],
        }
        if "blocking" in payload:
            known["blocking"] = payload["blocking"]
        if "deployment" in payload:
            known["deployment_id"] = self._deployment_of(
                incident.release_id or release, payload["deployment"]
            ).id
        resolved_at = None
        if payload["status"] == "resolved":
            resolved_at = self._past_moment(payload, "resolved_at")
            if resolved_at < (incident.detected_at or detected_at):
                raise Rejected(
                    "invalid_field",
                    self.env._("Must not lie before the incident was detected."),
                    "payload.resolved_at",
                )
        created = not incident
        if created:
            incident = Incident.system_create(
                [
                    {
                        **self._fact_values(submission),
                        "external_id": payload["external_id"],
                        "detected_at": detected_at,
                        **known,
                    }
                ]
            )
        else:
            incident._change(known)
        if resolved_at and not incident.resolved_at:
            incident._resolve(resolved_at)
        elif not resolved_at and incident.resolved_at:
            incident._reopen()
        if not created or resolved_at:
            incident._record()
        submission.created["incidents"] = incident.ids
        return {"incident_status": incident.status}

    @api.model
    def _refuse_overtaken_incident(self, submission, incident):
        """Refuse a kept event when the incident went on since it was sent."""
        if submission.kept and incident.entry_ids.filtered(
            lambda entry: entry.recorded_at >= submission.log.received_at
        ):
            raise Rejected(
                "invalid_field",
                self.env._(
                    "Something newer was recorded since this was sent; send it as a "
                    "new event if it still holds."
                ),
                "payload",
            )

    @api.model
    def _deployment_of(self, release, reference):
        """The deployment of a release by its reference, the latest if there are more.

        :raises Rejected: when the release has none of that reference
        """
        found = (
            self.env["ipai.deployment"]
            # sudo: facts of other senders count too
            .sudo()
            .search(
                [("release_id", "=", release.id), ("external_id", "=", reference)],
                order="deployed_at desc, id desc",
                limit=1,
            )
        )
        if not found:
            raise Rejected(
                "invalid_field",
                self.env._(
                    "%(release)s has no deployment %(reference)s.",
                    release=release.name,
                    reference=reference,
                ),
                "payload.deployment",
            )
        return found

    # --- environments ----------------------------------------------------------------

    @api.model
    def _environment_event_values(self, submission, environment, event_type, data):
        now = self.env.cr.now()
        emitted_at = submission.envelope.emitted_at.replace(tzinfo=None)
        return {
            "environment_id": environment.id,
            "event_type": event_type,
            # The sender's clock says when, but never that it is still to come.
            "occurred_at": min(emitted_at, now),
            "recorded_at": now,
            "recorded_by_id": self.env.uid,
            "source_system": submission.envelope.source_system,
            "data": data or False,
            "release_id": submission.release.id,
            "ingest_log_id": submission.log.id,
        }

    @api.model
    def _take_environment_event(self, submission, lookup):
        payload = submission.envelope.payload
        environment = lookup.environment(submission)
        data = payload.get("data") or {}
        # Only a result that was sent decides: none is ever assumed.
        kind = DECIDED_BY.get(payload["type"]) if data.get("status") else None
        control = environment.control_ids.filtered(lambda c: c.kind == kind)
        since = submission.kept and control.checked_at
        if since and since >= submission.log.received_at:
            raise Rejected(
                "invalid_field",
                self.env._(
                    "The control was checked since this was sent; send it as a new "
                    "event if it still holds."
                ),
                "payload",
            )
        values = self._environment_event_values(
            submission, environment, payload["type"], data
        )
        # The façade keeps events for CI; its authority was checked.
        # sudo: authority of the sender was checked
        event = self.env["ipai.environment.event"].sudo().system_create([values])
        submission.created["environment_events"] = event.ids
        if control:
            control._record_result(
                data["status"],
                _first_line(data.get("note")),
                submission.envelope.source_system,
            )
        return {"control": control.kind or "", "control_status": control.status or ""}


def _first_line(note):
    """What an event says of a check, short enough for the control."""
    return note.strip().splitlines()[0][:255] if _is_text(note) else ""


def _is_text(value):
    return isinstance(value, str) and bool(value.strip())
