"""Tokens of installations, kept in memory of one process until shortly before they end.

They are in no database, no log and no other process: who asks has the app's key.
"""

import threading
from collections.abc import Hashable

#: A call that starts now must not end after its token does.
_MARGIN = 300
#: Seconds that a token of GitHub lives, at most.
_LONGEST = 3600


class Tokens:
    """Tokens by what they are good for; to be shared between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[Hashable, tuple[str, float]] = {}

    def get(self, key: Hashable, now: float) -> str | None:
        """The token kept under a key, or ``None``.

        :param now: seconds since 1970
        """
        with self._lock:
            self._kept = {k: v for k, v in self._kept.items() if v[1] > now}
            kept = self._kept.get(key)
            return kept[0] if kept else None

    def keep(self, key: Hashable, token: str, expires_at: float, now: float) -> None:
        """Keep a token until some minutes before it ends.

        :param expires_at: seconds since 1970
        """
        until = min(expires_at, now + _LONGEST) - _MARGIN
        with self._lock:
            self._kept[key] = (token, until)

    def drop(self, key: Hashable) -> None:
        """Forget a token that GitHub refused."""
        with self._lock:
            self._kept.pop(key, None)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {len(self._kept)}>"
