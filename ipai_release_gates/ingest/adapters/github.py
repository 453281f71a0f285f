"""GitHub's webhooks, by its page "Webhook events and payloads".

===========================  ====================================================
event                        becomes
===========================  ====================================================
workflow_run completed       build_complete for the workflow called ``build``, a
                             check ``workflow/<name>`` for any other
check_run completed          check ``<name>`` for a job of GitHub Actions, check
                             ``app/<app>/<name>`` for the run of another app
check_suite completed        check ``suite/<app>``; GitHub Actions has one suite
                             for each workflow, which workflow_run tells
deployment_status            deployment_event
release published            evidence release_notes, if it names a full commit
push                         nothing: it names no release
deployment_protection_rule   nothing here: it is answered, not recorded
===========================  ====================================================

Every other event is ignored.
"""

from __future__ import annotations

from .. import fields
from ..provider import Provider
from ..signatures import SIGNED
from . import Adapted
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

SYSTEM = "github_actions"
#: The app behind GitHub's own jobs.
ACTIONS = "github-actions"
#: The workflow whose result is the build of G1, by its name in any case.
BUILD = "build"

#: What a conclusion says of a check. A word that is not here is a failure: it must
#: not leave an earlier success standing. ``cancelled`` and ``stale`` are failures as
#: well, or running a failed job again and stopping it would take its failure away.
CONCLUSIONS = {
    "success": "pass",
    "neutral": "warning",
    "skipped": "skipped",
    "failure": "fail",
    "cancelled": "fail",
    "timed_out": "fail",
    "action_required": "fail",
    "stale": "fail",
    "startup_failure": "fail",
}
#: States of a deployment. ``queued``, ``pending`` and ``waiting`` have not begun;
#: ``inactive`` says that a later deployment took its place, not how it went.
STATES = {
    "in_progress": "in_progress",
    "success": "succeeded",
    "failure": "failed",
    "error": "failed",
}
_RESERVED_PREFIXES = ("workflow/", "suite/", "app/", "job/")


def adapt(event: object, delivery: object, payload: object) -> Adapted:
    """Adapt one delivery.

    :param str event: the header ``X-GitHub-Event``
    :param str delivery: the header ``X-GitHub-Delivery``, the same in a redelivery
    :param dict payload: the JSON body
    :return: :class:`Adapted`
    :raise AdapterError: naming the field that is not as GitHub documents it
    """
    payload = Payload(payload)
    if not isinstance(event, str) or event not in _ADAPTERS:
        project = payload.known("repository.full_name", fields.project)
        reason = f"The event {fields.show(event)} tells no fact."
        return Adapted(project, ignored=reason)
    project = payload.must("repository.full_name", fields.project)
    found = _ADAPTERS[event](payload, Writer(SYSTEM, delivery, project))
    if isinstance(found, str):
        return Adapted(project, ignored=found)
    return Adapted(project, envelopes=found)


# Each takes the payload and a writer, and returns envelopes or why there are none.


def _workflow_run(payload: Payload, writer: Writer) -> Found:
    other = _unfinished(payload, "workflow_run")
    if other:
        return other
    run = "workflow_run"
    if payload.get(f"{run}.event", text) == "pull_request_target":
        return (
            "A run on pull_request_target runs the code of the base, whatever commit"
            " it is shown at."
        )
    name = payload.get(f"{run}.name", fields.string) or payload.must(
        "workflow.name", fields.string
    )
    conclusion = payload.must(f"{run}.conclusion", text)
    status = CONCLUSIONS.get(conclusion, "fail")
    commit = payload.must(f"{run}.head_sha", fields.commit)
    ended = payload.must(f"{run}.updated_at", moment)
    address = payload.must(f"{run}.html_url", fields.url)
    if name.strip().lower() == BUILD:
        # A build passes or fails; one that was skipped built nothing.
        status = "pass" if status == "pass" else "fail"
        build = {"status": status, "checks": [], "log_url": address}
        return [writer.envelope("build_complete", commit, ended, build)]
    found = {
        "name": check_name(name, "workflow/"),
        "status": status,
        "artifact_ref": address,
        "metadata": metadata(
            conclusion=conclusion,
            workflow=text(name),
            event=payload.get(f"{run}.event", text),
            branch=payload.get(f"{run}.head_branch", text),
            run_id=payload.get(f"{run}.id", number),
            run_attempt=payload.get(f"{run}.run_attempt", number),
        ),
    }
    return [writer.envelope("check_result", commit, ended, found)]


def _check_run(payload: Payload, writer: Writer) -> Found:
    other = _unfinished(payload, "check_run")
    if other:
        return other
    app = _app(payload, "check_run")
    if not app:
        return "The check run does not say which app it is of."
    name = payload.must("check_run.name", fields.string)
    conclusion = payload.must("check_run.conclusion", text)
    prefix = "" if app == ACTIONS else f"app/{app}/"
    if not prefix and (name in RESERVED_CHECKS or name.startswith(_RESERVED_PREFIXES)):
        prefix = "job/"
    found = {
        "name": check_name(name, prefix),
        "status": CONCLUSIONS.get(conclusion, "fail"),
        "artifact_ref": payload.get("check_run.html_url", fields.url),
        "metadata": metadata(
            conclusion=conclusion,
            check_run=text(name),
            app=app,
            check_run_id=payload.get("check_run.id", number),
        ),
    }
    commit = payload.must("check_run.head_sha", fields.commit)
    ended = payload.must("check_run.completed_at", moment)
    return [writer.envelope("check_result", commit, ended, found)]


def _check_suite(payload: Payload, writer: Writer) -> Found:
    other = _unfinished(payload, "check_suite")
    if other:
        return other
    app = _app(payload, "check_suite")
    if not app:
        return "The check suite does not say which app it is of."
    if app == ACTIONS:
        return "A suite of GitHub Actions is one workflow; workflow_run tells of it."
    conclusion = payload.must("check_suite.conclusion", text)
    found = {
        "name": check_name(app, "suite/"),
        "status": CONCLUSIONS.get(conclusion, "fail"),
        "metadata": metadata(
            conclusion=conclusion,
            app=app,
            check_suite_id=payload.get("check_suite.id", number),
        ),
    }
    commit = payload.must("check_suite.head_sha", fields.commit)
    ended = payload.must("check_suite.updated_at", moment)
    return [writer.envelope("check_result", commit, ended, found)]


def _push(payload: Payload, _writer: Writer) -> Found:
    ref = payload.must("ref", text)
    return (
        f"A push to {fields.show(ref)} names no release, and which release follows a"
        " branch is not guessed: send a revision, or open a release."
    )


def _deployment_status(payload: Payload, writer: Writer) -> Found:
    state = payload.must("deployment_status.state", text)
    if state not in STATES:
        return f"{fields.show(state)} says neither that it runs nor how it ended."
    environment = payload.get("deployment_status.environment", fields.name)
    told_at = payload.must("deployment_status.created_at", moment)
    found = {
        "environment": environment
        or payload.must("deployment.environment", fields.name),
        "status": STATES[state],
        "external_id": f"github/{payload.must('deployment.id', number)}",
        "deployed_at": told_at,
    }
    commit = payload.must("deployment.sha", fields.commit)
    return [writer.envelope("deployment_event", commit, told_at, found)]


def _release(payload: Payload, writer: Writer) -> Found:
    action = payload.must("action", text)
    if action != "published":
        return f"Only a published release is evidence, this is {fields.show(action)}."
    commit = payload.known("release.target_commitish", fields.commit)
    if not commit:
        return (
            "The release names a branch, not the full commit it is of: send"
            " release_notes as evidence, or publish it with a commit as its target."
        )
    found = {
        "type": "release_notes",
        "url": payload.must("release.html_url", fields.url),
        "metadata": metadata(
            tag=payload.get("release.tag_name", text),
            name=payload.get("release.name", text),
        ),
    }
    published_at = payload.must("release.published_at", moment)
    return [writer.envelope("evidence", commit, published_at, found)]


def _deployment_protection_rule(_payload: Payload, _writer: Writer) -> Found:
    return []


_ADAPTERS = {
    "check_run": _check_run,
    "check_suite": _check_suite,
    "deployment_protection_rule": _deployment_protection_rule,
    "deployment_status": _deployment_status,
    "push": _push,
    "release": _release,
    "workflow_run": _workflow_run,
}


def _unfinished(payload: Payload, what: str) -> str | None:
    """Why a run or suite says nothing yet; None when it has come to its end."""
    action = payload.must("action", text)
    if action != "completed":
        return f"{what} was {fields.show(action)}: only its end tells a result."
    if payload.get(f"{what}.conclusion", text) is None:
        return f"{what} has no conclusion yet."
    return None


def _app(payload: Payload, what: str) -> str | None:
    # GitHub Enterprise Server of old sends no slug; the name is not a job's to choose.
    return payload.get(f"{what}.app.slug", text) or payload.get(
        f"{what}.app.name", text
    )


PROVIDER = Provider(
    code="github",
    label="GitHub",
    system=SYSTEM,
    event_header="X-GitHub-Event",
    delivery_headers=("X-GitHub-Delivery",),
    scheme=SIGNED,
    adapt=adapt,
)
