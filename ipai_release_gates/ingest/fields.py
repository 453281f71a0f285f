"""The readers of the contract's values, by what they are.

Lengths are in characters unless a name says bytes. The names of ``reading`` and
``combining`` are here as well, so that a record is written with one import.
"""

from __future__ import annotations

import base64
import binascii
import datetime
import re
from typing import Any
from urllib.parse import urlsplit
from xmlrpc.client import DateTime

from .combining import (
    MAX_METADATA_BYTES,
    MAX_METADATA_DEPTH,
    MAX_PROBLEMS,
    Fields,
    FreeFormReader,
    LineReader,
    ListReader,
    RecordReader,
    WordReader,
    free_form,
    line,
    list_of,
    one_of,
    read_record,
    record,
    schema_of,
)
from .reading import (
    Invalid,
    Reader,
    described,
    kind_of,
    path_of,
    show,
    string,
    whole,
)

__all__ = [
    "MAX_METADATA_BYTES",
    "MAX_METADATA_DEPTH",
    "MAX_PROBLEMS",
    "Fields",
    "FreeFormReader",
    "Invalid",
    "LineReader",
    "ListReader",
    "Reader",
    "RecordReader",
    "WordReader",
    "described",
    "free_form",
    "kind_of",
    "line",
    "list_of",
    "one_of",
    "path_of",
    "read_record",
    "record",
    "schema_of",
    "show",
    "string",
    "whole",
]

MAX_NAME = 128
MAX_KEY = 255
MAX_TEXT = 10_000
MAX_URL = 2048
MAX_EMAIL = 254
MAX_AUTHORS = 100
MAX_CONTENT_BYTES = 10 * 1024 * 1024
MAX_ID = 2**31 - 1

_NAME = re.compile(r"[A-Za-z0-9_.:/ \-]+")
_CODE = re.compile(r"[a-z][a-z0-9_]{0,63}")
_GATE_CODE = re.compile(r"[A-Z][A-Z0-9_]{0,15}")
_PROJECT = re.compile(r"[A-Za-z0-9_.\-]+(/[A-Za-z0-9_.\-]+)+")
_COMMIT = re.compile(r"[0-9a-fA-F]{40}|[0-9a-fA-F]{64}")
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_RECORD_ID = re.compile(r"[1-9][0-9]{0,9}")
_KEY = re.compile(r"[!-~]+")
_EMAIL = re.compile(r"[^@\s,;<>\"]+@[^@\s,;<>\"]+")
_ACTIVE_SCHEME = re.compile(r"\s*(javascript|vbscript|data|file)\s*:", re.IGNORECASE)
_MOMENT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([0-9]{2}:[0-9]{2})(:[0-9]{2})?"
    r"(?:[.,]([0-9]{1,9}))?([Zz]|[+-][0-9]{2}(?::?[0-9]{2})?)"
)


def is_uuid(value: object) -> bool:
    """Whether *value* is the text of a uuid in its usual form."""
    return isinstance(value, str) and bool(_UUID.fullmatch(value))


@described(type="string", minLength=1, maxLength=MAX_TEXT)
def text(value: object) -> str:
    """Read free text of at most ``MAX_TEXT`` characters, not blank."""
    value = string(value)
    if len(value) > MAX_TEXT:
        raise Invalid(f"Must have at most {MAX_TEXT} characters, has {len(value)}.")
    if not value.strip():
        raise Invalid("Must not be empty.")
    return value


def _matching(pattern: re.Pattern[str], limit: int, rule: str) -> Reader[str]:
    one_line = line(limit)

    @described(type="string", maxLength=limit, pattern=whole(pattern))
    def read(value: object) -> str:
        value = one_line(value)
        if not pattern.fullmatch(value):
            raise Invalid(f"Must be {rule}, not {show(value)}.")
        return value

    return read


name = _matching(_NAME, MAX_NAME, "letters, digits, spaces and _ . : / - only")
code = _matching(_CODE, 64, "a lower-case code such as release_manager")
gate_code = _matching(_GATE_CODE, 16, "a gate code such as G1")
project = _matching(_PROJECT, 255, "a repository as owner/name")
external_id = line(MAX_NAME)


@described(type="boolean")
def boolean(value: object) -> bool:
    """Read true or false, nothing that merely resembles them."""
    if not isinstance(value, bool):
        raise Invalid(f"Must be true or false, not {kind_of(value)}.")
    return value


@described(type="string", pattern=whole(_COMMIT), examples=["4f2c9ab0" * 5])
def commit(value: object) -> str:
    """Read a full commit SHA (SHA-1 or SHA-256), lower-cased."""
    value = string(value)
    if not _COMMIT.fullmatch(value):
        raise Invalid(
            "Must be the full commit SHA, 40 or 64 hexadecimal digits (no short"
            f" SHA, no branch or tag name), not {show(value)}."
        )
    if not value.strip("0"):
        raise Invalid("Must be a commit; all zeros is how git says there is none.")
    return value.lower()


@described(type="string", pattern=whole(_SHA256))
def sha256(value: object) -> str:
    """Read a hexadecimal SHA-256, lower-cased."""
    value = string(value)
    if not _SHA256.fullmatch(value):
        raise Invalid("Must be a SHA-256 in 64 hexadecimal digits.")
    return value.lower()


@described(type="string", format="uri", maxLength=MAX_URL, pattern="^https?://")
def url(value: object) -> str:
    """Read an ``http(s)`` address with a host and without credentials."""
    value = string(value)
    if len(value) > MAX_URL:
        raise Invalid(f"Must have at most {MAX_URL} characters, has {len(value)}.")
    if not value.isprintable() or re.search(r"[\s\\]", value):
        raise Invalid("Must be a URL without spaces, backslashes, control characters.")
    try:
        parts = urlsplit(value)
        host = parts.hostname
        parts.port  # noqa: B018  raises ValueError when it is not a port number
    except ValueError:
        raise Invalid("Must be a well-formed URL.") from None
    if parts.scheme not in ("http", "https") or not host:
        raise Invalid("Must be an http or https URL with a host.")
    if "@" in parts.netloc:
        raise Invalid("Must not carry credentials in the URL.")
    return value


@described(type="string", minLength=1, maxLength=MAX_URL)
def reference(value: object) -> str:
    """Read where an artifact is: an ``http(s)`` URL, a path, an image digest.

    What looks like a URL must be a safe one, because people will click on it.
    """
    value = line(MAX_URL)(value)
    if "://" in value:
        return url(value)
    if _ACTIVE_SCHEME.match(value):
        raise Invalid("Must be an http or https URL, a path or a digest.")
    return value


@described(type="string", maxLength=MAX_EMAIL, pattern=whole(_EMAIL))
def email(value: object) -> str:
    """Read an e-mail address, stripped and lower-cased.

    As loose as what git writes into commits (``bot[bot]@users.noreply.github.com``,
    ``root@localhost``): an author who cannot be resolved to a user must arrive here
    and block, rather than be impossible to name.
    """
    value = line(MAX_EMAIL)(value)
    if not _EMAIL.fullmatch(value):
        raise Invalid(f"Must be an e-mail address, not {show(value)}.")
    return value.lower()


@described(type="string", format="date-time")
def moment(value: object) -> datetime.datetime:
    """Read an ISO 8601 date and time with offset; return it aware, in UTC.

    Takes ``Z`` and nine fractional digits (cut to microseconds) on every Python;
    ``datetime.fromisoformat`` alone takes them only since 3.11.
    """
    if isinstance(value, (DateTime, datetime.date)):
        raise Invalid(
            f"Must be text in ISO 8601 with an offset, not {kind_of(value)},"
            " which has no offset one could trust."
        )
    match = _MOMENT.fullmatch(string(value))
    if not match:
        raise Invalid(
            "Must be ISO 8601 with an offset such as 2026-01-31T09:30:00Z,"
            f" not {show(value)}."
        )
    day, minute, second, fraction, offset = match.groups()
    if offset in "Zz":
        offset = "+00:00"
    else:
        digits = offset[1:].replace(":", "").ljust(4, "0")
        offset = f"{offset[0]}{digits[:2]}:{digits[2:]}"
    fraction = (fraction or "").ljust(6, "0")[:6]
    try:
        return datetime.datetime.fromisoformat(
            f"{day}T{minute}{second or ':00'}.{fraction}{offset}"
        ).astimezone(datetime.timezone.utc)
    except (ValueError, OverflowError):
        raise Invalid(f"Must be a date and time that exists: {show(value)}.") from None


@described(type="string", minLength=1, maxLength=MAX_KEY, pattern=whole(_KEY))
def idempotency_key(value: object) -> str:
    """Read a key of 1 to ``MAX_KEY`` visible ASCII characters."""
    value = string(value)
    if not 1 <= len(value) <= MAX_KEY:
        raise Invalid(f"Must have 1 to {MAX_KEY} characters, has {len(value)}.")
    if not _KEY.fullmatch(value):
        raise Invalid("Must be printable ASCII without spaces.")
    return value


@described(type="string", minLength=1, maxLength=255)
def filename(value: object) -> str:
    """Read a bare file name, never a path."""
    value = string(value)
    if value != value.strip() or not value or value in (".", ".."):
        raise Invalid("Must be a file name without spaces around it.")
    if len(value.encode()) > 255 or not value.isprintable():
        raise Invalid("Must be a printable file name of at most 255 bytes.")
    if "/" in value or "\\" in value:
        raise Invalid("Must be a bare file name, not a path.")
    return value


@described(type="string", contentEncoding="base64", minLength=4)
def content(value: object) -> bytes:
    """Read strict base64; return the bytes, 1 to ``MAX_CONTENT_BYTES`` of them.

    The size is known from the encoded length, so too much is never decoded.
    """
    if not isinstance(value, str):
        raise Invalid(f"Must be base64 as text, not {kind_of(value)}.")
    size = len(value) // 4 * 3 - value[-2:].count("=")
    if size > MAX_CONTENT_BYTES:
        raise Invalid(
            f"Must decode to at most {MAX_CONTENT_BYTES} bytes, is {size};"
            " store the file elsewhere and send its url and sha256.",
            code="too_large",
        )
    try:
        data = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        data = None
    # Encoding again also catches stray trailing bits, which b64decode lets pass.
    if data is None or base64.b64encode(data).decode() != value:
        raise Invalid("Must be strict base64, padded and without line breaks.")
    if not data:
        raise Invalid("Must not be empty.")
    return data


_emails = list_of(email, least=1, most=MAX_AUTHORS)


@described(**_emails.schema)
def authors(value: object) -> list[str]:
    """Read 1 to ``MAX_AUTHORS`` e-mail addresses; return them without repeats."""
    return list(dict.fromkeys(_emails(value)))


metadata = free_form(dict)

_RELEASE_BY_NAME = record(
    {"project": project, "name": line(MAX_KEY)}, what="a release's address"
)


@described(
    anyOf=[
        {"type": "string", "pattern": whole(_UUID), "description": "its uuid"},
        {"type": "integer", "minimum": 1, "maximum": MAX_ID},
        {"type": "string", "pattern": "^[1-9][0-9]{0,8}$"},
        _RELEASE_BY_NAME.schema,
    ]
)
def release_id(value: object) -> int | str | dict[str, Any]:
    """Read a uuid (returned lower-case), a database id (returned as int), or
    ``{"project", "name"}`` (returned as such a dict)."""
    if isinstance(value, dict):
        return _RELEASE_BY_NAME(value)
    if isinstance(value, int) and not isinstance(value, bool):
        if not 1 <= value <= MAX_ID:
            raise Invalid("Must be a database id above 0.")
        return value
    if isinstance(value, str):
        if _UUID.fullmatch(value):
            return value.lower()
        if _RECORD_ID.fullmatch(value) and int(value) <= MAX_ID:
            return int(value)
    raise Invalid(
        "Must be a release's uuid, its database id, or an object with project and"
        f" name, not {show(value)}."
    )
