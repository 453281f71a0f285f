"""Imports of plain-Python rooms without Odoo, under the names that they have in Odoo.

A room is a folder of an addon with Python in which nothing imports Odoo. Rooms of the
core go by their short names (``policy``) and, as satellites import them, by their full
ones (``odoo.addons.ipai_release_gates.policy``); both are one module. Rooms of a
satellite have both names too.
"""

import importlib
import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec

from tools.addons import is_plain

_PREFIX = "odoo.addons."


class _Namespace(Loader):
    """Loads ``odoo``, ``odoo.addons`` and the addons as packages without code."""

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        pass


class _Alias(Loader):
    """Loads a module by its full name as the one that has the short name."""

    def __init__(self, short):
        self.short = short

    def create_module(self, spec):
        module = importlib.import_module(self.short)
        self.own = module.__spec__
        return module

    def exec_module(self, module):
        # The import system has replaced it.
        module.__spec__ = self.own


class Rooms(MetaPathFinder):
    """Finds the rooms of addons, and refuses all else of Odoo.

    :param addons: list of :class:`tools.addons.Addon`
    """

    def __init__(self, addons):
        self.folders = {addon.name: addon.folder for addon in addons}

    def install(self):
        """Have imports ask here first, and short names lead to the addons' folders."""
        sys.meta_path.insert(0, self)
        for folder in reversed(self.folders.values()):
            if str(folder) not in sys.path:
                sys.path.insert(0, str(folder))

    def find_spec(self, name, path=None, target=None):
        """The hook of the import system."""
        if name != "odoo" and not name.startswith("odoo."):
            return None
        if name in ("odoo", "odoo.addons"):
            return ModuleSpec(name, _Namespace(), is_package=True)
        addon, _, room = name.removeprefix(_PREFIX).partition(".")
        if name.startswith(_PREFIX) and addon in self.folders:
            if not room:
                return ModuleSpec(name, _Namespace(), is_package=True)
            if is_plain(self.folders[addon] / room.split(".")[0]):
                return ModuleSpec(name, _Alias(room))
        raise ImportError(
            f"{name} is imported, but the plain-Python rooms go without Odoo"
        )
