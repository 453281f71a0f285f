"""``mypy --strict`` on the plain-Python rooms of all addons and on the client.

The rooms are checked under the names that they have in Odoo, without Odoo: in a folder
of links, ``.run/types``, where the addons are packages without code.

Runs inside the virtualenv.
"""

import shutil
import subprocess

from . import addons
from .paths import ROOT, RUN, VENV
from .say import Stop, say

LINKS = RUN / "types"
CLIENT = ROOT / "client"
#: The oldest Python that Odoo 19 runs on.
PYTHON = "3.10"
#: Rooms that only ``python3 -m tools types`` checks until their types are complete.
PENDING: set[str] = set()


def rooms(known=None):
    """Every room with types: name → folder; the client is one of them."""
    found = {
        f"{addon.name}/{folder.name}": folder
        for addon in known or addons.every()
        for folder in addon.rooms
    }
    return {**found, "client": CLIENT / "ipai_gates"}


def problems(chosen, links=LINKS):
    """What mypy finds, as lines that name the files of this repository.

    :param chosen: rooms, name → folder
    :param links: folder for the links, which is emptied first
    """
    shutil.rmtree(links, ignore_errors=True)
    # Rooms import one another: all are linked, and only the chosen ones are checked.
    for name, folder in (rooms() | chosen).items():
        link = links / "odoo/addons" / name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(folder)
    (links / "odoo/addons/client").rename(links / "ipai_gates")
    paths = [
        "ipai_gates" if name == "client" else f"odoo/addons/{name}" for name in chosen
    ]
    done = subprocess.run(
        [
            VENV / "bin" / "mypy",
            *("--strict", f"--python-version={PYTHON}", f"--cache-dir={RUN / 'mypy'}"),
            *("--namespace-packages", "--explicit-package-bases"),
            *(f"--config-file={ROOT / 'pyproject.toml'}", "--no-error-summary"),
            "--hide-error-context",
            *paths,
        ],
        cwd=links,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode not in (0, 1):
        raise Stop(f"mypy broke off: {done.stdout}{done.stderr}".strip())
    return [_place(line) for line in done.stdout.splitlines()]


def _place(line):
    """A line of mypy with the path as it is in the repository."""
    for name, folder in rooms().items():
        linked = "ipai_gates" if name == "client" else f"odoo/addons/{name}"
        if line.startswith(f"{linked}/"):
            shown = folder
            if folder.is_relative_to(ROOT):
                shown = folder.relative_to(ROOT)
            return f"{shown}{line.removeprefix(linked)}"
    return line


def check():
    """Print what mypy finds in the rooms whose types are complete; whether nothing."""
    chosen = {name: path for name, path in rooms().items() if name not in PENDING}
    found = problems(chosen) if chosen else []
    for line in found:
        say(f"✗ {line}")
    return not found


def types(arguments):
    """``types [room …]``: check all rooms, or those whose names contain a word."""
    chosen = {
        name: folder
        for name, folder in rooms().items()
        if not arguments or any(word in name for word in arguments)
    }
    if not chosen:
        raise Stop(f"There is no such room; there are {', '.join(rooms())}.")
    found = problems(chosen)
    for line in found:
        say(line)
    say(f"{len(found)} problems in {', '.join(chosen)}")
    return 1 if found else 0
