"""What GitHub tells, read from its own example deliveries."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ingest import Adapted, AdapterError, github, parse_envelope
from ingest_github_payloads import (
    COMMIT,
    DELIVERY,
    PUSH,
    REPOSITORY,
    RULE,
    adapt,
    check_run,
    check_suite,
    deployment_status,
    only,
    release,
    workflow_run,
)

from tools import samples

# -- the examples GitHub publishes --------------------------------------------


@pytest.fixture(scope="module")
def examples():
    return samples.github_webhooks()


def test_every_example_of_every_event_is_adapted_or_ignored_with_a_reason(examples):
    assert len(examples) > 500
    for origin, event, payload in examples:
        adapted = adapt(event, payload)
        assert bool(adapted.envelopes) != bool(adapted.ignored), (origin, event)
        for envelope in adapted.envelopes:
            assert parse_envelope(envelope).project == adapted.project


@pytest.mark.parametrize(
    ("event", "becomes"),
    [
        ("workflow_run", {"check_result"}),
        ("check_run", {"check_result"}),
        ("check_suite", {"check_result"}),
        ("deployment_status", {"deployment_event"}),
        ("push", set()),
        # Each of them is of the branch master.
        ("release", set()),
    ],
)
def test_the_examples_become_what_the_table_says(examples, event, becomes):
    found = {
        envelope["event_type"]
        for _origin, name, payload in examples
        if name == event
        for envelope in adapt(event, payload).envelopes
    }
    assert found == becomes


def test_an_example_of_a_check_run_is_read_field_by_field(examples):
    (payload,) = (
        payload
        for origin, event, payload in examples
        if (origin, event) == ("api.github.com", "check_run")
        and payload["check_run"]["conclusion"] == "failure"
    )
    envelope = only("check_run", payload)
    assert envelope.idempotency_key == (
        f"github_actions/Codertocat/Hello-World/check_result/{DELIVERY}"
    )
    assert envelope.source_system == "github_actions"
    assert (envelope.release_id, envelope.gate_code) == (None, None)
    assert envelope.emitted_at.isoformat() == "2019-05-15T15:21:12+00:00"
    assert envelope.payload == {
        "source_ref": "ec26c3e57ca3a959ca5aad62de7213c562f8c821",
        "name": "Octocoders-linter",
        "status": "fail",
        "artifact_ref": "https://github.com/Codertocat/Hello-World/runs/128620228",
        "metadata": {
            "conclusion": "failure",
            "check_run": "Octocoders-linter",
            "app": "github-actions",
            "check_run_id": 128620228,
        },
    }


# -- conclusions --------------------------------------------------------------

STATUSES = {
    "success": "pass",
    "neutral": "warning",
    "skipped": "skipped",
    "failure": "fail",
    "cancelled": "fail",
    "timed_out": "fail",
    "action_required": "fail",
    "stale": "fail",
    "startup_failure": "fail",
    "exploded": "fail",
    "SUCCESS": "fail",
    "": "fail",
}


@pytest.mark.parametrize("conclusion", STATUSES)
@pytest.mark.parametrize(
    ("event", "of"),
    [
        ("workflow_run", workflow_run),
        ("check_run", check_run),
        ("check_suite", check_suite),
    ],
)
def test_a_conclusion_passes_only_when_it_is_success(event, of, conclusion):
    envelope = only(event, of(conclusion=conclusion))
    assert envelope.payload["status"] == STATUSES[conclusion]
    assert envelope.payload["metadata"]["conclusion"] == conclusion


@pytest.mark.parametrize("conclusion", STATUSES)
def test_the_workflow_called_build_is_the_build_and_passes_or_fails(conclusion):
    envelope = only("workflow_run", workflow_run(name="Build", conclusion=conclusion))
    assert envelope.event_type == "build_complete"
    assert envelope.payload == {
        "source_ref": COMMIT,
        "status": "pass" if conclusion == "success" else "fail",
        "checks": [],
        "log_url": "https://github.com/acme/shop/actions/runs/30433642",
    }


@pytest.mark.parametrize("name", ["build docs", "Rebuild", "CI", "builds"])
def test_no_other_workflow_is_the_build(name):
    envelope = only("workflow_run", workflow_run(name=name))
    assert envelope.event_type == "check_result"
    assert envelope.payload["name"] == f"workflow/{name}"


@pytest.mark.parametrize(
    ("event", "of"),
    [
        ("workflow_run", workflow_run),
        ("check_run", check_run),
        ("check_suite", check_suite),
    ],
)
def test_what_has_not_ended_is_ignored(event, of):
    for action in ("created", "requested", "in_progress", "rerequested"):
        assert "only its end" in adapt(event, {**of(), "action": action}).ignored
    assert "no conclusion" in adapt(event, of(conclusion=None)).ignored


def test_a_run_on_pull_request_target_is_not_of_the_commit_it_is_shown_at():
    payload = workflow_run(name="build", event="pull_request_target")
    assert "pull_request_target" in adapt("workflow_run", payload).ignored


# -- names of checks ----------------------------------------------------------


def name_of(event, payload):
    return only(event, payload).payload["name"]


def test_a_job_is_a_check_of_its_own_name():
    assert name_of("check_run", check_run(name="unit_tests")) == "unit_tests"


def test_a_workflow_without_a_name_of_its_run_goes_by_its_own():
    payload = {**workflow_run(name=""), "workflow": {"name": "Nightly"}}
    assert name_of("workflow_run", payload) == "workflow/Nightly"


def test_no_job_speaks_for_the_build_a_health_check_a_workflow_or_another_app():
    for name in ("build", "health_check", "workflow/CI", "suite/x", "app/x/y", "job/x"):
        assert name_of("check_run", check_run(name=name)) == f"job/{name}"


def test_another_app_does_not_answer_for_a_job():
    app = {"slug": "codecov"}
    payload = check_run(name="unit_tests", app=app)
    assert name_of("check_run", payload) == "app/codecov/unit_tests"
    assert name_of("check_run", check_run(name="build", app=app)) == "app/codecov/build"


def test_an_app_without_a_slug_goes_by_its_name_and_without_any_is_ignored():
    payload = check_run(app={"slug": None, "name": "Codecov"})
    assert name_of("check_run", payload) == "app/Codecov/unit_tests"
    for event, of in (("check_run", check_run), ("check_suite", check_suite)):
        for app in (None, {}):
            assert "which app" in adapt(event, of(app=app)).ignored


def test_a_suite_of_actions_is_left_to_its_workflow():
    payload = check_suite(app={"slug": "github-actions"})
    assert "workflow_run" in adapt("check_suite", payload).ignored
    assert name_of("check_suite", check_suite()) == "suite/codecov"


def test_jobs_whose_names_a_check_cannot_have_stay_apart():
    raw = ["test (3.11)", "test [3.11]", "test 3.11", "тест", "проба", "x" * 200]
    raw += ["x" * 199, " test 3.11", "build ", "a,b", "a\nb"]
    names = [name_of("check_run", check_run(name=name)) for name in raw]
    assert len(set(names)) == len(raw)
    assert names[0].startswith("test 3.11:")
    assert names[2] == "test 3.11"


@given(st.text(min_size=1), st.text(min_size=1))
def test_two_jobs_share_a_check_only_if_they_share_their_name(one, other):
    try:
        names = [name_of("check_run", check_run(name=name)) for name in (one, other)]
    except AdapterError:
        return  # NUL or half a character
    assert (names[0] == names[1]) == (one == other)


# -- deployments, releases, pushes --------------------------------------------


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("in_progress", "in_progress"),
        ("success", "succeeded"),
        ("failure", "failed"),
        ("error", "failed"),
    ],
)
def test_a_status_of_a_deployment_is_a_deployment_event(state, status):
    envelope = only("deployment_status", deployment_status(state=state))
    assert envelope.event_type == "deployment_event"
    assert envelope.source_ref == COMMIT
    moment = envelope.payload.pop("deployed_at")
    assert moment == envelope.emitted_at
    assert envelope.payload == {
        "source_ref": COMMIT,
        "environment": "production",
        "status": status,
        "external_id": "github/7",
    }


@pytest.mark.parametrize("state", ["queued", "pending", "waiting", "inactive", "new"])
def test_a_state_that_is_no_outcome_of_a_deployment_is_ignored(state):
    assert state in adapt("deployment_status", deployment_status(state=state)).ignored


def test_an_environment_may_stand_with_the_deployment_alone():
    envelope = only("deployment_status", deployment_status(environment=None))
    assert envelope.payload["environment"] == "staging"


def test_a_published_release_of_a_commit_is_evidence_of_its_notes():
    envelope = only("release", release())
    assert envelope.event_type == "evidence"
    assert envelope.payload == {
        "source_ref": COMMIT,
        "type": "release_notes",
        "url": "https://github.com/acme/shop/releases/tag/v1.2",
        "metadata": {"tag": "v1.2", "name": "Spring"},
    }


@pytest.mark.parametrize("target", ["main", COMMIT[:12], None])
def test_a_release_of_a_branch_is_of_no_commit_one_could_know(target):
    assert "full commit" in adapt("release", release(target_commitish=target)).ignored


@pytest.mark.parametrize("action", ["created", "edited", "released", "deleted"])
def test_only_the_publishing_of_a_release_is_evidence(action):
    assert action in adapt("release", {**release(), "action": action}).ignored


def test_a_push_is_ignored_since_it_names_no_release():
    adapted = adapt("push", PUSH)
    assert adapted.project == "acme/shop"
    assert "names no release" in adapted.ignored


def test_a_protection_rule_names_its_project_and_records_nothing():
    adapted = adapt("deployment_protection_rule", RULE)
    assert adapted == Adapted("acme/shop", [], None)


def test_an_unknown_event_is_ignored_and_its_payload_not_looked_into():
    assert adapt("ping", {"zen": 1}).project is None
    adapted = adapt("fork", {"forkee": None, **REPOSITORY})
    assert (adapted.project, adapted.envelopes) == ("acme/shop", [])
    assert "'fork'" in adapted.ignored
    assert adapt(None, {}).ignored


# -- keys ---------------------------------------------------------------------


def test_a_redelivery_has_the_same_key_and_content():
    assert adapt("check_run", check_run()) == adapt("check_run", check_run())


def test_another_delivery_has_another_key():
    keys = {
        github.adapt("check_run", delivery, check_run()).envelopes[0]["idempotency_key"]
        for delivery in ("one", "two")
    }
    assert len(keys) == 2


def test_the_longest_name_of_a_repository_still_makes_a_key():
    keys = set()
    for name in ("a/" + "b" * 253, "a/" + "b" * 252 + "c"):
        payload = {**check_run(), "repository": {"full_name": name}}
        keys.add(only("check_run", payload).idempotency_key)
    assert len(keys) == 2


@pytest.mark.parametrize("delivery", ["", "a b", "a/b", "é", "x" * 101, None, 7])
def test_a_delivery_without_a_proper_id_is_refused(delivery):
    with pytest.raises(AdapterError) as caught:
        github.adapt("check_run", delivery, check_run())
    assert caught.value.field == "delivery"
