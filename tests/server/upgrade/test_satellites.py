"""Each satellite installs, upgrades and uninstalls by itself; the core stays whole."""

import contextlib
import json
import re
import shutil
from pathlib import Path

import psycopg2
import pytest

from tools import addons, databases, odoo
from tools.paths import ADDON_NAME, ADDONS_PATH

SCRIPT = Path(__file__).parents[2] / "kit" / "scripts" / "satellite"
SATELLITES = [
    each.name for each in addons.satellites() if each.name != addons.COLLECTION
]
TOY = "ipai_release_gates_toy_kind"
TOY_CODE = """
from odoo import models

from odoo.addons.ipai_release_gates import policy


def judge(case, gate, requirement):
    return policy.Judgement(policy.MET, policy.Reason("It is met"))


class Requirement(models.Model):
    _inherit = "ipai.gate.requirement"

    def _kinds(self):
        return super()._kinds() + (
            policy.RequirementKind("toy", "Toy", judge, lambda entry: "Always."),
        )
"""


@pytest.fixture(scope="module")
def core(postgresql):
    """A database with the core and its demo data, which tests copy."""
    with databases.temporary(databases.template("core")) as name:
        odoo.script("Demo data", name, "load_demo", ADDON_NAME)
        yield name


@pytest.fixture
def copy_of():
    """A function that copies a database until the end of the test."""
    with contextlib.ExitStack() as stack:
        yield lambda name: stack.enter_context(databases.temporary(name))


def run(what, database, *arguments):
    """Run the script of these tests; its log.

    :param what: what the terminal shows meanwhile
    """
    log = odoo.script(what, database, SCRIPT, *arguments).read_text()
    assert odoo.problems(log) == []
    return log


def report(database):
    """How the releases stand; see the script."""
    log = run("Judging and verifying", database, "report")
    return json.loads(re.search(r"^REPORT (.*)$", log, re.MULTILINE)[1])


def answer(database, query, *arguments):
    """The rows of a query."""
    connection = psycopg2.connect(dbname=database)
    try:
        with connection.cursor() as cursor:
            cursor.execute(query, arguments)
            return cursor.fetchall()
    finally:
        connection.close()


def traces(database, name):
    """What a database holds of an addon: XML ids, tables of its models, views."""
    short = name.removeprefix(f"{ADDON_NAME}_")
    return answer(
        database,
        """
        SELECT name FROM ir_model_data WHERE module = %s
        UNION ALL
        SELECT table_name FROM information_schema.tables WHERE table_name LIKE %s
        UNION ALL
        SELECT key FROM ir_ui_view WHERE key LIKE %s""",
        name,
        f"ipai\\_{short}\\_%",
        f"{name}.%",
    )


@pytest.mark.parametrize("name", SATELLITES)
def test_a_satellite_comes_and_goes_on_the_core_alone(core, copy_of, name):
    database = copy_of(core)
    before = report(database)
    assert before["gates"]
    assert before["chains"] == ["sound"]
    log = odoo.install(f"Installing {name}", database, [name]).read_text()
    assert odoo.problems(log) == []
    assert len(traces(database, name)) > 30
    log = odoo.upgrade(f"Upgrading {name}", database, [name]).read_text()
    assert odoo.problems(log) == []
    assert report(database) == before
    run(f"Uninstalling {name}", database, "uninstall", name)
    assert traces(database, name) == []
    assert report(database) == before
    log = odoo.upgrade("Upgrading the core", database, [ADDON_NAME]).read_text()
    assert odoo.problems(log) == []


@pytest.mark.parametrize("name", SATELLITES)
def test_a_satellite_goes_and_the_others_stay(postgresql, copy_of, name):
    database = copy_of(databases.template("demo"))
    before = report(database)
    run(f"Uninstalling {name}", database, "uninstall", name)
    assert traces(database, name) == []
    gone = {
        addon
        for (addon,) in answer(
            database,
            "SELECT name FROM ir_module_module"
            " WHERE name LIKE 'ipai%%' AND state <> 'installed'",
        )
    }
    stands_on = {
        each.name
        for each in addons.satellites()
        if name in {other.name for other in addons.stands_on(each)}
    }
    assert gone == {name, *stands_on}
    assert report(database) == before


def test_without_the_addon_of_its_kind_a_requirement_closes_its_gate(
    core, copy_of, tmp_path
):
    database = copy_of(core)
    folder = tmp_path / TOY
    folder.mkdir()
    manifest = {"name": "Toy", "depends": [ADDON_NAME], "license": "AGPL-3"}
    manifest["author"] = "Release Gates contributors"
    (folder / "__manifest__.py").write_text(repr(manifest))
    (folder / "__init__.py").write_text("from . import models\n")
    (folder / "models.py").write_text(TOY_CODE)
    before = report(database)["gates"]
    passed = {name for name, gates in before.items() if gates["G1"] == "passed"}
    assert passed
    with pytest.MonkeyPatch.context() as patch:
        paths = [*addons.folders(ADDONS_PATH), tmp_path]
        patch.setattr(addons, "folders", lambda root: paths)
        odoo.install("Installing a kind of requirement", database, [TOY])
        run("Asking for it", database, "require", "toy")
        there = report(database)
        run("Uninstalling it", database, "uninstall", TOY)
    # It judges: the same gates are passed, and nothing is unmet for want of it.
    assert {
        n for n, gates in there["gates"].items() if gates["G1"] == "passed"
    } == passed
    shutil.rmtree(folder)
    gone = report(database)
    for name in passed:
        assert gone["gates"][name]["G1"] != "passed"
        assert any("install the addon" in reason for reason in gone["reasons"][name])
    assert gone["chains"] == ["sound"]
