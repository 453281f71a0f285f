"""The tables of gates and stages, from ``tests/kit/tables`` of the repository.

All layers of tests load the same files. Those are outside of the addon, because the
server layer and the unit tests cannot import from it.
"""

import importlib.util
import sys
from pathlib import Path

_FOLDER = Path(__file__).resolve().parents[2] / "tests" / "kit" / "tables"
_spec = importlib.util.spec_from_file_location("gate_tables", _FOLDER / "__init__.py")
tables = importlib.util.module_from_spec(_spec)
# Its dataclasses look their module up by its name.
sys.modules[_spec.name] = tables
_spec.loader.exec_module(tables)
