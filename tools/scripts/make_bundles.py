"""Store the web client's bundles in a database (for ``odoo shell``).

A browser test rolls back what it did: without these, each would build them again.
"""

env = globals()["env"]  # given by the shell
env["ir.qweb"]._pregenerate_assets_bundles()
env.cr.commit()
