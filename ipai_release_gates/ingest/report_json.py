"""JSON of reports, within bounds of size, depth and count."""

from __future__ import annotations

from typing import Any

from .errors import Rejected
from .report import Document, bounded, unreadable
from .transport import read_json

MAX_DEPTH = 100
#: Objects, lists and their members; each may take a hundred bytes of memory.
MAX_VALUES = 1_000_000

_BOM = b"\xef\xbb\xbf"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


def read_document(data: bytes, what: str, max_bytes: int) -> Document:
    """Return the object that a JSON report is, as a :class:`Document`.

    :param bytes data: the file; a byte order mark of UTF-8 is passed over
    :param str what: the format, for messages
    :param int max_bytes: refuse more than this, before reading
    :raise Rejected: too large, too deep, too many values, or no JSON object; also
        where a key stands twice in one object, since readers differ in which counts
    """
    bounded(data, max_bytes)
    if data.startswith(_UTF16):
        raise unreadable("The report must be UTF-8, not UTF-16.")
    data = data.removeprefix(_BOM)
    if data.lstrip()[:1] == b"<":
        raise unreadable(f"This is XML; {what} is read as JSON only: convert it.")
    # Before anything is built of it. Text counts its commas as well.
    if sum(map(data.count, (b"{", b"[", b","))) > MAX_VALUES:
        message = f"The report holds more than {MAX_VALUES} values."
        raise unreadable(message, "too_large")
    try:
        value = read_json(data, what="The report")
    except Rejected as error:
        raise unreadable(error.message) from None
    document = Document(value).of(dict)
    if _too_deep(value):
        raise unreadable(f"The report is nested more than {MAX_DEPTH} deep.")
    return document


def _too_deep(value: Any) -> bool:
    level = [value]
    for _depth in range(MAX_DEPTH):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, (dict, list))
        ]
        if not level:
            return False
    return True
