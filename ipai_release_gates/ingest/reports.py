"""From a report as a tool wrote it to what the contract takes: a check and its file."""

from __future__ import annotations

import base64
import datetime
import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from . import fields
from .cyclonedx import parse_cyclonedx
from .envelope import SOURCE_SYSTEMS
from .errors import Rejected
from .fields import Invalid
from .junit import parse_junit, to_checks
from .report import Report
from .sarif import parse_sarif

#: The word in a report's key that each of its events replaces by its own type.
REPORT = "report"
_EVENTS = ("check_result", "evidence")
# What a key may grow by when a type takes the word's place, and a word the sequence's.
_MAX_KEY = fields.MAX_KEY - 20


def _parse_junit(data: bytes) -> Report:
    report = parse_junit(data)
    (check,) = to_checks(report, "junit")
    metadata = {"format": "JUnit XML", **check["metadata"]}
    return Report(check["status"], metadata, "test_result")


# This type says nothing about the content and may hold any format.
_ANY_TYPE = "application/octet-stream"


@dataclass(frozen=True)
class ReportFormat:
    """A format of files in which tools write reports.

    :param code: unique among the formats of a database; the field ``format``
    :param label: its name for people
    :param read: function of the file's bytes that returns a :class:`~.report.Report`
    :param filename: name of a file that is sent without one
    :param types: its media types
    """

    code: str
    label: str
    read: Callable[[bytes], Report]
    filename: str
    types: tuple[str, ...]

    @property
    def media_types(self) -> tuple[str, ...]:
        """The media types that a report of this format may be sent as."""
        return (*self.types, _ANY_TYPE)


FORMATS = (
    ReportFormat(
        "junit",
        "JUnit",
        _parse_junit,
        "junit.xml",
        ("application/xml", "text/xml"),
    ),
    ReportFormat(
        "sarif",
        "SARIF",
        parse_sarif,
        "report.sarif",
        ("application/sarif+json", "application/json"),
    ),
    ReportFormat(
        "cyclonedx",
        "CycloneDX",
        parse_cyclonedx,
        "bom.cdx.json",
        ("application/vnd.cyclonedx+json", "application/json"),
    ),
)


Formats = Mapping[str, ReportFormat]


def formats_by_code(formats: Iterable[ReportFormat]) -> dict[str, ReportFormat]:
    """The formats by their code, in order.

    :raises ValueError: when two formats have one code
    """
    found: dict[str, ReportFormat] = {}
    for format_ in formats:
        if format_.code in found:
            raise ValueError(f"Two formats of reports have the code {format_.code}.")
        found[format_.code] = format_
    return found


#: The formats of the core by code.
CORE_FORMATS: Formats = MappingProxyType(formats_by_code(FORMATS))


@fields.described(
    type="string",
    maxLength=_MAX_KEY,
    pattern=f"^(?:{'|'.join(SOURCE_SYSTEMS)})/[!-~]+/{REPORT}/[!-~]+$",
)
def _key(value: object) -> str:
    """Read ``<source_system>/<release>/report/<sequence>``."""
    value = fields.idempotency_key(value)
    parts = value.split("/")
    if len(value) > _MAX_KEY:
        raise Invalid(f"Must have at most {_MAX_KEY} characters, has {len(value)}.")
    if len(parts) < 4 or not all(parts) or parts[-2] != REPORT:
        raise Invalid(
            f"Must have the form <source_system>/<release>/{REPORT}/<sequence or hash>."
        )
    if parts[0] not in SOURCE_SYSTEMS:
        raise Invalid(f"Must begin with one of {', '.join(SOURCE_SYSTEMS)}.")
    return value


_REQUIRED: fields.Fields = {
    "format": fields.one_of(*CORE_FORMATS),
    "source_ref": fields.commit,
    "name": fields.name,
    "idempotency_key": _key,
}
_OPTIONAL: fields.Fields = {
    "project": fields.project,
    "release_id": fields.release_id,
    "gate_code": fields.gate_code,
    "source_system": fields.one_of(*SOURCE_SYSTEMS),
    "emitted_at": fields.moment,
    "filename": fields.filename,
}


@lru_cache(maxsize=16)
def _required(codes: tuple[str, ...]) -> fields.Fields:
    return {**_REQUIRED, "format": fields.one_of(*codes)}


@lru_cache(maxsize=16)
def _reader(codes: tuple[str, ...]) -> fields.RecordReader:
    required = {**_required(codes), "content_base64": fields.content}
    return fields.record(required, _OPTIONAL, what="a report")


#: Parameter of an address → the value it stands for, where the file is the body.
QUERY = {
    ("release" if name == "release_id" else name): name
    for name in (*_REQUIRED, *_OPTIONAL)
}


def query_parameters(formats: Formats = CORE_FORMATS) -> list[dict[str, Any]]:
    """The parameters of an address as OpenAPI describes them."""
    readers = {**_required(tuple(formats)), **_OPTIONAL}
    about = {"release": "its uuid or database id, instead of the project"}
    return [
        {
            "name": parameter,
            "in": "query",
            "required": name in _REQUIRED,
            "description": about.get(parameter, ""),
            "schema": {"type": "string"}
            if parameter == "release"
            else readers[name].schema,
        }
        for parameter, name in QUERY.items()
    ]


def read_report(
    values: object, now: datetime.datetime, formats: Formats = CORE_FORMATS
) -> list[dict[str, Any]]:
    """Return the envelopes of a report: the check it is the result of, and its file.

    Both carry the file's SHA-256, so that the same key with another file is refused
    for both.

    :param dict values: ``format``, ``source_ref``, ``name`` (of the check),
        ``idempotency_key``, ``content_base64``; ``project`` or ``release_id``;
        optionally ``gate_code``, ``source_system`` (else as the key begins),
        ``emitted_at`` and ``filename``
    :param datetime now: when it arrived, aware; used where no time was sent
    :param formats: code → :class:`ReportFormat`, those that are taken
    :raise Rejected: naming each field that is wrong; ``content_base64`` for a
        file that is not what ``format`` says
    """
    try:
        if not isinstance(values, dict):
            raise Invalid(f"Must be an object, not {fields.kind_of(values)}.")
        read = _reader(tuple(formats))(values)
        if read.get("project") is None and read.get("release_id") is None:
            raise Invalid(
                "Name the release by release_id, or the project by project.",
                at=("release_id",),
                code="missing_field",
            )
    except Invalid as error:
        raise Rejected.of(error.problems) from None
    format_ = formats[read["format"]]
    try:
        report = format_.read(read["content_base64"])
    except Rejected as error:
        at = ("content_base64",)
        raise Rejected.of([(at, error.message, error.code)]) from None
    return _envelopes(read, report, read.get("filename", format_.filename), now)


def _envelopes(
    read: dict[str, Any], report: Report, filename: str, now: datetime.datetime
) -> list[dict[str, Any]]:
    content = read["content_base64"]
    digest = hashlib.sha256(content).hexdigest()
    key = read["idempotency_key"].split("/")
    metadata = {**report.metadata, "sha256": digest}
    payloads: dict[str, dict[str, Any]] = {
        "check_result": {
            "name": read["name"],
            "status": report.status,
            "metadata": metadata,
        },
        "evidence": {
            "type": report.evidence_type,
            "filename": filename,
            "content_base64": base64.b64encode(content).decode(),
            "sha256": digest,
            "metadata": {**report.metadata, "check": read["name"]},
        },
    }
    address: dict[str, Any] = {
        name: read[name]
        for name in ("project", "release_id", "gate_code")
        if name in read
    }
    emitted_at = read.get("emitted_at", now).astimezone(datetime.timezone.utc)
    return [
        {
            "schema_version": "v1.0",
            "idempotency_key": "/".join((*key[:-2], event_type, f"{REPORT}-{key[-1]}")),
            "event_type": event_type,
            "source_system": read.get("source_system", key[0]),
            **address,
            "payload": {"source_ref": read["source_ref"], **payloads[event_type]},
            "emitted_at": emitted_at.isoformat(),
        }
        for event_type in _EVENTS
    ]
