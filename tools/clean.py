"""``make clean``: remove all that was made."""

import fcntl
import shutil
import subprocess

from . import postgres
from .paths import DATA, LOCKS, RUN, venv_python
from .say import Stop, say, slow


def clean(arguments):
    """``clean``: remove ``.run``, and our databases from a server of others."""
    if not RUN.exists():
        say("There is nothing to remove.")
        return 0
    with open(LOCKS / "postgres-users", "a") as users:
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Stop("Another make is still at work here: end it first.") from None
        if postgres.external() and (DATA / "filestore").exists():
            subprocess.run(
                [
                    venv_python(),
                    "-c",
                    "from tools.databases import drop_all; drop_all()",
                ],
                check=True,
            )
        with slow(f"Removing {RUN}"):
            shutil.rmtree(RUN)
    return 0
