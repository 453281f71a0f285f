"""The build context of the image: what ``.dockerignore`` leaves of the repository."""

import json
import os
import shutil
import subprocess
import uuid

import dockerfiles
import pytest
import yaml

from tools.paths import ROOT
from tools.server import free_port

IGNORE = (ROOT / ".dockerignore").read_text()
BUILD = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["odoo"][
    "build"
]
DOCKERFILE = (ROOT / BUILD["context"] / BUILD["dockerfile"]).read_text()


def test_every_source_that_the_image_copies_is_in_the_context():
    sources = dockerfiles.copied(DOCKERFILE)
    assert {"requirements.txt", "requirements/addons.txt"} <= set(sources)
    files = dockerfiles.context(ROOT, IGNORE)
    assert dockerfiles.missing(sources, files) == []


def test_nothing_but_what_the_image_copies_is_in_the_context():
    files = dockerfiles.context(ROOT, IGNORE)
    assert sorted(files) == sorted(dockerfiles.copied(DOCKERFILE))


def test_a_source_that_is_left_out_is_found():
    former = "*\n!requirements.txt\n"
    files = dockerfiles.context(ROOT, former)
    sources = dockerfiles.copied(DOCKERFILE)
    assert dockerfiles.missing(sources, files) == ["requirements/addons.txt"]


@pytest.mark.parametrize(
    ("ignore", "left"),
    [
        ("", {"a.txt", "b.md", "x/a.txt", "x/y/a.txt"}),
        ("# *\n\n", {"a.txt", "b.md", "x/a.txt", "x/y/a.txt"}),
        ("*", set()),
        ("*.txt", {"b.md", "x/a.txt", "x/y/a.txt"}),
        ("**/*.txt", {"b.md"}),
        ("/x", {"a.txt", "b.md"}),
        ("x/", {"a.txt", "b.md"}),
        ("x/*/a.txt", {"a.txt", "b.md", "x/a.txt"}),
        ("x\n!x/y", {"a.txt", "b.md", "x/y/a.txt"}),
        ("!x/y\nx", {"a.txt", "b.md"}),
        ("*\n!x/y/a.txt", {"x/y/a.txt"}),
        ("?.md\n[b-z]", {"a.txt"}),
        ("**", set()),
    ],
)
def test_patterns_their_order_and_exceptions_count_as_for_docker(
    tmp_path, ignore, left
):
    for name in ("a.txt", "b.md", "x/a.txt", "x/y/a.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    assert dockerfiles.context(tmp_path, ignore) == left


def test_each_form_of_copy_is_read():
    text = 'FROM a\n# COPY no /\nCOPY --chown=1:1 a b/ \\\n  c /x/\nADD ["d e", "/y"]\n'
    text += "COPY --from=build f /\ncopy g* /\n"
    assert dockerfiles.copied(text) == ["a", "b/", "c", "d e", "g*"]
    assert dockerfiles.missing(["a", "b/", "g*", "c"], {"a", "b/x", "go"}) == ["c"]


def engine_answers():
    """Whether this machine has Docker with an engine and the compose command."""
    if not shutil.which("docker"):
        return False
    for words in (["info"], ["compose", "version"]):
        if subprocess.run(
            ["docker", *words], capture_output=True, check=False
        ).returncode:
            return False
    return True


@pytest.mark.skipif(not engine_answers(), reason="no Docker engine answers here")
def test_the_compose_file_builds_and_becomes_healthy():
    name = f"ipai-{uuid.uuid4().hex[:8]}"
    env = os.environ | {
        "POSTGRES_PASSWORD": uuid.uuid4().hex,
        "PORT": str(free_port()),
        "COMPOSE_PROJECT_NAME": name,
    }

    def compose(*words):
        return subprocess.run(
            ["docker", "compose", *words],
            cwd=ROOT,
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )

    try:
        up = compose("up", "--build", "--detach", "--wait", "--wait-timeout", "900")
        assert up.returncode == 0, up.stderr + compose("logs", "--tail=50").stdout
        states = [
            json.loads(line)
            for line in compose("ps", "--format=json").stdout.splitlines()
        ]
        assert {state["Health"] for state in states} == {"healthy"}
    finally:
        compose("down", "--volumes", "--rmi=local")
