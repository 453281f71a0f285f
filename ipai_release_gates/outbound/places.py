"""Names of hosts and addresses of the web, read strictly."""

import hashlib
import re
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

import idna

_PORTS = {"https": 443, "http": 80}
_MAX_URL = 2000
#: What an address of the web is written with (RFC 3986); no space, no control.
_URL = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+")
_LABELS = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*")


class PlaceError(ValueError):
    """What is wrong with a host name or an address of the web.

    ``str()`` is a code: ``name``, ``wildcard``, ``url``, ``scheme``, ``user`` or
    ``fragment``.
    """


@dataclass(frozen=True)
class Place:
    """Where a call goes.

    :param str host: as :func:`host_name` writes it
    :param str target: path and query, as the request line has it
    """

    scheme: str
    host: str
    port: int
    target: str


def host_name(text):
    """A host name or IP address in the one way it is compared in.

    Names that are not ASCII come out as IDNA 2008 has them, so that two which only look
    alike differ.

    :raises PlaceError: for what is neither
    """
    text = (text or "").strip().rstrip(".").lower()
    literal = _literal(text[1:-1] if text[:1] == "[" and text[-1:] == "]" else text)
    if literal:
        return str(literal)
    if "*" in text:
        raise PlaceError("wildcard")
    try:
        name = idna.encode(text, uts46=True).decode()
    except (idna.IDNAError, UnicodeError) as error:
        raise PlaceError("name") from error
    # A last label of digits only: parsers disagree on what number it is.
    if not _LABELS.fullmatch(name) or re.fullmatch(r"(.*\.)?(\d+|0x[0-9a-f]*)", name):
        raise PlaceError("name")
    return name


def is_loopback(host):
    """Whether a host name stands for this machine."""
    literal = _literal(host)
    return literal.is_loopback if literal else host == "localhost"


def _literal(text):
    """The IP address that a text is, or ``None``."""
    try:
        return ip_address(text)
    except ValueError:
        return None


def place_of(url):
    """Where an address of the web leads.

    :raises PlaceError: for what is not plainly such an address
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


def digest_of(url):
    """A few digits by which a changed address is told, and nothing of it."""
    return hashlib.sha256(url.encode()).hexdigest()[:12]
