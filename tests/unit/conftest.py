"""Unit tests: the plain-Python rooms of the addons, on their own and without Odoo."""

from hypothesis import HealthCheck, settings
from rooms import Rooms

from tools import addons

# A machine at work on something else makes no test fail.
settings.register_profile(
    "unit", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("unit")

#: The folder of the core.
ADDON = addons.core().folder

Rooms(addons.every()).install()
