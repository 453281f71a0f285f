"""Debian packages: downloaded into a private apt state, or installed by root."""

import os
import shutil
import subprocess
from pathlib import Path

from .locks import fresh_folder
from .paths import RUN
from .proc import run
from .say import Stop

STATE = RUN / "apt"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
NO_APT = (
    "Odoo 19 is taken from the Debian archive, and there is no working apt-get here: "
    "install Odoo 19 yourself and name its folder, make run ODOO_HOME=/path/to/odoo."
)


def _options(lists, sources=None):
    options = {
        "Dir::State::lists": lists,
        "Dir::Cache": STATE / "cache",
        # Without this root's downloads go to the user _apt, who may not enter our
        # folder.
        "APT::Sandbox::User": "root",
        "Acquire::Languages": "none",
        "Acquire::Retries": "3",
    }
    if sources:
        options["Dir::Etc::sourcelist"] = sources
        options["Dir::Etc::sourceparts"] = "/dev/null"
    return [word for key, value in options.items() for word in ("-o", f"{key}={value}")]


def _mirror(options=()):
    """The address of the machine's own Debian mirror, or nothing if apt knows none."""
    targets = subprocess.run(
        [
            "apt-get",
            *options,
            "indextargets",
            "--format",
            "$(REPO_URI) $(LABEL)",
            "Created-By: Packages",
        ],
        check=False,
        capture_output=True,
        text=True,
    ).stdout.splitlines()
    for line in targets:
        address, _, label = line.partition(" ")
        if label == "Debian":
            return address
    return ""


def open_state(suites):
    """Make a private apt state that knows the given suites of the machine's own mirror.

    It needs no root and changes nothing of the machine.

    :return: the apt options that select it
    :raises Stop: without apt or without a Debian mirror
    """
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        raise Stop(NO_APT)
    fresh_folder(STATE)
    (STATE / "cache").mkdir()
    mirror = _mirror()
    if not mirror:
        # A machine that never ran "apt-get update": read its own sources into our
        # lists.
        own = _options(fresh_folder(STATE / "own"))
        run(
            "Asking the machine's own package sources",
            ["apt-get", *own, "update"],
            log="apt-own",
            why=lambda text: NO_APT,
        )
        mirror = _mirror(own)
    if not mirror:
        raise Stop(NO_APT)
    signed = f"[signed-by={KEYRING}] " if KEYRING.exists() else ""
    sources = STATE / "sources.list"
    sources.write_text(
        "".join(f"deb {signed}{mirror} {suite} main\n" for suite in suites)
    )
    options = _options(fresh_folder(STATE / "lists"), sources)
    run(
        "Reading the Debian package lists",
        ["apt-get", *options, "update"],
        log="apt-update",
        why=lambda text: NO_APT,
    )
    return options


def download(options, packages, folder):
    """Download packages (``name/suite``) into a folder, installing nothing."""
    run(
        f"Downloading {len(packages)} Debian packages",
        ["apt-get", *options, "download", *packages],
        log="apt-download",
        cwd=folder,
        why=lambda text: f"{NO_APT} (apt-get said: {text.strip().splitlines()[-1]})",
    )
    return sorted(folder.glob("*.deb"))


def install(package, otherwise):
    """Install a package on the machine, which only root may.

    :param otherwise: the sentence for everyone else, and for a failure
    """
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise Stop(otherwise)
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    run(
        f"Updating the package lists for {package}",
        ["apt-get", "update"],
        log="apt-install-update",
        env=env,
        why=lambda text: otherwise,
    )
    run(
        f"Installing {package}",
        ["apt-get", "install", "-y", "--no-install-recommends", package],
        log=f"apt-install-{package}",
        env=env,
        why=lambda text: otherwise,
    )
