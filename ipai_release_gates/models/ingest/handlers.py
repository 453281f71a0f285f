import base64

from odoo import api, models
from odoo.tools import ormcache

from ... import ingest
from ...errors import Rejected


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
            # CI and people without rights on facts record them through the façade.
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
        """Refuse a kept event when a newer fact replaces one of its facts."""
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
        """Refuse a kept event when a newer fact is about the same thing.

        The latest fact counts: processed late, an event would replace what was found
        after it was sent, an old ``pass`` a newer ``fail``.

        :param domain: which records of the event's release are about the same thing
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
