"""The one refusal of the contract: of a request, an event, a report or a call."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from .answers import HTTP_STATUS
from .fields import MAX_PROBLEMS, path_of

# The code of the whole answer is that of its first fault; these go first.
_PRECEDENCE = {"identity_in_payload": 0, "too_large": 1}


class Rejected(ValueError):
    """What was sent cannot be taken.

    :param code: a key of ``answers.HTTP_STATUS``
    :param message: one sentence the sender can act on
    :param field: dotted path of the first fault, ``payload.checks[2].status``; ``None``
        for the request as a whole
    :param errors: every fault as ``{"field", "message"}``, the first included; ``None``
        where there is only one
    :param headers: of the HTTP answer
    """

    #: What Odoo logs it at: a caller's mistake, not ours.
    loglevel = logging.INFO

    def __init__(
        self,
        code: str,
        message: str,
        field: str | None = None,
        *,
        errors: list[dict[str, str]] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.http_status = HTTP_STATUS[code]
        self.message = message
        self.field = field
        self.errors = errors
        self.headers = dict(headers or {})

    def __str__(self) -> str:
        if not self.errors:
            return self.message
        return " ".join(
            f"{fault['field']}: {fault['message']}" for fault in self.errors
        )

    @classmethod
    def of(cls, problems: Iterable[tuple[tuple[Any, ...], str, str]]) -> Rejected:
        """The refusal for ``(at, message, code)`` triples of ``fields``, at least one.

        At most ``fields.MAX_PROBLEMS`` are listed; a last entry says if there are more.
        """
        problems = sorted(problems, key=lambda p: _PRECEDENCE.get(p[2], 2))
        errors = [
            {"field": path_of(at), "message": message}
            for at, message, _code in problems[:MAX_PROBLEMS]
        ]
        if len(problems) > MAX_PROBLEMS:
            message = "There are more faults than are listed."
            errors.append({"field": "event", "message": message})
        first = errors[0]
        return cls(problems[0][2], first["message"], first["field"], errors=errors)
