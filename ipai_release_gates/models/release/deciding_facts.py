"""The facts that can decide a verdict, read by one query.

One statement per decision, whatever is recorded and whatever kinds of facts there are.
Of each kind only those are read that can decide: the latest of a name or type for each
gate and the release's current revision. Each row is ``(release id, kind, values)``, the
values as a JSON array.
"""

from odoo.tools import SQL


def _instant(column):
    # JSON has no instants; six digits of a second, as every Python reads them.
    return f"""to_char({column}, 'YYYY-MM-DD"T"HH24:MI:SS.US')"""


_PARTS = {
    "check": f"""
        SELECT DISTINCT ON (c.release_id, c.name, c.environment_category, c.gate_id)
               c.release_id,
               jsonb_build_array(c.id, c.name, c.status, {_instant("c.recorded_at")},
                                 g.code, c.environment_category) AS fact
          FROM ipai_check c
          JOIN ipai_release r ON r.id = c.release_id AND r.revision_id = c.revision_id
     LEFT JOIN ipai_gate g ON g.id = c.gate_id
         WHERE c.release_id IN %(ids)s
      ORDER BY c.release_id, c.name, c.environment_category, c.gate_id, c.id DESC
    """,
    "evidence": f"""
        SELECT DISTINCT ON (e.release_id, e.type_code, e.gate_id)
               e.release_id,
               jsonb_build_array(e.id, e.type_code, {_instant("e.recorded_at")},
                                 g.code, e.metadata) AS fact
          FROM ipai_evidence e
          JOIN ipai_release r ON r.id = e.release_id AND r.revision_id = e.revision_id
     LEFT JOIN ipai_gate g ON g.id = e.gate_id
         WHERE e.release_id IN %(ids)s
      ORDER BY e.release_id, e.type_code, e.gate_id, e.id DESC
    """,
    "approval": f"""
        SELECT DISTINCT ON (a.release_id, a.gate_id, a.approver_id)
               a.release_id,
               jsonb_build_array(a.id, g.code, p.code, a.decision, a.approver_id,
                                 {_instant("a.recorded_at")},
                                 coalesce(a.service_account, false)) AS fact
          FROM ipai_approval a
          JOIN ipai_release r ON r.id = a.release_id AND r.revision_id = a.revision_id
          JOIN ipai_gate g ON g.id = a.gate_id
          JOIN ipai_persona p ON p.id = a.persona_id
         WHERE a.release_id IN %(ids)s
      ORDER BY a.release_id, a.gate_id, a.approver_id, a.id DESC
    """,
    "deployment": f"""
        SELECT DISTINCT ON (d.release_id, e.category)
               d.release_id,
               jsonb_build_array(d.id, e.category, d.status,
                                 {_instant("d.deployed_at")},
                                 {_instant("d.confirmation_due_at")},
                                 {_instant("d.confirmed_at")},
                                 {_instant("d.recorded_at")}) AS fact
          FROM ipai_deployment d
          JOIN ipai_environment e ON e.id = d.environment_id
          JOIN ipai_release r ON r.id = d.release_id AND r.revision_id = d.revision_id
         WHERE d.release_id IN %(ids)s AND d.is_unauthorised IS NOT TRUE
      ORDER BY d.release_id, e.category, d.deployed_at DESC, d.id DESC
    """,
    "incident": """
        SELECT r.id AS release_id, jsonb_build_array(i.id, i.name, i.severity) AS fact
          FROM ipai_incident i
          JOIN ipai_release r ON r.project_id = i.project_id
         WHERE r.id IN %(ids)s AND i.blocking AND i.resolved_at IS NULL
    """,
    "grant": f"""
        SELECT x.release_id,
               jsonb_build_array(
                   x.id,
                   {_instant("greatest(x.effective_from, x.approved_at)")},
                   {_instant("x.expires_at")},
                   (SELECT jsonb_agg(g.code)
                      FROM ipai_exception_gate_rel rel
                      JOIN ipai_gate g ON g.id = rel.gate_id
                     WHERE rel.exception_id = x.id),
                   (SELECT jsonb_agg(jsonb_build_array(g.code, q.code))
                      FROM ipai_exception_requirement_rel rel
                      JOIN ipai_gate_requirement q ON q.id = rel.requirement_id
                      JOIN ipai_gate g ON g.id = q.gate_id
                     WHERE rel.exception_id = x.id)) AS fact
          FROM ipai_exception x
          JOIN ipai_release r ON r.id = x.release_id AND r.revision_id = x.revision_id
         WHERE x.release_id IN %(ids)s AND x.state = 'active'
    """,
    "review": f"""
        SELECT r.id AS release_id,
               jsonb_build_array(x.id, {_instant("x.review_due_at")}) AS fact
          FROM ipai_exception x
          JOIN ipai_release r ON r.project_id = x.project_id
         WHERE r.id IN %(ids)s AND x.review_status = 'pending'
           AND x.review_due_at IS NOT NULL
    """,
    "control": f"""
        SELECT r.id AS release_id,
               jsonb_build_array(c.id, e.category, e.name || ': ' || c.kind, c.status,
                                 {_instant("c.checked_at")},
                                 CASE WHEN c.kind = 'lifetime' AND e.keep IS NOT TRUE
                                      THEN {_instant("e.expires_at")} END) AS fact
          FROM ipai_environment_control c
          JOIN ipai_environment e ON e.id = c.environment_id AND e.active
          JOIN ipai_release r ON r.project_id = e.project_id
         WHERE r.id IN %(ids)s
    """,
    "drill": f"""
        SELECT DISTINCT ON (r.id, e.category, d.drill_type)
               r.id AS release_id,
               jsonb_build_array(d.id, e.category, d.drill_type,
                                 d.outcome = 'success',
                                 {_instant("d.executed_at")}) AS fact
          FROM ipai_recovery_drill d
          JOIN ipai_environment e ON e.id = d.environment_id
          JOIN ipai_release r ON r.project_id = d.project_id
         WHERE r.id IN %(ids)s
      ORDER BY r.id, e.category, d.drill_type, d.executed_at DESC, d.id DESC
    """,
}

_QUERY = " UNION ALL ".join(
    f"(SELECT release_id, '{kind}', fact FROM ({part}) {kind}_facts)"
    for kind, part in _PARTS.items()
)


def deciding_facts(release_ids):
    """The query for the facts that can decide on some releases.

    :param release_ids: tuple of database ids, not empty
    :returns: :class:`odoo.tools.SQL` for rows of release id, kind and JSON array
    """
    return SQL(_QUERY, ids=release_ids)
