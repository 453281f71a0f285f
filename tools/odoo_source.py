"""Odoo 19 itself: the one in ``ODOO_HOME``, or Debian's, unpacked in ``.run``."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from . import aptstate, assets
from .locks import fresh_folder, stamp, stamped
from .paths import ODOO, RUN
from .say import Stop, slow
from .venv import site_packages

PACKAGE = "odoo-19/sid"
#: The fonts and scripts that Debian's Odoo links to instead of carrying them.
#: FontAwesome is taken as 4.7: newer ones ship files of another name.
LINKED = [
    "fonts-font-awesome/bookworm",
    "fonts-inconsolata/sid",
    "fonts-montserrat/sid",
    "fonts-ocr-b/sid",
    "fonts-roboto-unhinted/sid",
    "libjs-jquery/sid",
    "libjs-jquery-form/sid",
    "libjs-underscore/sid",
]
SOURCE = Path("usr/lib/python3/dist-packages")


def _release(home):
    try:
        text = (home / "odoo" / "release.py").read_text()
    except OSError:
        return None
    found = re.search(r"^version_info = \((\d+),", text, re.MULTILINE)
    return int(found[1]) if found else None


def _given():
    """The folder in ``ODOO_HOME`` that holds the package ``odoo``, if one is named."""
    named = os.environ.get("ODOO_HOME")
    if not named:
        return None
    home = Path(named).expanduser().resolve()
    for folder in (home, home / SOURCE):
        if _release(folder) == 19:
            return folder
    raise Stop(
        f"ODOO_HOME={named} holds no Odoo 19: name the folder that contains "
        "odoo/release.py, or leave ODOO_HOME out to have it downloaded."
    )


def _extract(deb, folder):
    # Debian's build of Odoo left a second copy of all addons there, without their data.
    tar = ["tar", "-x", "-C", folder, f"--exclude=./{SOURCE}/addons"]
    with subprocess.Popen(
        ["dpkg-deb", "--fsys-tarfile", deb], stdout=subprocess.PIPE
    ) as package:
        subprocess.run(tar, stdin=package.stdout, check=True)
    if package.returncode:
        raise Stop(f"{deb.name} is damaged: run the same command again to get it anew.")


def _unpack():
    options = aptstate.open_state(("sid", "bookworm"))
    debs = fresh_folder(RUN / "debs")
    fresh = fresh_folder(ODOO.with_name("odoo.new"))
    files = aptstate.download(options, [PACKAGE, *LINKED], debs)
    with slow("Unpacking Odoo 19"):
        for deb in files:
            _extract(deb, fresh)
    assets.repair(fresh / SOURCE, fresh / "usr/share")
    stamp(
        fresh / "made",
        next(deb.name for deb in files if deb.name.startswith("odoo-19")),
    )
    shutil.rmtree(ODOO, ignore_errors=True)
    fresh.rename(ODOO)
    shutil.rmtree(debs)
    shutil.rmtree(aptstate.STATE)


def _link():
    return site_packages() / "odoo-19.pth"


def home():
    """The folder that contains the package ``odoo``, as :func:`ensure` found it."""
    return Path(_link().read_text().strip())


def ensure():
    """Have Odoo 19 and make the virtualenv find it."""
    home = _given()
    if not home:
        if not (ODOO / "made").exists():
            _unpack()
        home = ODOO / SOURCE
    if not stamped(_link(), f"{home}\n"):
        stamp(_link(), f"{home}\n")


def identity(home):
    """What tells this Odoo from another; part of every template's key."""
    made = ODOO / "made"
    if made.exists() and home == ODOO / SOURCE:
        return made.read_text()
    head = subprocess.run(
        ["git", "-C", home, "rev-parse", "HEAD"],
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    return f"{home} {head}"
