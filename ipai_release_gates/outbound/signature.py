"""Signatures of the Standard Webhooks specification, version 1 (symmetric).

HMAC-SHA256 over ``id.timestamp.body``, as standardwebhooks.com defines it. Libraries of
many languages verify these signatures.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable

_PREFIX = "whsec_"
_BYTES = 32


def new_secret() -> str:
    """A new random secret, in the form of the specification."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(_BYTES)).decode()


def signed_headers(
    secrets_in_force: Iterable[str], message_id: str, timestamp: int, body: bytes
) -> dict[str, str]:
    """The headers that prove the origin of a message.

    :param secrets_in_force: secrets of :func:`new_secret`. Each gives one signature, so
        that a receiver accepts messages while its secret is being replaced
    :param message_id: the same for every attempt
    :param timestamp: of this attempt, seconds since 1970
    :param body: the exact bytes that are sent
    :returns: headers by name
    """
    signed = f"{message_id}.{timestamp}.".encode() + body
    signatures = []
    for secret in secrets_in_force:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
        digest = hmac.new(key, signed, hashlib.sha256).digest()
        signatures.append(f"v1,{base64.b64encode(digest).decode()}")
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signatures),
    }
