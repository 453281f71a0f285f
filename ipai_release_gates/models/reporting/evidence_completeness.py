from odoo import api, fields, models
from odoo.tools import SQL

from .analytics_mixin import RELEASE_FIELDS
from .expressions import NOW, covering, hours


class EvidenceCompleteness(models.Model):
    """For each release, every evidence requirement in force, and what is missing.

    The rules are those of the policy core: evidence of the current revision, for this
    gate or for every gate, the latest of its type, with the required metadata, not too
    old. The evidence package of a gate is complete when all requirements of this gate
    and of the gates before are met.
    """

    _name = "ipai.report.evidence.completeness"
    _description = "Evidence completeness"
    _inherit = "ipai.report.mixin"
    _auto = False
    _order = "release_id desc, gate_sequence, requirement_sequence, requirement_id, id"

    gate_id = fields.Many2one("ipai.gate", readonly=True)
    gate_sequence = fields.Integer(readonly=True, aggregator=None)
    requirement_id = fields.Many2one("ipai.gate.requirement", readonly=True)
    requirement_sequence = fields.Integer(readonly=True, aggregator=None)
    evidence_type_id = fields.Many2one("ipai.evidence.type", readonly=True)
    accountable_persona_id = fields.Many2one(
        "ipai.persona", string="Accountable", readonly=True
    )
    is_package = fields.Boolean(
        string="Evidence package",
        readonly=True,
        help="Sums up all evidence of this gate and of the gates before it.",
    )
    status = fields.Selection(
        [
            ("present", "Present"),
            ("missing", "Missing"),
            ("stale", "Stale"),
            ("too_old", "Too Old"),
            ("not_matching", "Not Matching"),
            ("incomplete", "Incomplete"),
        ],
        readonly=True,
        help="Stale: there is some, but for an earlier revision. Not matching: it "
        "does not say what is asked for. Incomplete: a package that lacks something.",
    )
    is_complete = fields.Boolean(string="Complete", readonly=True)
    is_waived = fields.Boolean(
        string="Waived",
        readonly=True,
        help="An exception covers the gap at this moment.",
    )
    waived_until = fields.Datetime(readonly=True)
    gap = fields.Char(
        readonly=True, help="What is missing, with the gate that asks for it."
    )
    gap_count = fields.Integer(string="Gaps", readonly=True)
    complete_share = fields.Float(
        string="Share complete", readonly=True, aggregator="avg"
    )
    evidence_id = fields.Many2one(
        "ipai.evidence", string="Latest evidence", readonly=True
    )
    recorded_at = fields.Datetime(string="Recorded", readonly=True)
    age_hours = fields.Float(string="Age (hours)", readonly=True, aggregator="avg")
    freshness_hours = fields.Float(
        string="Fresh for (hours)", readonly=True, aggregator=None
    )

    _depends = {
        "ipai.release": RELEASE_FIELDS,
        "ipai.gate": ("code", "sequence"),
        "ipai.gate.requirement": (
            "gate_id",
            "sequence",
            "active",
            "kind",
            "evidence_type_id",
            "metadata_match",
            "freshness_hours",
            "waivable",
            "accountable_persona_id",
        ),
        "ipai.evidence.type": ("code",),
        "ipai.evidence": (
            "release_id",
            "revision_id",
            "type_code",
            "gate_id",
            "metadata",
            "recorded_at",
        ),
        "ipai.exception": (
            "release_id",
            "revision_id",
            "state",
            "effective_from",
            "approved_at",
            "expires_at",
            "gate_ids",
            "requirement_ids",
        ),
    }

    def init(self):
        # Users enter JSON as Python reads it. A value such as NaN, which PostgreSQL
        # refuses, would make the whole view unreadable: it becomes NULL, which no
        # metadata match.
        self.env.cr.execute(
            """
            CREATE OR REPLACE FUNCTION ipai_report_json(entered text) RETURNS jsonb
            LANGUAGE plpgsql IMMUTABLE AS $$
            BEGIN
                RETURN coalesce(nullif(entered, ''), '{}')::jsonb;
            EXCEPTION WHEN data_exception THEN
                RETURN NULL;
            END $$
            """
        )
        return super().init()

    @api.model
    def _query(self):
        return SQL(
            """
            WITH requirement AS MATERIALIZED (
                SELECT q.id, q.number, q.gate_id, q.sequence, q.evidence_type_id,
                       q.accountable_persona_id, q.waivable,
                       g.code AS gate_code, g.sequence AS gate_sequence,
                       t.code AS type_code,
                       replace(t.code, '_', ' ') || ' (' || g.code || ')' AS label,
                       ipai_report_json(q.metadata_match) AS wanted,
                       nullif(q.freshness_hours, 0) AS freshness_hours
                  FROM (SELECT *, row_number() OVER (ORDER BY id) AS number
                          FROM ipai_gate_requirement) q
                  JOIN ipai_gate g ON g.id = q.gate_id
             LEFT JOIN ipai_evidence_type t ON t.id = q.evidence_type_id
                 WHERE q.kind = 'evidence' AND q.active
            )
            SELECT r.id::bigint * 1000 + q.number AS id,
                   %(release)s,
                   q.gate_id,
                   q.gate_sequence,
                   q.id AS requirement_id,
                   q.sequence AS requirement_sequence,
                   q.evidence_type_id,
                   q.accountable_persona_id,
                   q.type_code IS NULL AS is_package,
                   CASE WHEN answer.is_complete THEN 'present'
                        WHEN q.type_code IS NULL THEN 'incomplete'
                        WHEN latest.id IS NOT NULL AND answer.matches THEN 'too_old'
                        WHEN latest.id IS NOT NULL THEN 'not_matching'
                        WHEN EXISTS (
                            SELECT FROM ipai_evidence e
                             WHERE e.release_id = r.id AND e.type_code = q.type_code
                               AND (e.gate_id IS NULL OR e.gate_id = q.gate_id))
                        THEN 'stale'
                        ELSE 'missing'
                   END AS status,
                   answer.is_complete,
                   waiver.ends_at IS NOT NULL AS is_waived,
                   waiver.ends_at AS waived_until,
                   CASE WHEN answer.is_complete THEN NULL
                        WHEN q.type_code IS NULL THEN package.gap
                        ELSE q.label
                   END AS gap,
                   CASE WHEN q.type_code IS NULL THEN package.gap_count
                        ELSE (NOT answer.is_complete)::int
                   END AS gap_count,
                   answer.is_complete::int::float8 AS complete_share,
                   latest.id AS evidence_id,
                   latest.recorded_at,
                   %(age)s AS age_hours,
                   q.freshness_hours
              FROM ipai_release r
        CROSS JOIN requirement q
         LEFT JOIN LATERAL (%(latest)s) latest ON TRUE
        CROSS JOIN LATERAL (
                       SELECT string_agg(
                                  d.label, ', '
                                  ORDER BY d.gate_sequence, d.gate_code, d.sequence,
                                           d.id) AS gap,
                              count(*)::int AS gap_count
                         FROM requirement d
                    LEFT JOIN LATERAL (%(latest_of_part)s) latest ON TRUE
                        WHERE q.type_code IS NULL AND d.type_code IS NOT NULL
                          AND d.gate_sequence <= q.gate_sequence
                          AND NOT (%(part_matches)s
                                   AND coalesce(%(part_is_fresh)s, FALSE))
                   ) package
        CROSS JOIN LATERAL (
                       SELECT %(matches)s AS matches,
                              CASE WHEN q.type_code IS NULL
                                   THEN package.gap_count = 0
                                   ELSE coalesce(%(matches)s AND %(is_fresh)s, FALSE)
                              END AS is_complete
                   ) answer
         LEFT JOIN LATERAL (
                       SELECT max(x.expires_at) AS ends_at
                       %(covering)s
                          AND q.waivable AND NOT answer.is_complete
                   ) waiver ON TRUE
            """,
            release=self._release_columns,
            age=hours(SQL("%s - latest.recorded_at", NOW)),
            latest=_latest(SQL("q")),
            latest_of_part=_latest(SQL("d")),
            matches=_matches(SQL("q")),
            part_matches=_matches(SQL("d")),
            is_fresh=_is_fresh(SQL("q.freshness_hours")),
            part_is_fresh=_is_fresh(SQL("least(q.freshness_hours, d.freshness_hours)")),
            covering=covering(SQL("r"), SQL("q")),
        )


def _latest(requirement):
    """The evidence that decides a requirement of release ``r``: one row or none."""
    return SQL(
        """
        SELECT e.id, e.recorded_at, e.metadata
          FROM ipai_evidence e
         WHERE e.release_id = r.id AND e.revision_id = r.revision_id
           AND e.type_code = %(requirement)s.type_code
           AND (e.gate_id IS NULL OR e.gate_id = %(requirement)s.gate_id)
      ORDER BY e.id DESC
         LIMIT 1
        """,
        requirement=requirement,
    )


def _matches(requirement):
    """Whether the evidence ``latest`` exists and has the required metadata."""
    return SQL(
        """
        (latest.id IS NOT NULL AND %(requirement)s.wanted IS NOT NULL
         AND NOT EXISTS (
             SELECT FROM jsonb_each(%(requirement)s.wanted) AS asked
              WHERE NOT EXISTS (
                  SELECT FROM jsonb_array_elements(
                                  CASE jsonb_typeof(asked.value)
                                       WHEN 'array' THEN asked.value
                                       ELSE jsonb_build_array(asked.value)
                                  END) AS allowed
                   WHERE %(allowed)s = %(said)s)))
        """,
        requirement=requirement,
        allowed=_comparable(SQL("allowed.value")),
        said=_comparable(SQL("coalesce(latest.metadata -> asked.key, 'null'::jsonb)")),
    )


def _comparable(value):
    """A JSON value as the policy core compares it: true is 1, false is 0."""
    return SQL(
        """
        CASE %(value)s WHEN 'true'::jsonb THEN '1'::jsonb
                       WHEN 'false'::jsonb THEN '0'::jsonb
                       ELSE %(value)s
        END
        """,
        value=value,
    )


def _is_fresh(limit):
    """Whether the evidence ``latest`` is no older than a number of hours."""
    return SQL(
        "(%(limit)s IS NULL"
        " OR %(now)s - latest.recorded_at <= %(limit)s * interval '1 hour')",
        limit=limit,
        now=NOW,
    )
