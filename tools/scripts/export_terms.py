"""Write Odoo's own export of the addon's terms into a folder (for ``odoo shell``).

Beside it go the XML ids of fields and models that the addon has from Odoo: what those
are called is Odoo's.
"""

import os
from pathlib import Path

from odoo.tools.translate import trans_export

env = globals()["env"]  # given by the shell
folder, module = os.environ["ARGUMENTS"].split()
with open(Path(folder) / "terms.pot", "wb") as target:
    trans_export(None, [module], target, "po", env)
inherited = []
for model in env.registry.values():
    name = model._name.replace(".", "_")
    if model._original_module != module:
        inherited.append(f"{module}.model_{name}")
    inherited += [
        f"{module}.field_{name}__{field.name}"
        for field in model._fields.values()
        if module not in field._modules
    ]
(Path(folder) / "inherited.txt").write_text("\n".join(inherited))
