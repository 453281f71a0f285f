"""How long to wait before a call is made again."""

import random
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

#: Seconds before the second attempt, and the factor from each pause to the next.
FIRST, FACTOR = 5, 5
#: The longest pause in seconds, even when the other server asks for a longer one.
LONGEST = 24 * 60 * 60
#: Random share of a pause: calls that failed together are not repeated together.
JITTER = 0.2


def pause(
    attempt: int, retry_after: str | None = None, now: datetime | None = None
) -> float:
    """Seconds until the next attempt.

    :param attempt: how many attempts were made, 1 or more
    :param retry_after: the header of that name (RFC 9110, 10.2.3). It makes the pause
        longer, never shorter; one that cannot be read is ignored
    :param now: with a time zone, for a header that names an instant
    """
    # A greater exponent would overflow a float.
    steps = min(max(attempt, 1), 20) - 1
    seconds: float = FIRST * FACTOR**steps * random.uniform(1 - JITTER, 1 + JITTER)
    return min(max(seconds, _requested_seconds(retry_after, now)), LONGEST)


def _requested_seconds(text: str | None, now: datetime | None) -> float:
    text = (text or "").strip()
    if text.isascii() and text.isdigit():
        # Nine digits exceed the longest pause already.
        return int(text[:9])
    try:
        until = parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError):
        return 0
    if now is None:
        return 0
    if until.tzinfo is None:
        until = until.replace(tzinfo=timezone.utc)
    return (until - now).total_seconds()
