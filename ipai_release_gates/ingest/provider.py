"""A code host whose webhooks are taken: one value that carries everything known of it.

The address of its webhooks, the choice on a webhook, the check of a signature and the
reading of a delivery follow from these values; a satellite adds its own by overriding
``ipai.webhook.source._providers()``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .envelope import SOURCE_SYSTEMS
from .signatures import Scheme

if TYPE_CHECKING:
    from .adapters import Adapted


@dataclass(frozen=True)
class Provider:
    """A code host.

    :param code: unique among the providers of a database; part of the address of its
        webhooks and the value of the field ``provider``
    :param label: its name for people
    :param system: the source system of its events, of ``SOURCE_SYSTEMS``
    :param event_header: the header that names the event of a delivery
    :param delivery_headers: the headers that may hold the id of a delivery, which a
        redelivery repeats; the first one that is there counts
    :param scheme: how it shows that it holds the secret
    :param adapt: function of event, delivery id and payload that returns
        :class:`~.adapters.Adapted`
    """

    code: str
    label: str
    system: str
    event_header: str
    delivery_headers: tuple[str, ...]
    scheme: Scheme
    adapt: Callable[[Any, Any, Any], Adapted]


Providers = Mapping[str, Provider]


def by_code(providers: Iterable[Provider]) -> dict[str, Provider]:
    """The providers by their code, in order.

    :raises ValueError: when two providers have one code, or one sends events of a
        source system that the contract does not know
    """
    found: dict[str, Provider] = {}
    for provider in providers:
        if provider.code in found:
            raise ValueError(f"Two providers have the code {provider.code}.")
        if provider.system not in SOURCE_SYSTEMS:
            raise ValueError(f"{provider.system} is no source system of the contract.")
        found[provider.code] = provider
    return found
