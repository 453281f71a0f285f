"""The code hosts of the core."""

from types import MappingProxyType

from ..provider import Providers, by_code
from . import github, gitlab

PROVIDERS = (github.PROVIDER, gitlab.PROVIDER)
#: The same by code.
CORE_PROVIDERS: Providers = MappingProxyType(by_code(PROVIDERS))
