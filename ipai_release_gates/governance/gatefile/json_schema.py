"""JSON Schema of the policy files, for editors that check while one types."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from .schema import MAX_INTEGER, VERSION, Field, Part, Schema

#: What fields refer to (``of``) → the words there are.
Known = Mapping[str, Iterable[str]]
Shape = dict[str, Any]

_DRAFT = "https://json-schema.org/draft/2020-12/schema"


def json_schema(schema: Schema, known: Known) -> Shape:
    """The JSON Schema (2020-12) of a kind of file.

    :param known: dict from what fields refer to (``of``) to the codes there are; only
        the words of choices are taken from it, codes may be added by files
    """
    properties = {
        "schema": {"const": schema.name},
        "version": {"const": VERSION},
        "definitions": {
            "type": "object",
            "description": "Decided by the program; an import cannot change it.",
        },
    }
    if schema.parts:
        properties["archive"] = {
            "type": "boolean",
            "description": "true: requirements and types of evidence that the file "
            "leaves out are archived. false: they stay as they are.",
        }
    properties |= {part.name: _entries(part, known) for part in schema.parts}
    return {
        "$schema": _DRAFT,
        "title": schema.title,
        "type": "object",
        "required": ["schema", "version"],
        "properties": properties,
        "additionalProperties": False,
    }


def _entries(part: Part, known: Known) -> Shape:
    return {
        "type": "object",
        "additionalProperties": {
            "type": "object",
            "required": [name for name, each in part.fields.items() if each.required],
            "properties": {
                name: _field(each, known) for name, each in part.fields.items()
            },
            "additionalProperties": False,
        },
    }


def _field(field: Field, known: Known) -> Shape:
    if field.kind == "entries":
        return _entries(field.part, known)
    found = _TYPES[field.kind](field, known)
    if field.help:
        found["description"] = field.help
    if field.default is not None:
        found["default"] = field.default
    return found


def _text(field: Field, known: Known) -> Shape:
    return {"type": "string", "minLength": 1} if field.required else _or_null("string")


def _or_null(kind: str) -> Shape:
    return {"type": [kind, "null"]}


def _choice(field: Field, known: Known) -> Shape:
    words = sorted(known[field.of])
    return {"enum": words if field.required else [*words, None]}


def _numeric(kind: str) -> Callable[[Field, Known], Shape]:
    def shape(field: Field, known: Known) -> Shape:
        least = -MAX_INTEGER if field.least is None else field.least
        return {"type": kind, "minimum": least}

    return shape


def _codes(field: Field, known: Known) -> Shape:
    return {"type": "array", "items": {"type": "string"}, "uniqueItems": True}


_TYPES: dict[str, Callable[[Field, Known], Shape]] = {
    "text": _text,
    "code": _text,
    "choice": _choice,
    "whole": _numeric("integer"),
    "number": _numeric("number"),
    "boolean": lambda field, known: {"type": "boolean"},
    "codes": _codes,
    "object": lambda field, known: _or_null("object"),
}
