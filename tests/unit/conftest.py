"""Unit tests: the plain-Python rooms of the addon, on their own and without Odoo."""

import sys
from pathlib import Path

from hypothesis import HealthCheck, settings

# A machine at work on something else makes no test fail.
settings.register_profile(
    "unit", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("unit")

ADDON = Path(__file__).resolve().parents[2] / "ipai_release_gates"
if str(ADDON) not in sys.path:
    sys.path.insert(0, str(ADDON))


class NoOdoo:
    """Refuses to import Odoo: it may be installed, but these rooms must not need it."""

    def find_spec(self, name, path=None, target=None):
        """The hook of the import system; only ever raises or passes on."""
        if name == "odoo" or name.startswith("odoo."):
            raise ImportError(
                f"{name} is imported, but the plain-Python rooms go without Odoo"
            )


sys.meta_path.insert(0, NoOdoo())
