"""The shapes of what is sent, answered and printed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: A JSON object: an envelope, an answer of the server, machine output.
Json = dict[str, Any]
#: What goes into the spool: its kind, its key, and the request itself.
Entry = tuple[str, str, Json]
#: How a command ends: its exit code, and its machine output.
Outcome = tuple[int, Json]
#: The environment variables of a process.
Environ = Mapping[str, str]
