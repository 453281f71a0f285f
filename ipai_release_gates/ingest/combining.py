"""Readers that are made of other readers: records, lists, words, free-form values."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Generic, TypeVar

from .reading import (
    Invalid,
    Path,
    Problem,
    Reader,
    Schema,
    kind_of,
    show,
    string,
)

MAX_METADATA_BYTES = 64 * 1024
MAX_METADATA_DEPTH = 20
MAX_PROBLEMS = 100

#: Name of a field → its reader.
Fields = Mapping[str, Reader[Any]]
#: Key in lower case → message and code, for keys that deserve more than "unknown".
Refusals = Mapping[str, tuple[str, str]]
#: Checks what was sent and what was read of it; may change the latter.
Rule = Callable[[dict[Any, Any], dict[str, Any]], None]

T = TypeVar("T")


class LineReader(Reader[str]):
    """A reader of one line of at most ``limit`` characters."""

    def __init__(self, read: Callable[[Any], str], schema: Schema, limit: int) -> None:
        super().__init__(read, schema)
        self.limit = limit


class WordReader(Reader[str]):
    """A reader of one of some ``words``."""

    def __init__(
        self, read: Callable[[Any], str], schema: Schema, words: tuple[str, ...]
    ) -> None:
        super().__init__(read, schema)
        self.words = words


class FreeFormReader(Reader[Any]):
    """A reader of JSON values whose outermost type is one of ``types``."""

    def __init__(
        self, read: Callable[[Any], Any], schema: Schema, types: tuple[type, ...]
    ) -> None:
        super().__init__(read, schema)
        self.types = types


class RecordReader(Reader[dict[str, Any]]):
    """A reader of an object with the fields ``required`` and ``optional``."""

    def __init__(
        self,
        read: Callable[[Any], dict[str, Any]],
        required: Fields,
        optional: Fields,
    ) -> None:
        super().__init__(read, schema_of(required, optional))
        self.required = required
        self.optional = optional


class ListReader(Reader[list[T]], Generic[T]):
    """A reader of a list of ``least`` to ``most`` values that ``item`` reads."""

    def __init__(
        self,
        read: Callable[[Any], list[T]],
        item: Reader[T],
        least: int,
        most: int,
    ) -> None:
        schema = {
            "type": "array",
            "minItems": least,
            "maxItems": most,
            "items": item.schema,
        }
        super().__init__(read, schema)
        self.item, self.least, self.most = item, least, most


def line(limit: int) -> LineReader:
    """Return a reader of one stripped printable line of 1 to *limit* characters."""

    def read(value: object) -> str:
        value = string(value).strip()
        if not value:
            raise Invalid("Must not be empty.")
        if len(value) > limit:
            raise Invalid(f"Must have at most {limit} characters, has {len(value)}.")
        if not value.isprintable():
            raise Invalid("Must be one line without control characters.")
        return value

    schema = {"type": "string", "minLength": 1, "maxLength": limit}
    return LineReader(read, schema, limit)


def one_of(*words: str) -> WordReader:
    """Return a reader that takes exactly the given words."""

    def read(value: Any) -> str:
        word = string(value)
        if word not in words:
            raise Invalid(f"Must be one of {', '.join(words)}, not {show(value)}.")
        return word

    return WordReader(read, {"enum": list(words)}, words)


class _FreeForm:
    """One walk over a free-form value: copies it, counts it, notes what is wrong."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.size = 0

    def read(self, value: Any, at: Path = (), depth: int = 1) -> Any:
        self.size += 1
        if isinstance(value, str):
            self.size += len(value)
        # Checked on the way, so that a huge value is not walked to its end.
        if self.size > MAX_METADATA_BYTES:
            raise Invalid(f"Must have at most {MAX_METADATA_BYTES} bytes as JSON.")
        if not isinstance(value, (dict, list)):
            return self.scalar(value, at)
        if depth > MAX_METADATA_DEPTH:
            self.note(at, f"Must be nested at most {MAX_METADATA_DEPTH} deep.")
            return None
        if isinstance(value, list):
            return [
                self.read(item, (*at, position), depth + 1)
                for position, item in enumerate(value)
            ]
        copy = {}
        for key, item in value.items():
            if self.text(key, at) is not None:
                self.size += len(key)
                copy[key] = self.read(item, (*at, key), depth + 1)
        return copy

    def scalar(self, value: Any, at: Path) -> Any:
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, int):
            if not -(2**63) <= value < 2**63:
                self.note(at, "Must be a whole number of at most 64 bits.")
            return value
        if isinstance(value, float):
            if not math.isfinite(value):
                self.note(at, "Must be a finite number.")
            return value
        return self.text(value, at)

    def text(self, value: Any, at: Path) -> str | None:
        try:
            return string(value)
        except Invalid as error:
            if isinstance(value, str):
                self.problems += [((*at, *sub), m, c) for sub, m, c in error.problems]
            else:
                self.note(at, f"Must be a JSON value, not {kind_of(value)}.")
        return None

    def note(self, at: Path, message: str) -> None:
        self.problems.append((at, message, "invalid_field"))


def free_form(*types: type) -> FreeFormReader:
    """Return a reader of JSON values of the given outermost *types*.

    Bounded in depth (``MAX_METADATA_DEPTH``) and size (``MAX_METADATA_BYTES`` of
    JSON); the result is a copy.
    """

    names: dict[type, str] = {dict: "object", list: "array"}

    schema = {
        "type": [names[kind] for kind in types],
        "description": f"At most {MAX_METADATA_BYTES} bytes as JSON, nested at most"
        f" {MAX_METADATA_DEPTH} deep.",
    }

    def read(value: Any) -> Any:
        if not isinstance(value, types):
            wanted = " or ".join(kind_of(kind()) for kind in types)
            raise Invalid(f"Must be {wanted}, not {kind_of(value)}.")
        walk = _FreeForm()
        copy = walk.read(value)
        if walk.problems:
            raise Invalid.of(walk.problems[:MAX_PROBLEMS])
        size = len(json.dumps(copy, ensure_ascii=False, separators=(",", ":")).encode())
        if size > MAX_METADATA_BYTES:
            raise Invalid(
                f"Must have at most {MAX_METADATA_BYTES} bytes as JSON, has {size}."
            )
        return copy

    return FreeFormReader(read, schema, types)


def read_record(
    value: Mapping[Any, Any],
    required: Fields,
    optional: Fields,
    *,
    what: str = "this object",
    refused: Refusals = MappingProxyType({}),
) -> tuple[dict[str, Any], list[Problem]]:
    """Read a dict field by field.

    :param dict value: what was sent.
    :param dict required: name to reader; an absent one is a ``missing_field``.
    :param dict optional: name to reader.
    :param str what: how messages call the object.
    :param refused: a dict from key (lower-case) to ``(message, code)`` for unknown
        keys that deserve more than "unknown".
    :return: ``(values, problems)``; *values* holds what was present and good.
    """
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    for key, read in {**required, **optional}.items():
        sent = value.get(key)
        if sent is None:
            if key in required:
                problems.append(((key,), "This field is required.", "missing_field"))
            continue
        try:
            values[key] = read(sent)
        except Invalid as error:
            problems += error.under(key)
    unknown = 0
    allowed = ", ".join(sorted({**required, **optional}))
    for key in value:
        if isinstance(key, str) and (key in required or key in optional):
            continue
        label = key if isinstance(key, str) else show(key)
        word = label.lower().replace("-", "_")
        if word in refused:
            problems.append(((label,), *refused[word]))
        elif unknown <= MAX_PROBLEMS:
            unknown += 1
            message = f"Is not a field of {what}; its fields are {allowed}."
            problems.append(((label,), message, "invalid_field"))
    return values, problems


def record(
    required: Fields,
    optional: Fields | None = None,
    *,
    what: str,
    refused: Refusals = MappingProxyType({}),
    rule: Rule | None = None,
) -> RecordReader:
    """Return a reader of an object with exactly these fields.

    *rule* is called with the dict sent and the values read so far, whether or not
    single fields were wrong, and may change the values or raise :class:`Invalid`.
    """
    known = optional or {}

    def read(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise Invalid(f"Must be an object, not {kind_of(value)}.")
        values, problems = read_record(
            value, required, known, what=what, refused=refused
        )
        if rule:
            try:
                rule(value, values)
            except Invalid as error:
                problems += error.problems
        if problems:
            raise Invalid.of(problems)
        return values

    return RecordReader(read, required, known)


def schema_of(required: Fields, optional: Fields) -> Schema:
    """The JSON Schema of an object with exactly these fields."""
    return {
        "type": "object",
        "required": sorted(required),
        "properties": {
            key: read.schema for key, read in {**required, **optional}.items()
        },
        "additionalProperties": False,
    }


def list_of(
    read_item: Reader[T], *, least: int = 0, most: int, unique: str | None = None
) -> ListReader[T]:
    """Return a reader of a list of *least* to *most* items.

    *unique* names a key by which no two items may agree: of two checks of one name,
    the second would silently hide the first.
    """

    def read(value: Any) -> list[T]:
        if not isinstance(value, list):
            raise Invalid(f"Must be a list, not {kind_of(value)}.")
        if not least <= len(value) <= most:
            raise Invalid(f"Must have {least} to {most} items, has {len(value)}.")
        items: list[T] = []
        problems: list[Problem] = []
        seen: set[Any] = set()
        for position, sent in enumerate(value):
            try:
                item = read_item(sent)
            except Invalid as error:
                problems += error.under(position)
                continue
            items.append(item)
            if not unique or not isinstance(item, dict):
                continue
            if item[unique] in seen:
                at = (position, unique)
                problems.append((at, "Must not be there twice.", "invalid_field"))
            seen.add(item[unique])
        if problems:
            raise Invalid.of(problems)
        return items

    return ListReader(read, read_item, least, most)
