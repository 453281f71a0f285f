"""The answer to each submission, by the answers table of the ingest contract.

An answer is ``{"ingest_id", "status", "http_status", "detail"}`` and holds only what
XML-RPC can carry: no ``None`` (dropped), no whole number beyond 32 bits (as text),
no control character, no object.
"""

from __future__ import annotations

import datetime
import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .errors import Rejected

Answer = dict[str, Any]
Detail = dict[str, Any]

HTTP_STATUS = {
    "missing_field": 400,
    "invalid_field": 400,
    "identity_in_payload": 400,
    "sha256_mismatch": 400,
    "not_json": 400,
    "bad_request": 400,
    "unauthorized": 401,
    "forbidden": 403,
    "not_found": 404,
    "method_not_allowed": 405,
    "idempotency_conflict": 409,
    "release_closed": 409,
    "unknown_release": 409,
    "too_large": 413,
    "unsupported_media_type": 415,
    "unsupported_schema_version": 422,
    "rate_limited": 429,
}

STATUSES = ("accepted", "duplicate", "pending", "rejected", "error")

_CONTROL = dict.fromkeys([*range(9), 11, 12, *range(14, 32), 0xFFFE, 0xFFFF], "\ufffd")


def accepted(ingest_id: int | None, detail: Detail | None = None) -> Answer:
    """Answer a submission taken for the first time, late results included.

    A result for a revision that is no longer current says so in *detail*:
    ``{"stale": True}``.
    """
    return _answer(ingest_id, "accepted", 200, detail)


def duplicate(
    ingest_id: int | None, original_id: int, detail: Detail | None = None
) -> Answer:
    """Answer a retry: *ingest_id* is its own log row, *original_id* the first one's,
    *detail* the first answer's."""
    detail = {**(detail or {}), "duplicate_of": original_id}
    return _answer(ingest_id, "duplicate", 200, detail)


def pending(ingest_id: int | None, detail: Detail | None = None) -> Answer:
    """Answer a fact for a commit of a known project that no release has yet."""
    return _answer(ingest_id, "pending", 202, detail)


def rejected(
    ingest_id: int | None,
    code: str,
    message: str,
    *,
    field: str | None = None,
    errors: list[dict[str, str]] | None = None,
    **more: Any,
) -> Answer:
    """Answer a refused submission.

    :param str code: a key of ``HTTP_STATUS``.
    :param str message: one sentence the sender can act on.
    :param str field: dotted path of the first fault, if fields are at fault.
    :param list errors: all faults as ``{"field", "message"}``.
    :param more: further keys of the detail.
    :raise KeyError: for a code the table does not know.
    """
    detail = {**more, "code": code, "message": message, "field": field}
    detail["errors"] = errors
    return _answer(ingest_id, "rejected", HTTP_STATUS[code], detail)


def rejected_by(ingest_id: int | None, error: Rejected) -> Answer:
    """Answer a submission that an :class:`~.errors.Rejected` refused."""
    return rejected(
        ingest_id, error.code, error.message, field=error.field, errors=error.errors
    )


def error(ingest_id: int | None, detail: Detail | None = None) -> Answer:
    """Answer a submission that failed through our fault; it is kept.

    The caller learns nothing about our inside unless *detail* holds it.
    """
    message = "The event could not be processed; it is kept and will be looked at."
    detail = {"code": "internal_error", "message": message, **(detail or {})}
    return _answer(ingest_id, "error", 500, detail)


def delivery_status(answer: Answer) -> int:
    """The HTTP status of an answer to a delivery.

    Never an error of the sender: a code host switches off a webhook that refuses too
    often, and nothing is wrong with the next delivery. 202 says that a person should
    look into the log.
    """
    settled = answer["status"] in ("accepted", "duplicate", "ignored")
    taken = all(one["http_status"] == 200 for one in answer["results"])
    return 200 if settled and taken else 202


def _answer(
    ingest_id: int | None, status: str, http_status: int, detail: Detail | None
) -> Answer:
    return {
        "ingest_id": portable(ingest_id) if ingest_id is not None else False,
        "status": status,
        "http_status": http_status,
        "detail": portable(detail or {}),
    }


def portable(value: Any) -> Any:
    """Return *value* as XML-RPC and JSON can both carry it.

    ``None`` disappears from objects and lists; alone it becomes ``False``. A value
    that neither can carry becomes its text, since one odd value in one answer must
    not cost a caller the answers to a whole list.
    """
    if value is None:
        return False
    if isinstance(value, dict):
        return {
            _clean(str(key)): portable(item)
            for key, item in value.items()
            if item is not None
        }
    if isinstance(value, (list, tuple, set, frozenset)):
        items = sorted(value, key=str) if isinstance(value, (set, frozenset)) else value
        return [portable(item) for item in items if item is not None]
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value) if -(2**31) <= value < 2**31 else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, datetime.date):
        return value.isoformat()
    return _clean(str(value))


def _clean(text: str) -> str:
    if not text.isascii():
        text = text.encode("utf-8", "replace").decode()
    return text.translate(_CONTROL)
