"""``publish``: the files in docs/personas, generated from the addon's own records.

``publish --check`` writes nothing and fails when a file is not what the records say.
"""

import difflib
import tempfile
from pathlib import Path

from . import databases, odoo, postgres
from .paths import ROOT
from .say import say

PUBLISHED = ROOT / "docs" / "personas"


def generated():
    """What the records of a database with nothing but the addon's data say.

    :returns: dict of text by file name
    """
    with (
        postgres.running(),
        tempfile.TemporaryDirectory() as folder,
        databases.temporary(databases.template("addon")) as database,
    ):
        odoo.script("Generating docs/personas", database, "publish", folder)
        return {path.name: path.read_text() for path in Path(folder).iterdir()}


def present(folder=PUBLISHED):
    """The published files as they are; dict of text by file name."""
    return {path.name: path.read_text() for path in folder.glob("*") if path.is_file()}


def drift(expected, found):
    """How published files differ from what they should be; empty when they do not."""
    lines = []
    for name in sorted(expected.keys() | found.keys()):
        lines += difflib.unified_diff(
            found.get(name, "").splitlines(),
            expected.get(name, "").splitlines(),
            f"docs/personas/{name}",
            f"docs/personas/{name} as the records say",
            lineterm="",
        )
    return lines


def check():
    """Say how the published files differ from the records; whether they do not."""
    lines = drift(generated(), present())
    if not lines:
        return True
    say("\n".join([*lines[:60], "✗ docs/personas: run python3 -m tools publish"]))
    return False


def write():
    """Write the published files; those that no record stands for go."""
    expected = generated()
    PUBLISHED.mkdir(parents=True, exist_ok=True)
    for name in present().keys() - expected.keys():
        (PUBLISHED / name).unlink()
    for name, text in expected.items():
        (PUBLISHED / name).write_text(text)


def publish(arguments):
    """``publish [--check]``: generate docs/personas, or check it for drift."""
    if "--check" in arguments:
        return 0 if check() else 1
    write()
    return 0
