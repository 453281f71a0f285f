"""The code hosts of the core."""

from ..provider import by_code
from . import github, gitlab

PROVIDERS = (github.PROVIDER, gitlab.PROVIDER)
#: The same by code.
CORE_PROVIDERS = by_code(PROVIDERS)
