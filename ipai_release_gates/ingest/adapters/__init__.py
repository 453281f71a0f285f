"""From what a code host tells by webhook to envelopes of the contract.

Each adapter is one function ``adapt(event, delivery, payload) -> Adapted``. It knows
the payload alone: no clock, no network, no database. What a payload does not say for
certain is not guessed, it is ignored with the reason.
"""

from __future__ import annotations

from typing import Any
from ..kinds import CORE, Kinds

from dataclasses import dataclass, field

from ..envelope import parse_envelope
from ..errors import Rejected


class AdapterError(ValueError):
    """A payload that its own sender's documentation does not allow.

    :param str field: dotted path in the payload: ``workflow_run.head_sha``; or
        ``event`` or ``delivery``, which come from headers.
    :param str message: what is wrong with it, a sentence.
    """

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message


@dataclass(frozen=True)
class Adapted:
    """What became of one delivery.

    :param project: the repository as ``owner/name``; None where the payload has none
    :param envelopes: what :func:`ingest.parse_envelope` takes, in order
    :param ignored: the sentence that says why nothing follows; None when something
        does, be it here or where the event is answered
    :param kinds: code → :class:`~.kinds.EventKind`, those that the envelopes are of
    """

    project: str | None
    envelopes: list[dict[str, Any]] = field(default_factory=list)
    ignored: str | None = None
    kinds: Kinds = field(default_factory=lambda: CORE, repr=False, compare=False)

    def __post_init__(self) -> None:
        for envelope in self.envelopes:
            try:
                parse_envelope(envelope, self.kinds)
            except Rejected as error:
                # A value that the readers let through: the sender's, not ours.
                raise AdapterError(error.field or "event", error.message) from None
