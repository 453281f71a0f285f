from datetime import timedelta

from odoo import api, models

from ...errors import Rejected
from ..operations.environment_control import DECIDED_BY

#: How far a sender's clock may be ahead of ours.
CLOCK_SKEW = timedelta(minutes=5)


class ControlPlane(models.AbstractModel):
    """Events about how releases run: deployments, incidents and environments."""

    _inherit = "ipai.control.plane"

    # --- deployments -----------------------------------------------------------------

    @api.model
    def _take_deployment(self, submission, lookup):
        payload = submission.envelope.payload
        environment = lookup.environment(submission)
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
            # A deployment stays with its first revision.
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
            # A deployment that has not happened yet is refused, so that the pipeline
            # stops. A person may record no unauthorised deployment at all.
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

        A time in the future would move the deadline of its confirmation.
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
        """Refuse a kept event when the incident has newer entries."""
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
            # The time is the sender's, but never in the future.
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
        # A control changes only by a result that was sent.
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
    """The first line of a note, short enough for a control."""
    return note.strip().splitlines()[0][:255] if _is_text(note) else ""


def _is_text(value):
    return isinstance(value, str) and bool(value.strip())
