"""Locks between processes, and stamps written last, so that every step resumes."""

import fcntl
import os
import shutil
from contextlib import contextmanager

from .paths import LOCKS, RUN
from .say import Stop, say, slow


def make_run_folder():
    """Make the folder for all that is built, and refuse one that another user owns."""
    RUN.mkdir(exist_ok=True)
    if RUN.stat().st_uid != os.geteuid():
        raise Stop(
            f"{RUN} was made by another user; remove it as that user (make clean), "
            "or use a clone of your own."
        )
    LOCKS.mkdir(exist_ok=True)


@contextmanager
def exclusive(name, waiting="", refusal=""):
    """Hold a lock alone. The kernel releases it with the process, however that ends.

    :param name: of the lock
    :param waiting: printed once if another process holds it
    :param refusal: raise :class:`Stop` with this sentence instead of waiting
    """
    make_run_folder()
    with open(LOCKS / name, "a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if refusal:
                raise Stop(refusal) from None
            if waiting:
                say(waiting)
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def setting_up():
    """The lock that every set-up step takes."""
    return exclusive(
        "set-up", waiting="· another make is setting things up; waiting for it"
    )


def stamped(path, key):
    """Whether the stamp file says that what it stands for was made from ``key``."""
    try:
        return path.read_text() == key
    except OSError:
        return False


def stamp(path, key):
    """Write a stamp in one step, as the last thing of what it stands for."""
    fresh = path.with_name(path.name + ".new")
    fresh.write_text(key)
    fresh.replace(path)


def fresh_folder(path):
    """An empty folder; what a broken run left there is removed."""
    if path.exists():
        with slow(f"Removing {path.name}, left by a run that broke off"):
            shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    return path
