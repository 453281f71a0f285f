"""For those who work on the addons: a shell, psql, any command in our environment."""

import os
import signal
import subprocess

from . import databases, odoo, postgres
from .paths import VENV
from .say import Stop


def _foreground(command, env):
    """Run a command that owns the terminal; a Ctrl-C is the command's own."""
    # Not SIG_IGN: that, unlike a handler, the command would inherit.
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        return subprocess.run(command, env=env, check=False).returncode
    finally:
        signal.signal(signal.SIGINT, before)


def _environment():
    path = f"{VENV / 'bin'}:{postgres.binaries()}:{os.environ.get('PATH', '')}"
    return {**odoo.environment(), "PATH": path}


def shell(arguments):
    """``shell [DB]``: an Odoo shell; runs a script from standard input."""
    database = arguments[0] if arguments else "ipai"
    with postgres.running():
        if not databases.exists(database):
            raise Stop(f"There is no database {database} yet: make run makes it.")
        return _foreground(
            odoo.command("shell", "-d", database, "--no-http"), _environment()
        )


def psql(arguments):
    """``psql [arguments]``: psql, the embedded server's own, on our server."""
    with postgres.running():
        return _foreground(
            [postgres.binaries() / "psql", *(arguments or ["ipai"])], _environment()
        )


def execute(arguments):
    """``exec command …``: a command with Odoo's and PostgreSQL's environment.

    ``{base}``, ``{core}``, ``{all}``, ``{demo}`` or ``{<name of an addon>}`` in an
    argument becomes the name of a fresh copy of that template, dropped afterwards.
    """
    with postgres.running():
        made = {}
        try:
            for kind in databases.kinds():
                if any(f"{{{kind}}}" in word for word in arguments):
                    made[kind] = databases.temporary_name()
                    databases.copy(databases.template(kind), made[kind])
            words = arguments
            for kind, name in made.items():
                words = [word.replace(f"{{{kind}}}", name) for word in words]
            return _foreground(words, _environment())
        finally:
            for name in made.values():
                databases.drop(name)
