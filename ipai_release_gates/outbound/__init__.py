"""Outbound HTTP: allowed addresses, one exchange, pauses, signatures. No Odoo."""

from .addresses import address_refusal
from .exchange import Answer, exchange
from .pauses import pause
from .places import Place, PlaceError, digest_of, host_name, is_loopback, place_of
from .signature import new_secret, signed_headers

__all__ = [
    "Answer",
    "Place",
    "PlaceError",
    "address_refusal",
    "digest_of",
    "exchange",
    "host_name",
    "is_loopback",
    "new_secret",
    "pause",
    "place_of",
    "signed_headers",
]
