"""SQL expressions for delivery figures of deployments, see docs/decisions/0030.

Each is an expression over one deployment: ``d`` with its environment ``e``, its
revision ``v`` and its release ``r``, and ``trouble``, the incidents attached to it.
"""

from odoo.tools import SQL

from .expressions import hours


def _succeeded(deployment):
    # A production deployment gets its deadline when it succeeds, and keeps it.
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

#: Whether the deployment brought a change to production, with success or not. A
#: rollback does not, nor does a deployment in progress.
IS_CHANGE = SQL(
    "(e.category = 'production' AND d.status <> 'in_progress'"
    " AND d.rollback_of_id IS NULL)"
)

_FAILED = SQL("(d.status IN ('failed', 'rolled_back') OR trouble.is_known)")

#: A change that failed, was rolled back, or has an incident.
IS_CHANGE_FAILURE = SQL("(%s AND %s)", IS_CHANGE, _FAILED)

#: When production was restored after a failed change: at its successful rollback; else
#: when all its incidents were resolved; else, without incidents, at the next successful
#: deployment to the environment.
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

#: When a change failed and when production was restored: one row, for a lateral join.
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

#: Of a failed change: from the detection of the failure until production was restored.
RECOVERY_HOURS = hours(
    SQL("greatest(recovery.restored_at - recovery.detected_at, interval '0')")
)

#: The revisions of the same commit. The subquery is evaluated first: otherwise the
#: planner may go through all releases of the project for each deployment.
_SAME_COMMIT = SQL(
    """
    SELECT id, release_id, recorded_at
      FROM ipai_revision
     WHERE source_ref = v.source_ref
    OFFSET 0
    """
)

#: When a revision of the project first named the commit.
_HEARD_AT = SQL(
    """
    (SELECT min(heard.recorded_at)
       FROM (%s) heard
       JOIN ipai_release hr ON hr.id = heard.release_id
      WHERE hr.project_id = r.project_id)
    """,
    _SAME_COMMIT,
)

#: Whether the deployment brought its commit to production for the first time. The lead
#: time of one that was deployed before any revision named its commit is not known.
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

#: From the first revision that names the commit until its deployment to production.
CHANGE_LEAD_HOURS = SQL(
    "CASE WHEN %s THEN %s END",
    IS_FIRST_DELIVERY,
    hours(SQL("d.deployed_at - %s", _HEARD_AT)),
)

#: Whether the change was unplanned: made while an incident of production was open,
#: after a change that had failed or was rolled back, or under an emergency exception.
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
