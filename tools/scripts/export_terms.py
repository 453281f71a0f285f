"""Write Odoo's own export of the addon's terms into a file (for ``odoo shell``)."""

import os

from odoo.tools.translate import trans_export

env = globals()["env"]  # given by the shell
path, module = os.environ["ARGUMENTS"].split()
with open(path, "wb") as target:
    trans_export(None, [module], target, "po", env)
