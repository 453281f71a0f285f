"""Write what is published of the records into a folder (for ``odoo shell``)."""

import os
from pathlib import Path

env = globals()["env"]  # given by the shell
published = {
    f"personas/{name}": text
    for name, text in env["ipai.expertise.registry"]._published().items()
}
published |= env["ipai.policy.file"]._published()
for name, text in published.items():
    path = Path(os.environ["ARGUMENTS"]) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
