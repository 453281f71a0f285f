"""Write what is published of the personas into a folder (for ``odoo shell``)."""

import os
from pathlib import Path

env = globals()["env"]  # given by the shell
for name, text in env["ipai.expertise.registry"]._published().items():
    (Path(os.environ["ARGUMENTS"]) / name).write_text(text)
