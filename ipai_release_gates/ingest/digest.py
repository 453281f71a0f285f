"""Fingerprint and storable text of a submission, before anything checked it.

Both take any Python value, never raise, and agree between processes and versions
of Python, since every submission is logged before it is understood.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import re
from collections.abc import Iterator
from typing import Any
from xmlrpc.client import Binary, DateTime

_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
_TEXT, _VALUE, _LEAVE = range(3)


def payload_digest(raw: object) -> str:
    """Return the hexadecimal SHA-256 by which two submissions count as the same.

    It is taken over canonical JSON (sorted keys, no spaces, UTF-8) of the whole
    envelope except ``emitted_at``: a client that lost our answer may rebuild the
    envelope for its retry, with a new time of sending and not one different fact.
    Everything else belongs to the payload that an idempotency key stands for.

    :param raw: any value; what JSON cannot hold enters by its type and content.
    """
    if isinstance(raw, dict) and "emitted_at" in raw:
        raw = {key: value for key, value in raw.items() if key != "emitted_at"}
    return hashlib.sha256(_encode(raw, sort_keys=True)).hexdigest()


def raw_text(raw: object, limit: int) -> str:
    """Return *raw* as text that PostgreSQL can store, at most *limit* characters.

    JSON values come out as JSON that loads back to the same value, unless the text
    had to be cut; a cut one ends by saying how long it was.
    """
    text = _encode(raw, sort_keys=False).decode()
    if len(text) <= limit:
        return text
    mark = f"… [cut, {len(text)} characters]"
    return text[: limit - len(mark)] + mark if limit > len(mark) else text[:limit]


def _encode(value: object, sort_keys: bool) -> bytes:
    try:
        text = json.dumps(
            value, ensure_ascii=False, separators=(",", ":"), sort_keys=sort_keys
        )
    except (TypeError, ValueError, RecursionError):
        text = "".join(_walk(value, sort_keys))
    # A lone surrogate becomes its JSON escape; JSON escapes NUL by itself.
    return text.encode("utf-8", "backslashreplace")


def _walk(value: object, sort_keys: bool) -> Iterator[str]:
    """Yield the JSON of *value* piece by piece, without recursion.

    Writes the same text as ``json.dumps`` where that can write any, since depth at
    which the latter gives up depends on the caller's stack.
    """
    stack: list[tuple[int, Any]] = [(_VALUE, value)]
    inside: set[int] = set()
    while stack:
        action, item = stack.pop()
        if action == _TEXT:
            yield item
        elif action == _LEAVE:
            inside.discard(item)
        elif not isinstance(item, (dict, list, tuple)):
            yield _scalar(item)
        elif id(item) in inside:
            yield '"<cycle>"'
        else:
            inside.add(id(item))
            steps = _steps(item, sort_keys)
            stack += [(_LEAVE, id(item)), *reversed(steps)]


def _steps(item: Any, sort_keys: bool) -> list[tuple[int, Any]]:
    if isinstance(item, dict):
        pairs = [(_scalar(key, key=True), value) for key, value in item.items()]
        if sort_keys:
            pairs.sort(key=lambda pair: json.loads(pair[0]))
        heads = [f"{key}:" for key, _value in pairs]
        values, brackets = [value for _key, value in pairs], "{}"
    else:
        heads, values, brackets = [""] * len(item), item, "[]"
    steps = [(_TEXT, brackets[0])]
    for position, (head, value) in enumerate(zip(heads, values, strict=True)):
        steps += [(_TEXT, ("," if position else "") + head), (_VALUE, value)]
    return [*steps, (_TEXT, brackets[1])]


def _scalar(value: object, key: bool = False) -> str:
    if isinstance(value, str) or (
        not key and (value is None or isinstance(value, (bool, int, float)))
    ):
        try:
            return json.dumps(value, ensure_ascii=False)
        except ValueError:  # an int of more digits than Python will print
            value = hex(int(value or 0))
    return json.dumps(_described(value), ensure_ascii=False)


def _described(value: Any) -> str:
    if isinstance(value, Binary):
        value = value.data
    if isinstance(value, (bytes, bytearray)):
        return f"<bytes {bytes(value).hex()}>"
    if isinstance(value, DateTime):
        return f"<dateTime {value.value}>"
    if isinstance(value, datetime.date):
        return f"<{type(value).__name__} {value.isoformat()}>"
    try:
        return f"<{type(value).__name__} {_ADDRESS.sub('', repr(value))}>"
    except Exception:  # noqa: BLE001  a foreign __repr__ may raise anything
        return f"<{type(value).__name__}>"
