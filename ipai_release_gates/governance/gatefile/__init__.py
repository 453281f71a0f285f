"""The gate policy as files: what they hold, how they are read, compared, written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from . import environments, evidence, exceptions
from .comparing import changes, merged
from .gates import gate_schema
from .json_schema import json_schema
from .reading import PolicyReader, read
from .schema import Change, Field, Part, Schema
from .writing import to_yaml

if TYPE_CHECKING:
    from ...policy import RequirementKind

__all__ = [
    "Change",
    "Field",
    "Part",
    "PolicyReader",
    "Schema",
    "changes",
    "json_schema",
    "merged",
    "read",
    "schema_of",
    "schemas",
    "to_yaml",
]


def schemas(kinds: Mapping[str, RequirementKind]) -> dict[str, Schema]:
    """All schemas by name, in the order in which they build on each other.

    :param kinds: the kinds of requirements of a database, by code
    """
    found = (
        evidence.SCHEMA,
        gate_schema(kinds),
        exceptions.SCHEMA,
        environments.SCHEMA,
    )
    return {schema.name: schema for schema in found}


def schema_of(content: bytes, file: str, known: Mapping[str, Schema]) -> Schema:
    """The schema that a file names.

    :param content: the file
    :param file: its name, for messages
    :param known: what :func:`schemas` returns
    :raises InvalidDocument: when it names none of these
    """
    reader = PolicyReader(file, {})
    parts = reader.mapping(reader.parse(content), ())
    name = getattr(parts.get("schema"), "value", None)
    if not isinstance(name, str) or name not in known:
        reader.at(("schema",), f"This must be one of {', '.join(known)}.")
    reader.close()
    return known[str(name)]
