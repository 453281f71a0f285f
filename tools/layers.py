"""The layers of tests, and which of them an argument of ``make test`` names.

``unit``   tests/unit: plain Python, Odoo cannot be imported
``odoo``   the core's own tests by pytest-odoo, on a database with the core only
``odoo-…`` those of a satellite, on a database with that satellite
``server`` tests/server: from outside, against real server processes with all addons
"""

import re
from pathlib import Path

from . import addons
from .paths import ADDON_NAME, ROOT
from .say import Stop

UNIT, SERVER = ROOT / "tests" / "unit", ROOT / "tests" / "server"


def odoo_layer(addon):
    """The layer of an addon's own tests: ``odoo``, or ``odoo-github`` and the like."""
    return "odoo" if addon.name == ADDON_NAME else f"odoo-{addon.short}"


def addon_of(layer):
    """The addon whose own tests a layer has, or nothing."""
    for addon in addons.every():
        if odoo_layer(addon) == layer:
            return addon
    return None


def layers():
    """The layers there are."""
    return ["unit", *map(odoo_layer, addons.every()), "server"]


def _parts(path):
    """The tests that a path names, as (layer, path); an addon's folder has several."""
    found = Path(path.split("::")[0]).resolve()
    if found.is_relative_to(UNIT):
        return [("unit", path)]
    if found.is_relative_to(SERVER):
        return [("server", path)]
    addon = addons.of_path(found)
    if not addon:
        raise Stop(f"{found} is no test: name one below tests/, or an addon.")
    if found != addon.folder:
        return [(odoo_layer(addon), path)]
    # What tests it from outside has its short name.
    places = {
        "unit": UNIT / addon.short,
        odoo_layer(addon): addon.tests,
        "server": SERVER / addon.short,
    }
    return [(layer, str(each)) for layer, each in places.items() if each.is_dir()]


def _is_path(word):
    return not word.startswith("-") and Path(word.split("::")[0]).exists()


def plan(words):
    """Which layers run, on which paths, with which options.

    :param words: paths choose the layers, all else goes to pytest
    :return: layer → (paths, options)
    """
    paths = [word for word in words if _is_path(word)]
    options = [word for word in words if not _is_path(word)]
    missing = [word for word in options if re.search(r"\.py(::|$)", word)]
    if missing:
        raise Stop(f"There is no test file {missing[0]}.")
    chosen = {layer: [] for layer in layers()}
    if not paths:
        paths = [str(addon.tests) for addon in addons.every() if addon.tests.is_dir()]
        paths += ["tests/unit", "tests/server"]
    for path in paths:
        for layer, part in _parts(path):
            chosen[layer].append(part)
    return {layer: (parts, options) for layer, parts in chosen.items() if parts}
