"""Deliveries of GitHub, each as small as its adapter takes it."""

from ingest import github, parse_envelope

DELIVERY = "72d3162e-cc78-11e3-81ab-4c9367dc0958"
COMMIT = "a" * 40
REPOSITORY = {"repository": {"full_name": "acme/shop"}}


def adapt(event, payload):
    return github.adapt(event, DELIVERY, payload)


def only(event, payload):
    """The one envelope that a delivery becomes, as the contract reads it."""
    adapted = adapt(event, payload)
    assert adapted.ignored is None
    (envelope,) = adapted.envelopes
    return parse_envelope(envelope)


def workflow_run(**values):
    run = {
        "id": 30433642,
        "name": "Nightly",
        "event": "push",
        "head_branch": "main",
        "head_sha": COMMIT,
        "run_attempt": 2,
        "conclusion": "success",
        "html_url": "https://github.com/acme/shop/actions/runs/30433642",
        "updated_at": "2026-01-31T09:30:00Z",
    }
    return {"action": "completed", "workflow_run": {**run, **values}, **REPOSITORY}


def check_run(**values):
    run = {
        "id": 4,
        "name": "unit_tests",
        "head_sha": COMMIT,
        "conclusion": "success",
        "html_url": "https://github.com/acme/shop/runs/4",
        "completed_at": "2026-01-31T09:30:00Z",
        "app": {"slug": "github-actions", "name": "GitHub Actions"},
    }
    return {"action": "completed", "check_run": {**run, **values}, **REPOSITORY}


def check_suite(**values):
    suite = {
        "id": 5,
        "head_sha": COMMIT,
        "conclusion": "success",
        "updated_at": "2026-01-31T09:30:00Z",
        "app": {"slug": "codecov", "name": "Codecov"},
    }
    return {"action": "completed", "check_suite": {**suite, **values}, **REPOSITORY}


def deployment_status(**values):
    status = {
        "state": "success",
        "environment": "production",
        "created_at": "2026-01-31T09:30:00Z",
    }
    return {
        "action": "created",
        "deployment_status": {**status, **values},
        "deployment": {"id": 7, "sha": COMMIT, "environment": "staging"},
        **REPOSITORY,
    }


def release(**values):
    told = {
        "tag_name": "v1.2",
        "name": "Spring",
        "target_commitish": COMMIT,
        "html_url": "https://github.com/acme/shop/releases/tag/v1.2",
        "published_at": "2026-01-31T09:30:00Z",
    }
    return {"action": "published", "release": {**told, **values}, **REPOSITORY}


PUSH = {"ref": "refs/heads/main", "after": COMMIT, **REPOSITORY}
RULE = {"action": "requested", "environment": "production", **REPOSITORY}
DELIVERIES = {
    "workflow_run": workflow_run(),
    "check_run": check_run(),
    "check_suite": check_suite(),
    "deployment_status": deployment_status(),
    "release": release(),
    "push": PUSH,
    "deployment_protection_rule": RULE,
}
