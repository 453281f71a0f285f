"""Canonical JSON: the only form in which a value is hashed."""

from __future__ import annotations

import json
from typing import Any

MAX_DEPTH = 100


def canonical_json(value: Any) -> bytes:
    """Return *value* as canonical JSON in UTF-8.

    Keys sorted by code point, no white space, no escape but those that JSON demands:
    the same value gives the same bytes on every machine. Floats have no such form
    (and JSON columns rewrite them), so they are refused rather than rounded; times
    enter as text.

    :param value: None, bool, int, str, and lists, tuples and dicts of these.
    :return: bytes.
    :raise TypeError: naming the path of a float, a key that is no text, or any other
        type.
    :raise ValueError: naming the path of text that cannot be stored (a lone
        surrogate, NUL), or of what is nested deeper than ``MAX_DEPTH``.
    """
    _check(value, "value", 0)
    return json.dumps(
        value, ensure_ascii=False, separators=(",", ":"), sort_keys=True
    ).encode()


def _check(value: Any, path: str, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise ValueError(f"{path[:200]}…: nested deeper than {MAX_DEPTH}")
    if isinstance(value, str):
        _check_text(value, path)
    elif isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise TypeError(f"{path}: the key {key!r} is not text")
            _check_text(key, f"{path}: a key")
            _check(item, f"{path}.{key}", depth + 1)
    elif isinstance(value, (list, tuple)):
        for position, item in enumerate(value):
            _check(item, f"{path}[{position}]", depth + 1)
    elif value is not None and not isinstance(value, int):
        raise TypeError(f"{path}: {type(value).__name__} has no canonical form")


def _check_text(text: str, path: str) -> None:
    if "\x00" in text:
        raise ValueError(f"{path}: contains a NUL character")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise ValueError(f"{path}: contains a lone surrogate") from None
