"""GitLab's webhooks, by its page "Webhook events".

===================  ============================================================
event                becomes
===================  ============================================================
Pipeline Hook        when it has ended: build_complete with the jobs as checks for
                     a pipeline that a push to a branch started, a check
                     ``pipeline/<source>`` for any other
Deployment Hook      deployment_event
Release Hook         evidence release_notes, when a release is created
===================  ============================================================

Every other event is ignored, the Job Hook among them: the pipeline tells of its jobs.
"""

from __future__ import annotations

from typing import Any

from .. import fields
from ..fields import Invalid
from ..payloads import MAX_CHECKS
from ..provider import Provider
from ..signatures import SHOWN
from . import Adapted, AdapterError
from .reading import (
    RESERVED_CHECKS,
    Found,
    Payload,
    Writer,
    check_name,
    metadata,
    moment,
    number,
    text,
)

SYSTEM = "gitlab_ci"
#: Pipelines that have not come to their end; ``manual`` waits for a person.
UNFINISHED = frozenset(
    {
        "created",
        "waiting_for_resource",
        "waiting_for_callback",
        "preparing",
        "pending",
        "running",
        "canceling",
        "manual",
        "scheduled",
    }
)
#: What the end of a job says of a check. Jobs of an ended pipeline that are not in
#: here, but in ``UNFINISHED``, were not run; any other word is a failure.
STATUSES = {
    "success": "pass",
    "failed": "fail",
    "canceled": "fail",
    "skipped": "skipped",
}
#: Statuses of a deployment; ``created``, ``blocked``, ``approved``, ``rejected`` and
#: ``skipped`` are none of its running.
DEPLOYMENTS = {
    "running": "in_progress",
    "success": "succeeded",
    "failed": "failed",
    "canceled": "failed",
}
# The worst first: of one name the worst job counts, and of too many the worst are kept.
_SEVERITY = ("fail", "warning", "skipped", "pass")


def adapt(event: object, delivery: object, payload: object) -> Adapted:
    """Adapt one delivery.

    :param str event: the header ``X-Gitlab-Event``
    :param str delivery: the header ``Idempotency-Key``, the same when GitLab tries
        again, or ``X-Gitlab-Event-UUID`` where there is none
    :param dict payload: the JSON body
    :return: :class:`Adapted`
    :raise AdapterError: naming the field that is not as GitLab documents it
    """
    payload = Payload(payload)
    if not isinstance(event, str) or event not in _ADAPTERS:
        project = payload.known("project.path_with_namespace", fields.project)
        reason = f"The event {fields.show(event)} tells no fact."
        return Adapted(project, ignored=reason)
    kind, adapter = _ADAPTERS[event]
    told = payload.must("object_kind", text)
    if told != kind:
        message = f"Must be {kind}, as the event is {event}, not {fields.show(told)}."
        raise AdapterError("object_kind", message)
    project = payload.must("project.path_with_namespace", fields.project)
    found = adapter(payload, Writer(SYSTEM, delivery, project))
    if isinstance(found, str):
        return Adapted(project, ignored=found)
    return Adapted(project, envelopes=found)


# Each takes the payload and a writer, and returns envelopes or why there are none.


def _pipeline(payload: Payload, writer: Writer) -> Found:
    pipeline = "object_attributes"
    told = payload.must(f"{pipeline}.status", text)
    if told in UNFINISHED:
        return f"The pipeline is {told}: only its end tells a result."
    source = payload.must(f"{pipeline}.source", text)
    if source == "parent_pipeline":
        return "A child pipeline is told by its parent, where it is waited for."
    number_ = payload.must(f"{pipeline}.id", number)
    address = payload.get(f"{pipeline}.url", fields.url) or (
        f"{payload.must('project.web_url', fields.url)}/-/pipelines/{number_}"
    )
    commit = payload.must(f"{pipeline}.sha", fields.commit)
    ended = payload.get(f"{pipeline}.finished_at", moment) or payload.must(
        f"{pipeline}.created_at", moment
    )
    on_tag = payload.get(f"{pipeline}.tag", fields.boolean)
    if source == "push" and not on_tag:
        # A build passes or fails; one that was skipped built nothing.
        build = {
            "status": "pass" if told == "success" else "fail",
            "checks": _jobs(payload),
            "log_url": address,
        }
        return [writer.envelope("build_complete", commit, ended, build)]
    found = {
        "name": check_name("tag" if source == "push" else source, "pipeline/"),
        "status": STATUSES.get(told, "fail"),
        "artifact_ref": address,
        "metadata": metadata(
            status=told,
            source=source,
            ref=payload.get(f"{pipeline}.ref", text),
            name=payload.get(f"{pipeline}.name", text),
            pipeline_id=number_,
        ),
    }
    return [writer.envelope("check_result", commit, ended, found)]


def _deployment(payload: Payload, writer: Writer) -> Found:
    told = payload.must("status", text)
    if told not in DEPLOYMENTS:
        return f"{fields.show(told)} says neither that it runs nor how it ended."
    told_at = payload.must("status_changed_at", moment)
    found = {
        "environment": payload.must("environment", fields.name),
        "status": DEPLOYMENTS[told],
        "external_id": f"gitlab/{payload.must('deployment_id', number)}",
        "deployed_at": told_at,
    }
    # The full SHA stands nowhere but at the end of the commit's address.
    address = payload.must("commit_url", fields.url)
    short = payload.must("short_sha", text)
    last = address.rpartition("/")[2]
    try:
        commit = fields.commit(last)
    except Invalid:
        raise AdapterError("commit_url", "Must end with the full commit SHA.") from None
    if not commit.startswith(short.lower()) or len(short) < 7:
        message = f"Must be of the commit short_sha names, {fields.show(short)}."
        raise AdapterError("commit_url", message)
    return [writer.envelope("deployment_event", commit, told_at, found)]


def _release(payload: Payload, writer: Writer) -> Found:
    action = payload.must("action", text)
    if action != "create":
        return f"Only a new release is evidence, this is {fields.show(action)}."
    found = {
        "type": "release_notes",
        "url": payload.must("url", fields.url),
        "metadata": metadata(
            tag=payload.get("tag", text), name=payload.get("name", text)
        ),
    }
    commit = payload.must("commit.id", fields.commit)
    created_at = payload.must("created_at", moment)
    return [writer.envelope("evidence", commit, created_at, found)]


_ADAPTERS = {
    "Pipeline Hook": ("pipeline", _pipeline),
    "Deployment Hook": ("deployment", _deployment),
    "Release Hook": ("release", _release),
}


def _jobs(payload: Payload) -> list[dict[str, Any]]:
    """The pipeline's jobs as checks, one for each name: the worst of it."""
    checks: dict[str, dict[str, Any]] = {}
    for position in range(len(payload.get("builds", _list) or ())):
        job = f"builds.{position}"
        name = payload.must(f"{job}.name", fields.string)
        told = payload.must(f"{job}.status", text)
        status = "skipped" if told in UNFINISHED else STATUSES.get(told, "fail")
        allowed = payload.get(f"{job}.allow_failure", fields.boolean)
        if status == "fail" and allowed:
            status = "warning"
        prefix = "job/" if name in RESERVED_CHECKS or name.startswith("job/") else ""
        check: dict[str, Any] = {
            "name": check_name(name, prefix),
            "status": status,
            "metadata": metadata(
                status=told,
                job=text(name),
                job_id=payload.get(f"{job}.id", number),
                stage=payload.get(f"{job}.stage", text),
                allow_failure=allowed,
            ),
        }
        known = checks.setdefault(check["name"], check)
        if _badness(check) < _badness(known):
            checks[check["name"]] = check
    return sorted(checks.values(), key=_badness)[:MAX_CHECKS]


def _badness(check: dict[str, Any]) -> int:
    return _SEVERITY.index(check["status"])


def _list(value: object) -> list[Any]:
    if not isinstance(value, list):
        raise Invalid(f"Must be a list, not {fields.kind_of(value)}.")
    return value


PROVIDER = Provider(
    code="gitlab",
    label="GitLab",
    system=SYSTEM,
    event_header="X-Gitlab-Event",
    # GitLab keeps the first through its own retries, and has it since 17.4.
    delivery_headers=("Idempotency-Key", "X-Gitlab-Event-UUID"),
    scheme=SHOWN,
    adapt=adapt,
)
