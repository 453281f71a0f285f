"""Odd requests by the API's own description: no 5xx, nothing that is not described."""

import uuid

import api
import events
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks

CHECKS = (
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
)
#: Requests per operation and kind; all of them take about a minute.
EXAMPLES = 80
OPERATIONS = (
    ("POST", "/events"),
    ("POST", "/releases"),
    ("GET", "/releases/{uuid}/verdict"),
    ("POST", "/releases/{uuid}/moves"),
    ("POST", "/reports"),
    ("POST", "/webhooks/{provider}"),
    ("GET", "/openapi.json"),
)


@pytest.fixture(scope="module")
def unlimited(start_site):
    """A server whose keys may send as much as they like."""
    site = start_site()
    governance = site.rpc("governance")
    found = governance.execute_kw("ipai.settings", "search", [[]])
    values = {"requests_per_minute": 0}
    governance.execute_kw("ipai.settings", "write", [found, values])
    return site


@pytest.fixture(scope="module")
def description(unlimited):
    """The description that the server gives, found valid."""
    answer = api.call(unlimited, "GET", "/openapi.json", login=None)
    schema = schemathesis.openapi.from_dict(answer.body)
    schema.validate()
    return schema


@pytest.fixture(scope="module")
def hook(unlimited):
    """A webhook of GitLab: its uuid, and the headers of a good delivery."""
    governance = unlimited.rpc("governance")

    def first(model, domain):
        return governance.execute_kw(model, "search", [domain], {"limit": 1})[0]

    values = {
        "project_id": first("ipai.project", [["name", "=", events.PROJECT]]),
        "provider": "gitlab",
        "user_id": first("res.users", [["login", "=", "ci"]]),
    }
    source = governance.execute_kw("ipai.webhook.source", "create", [values])
    method = "action_new_secret"
    action = governance.execute_kw("ipai.webhook.source", method, [[source]])
    found = governance.execute_kw("ipai.webhook.source", "read", [[source], ["uuid"]])
    headers = {
        "X-Gitlab-Token": action["context"]["default_secret"],
        "X-Gitlab-Event": "Pipeline Hook",
    }
    return {"uuid": found[0]["uuid"], "headers": headers}


def test_every_operation_is_tried(description):
    described = {
        (operation.ok().method.upper(), operation.ok().path.removeprefix("/ipai/v1"))
        for operation in description.get_all_operations()
    }
    assert described == set(OPERATIONS)


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("operation", OPERATIONS, ids=" ".join)
def test_whatever_is_sent_is_answered_as_described(
    unlimited, description, hook, operation, mode
):
    method, path = operation
    found = description[f"/ipai/v1{path}"][method]
    release = events.open_release(unlimited.rpc("ci"), f"fuzz {operation} {mode}")
    headers = {
        "Authorization": f"Bearer {unlimited.api_key('ci')}",
        "X-Odoo-Database": unlimited.database,
    }
    if mode is GenerationMode.NEGATIVE and not (found.body or found.query):
        # Nothing to be wrong about.
        mode = GenerationMode.POSITIVE

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(
        case=found.as_strategy(generation_mode=mode),
        real=st.booleans(),
    )
    def sends(case, real):
        if real and "uuid" in (case.path_parameters or {}):
            case.path_parameters["uuid"] = release["uuid"]
        if real and isinstance(case.body, dict) and "release_id" in case.body:
            case.body["release_id"] = release["uuid"]
        if real and "provider" in (case.path_parameters or {}):
            case.path_parameters["provider"] = "gitlab"
            case.query = {"source": hook["uuid"]}
            headers.update(hook["headers"], **{"Idempotency-Key": str(uuid.uuid4())})
        if real and path == "/reports":
            case.query = {
                "format": "sarif",
                "release": release["uuid"],
                "source_ref": release["source_ref"],
                "name": "scan",
                "idempotency_key": f"agent/{release['uuid']}/report/{uuid.uuid4()}",
            }
        case.call_and_validate(
            base_url=unlimited.url, headers=headers, checks=list(CHECKS)
        )

    sends()
