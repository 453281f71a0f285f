"""The toy satellite: where it is, and Odoo with it on its path."""

from contextlib import contextmanager
from pathlib import Path

import pytest

from tools import addons
from tools.paths import ADDONS_PATH

NAME = "ipai_release_gates_toy"
FOLDER = Path(__file__).with_name("addons") / NAME


@contextmanager
def on_path():
    """Have every Odoo that starts in the block find the toy."""
    paths = [*addons.folders(ADDONS_PATH), FOLDER.parent]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(addons, "folders", lambda root: paths)
        yield
