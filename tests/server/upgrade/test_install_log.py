"""Odoo has nothing to complain about when it installs, fills and upgrades the addon."""

import pytest

from tools import databases, odoo
from tools.paths import ADDON, ADDON_NAME


@pytest.fixture(scope="module")
def database(postgresql):
    with databases.temporary(databases.template("base")) as name:
        yield name


def complaints(log):
    """The warnings of a log, but Python's own about the source of others."""
    text = log.read_text()
    assert "odoo.registry: Registry loaded" in text or "loading demo" in text
    return [
        line
        for line in odoo.problems(text)
        if "py.warnings" not in line or str(ADDON) in line
    ]


def test_installing_logs_no_warning(database):
    log = odoo.install("Installing", database, [ADDON_NAME])
    assert f"Module {ADDON_NAME} loaded" in log.read_text()
    assert complaints(log) == []


def test_loading_the_demo_data_logs_no_warning(database):
    assert complaints(odoo.script("Demo data", database, "load_demo", ADDON_NAME)) == []


def test_upgrading_with_demo_data_logs_no_warning(database):
    log = odoo.upgrade("Upgrading", database, [ADDON_NAME])
    assert f"Module {ADDON_NAME}: loading demo" in log.read_text()
    assert complaints(log) == []
