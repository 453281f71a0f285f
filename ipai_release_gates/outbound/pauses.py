"""How long to wait before a call is made again."""

import random
from datetime import timezone
from email.utils import parsedate_to_datetime

#: Seconds before the second attempt; each later pause is that many times as long.
FIRST, FACTOR = 5, 5
#: Nothing is put off for longer than a day, whatever the other side asks for.
LONGEST = 24 * 60 * 60
#: Pauses differ by this share, so that what failed together does not return together.
JITTER = 0.2


def pause(attempt, retry_after=None, now=None):
    """Seconds until the next attempt.

    :param int attempt: how many were made, 1 or more
    :param str retry_after: the header of that name (RFC 9110, 10.2.3): it makes the
        pause longer, never shorter; what it cannot be read as counts for nothing
    :param datetime now: with a time zone, for a header that names an instant
    """
    # No exponent that a float could not hold.
    steps = min(max(attempt, 1), 20) - 1
    seconds = FIRST * FACTOR**steps * random.uniform(1 - JITTER, 1 + JITTER)
    return min(max(seconds, _asked(retry_after, now)), LONGEST)


def _asked(text, now):
    text = (text or "").strip()
    if text.isascii() and text.isdigit():
        # Longer numbers mean the longest pause all the same.
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
