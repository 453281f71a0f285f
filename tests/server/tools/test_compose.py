"""The compose file is valid, complete, and holds no secret.

Docker's own ``compose config`` judges it where that is installed (it needs no engine);
elsewhere its variables are filled in here. The same is then asserted of either result.
"""

import configparser
import json
import os
import re
import shutil
import subprocess

import pytest
import yaml

from tools import addons, odoo
from tools.paths import ROOT

COMPOSE = ROOT / "docker-compose.yml"
PASSWORD = "a-password-of-the-test"


def has_docker_compose():
    """Whether this machine can judge a compose file itself."""
    return (
        bool(shutil.which("docker"))
        and not subprocess.run(
            ["docker", "compose", "version"], capture_output=True, check=False
        ).returncode
    )


def filled_in(text, variables):
    """The text with its ``${NAME:-default}`` and ``${NAME:?message}`` filled in."""

    def value(found):
        name, operator, rest = found.groups()
        if variables.get(name):
            return variables[name]
        if operator == ":-":
            return rest
        raise ValueError(rest)

    return re.sub(r"\$\{(\w+)(:[-?])([^}]*)\}", value, text)


def resolve(variables):
    """The compose file as Docker reads it; ValueError for a missing variable."""
    if not has_docker_compose():
        return yaml.safe_load(filled_in(COMPOSE.read_text(), variables))
    done = subprocess.run(
        ["docker", "compose", "--file", COMPOSE, "config", "--format", "json"],
        env={"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ValueError(done.stderr)
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def services():
    return resolve({"POSTGRES_PASSWORD": PASSWORD})["services"]


def test_without_a_password_it_says_which_variable_to_set():
    with pytest.raises(ValueError, match="set POSTGRES_PASSWORD"):
        resolve({})


def test_the_password_comes_from_the_environment_alone(services):
    assert services["db"]["environment"]["POSTGRES_PASSWORD"] == PASSWORD
    assert services["odoo"]["environment"]["PASSWORD"] == PASSWORD
    conf = configparser.ConfigParser(interpolation=None)
    conf.read(ROOT / "odoo.conf")
    secret = [key for key in conf["options"] if re.search("pass|secret|token", key)]
    assert secret == []


def test_postgresql_is_16_or_newer(services):
    image, version = services["db"]["image"].split(":")
    assert image == "postgres"
    assert int(version.split(".")[0]) >= 16


def test_both_services_have_a_health_check_and_odoo_waits_for_the_database(services):
    for service in services.values():
        assert service["healthcheck"]["test"][0] == "CMD"
    assert services["odoo"]["depends_on"]["db"]["condition"] == "service_healthy"


def mounts(service):
    """What a service mounts, as target → source."""
    found = {}
    for volume in service["volumes"]:
        if isinstance(volume, str):
            source, target = volume.split(":")[:2]
        else:
            source, target = volume["source"], volume["target"]
        found[target] = source
    return found


def test_data_lives_in_named_volumes_and_the_addons_are_mounted(services):
    volumes = resolve({"POSTGRES_PASSWORD": PASSWORD})["volumes"]
    assert mounts(services["db"])["/var/lib/postgresql/data"] in volumes
    odoo = mounts(services["odoo"])
    assert odoo["/var/lib/odoo"] in volumes
    for target, name in {
        "/etc/odoo/odoo.conf": "odoo.conf",
        "/mnt/extra-addons/ipai_release_gates": "ipai_release_gates",
        "/mnt/more-addons": addons.SATELLITES,
    }.items():
        assert (ROOT / odoo[target]).resolve() == ROOT / name
        assert (ROOT / name).exists()


def test_the_image_adds_requirements_txt_to_the_official_odoo_19(services):
    build = services["odoo"]["build"]
    lines = (ROOT / build["dockerfile"]).read_text().splitlines()
    assert "FROM odoo:19.0" in lines
    assert any(line.startswith("COPY requirements.txt") for line in lines)
    assert lines[-1] == "USER odoo", "the server does not run as root"


def test_the_oca_addons_are_on_the_addons_path_of_the_image(services):
    build = services["odoo"]["build"]
    image = (ROOT / build["dockerfile"]).read_text()
    assert "--no-deps --target /mnt/oca -r /tmp/addons.txt" in image
    folders = "/mnt/oca/odoo/addons,/mnt/extra-addons,/mnt/more-addons"
    assert f"--addons-path={folders}" in services["odoo"]["command"]


def test_all_addons_are_installed(services):
    assert addons.named(addons.COLLECTION) in addons.shipped()
    assert f"--init={addons.COLLECTION}" in services["odoo"]["command"]


def test_the_server_starts_the_runner_of_the_jobs():
    conf = configparser.ConfigParser(interpolation=None)
    conf.read(ROOT / "odoo.conf")
    assert "queue_job" in conf["options"]["server_wide_modules"].split(",")
    assert conf["queue_job"]["channels"] == "root:4,root.ipai:2"


@pytest.mark.parametrize("name", ["requirements.txt", "requirements/addons.txt"])
def test_every_requirement_is_pinned_and_says_what_it_is_for(name):
    lines = (ROOT / name).read_text().splitlines()
    needed = [line for line in lines if not line.startswith("#")]
    assert needed
    for line in needed:
        assert re.fullmatch(r"[\w.-]+==[\w.]+( ; .+?)?  # .+", line), line


def test_odoo_knows_every_option_of_its_configuration(postgresql):
    code = "import odoo.tools; print(*odoo.tools.config.options_index)"

    known = subprocess.run(
        [odoo.venv_python(), "-c", code],
        env=odoo.environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    conf = configparser.ConfigParser(interpolation=None)
    conf.read(ROOT / "odoo.conf")
    assert set(conf["options"]) <= set(known.stdout.split())
    assert "unknown option" not in known.stderr
