"""Payloads of GitHub that are not as its documentation has them."""

import copy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ingest import Adapted, AdapterError, github
from ingest_github_payloads import (
    COMMIT,
    DELIVERIES,
    adapt,
    check_run,
)

# -- payloads that are not as they should be ----------------------------------

REQUIRED = [
    ("workflow_run", "repository.full_name"),
    ("workflow_run", "action"),
    ("workflow_run", "workflow_run.head_sha"),
    ("workflow_run", "workflow_run.updated_at"),
    ("workflow_run", "workflow_run.html_url"),
    ("check_run", "check_run.name"),
    ("check_run", "check_run.head_sha"),
    ("check_run", "check_run.completed_at"),
    ("check_suite", "check_suite.head_sha"),
    ("check_suite", "check_suite.updated_at"),
    ("deployment_status", "deployment_status.state"),
    ("deployment_status", "deployment_status.created_at"),
    ("deployment_status", "deployment.sha"),
    ("deployment_status", "deployment.id"),
    ("release", "action"),
    ("release", "release.html_url"),
    ("release", "release.published_at"),
    ("push", "ref"),
    ("deployment_protection_rule", "repository.full_name"),
]


def changed(event, path, value):
    """The payload of an event with the value at one path replaced."""
    payload = copy.deepcopy(DELIVERIES[event])
    *folders, last = path.split(".")
    inside = payload
    for folder in folders:
        inside = inside[folder]
    inside[last] = value
    return payload


@pytest.mark.parametrize(("event", "path"), REQUIRED)
@pytest.mark.parametrize("value", [None, 0, True, [], {}, "\x00", "\ud800"])
def test_a_field_that_is_missing_or_of_the_wrong_kind_is_named(event, path, value):
    with pytest.raises(AdapterError) as caught:
        adapt(event, changed(event, path, value))
    assert caught.value.field == path
    assert caught.value.message.endswith(".")


@pytest.mark.parametrize("value", ["short", COMMIT[:39], "main", "0" * 40])
def test_only_a_full_commit_is_taken(value):
    with pytest.raises(AdapterError, match="check_run.head_sha"):
        adapt("check_run", check_run(head_sha=value))


@pytest.mark.parametrize("payload", [None, [], "", 1, [{"action": "completed"}]])
def test_a_payload_that_is_no_object_is_refused(payload):
    with pytest.raises(AdapterError) as caught:
        adapt("check_run", payload)
    assert caught.value.field == "payload"


def test_an_object_that_is_something_else_is_named():
    with pytest.raises(AdapterError) as caught:
        adapt("check_run", {**check_run(), "check_run": [1]})
    assert caught.value.field == "check_run"


leaf = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
json = st.recursive(
    leaf, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)


@given(st.sampled_from(sorted(DELIVERIES)) | st.text(), st.text(), json)
def test_whatever_arrives_is_adapted_or_refused_by_name(event, delivery, payload):
    try:
        assert isinstance(github.adapt(event, delivery, payload), Adapted)
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


@settings(max_examples=300)
@given(st.sampled_from(PATHS), json)
def test_a_value_of_any_kind_in_any_place_is_adapted_or_refused(place, value):
    event, path = place
    try:
        adapted = adapt(event, changed(event, path, value))
    except AdapterError as error:
        assert error.field and error.message
    else:
        assert (
            adapted.envelopes or adapted.ignored or event == next(reversed(DELIVERIES))
        )
