"""Child processes: run to their end with progress, and ended with their parent."""

import contextlib
import os
import re
import shlex
import signal
import subprocess

from .paths import LOGS, ROOT
from .say import Stop, slow

#: The kernel ends the child if the thread that started it is killed.
WITH_PARENT = ["setpriv", "--pdeathsig", "TERM", "--"]


def start(command, **kwargs):
    """Start a child in a session of its own.

    A Ctrl-C in the terminal then reaches only the parent, which ends its children in
    order; otherwise Odoo would get the signal twice and take that for "at once".
    """
    kwargs.setdefault("cwd", ROOT)
    kwargs.setdefault("stdin", subprocess.DEVNULL)
    words = [*WITH_PARENT, *map(str, command)]
    return subprocess.Popen(words, start_new_session=True, **kwargs)


def end(process, with_signal=signal.SIGTERM, patience=15):
    """End a child that :func:`start` started, and its own children, and wait for it.

    :param with_signal: what it is asked with
    :param patience: seconds until it is killed
    """
    if process.poll() is None:
        process.send_signal(with_signal)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(patience)
    # Its session is its process group; a worker that outlived it goes now.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def last_line(path):
    """The last non-empty line of a file, from its last 4 KiB."""
    try:
        with open(path, "rb") as handle:
            handle.seek(max(0, os.path.getsize(path) - 4096))
            lines = handle.read().decode(errors="replace").strip().splitlines()
    except OSError:
        return ""
    # Of a line of Odoo's log its text is enough.
    return re.sub(r"^\S+ \S+ \d+ [A-Z]+ \S+ ", "", lines[-1].strip()) if lines else ""


def run(what, command, *, log, why=None, **kwargs):
    """Run a command to its end, showing progress, with its output in ``.run/log``.

    :param what: what is being done, for people
    :param log: name of the log file, without its suffix
    :param why: a function from the log's text to a better sentence than its last line
    :raises Stop: when the command fails
    """
    LOGS.mkdir(parents=True, exist_ok=True)
    path = LOGS / f"{log}.log"
    with open(path, "w") as output, slow(what, lambda: last_line(path)):
        output.write("$ " + shlex.join(map(str, command)) + "\n")
        output.flush()
        child = start(command, stdout=output, stderr=subprocess.STDOUT, **kwargs)
        try:
            code = child.wait()
        finally:
            end(child)
    if code:
        text = path.read_text(errors="replace")
        raise Stop(
            (why and why(text))
            or f"{what} failed: {last_line(path)} — all of it: {path}"
        )
    return path
