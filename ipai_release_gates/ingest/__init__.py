"""From foreign payloads to envelopes. Plain Python: no Odoo, no I/O, no clock."""

from . import answers, fields, openapi, signatures, transport
from .adapters import Adapted, AdapterError, github, gitlab
from .adapters.known import PROVIDERS
from .authority import ROLES, may_send
from .digest import payload_digest, raw_text
from .envelope import (
    MAX_BYTES,
    SCHEMA_VERSIONS,
    SOURCE_SYSTEMS,
    Envelope,
    parse_envelope,
)
from .cyclonedx import parse_cyclonedx
from .junit import JUnitReport, parse_junit, to_checks
from .kinds import EVENT_TYPES, KINDS, EventKind, by_code, planned_by
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
from .errors import Rejected
from .provider import Provider
from .reports import FORMATS, QUERY, ReportFormat, formats_by_code, read_report
from .requests import TARGETS, read_move, read_release
from .sarif import parse_sarif

__all__ = [
    "BUILD_STATUSES",
    "CHECK_STATUSES",
    "CONTROL_EVENTS",
    "CONTROL_STATUSES",
    "DECISIONS",
    "DEPLOYMENT_STATUSES",
    "ENVIRONMENT_EVENTS",
    "EVENT_TYPES",
    "FORMATS",
    "IDENTITY_KEYS",
    "KINDS",
    "MAX_BYTES",
    "PROVIDERS",
    "QUERY",
    "ROLES",
    "SCHEMA_VERSIONS",
    "SOURCE_SYSTEMS",
    "TARGETS",
    "Adapted",
    "AdapterError",
    "Envelope",
    "EventKind",
    "JUnitReport",
    "Provider",
    "Rejected",
    "ReportFormat",
    "answers",
    "by_code",
    "fields",
    "formats_by_code",
    "github",
    "gitlab",
    "may_send",
    "openapi",
    "parse_cyclonedx",
    "parse_envelope",
    "parse_junit",
    "parse_sarif",
    "payload_digest",
    "planned_by",
    "raw_text",
    "read_move",
    "read_release",
    "read_report",
    "signatures",
    "to_checks",
    "transport",
]
