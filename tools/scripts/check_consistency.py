"""Look for contradictions in the model and the documents (for ``odoo shell``).

The file that ``ARGUMENTS`` names holds those of the repository as JSON, path to text:
none, and only the model is looked at. Prints one line
``FINDINGS [[severity, text], …]`` and changes nothing.
"""

import json
import os
import re

from odoo.addons.ipai_release_gates import consistency, ingest

env = globals()["env"]  # given by the shell
with open(os.environ["ARGUMENTS"], encoding="utf-8") as source:
    files = json.load(source)
demo = "\n".join(text for name, text in files.items() if name.endswith("/users.xml"))
models = frozenset(name for name in env.registry if name.startswith("ipai."))
names = consistency.Names(
    stages=tuple(
        (
            stage.name,
            stage.gate_id.code or "",
            tuple(code.replace("_", " ") for code in stage.persona_ids.mapped("code")),
        )
        for stage in env["ipai.release.stage"].search([])
    ),
    event_types=frozenset(ingest.EVENT_TYPES),
    models=models,
    members=frozenset(
        f"{name}.{member}" for name in models for member in dir(env[name])
    ),
    codes=frozenset(
        code
        for model in ("ipai.gate.requirement", "ipai.evidence.type")
        for code in env[model].search([]).mapped("code")
    ),
    menus=frozenset(env["ir.ui.menu"].search([]).mapped("name")),
    logins=frozenset(re.findall(r'<field name="login">(.+?)<', demo)),
)
found = env["ipai.consistency"]._findings()
if files:
    found += consistency.document_findings(files, names)
print("FINDINGS", json.dumps([(each.severity, str(each)) for each in found]))
env.cr.rollback()
