"""From the bytes of an HTTP body to JSON values and events, within bounds.

Stricter than ``json.loads`` where leniency would hide something: UTF-8 only, no
number that is none, no key twice in one object.
"""

from __future__ import annotations

import json
from typing import Any, NoReturn

from .envelope import MAX_BYTES
from .errors import Rejected

JSON = "application/json"
NDJSON = "application/x-ndjson"

#: One event: the envelope and what JSON writes around it.
MAX_EVENT_BYTES = MAX_BYTES + 4096
#: A list of events, or lines of them.
MAX_LIST_BYTES = 32 * 1024 * 1024
#: A webhook's delivery; GitHub sends no more than 25 MB.
MAX_DELIVERY_BYTES = 25 * 1024 * 1024
#: Every other body of this API.
MAX_BODY_BYTES = 1024 * 1024
MAX_EVENTS = 1000
#: Values in one body: each takes far more memory than the bytes it is written with.
MAX_VALUES = 2_000_000

_BLANK = b" \t\r\n"


class Unreadable(str):
    """A line that is no JSON: an event like any other, refused for that reason.

    It is the line itself, so that the log shows what was sent.
    """

    __slots__ = ("error",)

    error: Rejected

    def __new__(cls, line: str, error: Rejected) -> Unreadable:  # noqa: PYI034  Self is newer than the oldest Python
        self = super().__new__(cls, line)
        self.error = error
        return self


def read_json(body: bytes, *, what: str = "The body") -> Any:
    """Return the value that *body* is the JSON of.

    :param bytes body: as it was sent.
    :param str what: how messages call it.
    :raise Rejected: ``not_json``, or ``too_large`` for too many values.
    """
    _bound_values(body)
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise Rejected(
            "not_json", f"{what} must be UTF-8; byte {error.start} is not."
        ) from None
    try:
        return json.loads(text, parse_constant=_no_number, object_pairs_hook=_object)
    except RecursionError:
        reason = "it is nested too deep"
    except json.JSONDecodeError as error:
        reason = f"{error.msg.lower()} at line {error.lineno} column {error.colno}"
    except ValueError as error:  # also a number of more digits than Python reads
        reason = str(error) if isinstance(error, _NotJson) else "a number is too long"
    raise Rejected("not_json", f"{what} must be JSON: {reason}.")


def read_object(body: bytes) -> dict[str, Any]:
    """Return the JSON object that *body* is.

    :raise Rejected: ``not_json``, or ``invalid_field`` for another value.
    """
    value = read_json(body)
    if not isinstance(value, dict):
        raise Rejected("invalid_field", "Must be a JSON object.", "body")
    return value


def read_events(body: bytes, mimetype: str) -> tuple[list[Any], bool]:
    """Return ``(events, alone)`` of a body: a list, and whether it was one event.

    A line of NDJSON that cannot be read becomes an :class:`Unreadable`, so that it
    costs nobody but itself.

    :param bytes body: one envelope, a list of them, or one per line.
    :param str mimetype: ``JSON`` or ``NDJSON``.
    :raise Rejected: ``not_json`` or ``too_large``.
    """
    _bound_values(body)
    if mimetype == NDJSON:
        lines = [line for line in body.split(b"\n") if line.strip(_BLANK)]
        if len(lines) > MAX_EVENTS:
            # Before each line is read.
            raise Rejected(
                "invalid_field", f"Must have 1 to {MAX_EVENTS} lines.", "events"
            )
        return [_read_line(line) for line in lines], False
    if body.lstrip(_BLANK)[:1] != b"[" and len(body) > MAX_EVENT_BYTES:
        raise too_large(MAX_EVENT_BYTES)
    value = read_json(body)
    return (value, False) if isinstance(value, list) else ([value], True)


def too_large(limit: int) -> Rejected:
    """The refusal of a body of more than *limit* bytes."""
    return Rejected("too_large", f"The body must have at most {limit} bytes.")


def _read_line(line: bytes) -> Any:
    try:
        return read_json(line, what="The line")
    except Rejected as error:
        return Unreadable(line.decode("utf-8", "replace"), error)


def _bound_values(body: bytes) -> None:
    # Every value but the first follows one of these, be it as text inside another.
    if sum(map(body.count, (b",", b"[", b"{"))) > MAX_VALUES:
        raise Rejected("too_large", f"Must have at most {MAX_VALUES} values.")


class _NotJson(ValueError):
    pass


def _no_number(word: str) -> NoReturn:
    raise _NotJson(f"{word} is no number")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        known = [key for key, _value in pairs]
        twice = next(key for place, key in enumerate(known) if key in known[:place])
        raise _NotJson(f"{twice[:64]!a} is there twice in one object")
    return values
