"""The browser of Odoo's browser tests."""

import shutil

from . import aptstate
from .say import Stop

#: The names under which Odoo's test browser looks for one.
NAMES = ("google-chrome", "chromium", "chromium-browser", "google-chrome-stable")


def ensure():
    """Have a Chromium on the PATH; root gets it installed."""
    if any(shutil.which(name) for name in NAMES):
        return
    aptstate.install(
        "chromium",
        "The browser tests need Chromium: apt-get install chromium "
        "as root, then run make test again.",
    )
    if not shutil.which("chromium"):
        raise Stop("Chromium is installed but not on the PATH: add it, then retry.")
