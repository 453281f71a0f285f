"""SQL of what deployments say about delivery: docs/decisions/0030.

Each is an expression over one deployment: ``d`` with its environment ``e``, its
revision ``v`` and its release ``r``, and ``trouble``, the incidents attached to it.
"""

from odoo.tools import SQL

from .expressions import hours


def _succeeded(deployment):
    # A deadline to confirm is set when a production deployment succeeds, and stays.
    return SQL(
        "(%(d)s.status = 'succeeded' OR %(d)s.confirmation_due_at IS NOT NULL)",
        d=deployment,
    )


#: The incidents attached to a deployment, as one row, for a lateral join.
TROUBLE = SQL(
    """
    SELECT count(*) > 0 AS is_known,
           min(i.detected_at) AS detected_at,
           CASE WHEN bool_and(i.resolved_at IS NOT NULL) THEN max(i.resolved_at)
           END AS resolved_at
      FROM ipai_incident i
     WHERE i.deployment_id = d.id
    """
)

#: Whether it brought a change to production, well or not. What takes a change back, and
#: what is still under way, does not.
IS_CHANGE = SQL(
    "(e.category = 'production' AND d.status <> 'in_progress'"
    " AND d.rollback_of_id IS NULL)"
)

_FAILED = SQL("(d.status IN ('failed', 'rolled_back') OR trouble.is_known)")

#: A change that failed, was rolled back, or has an incident.
IS_CHANGE_FAILURE = SQL("(%s AND %s)", IS_CHANGE, _FAILED)

#: When a failed change was made good: rolled back with success; else all its incidents
#: resolved; else, where none was opened, the next deployment there that succeeded.
_RESTORED_AT = SQL(
    """
    CASE WHEN d.rolled_back_at IS NOT NULL
          AND coalesce(d.rollback_outcome, 'restored') = 'restored'
         THEN d.rolled_back_at
         WHEN trouble.is_known THEN trouble.resolved_at
         WHEN d.status IN ('failed', 'rolled_back')
         THEN (SELECT min(following.deployed_at)
                 FROM ipai_deployment following
                WHERE following.environment_id = d.environment_id
                  AND (following.deployed_at, following.id) > (d.deployed_at, d.id)
                  AND %s)
    END
    """,
    _succeeded(SQL("following")),
)

#: When a change failed and was made good, as one row, for a lateral join.
RECOVERY = SQL(
    """
    SELECT restored.at AS restored_at,
           CASE WHEN trouble.detected_at <= restored.at THEN trouble.detected_at
                ELSE d.deployed_at
           END AS detected_at
      FROM (SELECT %s AS at) restored
     WHERE %s
    """,
    _RESTORED_AT,
    IS_CHANGE_FAILURE,
)

#: From its detection until it was made good, for a change that failed.
RECOVERY_HOURS = hours(
    SQL("greatest(recovery.restored_at - recovery.detected_at, interval '0')")
)

#: The revisions of the same commit. It is looked up first: without the fence the
#: planner may go through all releases of the project for each deployment.
_SAME_COMMIT = SQL(
    """
    SELECT id, release_id, recorded_at
      FROM ipai_revision
     WHERE source_ref = v.source_ref
    OFFSET 0
    """
)

#: When the project first heard of the commit.
_HEARD_AT = SQL(
    """
    (SELECT min(heard.recorded_at)
       FROM (%s) heard
       JOIN ipai_release hr ON hr.id = heard.release_id
      WHERE hr.project_id = r.project_id)
    """,
    _SAME_COMMIT,
)

#: Whether it brought its commit to production for the first time. Of one that ran
#: before anybody spoke of its commit, how long it took is not known.
IS_FIRST_DELIVERY = SQL(
    """
    (%s AND %s AND d.deployed_at >= %s AND NOT EXISTS (
        SELECT FROM (%s) same
          JOIN ipai_release sr ON sr.id = same.release_id
          JOIN ipai_deployment former ON former.revision_id = same.id
          JOIN ipai_environment fe ON fe.id = former.environment_id
         WHERE sr.project_id = r.project_id
           AND fe.category = 'production'
           AND (former.deployed_at, former.id) < (d.deployed_at, d.id)
           AND %s))
    """,
    IS_CHANGE,
    _succeeded(SQL("d")),
    _HEARD_AT,
    _SAME_COMMIT,
    _succeeded(SQL("former")),
)

#: From the first time the project heard of the commit until it ran in production.
CHANGE_LEAD_HOURS = SQL(
    "CASE WHEN %s THEN %s END",
    IS_FIRST_DELIVERY,
    hours(SQL("d.deployed_at - %s", _HEARD_AT)),
)

#: A change nobody had planned: made while an incident of production was open, after a
#: change there that had failed or had been rolled back, or under an emergency.
IS_REWORK = SQL(
    """
    (%s AND (
        EXISTS (
            SELECT FROM ipai_incident i
         LEFT JOIN ipai_deployment hit ON hit.id = i.deployment_id
         LEFT JOIN ipai_environment he ON he.id = hit.environment_id
             WHERE i.project_id = r.project_id
               AND i.deployment_id IS DISTINCT FROM d.id
               AND (he.id IS NULL OR he.category = 'production')
               AND i.detected_at < d.deployed_at
               AND (i.resolved_at IS NULL OR i.resolved_at >= d.deployed_at))
     OR (SELECT before.status = 'failed'
                OR coalesce(before.rolled_back_at <= d.deployed_at, FALSE)
           FROM ipai_deployment before
          WHERE before.environment_id = d.environment_id
            AND before.rollback_of_id IS NULL
            AND before.status <> 'in_progress'
            AND (before.deployed_at, before.id) < (d.deployed_at, d.id)
       ORDER BY before.deployed_at DESC, before.id DESC
          LIMIT 1)
     OR EXISTS (
            SELECT FROM ipai_exception x
             WHERE x.release_id = d.release_id
               AND x.revision_id = d.revision_id
               AND x.exception_type = 'emergency'
               AND greatest(x.effective_from, x.approved_at) <= d.deployed_at
               AND x.approved_at IS NOT NULL
               AND x.expires_at > d.deployed_at
               AND (x.ended_at IS NULL OR x.ended_at > d.deployed_at))))
    """,
    IS_CHANGE,
)
