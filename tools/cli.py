"""The commands, and how each of them ends."""

import importlib
import os
import signal
import sys

from . import odoo_source, venv
from .locks import setting_up
from .paths import ROOT, venv_python
from .say import Stop, say


class Ended(BaseException):
    """A signal asked us to end; the number is the exit code, 128 + signal."""


def _end_on(signum, frame):
    # A second signal must not break into the cleaning up.
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    raise Ended(128 + signum)


def _inside_virtualenv():
    return sys.prefix == str(venv_python().parent.parent)


def set_up(*purposes):
    """Have the virtualenv and Odoo, and go on inside the virtualenv."""
    if not _inside_virtualenv():
        with setting_up():
            venv.ensure(*purposes)
            odoo_source.ensure()
        os.execv(venv_python(), [venv_python(), "-m", "tools", *sys.argv[1:]])


#: command → (its module, what the set-up must bring, its line of help)
COMMANDS = {
    "run": ("serve", ("run",), "start Odoo with the addons and their demo data"),
    "test": ("testing", ("run", "test"), "run all tests, or those that ARGS names"),
    "demo": (
        "demo",
        ("run", "test"),
        "carry a release of this repository through its gates",
    ),
    "consistency": (
        "consistency",
        ("run",),
        "look for contradictions in the model and the documents",
    ),
    "lint": ("lint", ("run", "test", "lint"), "run all linters"),
    "house": ("house", ("run",), "look for what breaks a rule of the house"),
    "types": ("typecheck", ("run", "lint"), "check the types of rooms and client"),
    "publish": (
        "publish",
        ("run",),
        "generate docs/reference from the records; --check: look only",
    ),
    "screenshots": (
        "screenshots",
        ("run", "test"),
        "take the pictures of docs/guide; --check: look only",
    ),
    "translations": (
        "translations",
        ("run",),
        "collect the terms to translate in i18n; --check: look only",
    ),
    "weights": ("testing", ("run",), "write tests/weights.txt from the last make test"),
    "shell": ("develop", ("run",), "an Odoo shell on a database"),
    "psql": ("develop", ("run",), "psql on the server"),
    "exec": ("develop", ("run", "test"), "a command with the environment of Odoo"),
    "clean": ("clean", (), "remove all that was made"),
}


def usage():
    """What there is to call."""
    lines = [f"  {name:<14}{line}" for name, (_, _, line) in COMMANDS.items()]
    return "\n".join(["python3 -m tools <command>", *lines])


def main():
    """Run the command that the command line names; the exit code."""
    os.chdir(ROOT)
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, _end_on)
    command, arguments = (sys.argv[1:2] or [""])[0], sys.argv[2:]
    if command not in COMMANDS:
        say(usage())
        return 0 if command == "help" else 2
    module, purposes, _ = COMMANDS[command]
    try:
        if purposes:
            set_up(*purposes)
        function = getattr(
            importlib.import_module(f"tools.{module}"),
            command.replace("exec", "execute"),
        )
        return function(arguments)
    except Stop as reason:
        say(f"✗ {reason}")
        return 1
    except Ended as end:
        return end.args[0]
