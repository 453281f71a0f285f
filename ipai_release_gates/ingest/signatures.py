"""Whether the sender of a webhook holds its secret.

Every comparison takes constant time, and the number of comparisons does not depend on
their results: an answer and its duration reveal nothing but yes or no.
"""

import hashlib
import hmac
import secrets

PROVIDERS = ("github", "gitlab")
#: How many secrets are tried: the one in force and the former one.
TRIED = 2

# Stands in for a secret that is not there, so that its place is tried as well.
_NOBODYS = secrets.token_hex(32)


def new_secret():
    """A secret that nobody guesses, in letters that every form takes."""
    return secrets.token_urlsafe(32)


def kept(provider, secret):
    """What is kept of a secret: GitHub signs with it, GitLab only shows it."""
    if provider == "gitlab":
        return hashlib.sha256(secret.encode()).hexdigest()
    return secret


def is_genuine(provider, kept_secrets, body, headers):
    """Return whether a delivery shows one of the secrets.

    :param str provider: of ``PROVIDERS``.
    :param list kept_secrets: what :func:`kept` gave, at most ``TRIED`` of them; empty
        for a source that does not exist, which takes as long as one that does.
    :param bytes body: as it was sent.
    :param headers: the headers of the request, with ``get``.
    """
    tried = [*kept_secrets, *[None] * TRIED][:TRIED]
    if provider == "github":
        sent = headers.get("X-Hub-Signature-256") or ""
        expected = [f"sha256={_mac(secret, body)}" for secret in tried]
    else:
        token = headers.get("X-Gitlab-Token") or ""
        sent = hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
        expected = [secret or _NOBODYS for secret in tried]
    # Each is compared, the good one first or not.
    found = [hmac.compare_digest(sent.encode(), one.encode()) for one in expected]
    good = [match and bool(secret) for match, secret in zip(found, tried, strict=True)]
    return any(good)


def _mac(secret, body):
    return hmac.new((secret or _NOBODYS).encode(), body, hashlib.sha256).hexdigest()
