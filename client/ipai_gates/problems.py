"""How a call may end, as the exit code that a pipeline sees."""

from __future__ import annotations

from .shapes import Json

DONE = 0
NOT_ELIGIBLE = 1
UNREACHABLE = 2
REFUSED = 3
SPOOLED = 4
USAGE = 5

#: The word for each in machine output.
WORDS = {
    DONE: "done",
    NOT_ELIGIBLE: "not_eligible",
    UNREACHABLE: "unreachable",
    REFUSED: "refused",
    SPOOLED: "spooled",
    USAGE: "usage",
}


class Problem(Exception):
    """Something a person must know; ``code`` is the exit code it leads to."""

    code = USAGE


class UsageProblem(Problem):
    """A setting or an argument is missing or wrong; nothing was sent."""


class Unreachable(Problem):
    """No answer of the server: it may be down, busy, or another one answers there.

    :ivar retry_after: seconds after which it wants to be asked again, or ``None``
    """

    code = UNREACHABLE

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Denied(Problem):
    """The server answers, but not to this key."""

    code = REFUSED


class Refused(Problem):
    """The server refused this request, and will refuse it again as it is.

    :ivar answer: what it said, in the shape of an event's answer
    """

    code = REFUSED

    def __init__(self, answer: Json) -> None:
        super().__init__(reason_of(answer))
        self.answer = answer


def reason_of(answer: Json) -> str:
    """Why an answer is no acceptance, as one line that starts with the field."""
    detail = answer.get("detail") or {}
    message = str(detail.get("message") or detail.get("code") or answer.get("status"))
    field = detail.get("field")
    return f"{field}: {message}" if field else message
