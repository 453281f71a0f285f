"""From the control plane to the gates that CI enforces."""

from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    """Bring releases of 19.0.2 to what 19.0.3 keeps about them."""
    env = api.Environment(cr, SUPERUSER_ID, {"active_test": False})
    # What a release waits for, and for whom, is stored in more detail from now on.
    env["ipai.release"].search([("is_open", "=", True)])._rejudge_in_batches()
