"""From foreign payloads to envelopes. Plain Python: no Odoo, no I/O, no clock."""

from . import answers, fields, transport
from .authority import ROLES, may_send
from .digest import payload_digest, raw_text
from .envelope import (
    EVENT_TYPES,
    MAX_BYTES,
    SCHEMA_VERSIONS,
    SOURCE_SYSTEMS,
    Envelope,
    EnvelopeError,
    parse_envelope,
)
from .junit import JUnitError, JUnitReport, parse_junit, to_checks
from .payloads import (
    BUILD_STATUSES,
    CHECK_STATUSES,
    CONTROL_EVENTS,
    CONTROL_STATUSES,
    DECISIONS,
    DEPLOYMENT_STATUSES,
    ENVIRONMENT_EVENTS,
    IDENTITY_KEYS,
)
from .requests import TARGETS, read_move, read_release

__all__ = [
    "BUILD_STATUSES",
    "CHECK_STATUSES",
    "CONTROL_EVENTS",
    "CONTROL_STATUSES",
    "DECISIONS",
    "DEPLOYMENT_STATUSES",
    "ENVIRONMENT_EVENTS",
    "EVENT_TYPES",
    "IDENTITY_KEYS",
    "MAX_BYTES",
    "ROLES",
    "SCHEMA_VERSIONS",
    "SOURCE_SYSTEMS",
    "TARGETS",
    "Envelope",
    "EnvelopeError",
    "JUnitError",
    "JUnitReport",
    "answers",
    "fields",
    "may_send",
    "parse_envelope",
    "parse_junit",
    "payload_digest",
    "raw_text",
    "read_move",
    "read_release",
    "to_checks",
    "transport",
]
