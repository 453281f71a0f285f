"""Where things are: the repository, and the one ignored folder for all that is made."""

import hashlib
import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RUN = ROOT / ".run"
VENV = RUN / "venv"
ODOO = RUN / "odoo"
DATA = RUN / "data"
LOGS = RUN / "log"
REPORTS = RUN / "reports"
LOCKS = RUN / "locks"

ADDON_NAME = "ipai_release_gates"
#: The folder that holds the addon; another one only serves to try the tools themselves.
ADDONS_PATH = Path(os.environ.get("IPAI_ADDONS_PATH") or ROOT).resolve()
ADDON = ADDONS_PATH / ADDON_NAME

#: Tells the databases of this clone from those of another on the same server.
PREFIX = "ipai_" + hashlib.sha1(str(ROOT).encode()).hexdigest()[:6]


def venv_python() -> Path:
    """The Python of the virtualenv."""
    return VENV / "bin" / "python"
