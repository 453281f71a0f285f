"""``publish``: what is published in docs, generated from the addon's own records.

In ``docs/reference``, ``personas`` and the YAML and JSON of ``gates`` are generated
whole; the pages of ``gates`` are written by hand around generated parts, between marks.

``publish --check`` writes nothing and fails when a file is not what the records say.
"""

import difflib
import re
import tempfile
from pathlib import Path

from . import databases, odoo, postgres
from .paths import ROOT
from .say import Stop, say

DOCS = ROOT / "docs" / "reference"
#: Where what is published is, below ``docs/reference``.
FOLDERS = ("personas", "gates")
_MEND = "run python3 -m tools publish"
_PART = re.compile(
    r"(?P<begin><!-- generated: (?P<name>[\w-]+) -->\n)"
    r".*?(?P<end>\n<!-- end of generated -->)",
    re.DOTALL,
)
_MARK = re.compile(r"<!-- (generated: [^>]*|end of generated) -->")


def generated():
    """What the records of a database with nothing but the addon's data say.

    :returns: dict of text by path below ``docs/reference``
    """
    with (
        postgres.running(),
        tempfile.TemporaryDirectory() as folder,
        databases.temporary(databases.template("all")) as database,
    ):
        odoo.script("Generating what is published in docs", database, "publish", folder)
        found = _texts(Path(folder))
    parts = {
        name.removeprefix("parts/"): found.pop(name)
        for name in list(found)
        if name.startswith("parts/")
    }
    return found | spliced(pages(), parts)


def _texts(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in folder.rglob("*")
        if path.is_file()
    }


def present():
    """The published files; dict of text by path below ``docs/reference``."""
    return {
        f"{name}/{path}": text
        for name in FOLDERS
        for path, text in _texts(DOCS / name).items()
    }


def pages():
    """The pages that are written by hand around generated parts, as they are."""
    return {
        name: text
        for name, text in present().items()
        if re.fullmatch(r"gates/[^/]+\.md", name)
    }


def spliced(written, parts):
    """Pages with their generated parts as they should be.

    :param written: dict of text by path
    :param parts: dict of text by name; each belongs to one place
    :returns: dict of text by path
    :raises Stop: for a mark nobody generates for, or a part that no page shows
    """
    shown = []

    def splice(found):
        name = found["name"]
        if name not in parts:
            raise Stop(f"docs/reference: nothing is generated for the mark “{name}”.")
        shown.append(name)
        return f"{found['begin']}\n{parts[name].strip()}\n{found['end']}"

    result = {}
    for path, text in written.items():
        result[path], count = _PART.subn(splice, text)
        if len(_MARK.findall(text)) != 2 * count:
            raise Stop(f"docs/reference/{path}: a mark of a generated part is open.")
    missing = sorted(parts.keys() - set(shown))
    if missing:
        raise Stop(f"docs/reference/gates: no page shows {', '.join(missing)}.")
    return result


def drift(expected, found):
    """How published files differ from what they should be; empty when they do not."""
    lines = []
    for name in sorted(expected.keys() | found.keys()):
        lines += difflib.unified_diff(
            found.get(name, "").splitlines(),
            expected.get(name, "").splitlines(),
            f"docs/reference/{name}",
            f"docs/reference/{name} as the records say",
            lineterm="",
        )
    return lines


def check():
    """Say how the published files differ from the records; whether they do not."""
    expected, found = generated(), present()
    wrong = [
        name
        for name in sorted(expected.keys() | found.keys())
        if expected.get(name) != found.get(name)
    ]
    if not wrong:
        return True
    say("\n".join(drift(expected, found)[:60]))
    for name in wrong:
        say(f"✗ docs/reference/{name} is not what the records say: {_MEND}")
    return False


def write():
    """Write the published files; those that no record stands for go."""
    expected = generated()
    for name in present().keys() - expected.keys():
        (DOCS / name).unlink()
    for name, text in expected.items():
        path = DOCS / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def publish(arguments):
    """``publish [--check]``: generate what is published, or check it for drift."""
    if "--check" in arguments:
        return 0 if check() else 1
    write()
    return 0
