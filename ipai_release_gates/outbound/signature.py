"""Signatures of the Standard Webhooks specification, version 1 (symmetric).

HMAC-SHA256 over ``id.timestamp.body``, as standardwebhooks.com defines it: libraries of
many languages verify it.
"""

import base64
import hashlib
import hmac
import secrets

_PREFIX = "whsec_"
_BYTES = 32


def new_secret():
    """A secret, in the form in which libraries take it."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(_BYTES)).decode()


def signed_headers(secrets_in_force, message_id, timestamp, body):
    """The headers that prove where a message comes from.

    :param secrets_in_force: those that :func:`new_secret` made; one signature of each,
        so that a receiver goes on working while its secret is exchanged
    :param str message_id: the same for every attempt
    :param int timestamp: of this attempt, seconds since 1970
    :param bytes body: exactly what is sent
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
