"""What the new constraints ask of records that are there already."""

from odoo.tools.sql import column_exists


def migrate(cr, version):
    """Say which incidents owe a post-mortem, before the database insists on it."""
    if not column_exists(cr, "ipai_incident", "postmortem_status"):
        cr.execute(
            """
            ALTER TABLE ipai_incident ADD COLUMN postmortem_status varchar,
                                      ADD COLUMN postmortem_due_at timestamp;
            UPDATE ipai_incident
               SET postmortem_status = CASE WHEN severity IN ('high', 'critical')
                                            THEN 'pending' ELSE 'not_needed' END,
                   postmortem_due_at = CASE WHEN severity IN ('high', 'critical')
                                            THEN now() AT TIME ZONE 'utc'
                                                 + interval '5 days' END;
            """
        )
    # A reference names one incident of a project; of several the first keeps it.
    cr.execute(
        """
        UPDATE ipai_incident i SET external_id = i.external_id || ' (' || i.id || ')'
         WHERE i.external_id <> '' AND EXISTS (
               SELECT FROM ipai_incident o
                WHERE o.project_id = i.project_id AND o.external_id = i.external_id
                  AND o.id < i.id)
        """
    )
