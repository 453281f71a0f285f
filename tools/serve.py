"""``make run``: the addon with its demo data on a server, until a signal ends it."""

import argparse
import json
import os
import re

from . import databases, postgres
from .locks import exclusive, stamp
from .paths import ADDON_NAME, LOGS, RUN
from .say import Stop, say, slow
from .server import Server, require_free

#: login → who that is; the demo data brings them, with the login as the password
PERSONAS = {
    "dev": "Developer",
    "qa": "QA tester",
    "rm": "Release manager",
    "sre": "SRE",
    "ci": "CI service (API only)",
    "auditor": "Auditor, reads everything",
    "governance": "Governance admin",
    "admin": "Odoo administrator, no approval rights",
}


def options(arguments):
    """The port and the database that the command line names."""
    parser = argparse.ArgumentParser(prog="make run", allow_abbrev=False)
    parser.add_argument("--port", default="8069")
    parser.add_argument("--database", default="ipai")
    given, rest = parser.parse_known_args(arguments)
    if not given.port.isdigit() or not 0 < int(given.port) < 65536:
        raise Stop(f"PORT={given.port} is no port: give a number from 1 to 65535.")
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,40}", given.database):
        raise Stop(
            f"DB={given.database} will not do: small letters, digits and _ only."
        )
    given.port = int(given.port)
    return given, rest


def _note(database):
    """Where a running server says its address, for ``make demo``."""
    return RUN / f"serving-{database}.json"


def serving(database):
    """The address of the server that ``make run`` has up on a database, or nothing."""
    try:
        note = json.loads(_note(database).read_text())
        os.kill(note["pid"], 0)
    except (OSError, ValueError, KeyError):
        return None
    return note["url"]


def serve(database, port, then):
    """Serve an up-to-date database, and call ``then(server)`` while it is up."""
    busy = (
        f"The database {database} is being served already "
        f"({serving(database) or 'starting'}): "
        "use that one, or choose another, make run DB=other PORT=8070."
    )
    with exclusive(f"serving-{database}", refusal=busy):
        require_free(port)
        with postgres.running():
            databases.up_to_date(database)
            databases.set_address(database, f"http://localhost:{port}")
            server = Server(database, port, log="server", jobs=True)
            with slow("Starting the server"):
                server.start()
            try:
                with slow("Waiting for its first page"):
                    server.wait()
                stamp(
                    _note(database), json.dumps({"url": server.url, "pid": os.getpid()})
                )
                return then(server)
            finally:
                _note(database).unlink(missing_ok=True)
                with slow("Ending the server"):
                    server.stop()


def run(arguments):
    """``run [--port N] [--database NAME]``: serve until Ctrl-C."""
    given, _ = options(arguments)

    def wait_for_end(server):
        say(f"\n{ADDON_NAME} on Odoo 19: {server.url}\n")
        say("Log in with (password = login; demo data only):")
        for login, who in PERSONAS.items():
            say(f"  {login:<11} {who}")
        say(f"\nLog: {LOGS / 'server.log'} · Ctrl-C ends the server.")
        code = server.process.wait()
        raise Stop(
            f"The server ended by itself (exit code {code}): {server.log} says why."
        )

    return serve(given.database, given.port, wait_for_end)
