"""Load the demo data of one module, and of no other (for ``odoo shell``).

Odoo's own ``module force-demo`` loads that of every installed module too; the addon's
stands on its own, so base and mail need none.
"""

import os
import sys

from odoo.modules.loading import load_demo
from odoo.modules.module_graph import ModuleGraph

name = os.environ["ARGUMENTS"]
env = globals()["env"]  # given by the shell
graph = ModuleGraph(env.cr, mode="load")
graph.extend(
    env["ir.module.module"].search([("state", "=", "installed")]).mapped("name")
)
if not load_demo(env, graph[name], {}, "init"):
    sys.exit(f"the demo data of {name} does not load")
env.cr.execute("UPDATE ir_module_module SET demo = true WHERE name = %s", [name])
env.cr.commit()
