"""From the rules written out to the rules derived from registries."""

from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    """Judge the open releases of 19.0.3 by the rules of 19.0.4."""
    env = api.Environment(cr, SUPERUSER_ID, {"active_test": False})
    env["ipai.release"].search([("is_open", "=", True)])._rejudge_in_batches()
