"""From one release's gates to the whole control plane."""

from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    """Bring records of 19.0.1 to what 19.0.2 keeps about them."""
    env = api.Environment(cr, SUPERUSER_ID, {"active_test": False})
    env["ipai.environment"].search([])._ensure_controls()
    # G3 asks for more, and what time changes is stored from now on.
    env["ipai.release"].search([("is_open", "=", True)])._policy_recorded()
