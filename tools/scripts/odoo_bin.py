"""Odoo's command line as a file.

With workers, Odoo starts itself once more for websockets, by the path it was started
with; the one of ``python -m odoo`` cannot be run as a file.
"""

import odoo.cli

if __name__ == "__main__":
    odoo.cli.main()
