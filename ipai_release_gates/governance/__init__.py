"""Persona contracts, the expertise registry and the gate policy as files, without Odoo.

What a contract must say, how its versions are numbered and compared, what is published
of it, and how the registry and the gate policy are read from YAML.
"""

from . import gatefile
from .contract import difference, next_version, to_markdown
from .document import InvalidDocument, Problem
from .registry import (
    MAX_BYTES,
    Change,
    InvalidRegistry,
    changes,
    read,
    to_yaml,
)
from .template import (
    FIELDS,
    MAJOR,
    OUTCOMES,
    OVERLAY,
    SECTIONS,
    missing,
    points,
    template_markdown,
)
