"""What the façade's other methods are sent, read as strictly as an event."""

from __future__ import annotations

from typing import Any

from . import fields

TARGETS = ("dev", "staging", "production")

_read_release = fields.record(
    {
        "project": fields.line(fields.MAX_KEY),
        "name": fields.line(fields.MAX_KEY),
        "source_ref": fields.commit,
        "environment_target": fields.one_of(*TARGETS),
        "authors": fields.authors,
    },
    {
        "artifact_digest": fields.line(fields.MAX_KEY),
        "scope_metadata": fields.metadata,
        "initiating_actor": fields.line(fields.MAX_KEY),
    },
    what="open_release",
)
_OPTIONAL = ("artifact_digest", "scope_metadata", "initiating_actor")

#: What ``request_move`` is sent besides the release.
read_move = fields.record(
    {"stage": fields.line(fields.MAX_KEY)}, {"reason": fields.text}, what="a move"
)


@fields.described(**_read_release.schema)
def read_release(values: object) -> dict[str, Any]:
    """Return what ``open_release`` was sent, normalised, with the keys that were sent.

    :raise fields.Invalid: with every fault.
    """
    if isinstance(values, dict):
        # Callers over XML-RPC may send False for what they leave out.
        values = {
            key: value
            for key, value in values.items()
            if key not in _OPTIONAL or value or value is None
        }
    return _read_release(values)
