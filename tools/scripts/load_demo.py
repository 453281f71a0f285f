"""Load the demo data of the named modules, and of no other (for ``odoo shell``).

Odoo's own ``module force-demo`` loads that of every installed module too; that of these
addons stands on its own, so base and mail need none.
"""

import os
import sys

from odoo.modules.loading import load_demo
from odoo.modules.module_graph import ModuleGraph

env = globals()["env"]  # given by the shell
graph = ModuleGraph(env.cr, mode="load")
graph.extend(
    env["ir.module.module"].search([("state", "=", "installed")]).mapped("name")
)
for name in os.environ["ARGUMENTS"].split():
    if not load_demo(env, graph[name], {}, "init"):
        sys.exit(f"the demo data of {name} does not load")
    env.cr.execute("UPDATE ir_module_module SET demo = true WHERE name = %s", [name])
env.cr.commit()
