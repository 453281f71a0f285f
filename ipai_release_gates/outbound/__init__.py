"""How this server calls others: where to, how, when again. Plain Python: no Odoo."""

from .addresses import address_refusal
from .exchange import Answer, exchange
from .pauses import pause
from .places import Place, PlaceError, host_name, is_loopback, place_of

__all__ = [
    "Answer",
    "Place",
    "PlaceError",
    "address_refusal",
    "exchange",
    "host_name",
    "is_loopback",
    "pause",
    "place_of",
]
