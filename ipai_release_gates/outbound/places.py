"""Strict parsing of host names and URLs."""

import hashlib
import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import urlsplit

import idna

_PORTS = {"https": 443, "http": 80}
_MAX_URL = 2000
#: The characters of a URL (RFC 3986): no spaces, no control characters.
_URL = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+")
_LABELS = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*")


class PlaceError(ValueError):
    """A host name or URL is not accepted.

    ``str()`` is a code: ``name``, ``wildcard``, ``url``, ``scheme``, ``user`` or
    ``fragment``.
    """


@dataclass(frozen=True)
class Place:
    """Where a request goes.

    :param host: as :func:`host_name` returns it
    :param target: path and query, as in the request line
    """

    scheme: str
    host: str
    port: int
    target: str


def host_name(text: str | None) -> str:
    """A host name or IP address in normal form, for comparison.

    Names outside of ASCII are encoded by IDNA 2008, so that two names that only look
    alike differ.

    :raises PlaceError: when the text is neither
    """
    text = (text or "").strip().rstrip(".").lower()
    literal = _literal(text[1:-1] if text[:1] == "[" and text[-1:] == "]" else text)
    if literal:
        return str(literal)
    if "*" in text:
        raise PlaceError("wildcard")
    try:
        name: str = idna.encode(text, uts46=True).decode()
    except (idna.IDNAError, UnicodeError) as error:
        raise PlaceError("name") from error
    # Parsers disagree on a last label that is a number.
    if not _LABELS.fullmatch(name) or re.fullmatch(r"(.*\.)?(\d+|0x[0-9a-f]*)", name):
        raise PlaceError("name")
    return name


def is_loopback(host: str) -> bool:
    """Whether a host name means this machine."""
    literal = _literal(host)
    return literal.is_loopback if literal else host == "localhost"


def _literal(text: str) -> IPv4Address | IPv6Address | None:
    """The text as an IP address, or ``None``."""
    try:
        return ip_address(text)
    except ValueError:
        return None


def place_of(url: object) -> Place:
    """The place that a URL names.

    :raises PlaceError: when the value is no text or no URL that all parsers read alike
    """
    if not isinstance(url, str) or len(url) > _MAX_URL or not _URL.fullmatch(url):
        raise PlaceError("url")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise PlaceError("url") from error
    if parts.scheme not in _PORTS:
        raise PlaceError("scheme")
    if "@" in parts.netloc:
        raise PlaceError("user")
    if "#" in url:
        raise PlaceError("fragment")
    if not parts.hostname or port == 0:
        raise PlaceError("url")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Place(
        parts.scheme, host_name(parts.hostname), port or _PORTS[parts.scheme], target
    )


def digest_of(url: str) -> str:
    """A short digest of a URL: shows that it changed, and reveals nothing of it."""
    return hashlib.sha256(url.encode()).hexdigest()[:12]
