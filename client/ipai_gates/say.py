"""Text for people, on stderr; machine output goes to stdout and nowhere else."""

from __future__ import annotations

import re
import sys

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def clean(text: object) -> str:
    """Foreign text as one harmless line.

    Neither a terminal nor a runner must take it for a command: control characters go,
    and so do the marks of the commands that GitHub's runner reads from any line.
    """
    return _CONTROL.sub(" ", str(text)).replace("##[", "## [").replace("::", ": :")


def say(text: object) -> None:
    """One line for people."""
    line = f"ipai-gates: {clean(text)}\n"
    try:
        sys.stderr.write(line)
    except UnicodeEncodeError:
        sys.stderr.write(line.encode("ascii", "replace").decode())
    sys.stderr.flush()
