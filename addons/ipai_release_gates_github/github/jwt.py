"""How a GitHub App proves who it is: a JSON Web Token signed with its private key.

The two lines of RFC 7515 that this needs are written out here: Odoo brings
``cryptography``, but no library for tokens.
"""

import base64
import json

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

#: GitHub advises to date a token back, against clocks that differ, and refuses one that
#: lives for more than ten minutes.
_BACK, _LIFE = 60, 540
_SMALLEST = 2048


class KeyRefused(ValueError):
    """What was given is no private key that GitHub would have made."""


def read_key(pem: str | None) -> rsa.RSAPrivateKey:
    """Read the private key of a GitHub App.

    :param pem: as GitHub lets it be downloaded; where it comes from an environment
        variable, its lines may be parted by ``\\n`` in letters
    :returns: an RSA private key
    :raises KeyRefused: saying what is wrong with it, and nothing of what is in it
    """
    text = (pem or "").strip().replace("\\n", "\n")
    if "-----BEGIN" not in text:
        raise KeyRefused("it does not start with -----BEGIN RSA PRIVATE KEY-----")
    try:
        key = serialization.load_pem_private_key(text.encode(), password=None)
    except TypeError:
        raise KeyRefused("it is locked with a password") from None
    except (ValueError, UnsupportedAlgorithm):
        raise KeyRefused("it cannot be read; paste the whole file, all lines") from None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise KeyRefused("it is no RSA key")
    if key.key_size < _SMALLEST:
        raise KeyRefused(f"it has {key.key_size} bits, fewer than {_SMALLEST}")
    return key


def fingerprint(key: rsa.RSAPrivateKey) -> str:
    """The fingerprint that GitHub shows next to a key in the settings of the app."""
    public = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    digest = hashes.Hash(hashes.SHA256())
    digest.update(public)
    return "SHA256:" + base64.b64encode(digest.finalize()).decode()


def app_jwt(key: rsa.RSAPrivateKey, issuer: str, now: int) -> str:
    """A token with which the app asks for tokens of its installations.

    :param key: of :func:`read_key`
    :param issuer: client id, or id, of the app
    :param now: seconds since 1970
    :returns: the token, to be sent as bearer
    """
    claims: dict[str, object] = {"iat": now - _BACK, "exp": now + _LIFE, "iss": issuer}
    signed = _part({"alg": "RS256", "typ": "JWT"}) + b"." + _part(claims)
    signature = key.sign(signed, padding.PKCS1v15(), hashes.SHA256())
    return (signed + b"." + _encode(signature)).decode()


def _part(value: dict[str, object]) -> bytes:
    return _encode(json.dumps(value, separators=(",", ":")).encode())


def _encode(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")
