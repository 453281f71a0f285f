"""Where the client's settings come from, and what it refuses."""

import json

import pytest
from client_parts import KEY, SHA, arguments
from ipai_gates import ci, cli, settings
from ipai_gates.problems import USAGE, UsageProblem

HERE = {"IPAI_GATES_URL": "https://odoo.example.com/", "IPAI_GATES_KEY": f"{KEY}\n"}
GITHUB = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_REPOSITORY": "acme/odoo",
    "GITHUB_SHA": SHA,
    "GITHUB_RUN_ID": "77",
    "GITHUB_RUN_ATTEMPT": "2",
    "GITHUB_JOB": "build",
    "GITHUB_ACTION": "__run_3",
    "GITHUB_SERVER_URL": "https://github.example.com",
}
GITLAB = {
    "GITLAB_CI": "true",
    "CI_PROJECT_PATH": "acme/sub/odoo",
    "CI_COMMIT_SHA": SHA,
    "CI_PIPELINE_ID": "5",
    "CI_JOB_ID": "9",
    "CI_JOB_URL": "https://gitlab.example.com/acme/sub/odoo/-/jobs/9",
}


def read(*words, **environ):
    return settings.read(arguments(*(words or ["flush"])), {**HERE, **environ})


def test_the_environment_of_github_is_enough():
    found = read(**GITHUB)
    assert found.source_system == "github_actions"
    assert (found.project, found.source_ref) == ("acme/odoo", SHA)
    assert found.run == "77/2/build/__run_3"
    assert found.run_url == (
        "https://github.example.com/acme/odoo/actions/runs/77/attempts/2"
    )


def test_a_pull_request_speaks_of_its_head_not_of_the_merge(tmp_path):
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"pull_request": {"head": {"sha": "b" * 40}}}))
    assert read(**GITHUB, GITHUB_EVENT_PATH=str(event)).source_ref == "b" * 40
    event.write_text(json.dumps({"ref": "refs/tags/v1"}))
    assert read(**GITHUB, GITHUB_EVENT_PATH=str(event)).source_ref == SHA
    event.write_text("no json")
    assert read(**GITHUB, GITHUB_EVENT_PATH=str(event)).source_ref == SHA


def test_the_environment_of_gitlab_is_enough():
    found = read(**GITLAB)
    assert found.source_system == "gitlab_ci"
    assert (found.project, found.source_ref) == ("acme/sub/odoo", SHA)
    assert (found.run, found.run_url) == ("5/9", GITLAB["CI_JOB_URL"])
    merged = read(**GITLAB, CI_MERGE_REQUEST_SOURCE_BRANCH_SHA="c" * 40)
    assert merged.source_ref == "c" * 40


def test_elsewhere_nothing_is_guessed():
    assert ci.detect({"GITHUB_SHA": SHA, "CI_JOB_ID": "1"}) == {}
    found = read()
    assert (found.source_system, found.project, found.run) == ("manual", None, None)


def test_a_flag_goes_before_the_environment_and_that_before_ci():
    environ = {**GITHUB, "IPAI_GATES_PROJECT": "acme/b"}
    assert read(**environ).project == "acme/b"
    assert read("flush", "--project", "acme/c", **environ).project == "acme/c"


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"IPAI_GATES_URL": ""}, "Where is the server"),
        ({"IPAI_GATES_URL": "odoo.example.com"}, "must start with https"),
        ({"IPAI_GATES_URL": "ftp://odoo.example.com"}, "must start with https"),
        ({"IPAI_GATES_URL": "https://me:secret@odoo.example.com"}, "no.* credentials"),
        ({"IPAI_GATES_URL": "https://odoo.example.com/?db=x"}, "address only"),
        ({"IPAI_GATES_URL": "http://odoo.example.com"}, "in clear"),
        ({"IPAI_GATES_URL": "http://localhost.example.com"}, "in clear"),
        ({"IPAI_GATES_URL": "https://[::1"}, "well-formed"),
        ({"IPAI_GATES_KEY": ""}, "API key is missing"),
        ({"IPAI_GATES_KEY": "", "IPAI_GATES_KEY_FILE": "/no/such"}, "cannot be read"),
        ({"IPAI_GATES_KEY": "two words here"}, "no API key"),
        ({"IPAI_GATES_KEY": "short"}, "no API key"),
        ({"IPAI_GATES_KEY": "split\r\nX-Header: 1"}, "no API key"),
        ({"IPAI_GATES_SOURCE_SYSTEM": "jenkins"}, "must be one of"),
        ({"IPAI_GATES_TIMEOUT": "soon"}, "number of seconds"),
        ({"IPAI_GATES_TIMEOUT": "nan"}, "number of seconds"),
        ({"IPAI_GATES_PATIENCE": "-1"}, "number of seconds"),
    ],
)
def test_a_wrong_setting_is_named_with_the_way_out(environ, words):
    with pytest.raises(UsageProblem, match=words) as caught:
        read(**environ)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["http://localhost:8069", "http://127.0.0.1", "http://[::1]:8069"]
)
def test_plain_http_to_this_machine_is_taken(url):
    assert read(IPAI_GATES_URL=url).url == url


def test_plain_http_elsewhere_is_taken_only_when_allowed():
    url = "http://odoo.internal"
    assert read(IPAI_GATES_URL=url, IPAI_GATES_ALLOW_HTTP="1").url == url
    assert read("flush", "--allow-http", IPAI_GATES_URL=url).url == url


def test_the_key_comes_from_a_file_as_well_and_shows_nowhere(tmp_path):
    path = tmp_path / "key"
    path.write_text(f"{KEY}\n")
    found = read("flush", "--key-file", str(path), IPAI_GATES_KEY="")
    assert found.key == KEY
    assert KEY not in repr(found)


@pytest.mark.parametrize(
    "words",
    [
        ["check", "lint", "pass", "--token", "s3cret-s3cret"],
        ["--key=s3cret-s3cret", "flush"],
        ["flush", "--api-key", "s3cret-s3cret"],
        ["flush", "--API_KEY=s3cret-s3cret"],
        ["flush", "--password", "s3cret-s3cret"],
        ["evidence", "reference", "--link", f"https://x.example.com/?k={KEY}"],
    ],
)
def test_a_secret_on_the_command_line_is_refused_and_not_repeated(words, capsys):
    assert cli.main(words, dict(HERE)) == USAGE
    said = capsys.readouterr()
    assert "everybody on this machine" in said.err
    assert "s3cret" not in said.err + said.out
    assert KEY not in said.err + said.out


def test_a_flag_is_never_taken_for_another_one(capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(["flush", "--key-fil", "x"], dict(HERE))
    assert caught.value.code == USAGE


@pytest.mark.parametrize("sha", ["main", "4f2c9ab", "g" * 40])
def test_only_a_full_commit_is_taken(sha):
    with pytest.raises(UsageProblem, match="full commit SHA"):
        _ = read(IPAI_GATES_SOURCE_REF=sha).source_ref
