"""The gate policy as files: what they hold, how they are read, compared, written."""

from . import environments, evidence, exceptions, gates
from .gates import PARAMETERS
from .json_schema import json_schema
from .schema import Change, Field, Part, PolicyReader, changes, merged, read, to_yaml

#: All schemas by name, in the order in which they build on each other.
SCHEMAS = {
    module.SCHEMA.name: module.SCHEMA
    for module in (evidence, gates, exceptions, environments)
}


def schema_of(content, file):
    """The schema that a file says it is of.

    :param bytes content: the file
    :param str file: its name, for messages
    :raises InvalidDocument: when it says none there is
    """
    reader = PolicyReader(file, {})
    parts = reader.mapping(reader.parse(content), ())
    name = getattr(parts.get("schema"), "value", None)
    if not isinstance(name, str) or name not in SCHEMAS:
        reader.at(("schema",), f"This must be one of {', '.join(SCHEMAS)}.")
    reader.close()
    return SCHEMAS[name]
