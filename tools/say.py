"""What the tools print: one line per step, and one plain sentence per failure."""

import sys
import threading
import time
from contextlib import contextmanager


class Stop(Exception):
    """A reason to stop: one plain sentence that names the way out."""


def say(text):
    """Print a line at once, also into a pipe."""
    print(text, flush=True)


@contextmanager
def slow(what, last_line=lambda: ""):
    """Say what is going on and for how long, until the block ends.

    A terminal sees the seconds count up on one line, a log file a line every ten.

    :param what: what is being done, in a few words
    :param last_line: gives the newest line of the work's own output, to be shown with
        it
    """
    started = time.monotonic()
    done = threading.Event()
    tty = sys.stdout.isatty()

    def tick():
        while not done.wait(0.5 if tty else 10):
            seconds = time.monotonic() - started
            detail = last_line()[:60]
            if tty:
                print(
                    f"\r\033[K· {what} … {seconds:.0f} s  {detail}", end="", flush=True
                )
            else:
                say(f"· {what} … {seconds:.0f} s  {detail}".rstrip())

    print(f"· {what} …", end="" if tty else "\n", flush=True)
    ticker = threading.Thread(target=tick, daemon=True)
    ticker.start()
    end = "failed after"
    try:
        yield
        end = "done in"
    finally:
        done.set()
        ticker.join()
        seconds = time.monotonic() - started
        say(("\r\033[K" if tty else "") + f"· {what}: {end} {seconds:.1f} s")
