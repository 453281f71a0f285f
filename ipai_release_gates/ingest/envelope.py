"""From one submission to an :class:`Envelope`, or to the full list of its faults.

Follows schema ``v1.0`` of the ingest contract.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from . import fields
from .errors import Rejected
from .fields import Invalid, kind_of
from .kinds import CORE, RELEASE, EventKind, Kinds
from .reading import Problem

SCHEMA_VERSIONS = frozenset({"v1.0"})
SOURCE_SYSTEMS = ("github_actions", "gitlab_ci", "agent", "manual", "monitoring")

# Room for the largest evidence file as base64 and the fields around it.
MAX_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True)
class Envelope:
    """A submission whose every field was checked.

    ``release_id`` is a uuid (str), a database id (int), a dict ``{"project",
    "name"}``, or None; then ``project`` and ``source_ref`` say which release is
    meant. ``source_ref`` is a full lower-case commit SHA and stands in ``payload``
    as well; it is None only where an event names its release and speaks of none of
    its revisions (``incident``, ``environment_event``). ``payload`` holds the keys
    that were sent, see ``payloads``. ``emitted_at`` is aware, in UTC; it is the
    sender's clock and proves nothing.
    """

    schema_version: str
    idempotency_key: str
    event_type: str
    source_system: str
    release_id: str | int | dict[str, str] | None
    project: str | None
    source_ref: str | None
    gate_code: str | None
    payload: dict[str, Any]
    emitted_at: datetime.datetime


@fields.described(type="object")
def _object(value: object) -> dict[Any, Any]:
    if not isinstance(value, dict):
        raise Invalid(f"Must be an object, not {kind_of(value)}.")
    return value


REQUIRED: fields.Fields = {
    "schema_version": fields.string,
    "idempotency_key": fields.idempotency_key,
    "event_type": fields.one_of(*CORE),
    "source_system": fields.one_of(*SOURCE_SYSTEMS),
    "emitted_at": fields.moment,
    "payload": _object,
}
OPTIONAL: fields.Fields = {
    "release_id": fields.release_id,
    "project": fields.project,
    "source_ref": fields.commit,
    "gate_code": fields.gate_code,
}


@lru_cache(maxsize=16)
def _required(event_types: tuple[str, ...]) -> fields.Fields:
    return {**REQUIRED, "event_type": fields.one_of(*event_types)}


def envelope_schema(kind: EventKind) -> dict[str, Any]:
    """The JSON Schema of an envelope with an event of one kind."""
    schema = fields.schema_of(REQUIRED, OPTIONAL)
    schema["properties"] |= {
        "schema_version": {"enum": sorted(SCHEMA_VERSIONS)},
        "event_type": {"const": kind.code},
        "payload": kind.read.schema,
    }
    # The release is named by its id, or by its project and a commit.
    schema["anyOf"] = [{"required": ["release_id"]}, {"required": ["project"]}]
    return schema


def parse_envelope(
    raw: Any, kinds: Kinds = CORE, *, max_bytes: int = MAX_BYTES
) -> Envelope:
    """Return the :class:`Envelope` of one submission.

    Nothing is guessed, defaulted or ignored: a key that the schema does not know is
    a fault, so that a misspelt ``status`` cannot vanish.

    :param raw: what the transport decoded; anything.
    :param kinds: code → :class:`~.kinds.EventKind`, those that are taken.
    :param int max_bytes: refuse more text than this, before looking at it.
    :raise Rejected: with every fault found. An unknown schema version is
        reported alone, since the rest means nothing without it; where the version
        is missing, the rest is read as ``v1.0`` so that one answer names it all.
    """
    if _exceeds(raw, max_bytes):
        message = f"Must have at most {max_bytes} bytes."
        raise Rejected.of([(("event",), message, "too_large")])
    if not isinstance(raw, dict):
        raise Rejected.of(
            [(("event",), f"Must be an object, not {kind_of(raw)}.", "invalid_field")]
        )
    version = raw.get("schema_version")
    if isinstance(version, str) and version not in SCHEMA_VERSIONS:
        known = ", ".join(sorted(SCHEMA_VERSIONS))
        message = f"{fields.show(version)} is not supported; supported: {known}."
        raise Rejected.of(
            [(("schema_version",), message, "unsupported_schema_version")]
        )
    event_type = raw.get("event_type")
    kind = kinds.get(event_type) if isinstance(event_type, str) else None
    values, problems = fields.read_record(
        raw,
        _required(tuple(kinds)),
        OPTIONAL,
        what="an envelope",
        refused=kind.refused if kind else {},
    )
    problems += _key_problems(values)
    sent_payload = values.get("payload")
    payload = {}
    if kind and sent_payload is not None:
        try:
            payload = kind.read(sent_payload)
        except Invalid as error:
            problems += error.under("payload")
    problems += _release_problems(raw, values)
    source_ref, found = _source_ref(raw, values, kind)
    problems += found
    if kind and kind.needs_gate and raw.get("gate_code") is None:
        problems.append((("gate_code",), kind.needs_gate, "missing_field"))
    if problems:
        raise Rejected.of(problems)
    return Envelope(
        schema_version=values["schema_version"],
        idempotency_key=values["idempotency_key"],
        event_type=values["event_type"],
        source_system=values["source_system"],
        release_id=values.get("release_id"),
        project=values.get("project"),
        source_ref=source_ref,
        gate_code=values.get("gate_code"),
        payload={**payload, "source_ref": source_ref} if source_ref else payload,
        emitted_at=values["emitted_at"],
    )


def _exceeds(raw: object, max_bytes: int) -> bool:
    """Return whether *raw* carries more than *max_bytes* of text.

    Counts at least one byte per value and stops as soon as it knows, so neither
    depth nor size can hurt.
    """
    size, stack = 0, [raw]
    while stack:
        value = stack.pop()
        size += 1
        if isinstance(value, str):
            size += len(value)
            if not value.isascii():
                size += len(value.encode("utf-8", "surrogatepass")) - len(value)
        elif isinstance(value, (bytes, bytearray)):
            size += len(value)
        elif isinstance(value, dict):
            stack.extend(value)
            stack.extend(value.values())
        elif isinstance(value, (list, tuple)):
            stack.extend(value)
        if size > max_bytes or len(stack) > max_bytes:
            return True
    return False


def _key_problems(values: dict[str, Any]) -> list[Problem]:
    """Check the key's form ``<source_system>/<release>/<event_type>/<sequence>``.

    The release part may hold slashes itself, so the form is read from both ends.
    """
    key = values.get("idempotency_key")
    if key is None:
        return []
    parts = key.split("/")
    source, event_type = values.get("source_system"), values.get("event_type")
    if len(parts) < 4 or not all(parts):
        fault = "four or more parts, none empty"
    elif source and parts[0] != source:
        fault = f"{source} as its first part"
    elif event_type and parts[-2] != event_type:
        fault = f"{event_type} as its last part but one"
    else:
        return []
    message = (
        "Must have the form <source_system>/<release>/<event_type>/<sequence or"
        f" hash>: {fault}."
    )
    return [(("idempotency_key",), message, "invalid_field")]


def _release_problems(raw: dict[Any, Any], values: dict[str, Any]) -> list[Problem]:
    if raw.get("release_id") is None and raw.get("project") is None:
        message = "Name the release by release_id, or by project and source_ref."
        return [(("release_id",), message, "missing_field")]
    address, project = values.get("release_id"), values.get("project")
    if isinstance(address, dict) and project and project != address["project"]:
        message = f"Must be the project of release_id, {address['project']}."
        return [(("project",), message, "invalid_field")]
    return []


def _source_ref(
    raw: dict[Any, Any], values: dict[str, Any], kind: EventKind | None
) -> tuple[str | None, list[Problem]]:
    """Return ``(commit, problems)`` from the envelope, the payload, or both.

    A commit that is there but wrong was reported by its own field.
    """
    outer, sent = values.get("source_ref"), values.get("payload") or {}
    try:
        inner = fields.commit(sent["source_ref"])
    except (Invalid, KeyError):
        inner = None
    if outer and inner and outer != inner:
        message = f"Must be the same commit as the envelope's source_ref, {outer}."
        return None, [(("payload", "source_ref"), message, "invalid_field")]
    if raw.get("source_ref") is None and sent.get("source_ref") is None:
        if kind and kind.subject == RELEASE and raw.get("release_id"):
            return None, []
        message = "The full commit SHA is required; a revision is never guessed."
        return None, [(("payload", "source_ref"), message, "missing_field")]
    return outer or inner, []
