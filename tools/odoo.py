"""Odoo's command line: its environment; installing, upgrading, scripts."""

import os
import re
from functools import cache
from pathlib import Path

from . import addons, odoo_source, proc, venv
from .paths import ADDONS_PATH, DATA, ROOT, venv_python

CONFIGURATION = ROOT / "odoo.conf"
#: A capacity for queue_job with which its runner does not start.
NO_JOBS = "root:0"
SCRIPTS = Path(__file__).with_name("scripts")
#: A line of Odoo's log: its level, its logger, its text.
LOG_LINE = re.compile(r"^\S+ \S+ \d+ (\w+) \S+ (\S+): (.*)$", re.MULTILINE)


@cache
def identity():
    """What tells this Odoo from another."""
    return odoo_source.identity(odoo_source.home())


def environment():
    """The variables from which Odoo, and pytest-odoo with it, takes what is ours alone.

    What an installation shares with the Docker one is in ``odoo.conf``.
    """
    path = [*addons.folders(ADDONS_PATH), venv.oca_addons()]
    return {
        **os.environ,
        "ODOO_RC": str(CONFIGURATION),
        "ODOO_ADDONS_PATH": ",".join(map(str, path)),
        "ODOO_DATA_DIR": str(DATA),
        "ODOO_HTTP_INTERFACE": "127.0.0.1",
        # Only a server that is started with jobs=True runs jobs.
        "ODOO_QUEUE_JOB_CHANNELS": NO_JOBS,
        "PYTHONUNBUFFERED": "1",
    }


def command(*arguments):
    """A command line for Odoo in the virtualenv."""
    return [venv_python(), SCRIPTS / "odoo_bin.py", *arguments]


def problems(log):
    """The warnings and errors in a log of Odoo, as "LEVEL logger: text" lines."""
    return [
        f"{level} {logger}: {text}"
        for level, logger, text in LOG_LINE.findall(log)
        if level in ("WARNING", "ERROR", "CRITICAL")
    ]


def _why(text):
    found = [line for line in problems(text) if not line.startswith("WARNING")]
    last = text.strip().splitlines()[-1].strip()
    first = f"{found[0]} / " if found else ""
    return f"Odoo stopped with an error: {first}{last} (see .run/log)"


def failure(log):
    """Why no server can come of this log: the exception that broke the registry."""
    if "Failed to initialize database" not in log:
        return None
    raised = re.findall(r"^(?:\w+\.)*\w*(?:Error|Exception)\b.*$", log, re.MULTILINE)
    return raised[-1] if raised else "the database cannot be loaded"


def _run(what, log, *arguments, **kwargs):
    DATA.mkdir(parents=True, exist_ok=True)
    kwargs.setdefault("env", environment())
    return proc.run(what, command(*arguments), log=log, why=_why, **kwargs)


def _change(what, database, **modules):
    """Run Odoo once with ``-i`` or ``-u`` and the names of modules for each."""
    words = []
    for option, names in modules.items():
        words += [f"-{option}", ",".join(names)] if names else []
    end = ["--stop-after-init", "--no-http"]
    log = f"odoo-{next(iter(modules))}-{database}"
    return _run(what, log, "-d", database, *words, *end)


def install(what, database, modules):
    """Install modules in a database; the path of the log."""
    return _change(what, database, i=modules)


def upgrade(what, database, modules, new=()):
    """Upgrade modules in a database, and install others; the path of the log."""
    return _change(what, database, u=modules, i=new)


def script(what, database, name, *arguments):
    """Run ``tools/scripts/<name>.py`` in an Odoo shell; the path of the log.

    A name with an absolute path is that of a script elsewhere.
    The script finds its arguments in the environment variable ``ARGUMENTS``, by spaces.
    """
    with open(SCRIPTS / f"{name}.py") as source:
        return _run(
            what,
            f"odoo-{Path(name).name}-{database}",
            *("shell", "-d", database, "--no-http"),
            env={**environment(), "ARGUMENTS": " ".join(arguments)},
            stdin=source,
        )
