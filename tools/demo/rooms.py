"""The addon's plain-Python rooms, used as an outsider would: without Odoo."""

import importlib.util
import sys

from ..paths import ADDON


def load(name):
    """Import one of the addon's rooms (``ledger``, ``ingest``) by itself.

    Importing it through the addon's package would import Odoo with it.
    """
    if name not in sys.modules:
        folder = ADDON / name
        spec = importlib.util.spec_from_file_location(
            name, folder / "__init__.py", submodule_search_locations=[str(folder)]
        )
        sys.modules[name] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules[name]
