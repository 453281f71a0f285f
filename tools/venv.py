"""The virtualenv in ``.run/venv`` and what is installed in it, list by list."""

import hashlib
import os
import shutil
import sys

from . import aptstate
from .locks import stamp, stamped
from .paths import ROOT, VENV, venv_python
from .proc import run

#: What each purpose adds; ``run`` is enough to start Odoo.
LISTS = {
    "run": ["requirements/odoo.txt", "requirements.txt"],
    "test": ["requirements/test.txt"],
    "lint": ["requirements/lint.txt"],
}
#: Addons of others, without what their packages require: that includes Odoo itself.
ADDONS_LIST = "requirements/addons.txt"


def _why(text):
    if "No matching distribution" in text or "Could not find a version" in text:
        line = next(
            li for li in text.splitlines() if "No matching" in li or "Could not" in li
        )
        return (
            f"pip cannot get a requirement ({line.strip()}): "
            "check its package index, then retry."
        )
    if "Connection" in text or "Temporary failure" in text or "timed out" in text:
        return (
            "pip cannot reach its package index: "
            "check the network or pip's configuration, then retry."
        )
    return None


def _create():
    shutil.rmtree(VENV, ignore_errors=True)
    try:
        import ensurepip  # noqa: F401  Debian packs it apart from Python
    except ImportError:
        aptstate.install(
            "python3-venv",
            "This Python cannot make a virtualenv: apt-get install python3-venv as "
            "root, or name another Python, make run PYTHON=/path/to/python3.",
        )
    run("Making the virtualenv", [sys.executable, "-m", "venv", VENV], log="venv")


def ensure(*purposes):
    """Make the virtualenv and install the lists of the given purposes, once.

    :raises Stop: when a package cannot be had
    """
    version = "{}.{}.{}".format(*sys.version_info)
    base = VENV / ".python"
    if not stamped(base, version) or not venv_python().exists():
        _create()
        stamp(base, version)
    for purpose in purposes:
        _install(
            f"Installing the Python packages to {purpose}", purpose, LISTS[purpose]
        )
    if "run" in purposes:
        _install("Installing the OCA addons", "addons", [ADDONS_LIST], "--no-deps")


def _install(what, name, files, *options):
    """Install lists of packages, unless these very lists are installed already."""
    key = hashlib.sha256(
        b"".join((ROOT / file).read_bytes() for file in files)
    ).hexdigest()
    mark = VENV / f".{name}"
    if stamped(mark, key):
        return
    lists = [word for file in files for word in ("-r", file)]
    pip = [venv_python(), "-m", "pip", "install", "--no-input", "--progress-bar", "off"]
    run(
        what,
        [*pip, "--disable-pip-version-check", *options, *lists],
        log=f"pip-{name}",
        why=_why,
        env={**os.environ, "PYTHONPATH": ""},
    )
    stamp(mark, key)


def site_packages():
    """The folder of the virtualenv's packages."""
    return next((VENV / "lib").glob("python3.*/site-packages"))


def oca_addons():
    """The folder of the addons that :data:`ADDONS_LIST` brings."""
    return site_packages() / "odoo" / "addons"
