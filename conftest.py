"""Markers of all tests, given by where a test is and how long its file takes."""

from pathlib import Path

import pytest

from tools import shards
from tools.paths import ROOT

#: Folder of tests → the marker of the tests in it.
BY_FOLDER = {"races": "race", "browser": "browser", "bypass": "bypass"}
#: Seconds from which a file is slow, see tests/weights.txt.
SLOW = 30


def markers_of(path, known):
    """The markers that a test file gives its tests.

    :param path: relative to the repository
    :param known: weights, see :func:`tools.shards.table`
    """
    found = {BY_FOLDER[part] for part in path.parts if part in BY_FOLDER}
    words = path.stem.split("_")
    found |= {word for word in ("race", "browser", "bypass") if word in words}
    if known.get(path.name, 0) >= SLOW:
        found.add("slow")
    return found


def pytest_collection_modifyitems(items):
    """Mark what was collected."""
    known = shards.table(measured=False)
    for item in items:
        path = Path(item.path)
        if path.is_relative_to(ROOT):
            for name in sorted(markers_of(path.relative_to(ROOT), known)):
                item.add_marker(getattr(pytest.mark, name))
