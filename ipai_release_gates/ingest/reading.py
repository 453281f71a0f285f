"""What a reader of an untrusted value is, and how it says what is wrong.

A reader is a function ``value -> normalised value`` that raises :class:`Invalid` and
describes itself as JSON Schema. It is never given ``None``: a record treats ``None`` as
an absent field. Every other value of the wrong type is an error, ``False`` included
(XML-RPC clients send it for a missing value, but a fact whose value was lost must not
pass for one that never had it).
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeVar
from xmlrpc.client import Binary, DateTime

#: A path in a value: keys and list positions.
Path = tuple[Any, ...]
#: Where, a sentence, and the code of a refusal.
Problem = tuple[Path, str, str]
Schema = dict[str, Any]

T = TypeVar("T")

_KINDS: tuple[tuple[Any, str], ...] = (
    (bool, "a boolean"),
    (int, "a number"),
    (float, "a number"),
    (str, "text"),
    ((list, tuple), "a list"),
    (dict, "an object"),
    ((bytes, bytearray), "binary data"),
    (Binary, "an XML-RPC base64 value"),
    (DateTime, "an XML-RPC dateTime value"),
    ((datetime.datetime, datetime.date), "a date object"),
    (type(None), "null"),
)


class Invalid(Exception):
    """One or more faults in a value.

    :param str message: a sentence a person can act on.
    :param tuple at: where, relative to the value read: keys and list positions.
    :param str code: the machine's word for it.

    ``problems`` holds ``(at, message, code)`` triples; :meth:`of` builds one
    exception from many.
    """

    def __init__(
        self, message: str, at: Iterable[Any] = (), code: str = "invalid_field"
    ) -> None:
        super().__init__(message)
        self.problems: list[Problem] = [(tuple(at), message, code)]

    @classmethod
    def of(cls, problems: list[Problem]) -> Invalid:
        """Return one exception that carries all *problems*, which is not empty."""
        error = cls(problems[0][1])
        error.problems = list(problems)
        return error

    def under(self, step: Any) -> list[Problem]:
        """Return the problems as seen from one level further out."""
        return [((step, *at), message, code) for at, message, code in self.problems]


def kind_of(value: Any) -> str:
    """Return what *value* is, in words: ``"a list"``."""
    for types, words in _KINDS:
        if isinstance(value, types):
            return words
    return f"a {type(value).__name__} object"


def show(value: Any) -> str:
    """Return *value* as short, printable ASCII for use in a message."""
    if not isinstance(value, str):
        return kind_of(value)
    return ascii(value) if len(value) <= 64 else f"{value[:64]!a}…"


def path_of(at: Iterable[Any]) -> str:
    """Return the dotted path of *at*: ``payload.checks[2].status``."""
    path = ""
    for step in at:
        if isinstance(step, int) and not isinstance(step, bool):
            path += f"[{step}]"
            continue
        word = step if isinstance(step, str) else show(step)
        if not (word and word.isascii() and word.isprintable() and len(word) <= 64):
            word = show(word)
        path += f".{word}" if path else word
    return path


class Reader(Generic[T]):
    """A reader with what it takes in JSON Schema.

    The HTTP API is described from the schema. What it cannot say (that a date exists,
    that two fields agree) the reader still checks.
    """

    def __init__(self, read: Callable[[Any], T], schema: Schema) -> None:
        self._read = read
        self.schema = schema
        self.__doc__ = read.__doc__

    def __call__(self, value: Any) -> T:
        return self._read(value)


def described(**schema: Any) -> Callable[[Callable[[Any], T]], Reader[T]]:
    """Make a function a :class:`Reader` with a JSON Schema."""

    def mark(read: Callable[[Any], T]) -> Reader[T]:
        return Reader(read, schema)

    return mark


def whole(pattern: re.Pattern[str]) -> str:
    """The JSON Schema pattern of a compiled one that must match a whole text."""
    return f"^(?:{pattern.pattern})$"


@described(type="string")
def string(value: Any) -> str:
    """Read text that PostgreSQL can store: no NUL, no lone surrogate."""
    if not isinstance(value, str):
        raise Invalid(f"Must be text, not {kind_of(value)}.")
    if "\x00" in value:
        raise Invalid("Must not contain a NUL character.")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise Invalid("Must be valid Unicode (lone surrogate found).") from None
    return value
