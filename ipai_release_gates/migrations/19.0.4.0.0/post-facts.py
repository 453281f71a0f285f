"""Drills and checks of controls, which decide gates, become facts of the ledger."""

from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    """Record the last check of each control, and every drill, in the ledger."""
    env = api.Environment(cr, SUPERUSER_ID, {"active_test": False})
    controls = env["ipai.environment.control"].search(
        [("kind", "!=", "lifetime"), ("status", "!=", "unknown")], order="id"
    )
    env["ipai.control.check"].system_create(
        [
            {
                "environment_id": control.environment_id.id,
                "kind": control.kind,
                "status": control.status,
                "note": control.note,
                "checked_at": control.checked_at or control.write_date,
                "checked_by_id": control.checked_by_id.id or SUPERUSER_ID,
                "source_system": "manual",
            }
            for control in controls
        ]
    )
    env["ipai.recovery.drill"].search([], order="id")._record_in_governance()
