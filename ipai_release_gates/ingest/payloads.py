"""What each event type carries, by the table in the ingest contract.

A reader returns a new dict with only the keys that were sent, normalised: SHAs and
e-mail addresses lower-cased, times as aware UTC datetimes. For evidence with
content, ``content`` (bytes) takes the place of ``content_base64``, and ``sha256``
and ``size`` (bytes) are what the content really has.
"""

from __future__ import annotations

import hashlib
from typing import Any

from . import fields
from .fields import Invalid

CHECK_STATUSES = ("pass", "fail", "warning", "skipped")
BUILD_STATUSES = ("pass", "fail")
DECISIONS = ("approved", "rejected", "request_changes")
DEPLOYMENT_STATUSES = ("in_progress", "succeeded", "failed", "rolled_back")
SEVERITIES = ("low", "medium", "high", "critical")
INCIDENT_STATUSES = ("open", "resolved")
ENVIRONMENT_EVENTS = (
    "deploy_start",
    "deploy_complete",
    "rollback_trigger",
    "health_check",
    "alert_fired",
    "backup_complete",
    "restore_drill",
    "access_granted",
    "access_revoked",
    "mail_captured",
    "masking_run",
    "ttl_expired",
)
#: Events that tell the result of a control's check, if they tell one.
CONTROL_EVENTS = ("mail_captured", "masking_run")
CONTROL_STATUSES = ("pass", "fail")
MAX_CHECKS = 500

IDENTITY_KEYS = (
    "approver",
    "approver_id",
    "approver_email",
    "user",
    "user_id",
    "login",
    "email",
    "on_behalf_of",
)
IDENTITY_REFUSED = dict.fromkeys(
    IDENTITY_KEYS,
    (
        "The approver is always the authenticated user; a sign-off must not name one.",
        "identity_in_payload",
    ),
)

_check_status = fields.one_of(*CHECK_STATUSES)
_check = fields.record(
    {"name": fields.name, "status": _check_status},
    {"artifact_ref": fields.reference, "metadata": fields.metadata},
    what="a check",
)
_checks = fields.list_of(_check, most=MAX_CHECKS, unique="name")


def _evidence_rule(sent: dict[Any, Any], values: dict[str, Any]) -> None:
    problems = []
    has_url = sent.get("url") is not None
    has_content = sent.get("content_base64") is not None
    has_filename = sent.get("filename") is not None
    if has_url == has_content:
        problems.append(
            (
                ("url",),
                "Send exactly one of url and content_base64 (with filename).",
                "invalid_field" if has_url else "missing_field",
            )
        )
    if has_content and not has_filename:
        message = "Content needs the name of its file."
        problems.append((("filename",), message, "missing_field"))
    if has_filename and not has_content:
        message = "A file name belongs to content_base64, which is not there."
        problems.append((("filename",), message, "invalid_field"))
    data = values.pop("content_base64", None)
    if data is not None:
        digest = hashlib.sha256(data).hexdigest()
        claimed = values.get("sha256", digest)
        if claimed != digest:
            message = f"The content has the SHA-256 {digest}, not {claimed}."
            problems.append((("sha256",), message, "sha256_mismatch"))
        values.update(content=data, size=len(data), sha256=digest)
    if problems:
        raise Invalid.of(problems)


def _deployment_rule(_sent: dict[Any, Any], values: dict[str, Any]) -> None:
    if "rollback_of" in values and values["rollback_of"] == values.get("external_id"):
        raise Invalid("A deployment cannot roll back itself.", at=("rollback_of",))


def _incident_rule(_sent: dict[Any, Any], values: dict[str, Any]) -> None:
    if "resolved_at" in values and values.get("status") == "open":
        raise Invalid("An open incident is not resolved yet.", at=("resolved_at",))


def _environment_event_rule(_sent: dict[Any, Any], values: dict[str, Any]) -> None:
    data = values.get("data") or {}
    if (
        values.get("type") in CONTROL_EVENTS
        and "status" in data
        and data["status"] not in CONTROL_STATUSES
    ):
        # It would decide about a control: what is neither is no result.
        raise Invalid("Must be pass or fail, if it is given.", at=("data", "status"))


def _payload(
    event_type: str,
    required: fields.Fields,
    optional: fields.Fields | None = None,
    **options: Any,
) -> fields.RecordReader:
    # The commit may stand in the envelope instead; parse_envelope insists on one.
    optional = {"source_ref": fields.commit, **(optional or {})}
    what = f"a payload of {event_type}"
    return fields.record(required, optional, what=what, **options)


revision = _payload("revision", {"authors": fields.authors})
build_complete = _payload(
    "build_complete",
    {
        "status": fields.one_of(*BUILD_STATUSES),
        "checks": _checks,
        "log_url": fields.url,
    },
    {"sha256": fields.sha256},
)
check_result = _payload(
    "check_result",
    {"name": fields.name, "status": _check_status},
    {"artifact_ref": fields.reference, "metadata": fields.metadata},
)
evidence = _payload(
    "evidence",
    {"type": fields.code},
    {
        "url": fields.url,
        "content_base64": fields.content,
        "filename": fields.filename,
        "sha256": fields.sha256,
        "metadata": fields.metadata,
    },
    rule=_evidence_rule,
)
gate_signoff = _payload(
    "gate_signoff",
    {"persona": fields.code, "decision": fields.one_of(*DECISIONS)},
    {
        "rationale_text": fields.text,
        "rationale_structured": fields.free_form(dict, list),
    },
    refused=IDENTITY_REFUSED,
)
deployment_event = _payload(
    "deployment_event",
    {
        "environment": fields.name,
        "status": fields.one_of(*DEPLOYMENT_STATUSES),
        "external_id": fields.external_id,
    },
    {"deployed_at": fields.moment, "rollback_of": fields.external_id},
    rule=_deployment_rule,
)
health_check = _payload(
    "health_check",
    {"environment": fields.name, "status": _check_status},
    {"checks": _checks, "url": fields.url, "metadata": fields.metadata},
)
incident = _payload(
    "incident",
    {
        "external_id": fields.external_id,
        "severity": fields.one_of(*SEVERITIES),
        "status": fields.one_of(*INCIDENT_STATUSES),
        "summary": fields.line(fields.MAX_KEY),
        "detected_at": fields.moment,
    },
    {
        "resolved_at": fields.moment,
        "deployment": fields.external_id,
        "blocking": fields.boolean,
    },
    rule=_incident_rule,
)
environment_event = _payload(
    "environment_event",
    {"environment": fields.name, "type": fields.one_of(*ENVIRONMENT_EVENTS)},
    {"data": fields.metadata},
    rule=_environment_event_rule,
)
