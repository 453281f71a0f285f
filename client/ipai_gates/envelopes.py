"""Envelopes of schema ``v1.0``, and the keys that make their retries harmless."""

from __future__ import annotations

import datetime
import hashlib
import json
import re
import uuid
from collections.abc import Sequence

from .settings import Settings
from .shapes import Json

_OUTSIDE_KEY = re.compile(r"[^A-Za-z0-9._/@-]+")


def envelope(
    settings: Settings,
    event_type: str,
    payload: Json,
    subject: str = "",
    *,
    gate: str | None = None,
    sequence: str | None = None,
    commit: bool = True,
) -> Json:
    """One event, ready to be sent.

    :param settings: the :class:`~ipai_gates.settings.Settings` of the call
    :param subject: what tells this event from others of its type in the same run: the
        name of a check, the file of a piece of evidence
    :param gate: code of the gate it is for, or ``None``
    :param sequence: what tells apart two events about one subject in one run
    :param commit: whether it speaks of a commit
    """
    address = settings.address()
    if commit or "release_id" not in address:
        payload = {"source_ref": settings.source_ref, **payload}
    event = {
        "schema_version": "v1.0",
        "event_type": event_type,
        "source_system": settings.source_system,
        **address,
        "payload": payload,
        "emitted_at": now(),
    }
    if gate:
        event["gate_code"] = gate
    # Without a run nothing tells a retry from a second event: each call is its own.
    run = settings.run or uuid.uuid4().hex
    parts = [run, event_type, gate, payload.get("source_ref"), subject, sequence]
    event["idempotency_key"] = key(settings.source_system, address, event_type, parts)
    return event


def key(
    source_system: str, address: Json, event_type: str, parts: Sequence[object]
) -> str:
    """``<source_system>/<release>/<event_type>/<hash>``, at most 255 characters.

    The same parts always give the same key.

    :param address: how the envelope names the release
    :param parts: values that tell this event from all others
    """
    release = address.get("release_id") or address["project"]
    if isinstance(release, dict):
        release = f"{release['project']}/{release['name']}"
    shown = _OUTSIDE_KEY.sub("-", str(release))
    shown = "/".join(part for part in shown.split("/") if part)[:120].rstrip("/")
    text = json.dumps([address, *parts], sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()[:32]
    return f"{source_system}/{shown or 'release'}/{event_type}/{digest}"


def now() -> str:
    """This moment, in ISO 8601 with an offset."""
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
