"""Whether the sender of a webhook holds its secret.

Every comparison takes constant time, and the number of comparisons does not depend on
their results: an answer and its duration reveal nothing but yes or no.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

#: How many secrets are tried: the one in force and the former one.
TRIED = 2

# Stands in for a secret that is not there, so that its place is tried as well.
_NOBODYS = secrets.token_hex(32)


def _as_it_is(text: str) -> str:
    return text


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def _hmac_sha256(kept: str, body: bytes) -> str:
    return f"sha256={hmac.new(kept.encode(), body, hashlib.sha256).hexdigest()}"


@dataclass(frozen=True)
class Scheme:
    """How a sender shows that it holds a secret.

    :param header: the header of a request that shows it
    :param keep: from the secret, the text that is kept of it
    :param read: from the header, the text that is compared
    :param expected: from the kept text and the body, the text that the header must give
    """

    header: str
    keep: Callable[[str], str]
    read: Callable[[str], str]
    expected: Callable[[str, bytes], str]


#: The sender signs the body with the secret: ``sha256=<HMAC>``.
SIGNED = Scheme("X-Hub-Signature-256", _as_it_is, _as_it_is, _hmac_sha256)
#: The sender shows the secret itself; only its hash is kept.
SHOWN = Scheme("X-Gitlab-Token", _sha256, _sha256, lambda kept, _body: kept)


def new_secret() -> str:
    """A secret that nobody guesses, in letters that every form takes."""
    return secrets.token_urlsafe(32)


def is_genuine(
    scheme: Scheme,
    kept_secrets: Sequence[str],
    body: bytes,
    headers: Mapping[str, str],
) -> bool:
    """Return whether a delivery shows one of the secrets.

    :param scheme: how its sender shows it.
    :param kept_secrets: what ``scheme.keep`` gave, at most ``TRIED`` of them; empty
        for a source that does not exist, which takes as long as one that does.
    :param body: as it was sent.
    :param headers: the headers of the request, with ``get``.
    """
    tried = [*kept_secrets, *[None] * TRIED][:TRIED]
    sent = scheme.read(headers.get(scheme.header) or "").encode("utf-8", "replace")
    expected = [scheme.expected(secret or _NOBODYS, body) for secret in tried]
    # Each is compared, the good one first or not.
    found = [hmac.compare_digest(sent, one.encode()) for one in expected]
    good = [match and bool(secret) for match, secret in zip(found, tried, strict=True)]
    return any(good)
