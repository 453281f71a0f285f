"""The addons of this repository: the core, and the satellites in ``addons/``.

A folder with a manifest is an addon. An addon *stands on* another one when it depends
on it, directly or through others.
"""

import ast
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from .paths import ADDON_NAME, ADDONS_PATH
from .say import Stop

_IMPORTS_ODOO = re.compile(r"^\s*(from|import) odoo(?!\.addons\.ipai_)\b", re.MULTILINE)
#: The addon without code that depends on all others: what ``make run`` installs.
COLLECTION = "ipai_release_gates_all"
#: Where the satellites are, below the folder that holds the core.
SATELLITES = "addons"


def is_plain(folder):
    """Whether a folder is a package in which nothing imports Odoo."""
    return (folder / "__init__.py").exists() and not any(
        _IMPORTS_ODOO.search(path.read_text(encoding="utf-8"))
        for path in folder.rglob("*.py")
    )


@dataclass(frozen=True)
class Addon:
    """One addon.

    :param name: its technical name
    :param folder: where it is
    """

    name: str
    folder: Path

    @cached_property
    def manifest(self):
        """Its manifest, as a dict."""
        try:
            text = (self.folder / "__manifest__.py").read_text(encoding="utf-8")
        except FileNotFoundError:
            raise Stop(
                f"There is no addon in {self.folder}: is the clone complete?"
            ) from None
        return ast.literal_eval(text)

    @property
    def depends(self):
        """The names of the addons that its manifest asks for."""
        return self.manifest.get("depends", [])

    @property
    def short(self):
        """Its name without that of the core: ``github`` of ``…_github``."""
        return self.name.removeprefix(f"{ADDON_NAME}_")

    @property
    def tests(self):
        """The folder of the tests that run inside Odoo; it may not exist."""
        return self.folder / "tests"

    @property
    def rooms(self):
        """Its plain-Python rooms: the folders in which nothing imports Odoo."""
        folders = sorted(path for path in self.folder.iterdir() if path.is_dir())
        return [path for path in folders if path.name != "tests" and is_plain(path)]


def folders(root=ADDONS_PATH):
    """The folders for Odoo's addons path: Odoo refuses one without an addon."""
    satellites = root / SATELLITES
    found = any(satellites.glob("*/__manifest__.py"))
    return [root, satellites] if found else [root]


def core(root=ADDONS_PATH):
    """The core."""
    return Addon(ADDON_NAME, root / ADDON_NAME)


def satellites(root=ADDONS_PATH):
    """The satellites by name, each after those that it stands on."""
    found = {
        path.parent.name: Addon(path.parent.name, path.parent)
        for path in sorted((root / SATELLITES).glob("*/__manifest__.py"))
    }
    ordered = {}

    def add(name):
        if name not in ordered:
            for other in sorted(set(found[name].depends) & found.keys()):
                add(other)
            ordered[name] = found[name]

    for name in found:
        add(name)
    return list(ordered.values())


def every(root=ADDONS_PATH):
    """All addons, each after those that it stands on."""
    return [core(root), *satellites(root)]


def named(name, root=ADDONS_PATH):
    """The addon of a name.

    :raises Stop: when there is none
    """
    for addon in every(root):
        if addon.name == name:
            return addon
    raise Stop(f"There is no addon {name} in this clone.")


def of_path(path, root=ADDONS_PATH):
    """The addon that a path lies in, or nothing."""
    path = Path(path).resolve()
    for addon in every(root):
        if path.is_relative_to(addon.folder):
            return addon
    return None


def stands_on(addon, root=ADDONS_PATH):
    """The addons of this repository that one stands on, lowest first."""
    known = {each.name: each for each in every(root)}
    wanted, open_ends = set(), [addon]
    while open_ends:
        for name in open_ends.pop().depends:
            if name in known and name not in wanted:
                wanted.add(name)
                open_ends.append(known[name])
    return [each for name, each in known.items() if name in wanted]


def shipped(root=ADDONS_PATH):
    """What ``make run`` installs: the collection, or all addons until there is one."""
    known = every(root)
    for addon in known:
        if addon.name == COLLECTION:
            return [*stands_on(addon, root), addon]
    return known
