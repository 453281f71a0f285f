"""What GitLab tells, in payloads with the fields its page "Webhook events" lists."""

import copy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ingest import Adapted, AdapterError, gitlab, parse_envelope

DELIVERY = "f5e5f430-f57b-4e6e-9fac-d9128cd7232f"
COMMIT = "b" * 40
PROJECT = {
    "project": {
        "path_with_namespace": "acme/web/shop",
        "web_url": "https://gitlab.example.com/acme/web/shop",
    }
}


def job(name, status, **values):
    return {"id": 380, "stage": "test", "name": name, "status": status, **values}


def pipeline(*jobs, **values):
    attributes = {
        "id": 31,
        "iid": 3,
        "name": "Pipeline of main",
        "ref": "main",
        "tag": False,
        "sha": COMMIT,
        "source": "push",
        "status": "success",
        "created_at": "2026-01-31 09:20:00 UTC",
        "finished_at": "2026-01-31 09:30:00 UTC",
        "url": "https://gitlab.example.com/acme/web/shop/-/pipelines/31",
    }
    return {
        "object_kind": "pipeline",
        "object_attributes": {**attributes, **values},
        "builds": list(jobs),
        **PROJECT,
    }


def deployment(**values):
    return {
        "object_kind": "deployment",
        "status": "success",
        "status_changed_at": "2026-01-31 11:30:00 +0200",
        "deployment_id": 15,
        "environment": "production",
        "short_sha": COMMIT[:8],
        "commit_url": f"https://gitlab.example.com/acme/web/shop/-/commit/{COMMIT}",
        **PROJECT,
        **values,
    }


def release(**values):
    return {
        "object_kind": "release",
        "action": "create",
        "name": "Spring",
        "tag": "v1.2",
        "created_at": "2026-01-31 09:30:00 UTC",
        "url": "https://gitlab.example.com/acme/web/shop/-/releases/v1.2",
        "commit": {"id": COMMIT},
        **PROJECT,
        **values,
    }


DELIVERIES = {
    "Pipeline Hook": pipeline(job("lint", "success")),
    "Deployment Hook": deployment(),
    "Release Hook": release(),
}


def adapt(event, payload):
    return gitlab.adapt(event, DELIVERY, payload)


def only(event, payload):
    """The one envelope that a delivery becomes, as the contract reads it."""
    adapted = adapt(event, payload)
    assert (adapted.project, adapted.ignored) == ("acme/web/shop", None)
    (envelope,) = adapted.envelopes
    return parse_envelope(envelope)


def checks_of(*jobs):
    checks = only("Pipeline Hook", pipeline(*jobs)).payload["checks"]
    return {check["name"]: check["status"] for check in checks}


# -- pipelines ----------------------------------------------------------------


def test_the_pipeline_of_a_push_is_the_build_with_its_jobs_as_checks():
    payload = pipeline(job("unit_tests", "success"), job("lint", "failed"))
    envelope = only("Pipeline Hook", payload)
    assert envelope.event_type == "build_complete"
    assert envelope.source_system == "gitlab_ci"
    assert envelope.idempotency_key == (
        f"gitlab_ci/acme/web/shop/build_complete/{DELIVERY}"
    )
    assert envelope.emitted_at.isoformat() == "2026-01-31T09:30:00+00:00"
    assert envelope.payload["source_ref"] == COMMIT
    assert envelope.payload["log_url"].endswith("/-/pipelines/31")
    assert envelope.payload["checks"][0] == {
        "name": "lint",
        "status": "fail",
        "metadata": {
            "status": "failed",
            "job": "lint",
            "job_id": 380,
            "stage": "test",
        },
    }


@pytest.mark.parametrize(
    ("told", "status"),
    [
        ("success", "pass"),
        ("failed", "fail"),
        ("canceled", "fail"),
        ("skipped", "fail"),
        ("exploded", "fail"),
    ],
)
def test_a_build_passes_only_when_its_pipeline_succeeded(told, status):
    envelope = only("Pipeline Hook", pipeline(status=told))
    assert envelope.payload["status"] == status


@pytest.mark.parametrize(
    "told",
    [
        "created",
        "waiting_for_resource",
        "waiting_for_callback",
        "preparing",
        "pending",
        "running",
        "canceling",
        "manual",
        "scheduled",
    ],
)
def test_a_pipeline_that_has_not_ended_is_ignored(told):
    assert told in adapt("Pipeline Hook", pipeline(status=told)).ignored


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"tag": True}, "pipeline/tag"),
        ({"source": "schedule"}, "pipeline/schedule"),
        ({"source": "web"}, "pipeline/web"),
        ({"source": "merge_request_event"}, "pipeline/merge_request_event"),
        ({"source": "pipeline"}, "pipeline/pipeline"),
    ],
)
def test_a_pipeline_that_no_push_to_a_branch_started_is_a_check(values, name):
    for told, status in (
        ("success", "pass"),
        ("failed", "fail"),
        ("canceled", "fail"),
        ("skipped", "skipped"),
        ("exploded", "fail"),
    ):
        payload = pipeline(job("unit_tests", "success"), status=told, **values)
        envelope = only("Pipeline Hook", payload)
        assert envelope.event_type == "check_result"
        assert envelope.payload["name"] == name
        assert envelope.payload["status"] == status
        assert envelope.payload["metadata"]["pipeline_id"] == 31


def test_a_child_pipeline_does_not_answer_for_its_parent():
    payload = pipeline(source="parent_pipeline")
    assert "child" in adapt("Pipeline Hook", payload).ignored


def test_a_pipeline_without_an_address_has_that_of_its_project():
    envelope = only("Pipeline Hook", pipeline(url=None))
    assert envelope.payload["log_url"] == (
        "https://gitlab.example.com/acme/web/shop/-/pipelines/31"
    )


def test_a_pipeline_without_a_time_of_its_end_has_that_of_its_start():
    envelope = only("Pipeline Hook", pipeline(finished_at=None))
    assert envelope.emitted_at.isoformat() == "2026-01-31T09:20:00+00:00"


@pytest.mark.parametrize(
    ("told", "allow_failure", "status"),
    [
        ("success", False, "pass"),
        ("success", True, "pass"),
        ("failed", False, "fail"),
        ("failed", True, "warning"),
        ("canceled", False, "fail"),
        ("skipped", False, "skipped"),
        ("manual", True, "skipped"),
        ("created", False, "skipped"),
        ("exploded", False, "fail"),
        ("exploded", None, "fail"),
    ],
)
def test_a_job_passes_only_when_it_succeeded(told, allow_failure, status):
    found = checks_of(job("lint", told, allow_failure=allow_failure))
    assert found == {"lint": status}


def test_of_two_jobs_of_one_name_the_worse_counts():
    for order in (("failed", "success"), ("success", "failed")):
        assert checks_of(*(job("lint", told) for told in order)) == {"lint": "fail"}


def test_no_job_speaks_for_the_build_or_a_health_check():
    jobs = [job(name, "success") for name in ("build", "health_check", "job/build")]
    assert set(checks_of(*jobs)) == {"job/build", "job/health_check", "job/job/build"}


def test_of_too_many_jobs_the_worst_are_told():
    jobs = [job(f"job {number}", "success") for number in range(600)]
    found = checks_of(*jobs, job("lint", "failed"))
    assert len(found) == 500
    assert found["lint"] == "fail"


# -- deployments and releases -------------------------------------------------


@pytest.mark.parametrize(
    ("told", "status"),
    [
        ("running", "in_progress"),
        ("success", "succeeded"),
        ("failed", "failed"),
        ("canceled", "failed"),
    ],
)
def test_a_deployment_is_of_the_commit_its_address_ends_with(told, status):
    envelope = only("Deployment Hook", deployment(status=told))
    moment = envelope.payload.pop("deployed_at")
    assert moment.isoformat() == "2026-01-31T09:30:00+00:00"
    assert envelope.emitted_at == moment
    assert envelope.payload == {
        "source_ref": COMMIT,
        "environment": "production",
        "status": status,
        "external_id": "gitlab/15",
    }


@pytest.mark.parametrize(
    "told", ["created", "blocked", "approved", "rejected", "skipped", "new"]
)
def test_what_is_no_outcome_of_a_deployment_is_ignored(told):
    assert told in adapt("Deployment Hook", deployment(status=told)).ignored


@pytest.mark.parametrize(
    "values",
    [
        {"short_sha": "12345678"},
        {"short_sha": "b"},
        {"short_sha": ""},
        {"commit_url": "https://gitlab.example.com/acme/web/shop/-/commit/bbbbbbbb"},
        {"commit_url": "https://gitlab.example.com"},
    ],
)
def test_a_deployment_whose_commit_is_not_certain_is_refused(values):
    with pytest.raises(AdapterError) as caught:
        adapt("Deployment Hook", deployment(**values))
    assert caught.value.field == "commit_url"


def test_a_new_release_is_evidence_of_its_notes():
    envelope = only("Release Hook", release())
    assert envelope.payload == {
        "source_ref": COMMIT,
        "type": "release_notes",
        "url": "https://gitlab.example.com/acme/web/shop/-/releases/v1.2",
        "metadata": {"tag": "v1.2", "name": "Spring"},
    }
    for action in ("update", "delete"):
        assert action in adapt("Release Hook", release(action=action)).ignored


@pytest.mark.parametrize("event", ["Job Hook", "Push Hook", "Note Hook", "", None])
def test_every_other_event_is_ignored(event):
    adapted = adapt(event, PROJECT)
    assert (adapted.project, adapted.envelopes) == ("acme/web/shop", [])
    assert adapted.ignored
    assert adapt(event, {}).project is None


# -- payloads that are not as they should be ----------------------------------

REQUIRED = [
    ("Pipeline Hook", "object_kind"),
    ("Pipeline Hook", "project.path_with_namespace"),
    ("Pipeline Hook", "object_attributes.status"),
    ("Pipeline Hook", "object_attributes.source"),
    ("Pipeline Hook", "object_attributes.id"),
    ("Pipeline Hook", "object_attributes.sha"),
    ("Pipeline Hook", "builds[0].name"),
    ("Pipeline Hook", "builds[0].status"),
    ("Deployment Hook", "status"),
    ("Deployment Hook", "status_changed_at"),
    ("Deployment Hook", "environment"),
    ("Deployment Hook", "deployment_id"),
    ("Deployment Hook", "short_sha"),
    ("Deployment Hook", "commit_url"),
    ("Release Hook", "action"),
    ("Release Hook", "url"),
    ("Release Hook", "commit.id"),
    ("Release Hook", "created_at"),
]


def changed(event, path, value):
    """The payload of an event with the value at one path replaced."""
    payload = copy.deepcopy(DELIVERIES[event])
    *folders, last = path.replace("[0]", ".0").split(".")
    inside = payload
    for folder in folders:
        inside = inside[int(folder) if folder.isdecimal() else folder]
    inside[last] = value
    return payload


@pytest.mark.parametrize(("event", "path"), REQUIRED)
@pytest.mark.parametrize("value", [None, 0, True, [], {}, "\x00", "\ud800"])
def test_a_field_that_is_missing_or_of_the_wrong_kind_is_named(event, path, value):
    with pytest.raises(AdapterError) as caught:
        adapt(event, changed(event, path, value))
    assert caught.value.field == path
    assert caught.value.message.endswith(".")


@pytest.mark.parametrize("value", [{}, "x", 1, [1], [None], [[]]])
def test_jobs_that_are_no_list_of_objects_are_refused(value):
    with pytest.raises(AdapterError, match="builds"):
        adapt("Pipeline Hook", changed("Pipeline Hook", "builds", value))


def test_a_payload_of_another_kind_than_its_event_is_refused():
    with pytest.raises(AdapterError, match="object_kind"):
        adapt("Pipeline Hook", deployment())


leaf = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
json = st.recursive(
    leaf, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)


@given(st.sampled_from(sorted(DELIVERIES)) | st.text(), st.text(), json)
def test_whatever_arrives_is_adapted_or_refused_by_name(event, delivery, payload):
    try:
        assert isinstance(gitlab.adapt(event, delivery, payload), Adapted)
    except AdapterError as error:
        assert error.field and error.message


def paths_of(value, at=()):
    for key, inner in value.items() if isinstance(value, dict) else ():
        yield (*at, key)
        yield from paths_of(inner, (*at, key))


PATHS = [
    (event, ".".join(path))
    for event, payload in DELIVERIES.items()
    for path in paths_of(payload)
]
PATHS += [("Pipeline Hook", f"builds[0].{key}") for key in job("lint", "success")]


@settings(max_examples=300)
@given(st.sampled_from(PATHS), json)
def test_a_value_of_any_kind_in_any_place_is_adapted_or_refused(place, value):
    event, path = place
    try:
        adapted = adapt(event, changed(event, path, value))
    except AdapterError as error:
        assert error.field and error.message
    else:
        assert adapted.envelopes or adapted.ignored
