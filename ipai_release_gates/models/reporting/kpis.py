"""The KPIs: a query per KPI over recorded facts.

A query returns a row per counted record: ``project_id``, ``at`` (the time it counts
for, naive UTC), ``res_id``, ``numerator`` and ``denominator``. The value of several
rows is the sum of the numerators divided by the sum of the denominators; without
denominators, it is the sum of the numerators. A record with nothing to count has no
row.

:data:`COMMON` holds the parts that queries share: ``entered`` (the first move of a
release into staging or production, by its ledger) and ``demanded`` (the evidence
requirements in force). Ledger entries are dated to the second, so facts are compared
with them to the second.
"""

from dataclasses import dataclass

from odoo.tools import SQL

from .expressions import NOW, hours


@dataclass(frozen=True)
class Kpi:
    """One KPI.

    :param number: part of the ids of its rows; it never changes
    :param persona: code of the persona it measures
    :param unit: one of :data:`UNITS`
    :param model: model of the counted records
    :param query: rows as the module describes
    """

    number: int
    persona: str
    label: str
    unit: str
    higher_is_better: bool
    model: str
    query: SQL


COMMON = SQL(
    """
    entered AS (
        SELECT DISTINCT ON (e.release_id, s.environment_category)
               e.release_id, r.project_id, s.environment_category AS category,
               e.recorded_at AS at, s.gate_id, g.sequence AS gate_sequence,
               (SELECT max(v.id) FROM ipai_revision v
                 WHERE v.release_id = e.release_id
                   AND v.source_ref = e.body::jsonb ->> 'source_ref'
                   AND date_trunc('second', v.recorded_at) <= e.recorded_at
               ) AS revision_id
          FROM ipai_ledger_entry e
          JOIN ipai_release r ON r.id = e.release_id
          JOIN ipai_release_stage s ON s.code = e.body::jsonb ->> 'to'
     LEFT JOIN ipai_gate g ON g.id = s.gate_id
         WHERE e.kind = 'move_allowed'
           AND s.environment_category IN ('staging', 'production')
      ORDER BY e.release_id, s.environment_category, e.sequence
    ),
    demanded AS (
        SELECT q.id, q.gate_id, g.sequence AS gate_sequence, t.code AS type_code
          FROM ipai_gate_requirement q
          JOIN ipai_gate g ON g.id = q.gate_id
          JOIN ipai_evidence_type t ON t.id = q.evidence_type_id
         WHERE q.active AND q.kind = 'evidence'
    )
    """
)

#: Whether the evidence of requirement ``d`` existed when ``x`` entered its stage.
_HAD = SQL(
    """
    EXISTS (SELECT FROM ipai_evidence e
             WHERE e.revision_id = x.revision_id AND e.type_code = d.type_code
               AND (e.gate_id IS NULL OR e.gate_id = d.gate_id)
               AND date_trunc('second', e.recorded_at) <= x.at)
    """
)

_FIRST_BUILD = SQL(
    """
    SELECT r.project_id, built.at, v.id AS res_id,
           (NOT EXISTS (
               SELECT FROM ipai_gate_requirement q
                CROSS JOIN LATERAL unnest(
                          CASE WHEN coalesce(q.check_name, '') = ''
                               THEN string_to_array(p.required_checks, ',')
                               ELSE ARRAY[q.check_name]
                          END) AS asked
                WHERE q.active AND q.kind = 'check' AND trim(asked) <> ''
                  AND q.gate_id = (SELECT s.gate_id FROM ipai_release_stage s
                                    WHERE s.gate_id IS NOT NULL
                                 ORDER BY s.sequence, s.id LIMIT 1)
                  AND 'pass' IS DISTINCT FROM (
                      SELECT c.status FROM ipai_check c
                       WHERE c.revision_id = v.id AND c.name = trim(asked)
                    ORDER BY c.id LIMIT 1)
           ))::int AS numerator,
           1 AS denominator
      FROM ipai_revision v
      JOIN ipai_release r ON r.id = v.release_id
      JOIN ipai_project p ON p.id = r.project_id
      JOIN LATERAL (SELECT min(c.recorded_at) AS at FROM ipai_check c
                     WHERE c.revision_id = v.id AND c.name = 'build') built
        ON built.at IS NOT NULL
    """
)

_GREEN_BUILD = SQL(
    """
    SELECT r.project_id, green.at, v.id AS res_id, %s AS numerator, 1 AS denominator
      FROM ipai_revision v
      JOIN ipai_release r ON r.id = v.release_id
      JOIN LATERAL (SELECT min(c.recorded_at) AS at FROM ipai_check c
                     WHERE c.revision_id = v.id AND c.name = 'build'
                       AND c.status = 'pass') green
        ON green.at IS NOT NULL
    """,
    hours(SQL("green.at - v.recorded_at")),
)

_DEFECTS = SQL(
    """
    SELECT x.project_id, x.at, x.release_id AS res_id,
           register.found AS numerator,
           register.found + (SELECT count(*) FROM ipai_incident i
                              WHERE i.release_id = x.release_id
                                AND i.detected_at >= x.at) AS denominator
      FROM entered x
      JOIN LATERAL (SELECT least((e.metadata ->> 'found')::numeric, 1e6) AS found
                      FROM ipai_evidence e
                     WHERE e.release_id = x.release_id
                       AND e.type_code = 'defect_register'
                       AND date_trunc('second', e.recorded_at) <= x.at
                       AND jsonb_typeof(e.metadata -> 'found') = 'number'
                       AND e.metadata ->> 'found' !~ '^-'
                  ORDER BY e.id DESC LIMIT 1) register ON TRUE
     WHERE x.category = 'production'
    """
)

_UAT = SQL(
    """
    SELECT x.project_id, x.at, x.release_id AS res_id,
           EXISTS (SELECT FROM ipai_evidence e
                    WHERE e.revision_id = x.revision_id
                      AND e.type_code = 'uat_summary'
                      AND date_trunc('second', e.recorded_at) <= x.at
                  )::int AS numerator,
           1 AS denominator
      FROM entered x
     WHERE x.category = 'production'
    """
)

_G2_EVIDENCE = SQL(
    """
    SELECT x.project_id, x.at, x.release_id AS res_id,
           count(*) FILTER (WHERE %s) AS numerator, count(*) AS denominator
      FROM entered x
      JOIN demanded d ON d.gate_id = x.gate_id
     WHERE x.category = 'staging'
  GROUP BY x.project_id, x.at, x.release_id
    """,
    _HAD,
)

_TO_STAGING = SQL(
    """
    SELECT x.project_id, x.at, x.release_id AS res_id,
           %s AS numerator, 1 AS denominator
      FROM entered x
      JOIN ipai_ledger_entry opened
        ON opened.release_id = x.release_id AND opened.kind = 'release_opened'
     WHERE x.category = 'staging'
    """,
    hours(SQL("x.at - opened.recorded_at")),
)

_TO_PRODUCTION = SQL(
    """
    SELECT x.project_id, x.at, x.release_id AS res_id,
           %s AS numerator, 1 AS denominator
      FROM entered x
      JOIN entered s ON s.release_id = x.release_id AND s.category = 'staging'
     WHERE x.category = 'production' AND s.at <= x.at
    """,
    hours(SQL("x.at - s.at")),
)

_G3_PACKAGE = SQL(
    """
    SELECT x.project_id, x.at, x.release_id AS res_id,
           (NOT EXISTS (SELECT FROM demanded d
                         WHERE d.gate_sequence <= x.gate_sequence
                           AND NOT (%s)))::int AS numerator,
           1 AS denominator
      FROM entered x
     WHERE x.category = 'production'
    """,
    _HAD,
)

_ROLLBACK = SQL(
    """
    SELECT r.project_id, d.rolled_back_at AS at, d.id AS res_id,
           %s AS numerator, 1 AS denominator
      FROM ipai_deployment d
      JOIN ipai_release r ON r.id = d.release_id
      JOIN LATERAL (SELECT min(i.detected_at) AS at FROM ipai_incident i
                     WHERE i.deployment_id = d.id
                       AND i.detected_at <= d.rolled_back_at) trouble
        ON trouble.at IS NOT NULL
    """,
    hours(SQL("d.rolled_back_at - trouble.at")),
)

_RECOVERY = SQL(
    """
    SELECT i.project_id, i.resolved_at AS at, i.id AS res_id,
           %s AS numerator, 1 AS denominator
      FROM ipai_incident i
     WHERE i.resolved_at IS NOT NULL
    """,
    hours(SQL("greatest(i.resolved_at - i.detected_at, interval '0')")),
)

_DRILLS = SQL(
    """
    SELECT n.project_id, d.executed_at AS at, d.id AS res_id,
           1 AS numerator, NULL::int AS denominator
      FROM ipai_recovery_drill d
      JOIN ipai_environment n ON n.id = d.environment_id
    """
)

_DRILL_SUCCESS = SQL(
    """
    SELECT n.project_id, d.executed_at AS at, d.id AS res_id,
           (d.outcome = 'success')::int AS numerator, 1 AS denominator
      FROM ipai_recovery_drill d
      JOIN ipai_environment n ON n.id = d.environment_id
    """
)

_CONTROLS = SQL(
    """
    SELECT n.project_id, %s AS at, c.id AS res_id,
           (c.status = 'pass')::int AS numerator, 1 AS denominator
      FROM ipai_environment_control c
      JOIN ipai_environment n ON n.id = c.environment_id
     WHERE n.active
    """,
    NOW,
)

_RELEASE = "ipai.release"
_DRILL = "ipai.recovery.drill"
KPIS = {
    "g1_first_build": Kpi(
        1,
        "developer",
        "G1 checks passed at the first build",
        "share",
        True,
        "ipai.revision",
        _FIRST_BUILD,
    ),
    "hours_to_green": Kpi(
        2,
        "developer",
        "Time to first green build",
        "hours",
        False,
        "ipai.revision",
        _GREEN_BUILD,
    ),
    "defects_early": Kpi(
        3,
        "qa_tester",
        "Defects found before production",
        "share",
        True,
        _RELEASE,
        _DEFECTS,
    ),
    "uat_completion": Kpi(
        4, "qa_tester", "Releases with UAT summary", "share", True, _RELEASE, _UAT
    ),
    "g2_evidence": Kpi(
        5,
        "qa_tester",
        "Completeness of G2 evidence",
        "share",
        True,
        _RELEASE,
        _G2_EVIDENCE,
    ),
    "hours_to_staging": Kpi(
        6, "release_manager", "Build to staging", "hours", False, _RELEASE, _TO_STAGING
    ),
    "hours_to_production": Kpi(
        7,
        "release_manager",
        "Staging to production",
        "hours",
        False,
        _RELEASE,
        _TO_PRODUCTION,
    ),
    "g3_package": Kpi(
        8,
        "release_manager",
        "Releases with a complete G3 package",
        "share",
        True,
        _RELEASE,
        _G3_PACKAGE,
    ),
    "hours_to_roll_back": Kpi(
        9,
        "release_manager",
        "Rollback execution time",
        "hours",
        False,
        "ipai.deployment",
        _ROLLBACK,
    ),
    "hours_to_recover": Kpi(
        10, "sre", "Time to recover", "hours", False, "ipai.incident", _RECOVERY
    ),
    "drills": Kpi(11, "sre", "Drills", "number", True, _DRILL, _DRILLS),
    "drill_success": Kpi(
        12, "sre", "Drills that succeeded", "share", True, _DRILL, _DRILL_SUCCESS
    ),
    "controls": Kpi(
        13,
        "sre",
        "Controls in policy",
        "share",
        True,
        "ipai.environment.control",
        _CONTROLS,
    ),
}

UNITS = [("share", "Share (0 to 1)"), ("hours", "Hours"), ("number", "Number")]
LABELS = [(code, kpi.label) for code, kpi in KPIS.items()]
