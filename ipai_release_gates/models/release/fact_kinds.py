"""The kinds of facts of the core, one value each.

A kind states where its facts are stored, which of them can decide a verdict, how one
becomes a plain value, and how the ledger records it. Gathering, ledger verification,
counts, links, ages and the triggers of the database derive from these values; a
satellite adds its own by overriding ``ipai.release._fact_kinds()``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ... import policy

#: The chain that records a fact: that of its release, or that of governance.
OF_RELEASE, OF_GOVERNANCE = "release", "governance"


def _lt(term):
    """Mark a label for translation; it stays as it is."""
    return term


def moment(column):
    """An SQL expression that writes an instant as JSON text, in microseconds."""
    return f"""to_char({column}, 'YYYY-MM-DD"T"HH24:MI:SS.US')"""


def instant(text):
    """The instant that :func:`moment` wrote; ``None`` for none."""
    return datetime.fromisoformat(text) if text else None


@dataclass(frozen=True)
class Binding:
    """What a row needs besides its own values to become a plain value.

    :param revision: commit of the release's current revision
    :param person_of: key of the person by id of the user
    """

    revision: str
    person_of: Mapping[int, str]


@dataclass(frozen=True)
class Ledger:
    """How the ledger records facts of a kind, and what verification compares.

    :param kinds: codes of the ledger kinds whose entries are about such facts
    :param column: column whose value the body of an entry repeats, under that name
    :param chain: :data:`OF_RELEASE` or :data:`OF_GOVERNANCE`
    :param unrecorded: SQL condition for rows that have no entry yet
    """

    kinds: tuple[str, ...]
    column: str
    chain: str = OF_RELEASE
    unrecorded: str = "false"


@dataclass(frozen=True)
class FactKind:
    """One kind of fact.

    :param code: as verdicts name the kind of a fact
    :param model: model that stores the facts
    :param view: label of a link to one fact
    :param view_many: label of a link to several facts
    :param sql: query for rows ``(release_id, fact)`` that can decide a verdict on the
        releases ``%(ids)s``; ``fact`` is a JSON object with named keys. Empty: the
        facts are gathered in another way, or not at all
    :param value: builds a plain value from a JSON object and a :class:`Binding`
    :param people: keys of the JSON object that hold ids of users
    :param age: field that states how old a fact is; empty where freshness is no matter
    :param ledger: how the ledger records such facts; ``None``: it does not, or another
        kind of the same model states it
    :param count: field of the release that counts its facts
    :param module: addon whose translations hold the labels
    """

    code: str
    model: str
    view: str
    view_many: str
    sql: str = ""
    value: Callable[[Mapping[str, Any], Binding], Any] | None = None
    people: tuple[str, ...] = ()
    age: str = ""
    ledger: Ledger | None = None
    count: str = ""
    module: str = "ipai_release_gates"


KINDS = (
    FactKind(
        code="check",
        model="ipai.check",
        view=_lt("View check"),
        view_many=_lt("View checks"),
        sql=f"""
            SELECT DISTINCT ON (c.release_id, c.name, c.environment_category, c.gate_id)
                   c.release_id,
                   jsonb_build_object(
                       'id', c.id, 'name', c.name, 'status', c.status,
                       'recorded_at', {moment("c.recorded_at")}, 'gate', g.code,
                       'environment', c.environment_category) AS fact
              FROM ipai_check c
              JOIN ipai_release r
                ON r.id = c.release_id AND r.revision_id = c.revision_id
         LEFT JOIN ipai_gate g ON g.id = c.gate_id
             WHERE c.release_id IN %(ids)s
          ORDER BY c.release_id, c.name, c.environment_category, c.gate_id, c.id DESC
        """,
        value=lambda row, binding: policy.Check(
            row["id"],
            binding.revision,
            row["name"],
            row["status"],
            instant(row["recorded_at"]),
            row["gate"],
            row["environment"],
        ),
        age="recorded_at",
        ledger=Ledger(("check",), "status"),
        count="check_count",
    ),
    FactKind(
        code="evidence",
        model="ipai.evidence",
        view=_lt("View evidence"),
        view_many=_lt("View evidence"),
        sql=f"""
            SELECT DISTINCT ON (e.release_id, e.type_code, e.gate_id)
                   e.release_id,
                   jsonb_build_object(
                       'id', e.id, 'type', e.type_code,
                       'recorded_at', {moment("e.recorded_at")}, 'gate', g.code,
                       'metadata', e.metadata) AS fact
              FROM ipai_evidence e
              JOIN ipai_release r
                ON r.id = e.release_id AND r.revision_id = e.revision_id
         LEFT JOIN ipai_gate g ON g.id = e.gate_id
             WHERE e.release_id IN %(ids)s
          ORDER BY e.release_id, e.type_code, e.gate_id, e.id DESC
        """,
        value=lambda row, binding: policy.Evidence(
            row["id"],
            binding.revision,
            row["type"],
            instant(row["recorded_at"]),
            row["gate"],
            row["metadata"] or {},
        ),
        age="recorded_at",
        ledger=Ledger(("evidence",), "sha256"),
        count="evidence_count",
    ),
    FactKind(
        code="approval",
        model="ipai.approval",
        view=_lt("View decision"),
        view_many=_lt("View decisions"),
        sql=f"""
            SELECT DISTINCT ON (a.release_id, a.gate_id, a.approver_id)
                   a.release_id,
                   jsonb_build_object(
                       'id', a.id, 'gate', g.code, 'persona', p.code,
                       'decision', a.decision, 'approver', a.approver_id,
                       'recorded_at', {moment("a.recorded_at")},
                       'service_account', coalesce(a.service_account, false)) AS fact
              FROM ipai_approval a
              JOIN ipai_release r
                ON r.id = a.release_id AND r.revision_id = a.revision_id
              JOIN ipai_gate g ON g.id = a.gate_id
              JOIN ipai_persona p ON p.id = a.persona_id
             WHERE a.release_id IN %(ids)s
          ORDER BY a.release_id, a.gate_id, a.approver_id, a.id DESC
        """,
        value=lambda row, binding: policy.Approval(
            row["id"],
            binding.revision,
            row["gate"],
            row["persona"],
            row["decision"],
            binding.person_of[row["approver"]],
            instant(row["recorded_at"]),
            row["service_account"],
        ),
        people=("approver",),
        age="recorded_at",
        ledger=Ledger(("approval",), "decision"),
        count="approval_count",
    ),
    FactKind(
        code="deployment",
        model="ipai.deployment",
        view=_lt("View deployment"),
        view_many=_lt("View deployments"),
        sql=f"""
            SELECT DISTINCT ON (d.release_id, e.category)
                   d.release_id,
                   jsonb_build_object(
                       'id', d.id, 'environment', e.category, 'status', d.status,
                       'deployed_at', {moment("d.deployed_at")},
                       'deadline', {moment("d.confirmation_due_at")},
                       'confirmed_at', {moment("d.confirmed_at")},
                       'recorded_at', {moment("d.recorded_at")}) AS fact
              FROM ipai_deployment d
              JOIN ipai_environment e ON e.id = d.environment_id
              JOIN ipai_release r
                ON r.id = d.release_id AND r.revision_id = d.revision_id
             WHERE d.release_id IN %(ids)s AND d.is_unauthorised IS NOT TRUE
          ORDER BY d.release_id, e.category, d.deployed_at DESC, d.id DESC
        """,
        value=lambda row, binding: policy.Deployment(
            row["id"],
            binding.revision,
            row["environment"],
            row["status"],
            instant(row["deployed_at"]),
            instant(row["deadline"]),
            instant(row["confirmed_at"]),
            instant(row["recorded_at"]),
        ),
        ledger=Ledger(("deployment", "rollback"), "status"),
        count="deployment_count",
    ),
    FactKind(
        code="incident",
        model="ipai.incident",
        view=_lt("View incident"),
        view_many=_lt("View incidents"),
        sql="""
            SELECT r.id AS release_id,
                   jsonb_build_object(
                       'id', i.id, 'name', i.name, 'severity', i.severity) AS fact
              FROM ipai_incident i
              JOIN ipai_release r ON r.project_id = i.project_id
             WHERE r.id IN %(ids)s AND i.blocking AND i.resolved_at IS NULL
        """,
        value=lambda row, binding: policy.Incident(
            row["id"], row["name"], row["severity"], True, False
        ),
        ledger=Ledger(("incident",), "severity"),
        count="incident_count",
    ),
    FactKind(
        code="grant",
        model="ipai.exception",
        view=_lt("View exception"),
        view_many=_lt("View exceptions"),
        sql=f"""
            SELECT x.release_id,
                   jsonb_build_object(
                       'id', x.id,
                       'effective_from',
                       {moment("greatest(x.effective_from, x.approved_at)")},
                       'expires_at', {moment("x.expires_at")},
                       'gates', (
                           SELECT jsonb_agg(g.code)
                             FROM ipai_exception_gate_rel rel
                             JOIN ipai_gate g ON g.id = rel.gate_id
                            WHERE rel.exception_id = x.id),
                       'requirements', (
                           SELECT jsonb_agg(jsonb_build_array(g.code, q.code))
                             FROM ipai_exception_requirement_rel rel
                             JOIN ipai_gate_requirement q ON q.id = rel.requirement_id
                             JOIN ipai_gate g ON g.id = q.gate_id
                            WHERE rel.exception_id = x.id)) AS fact
              FROM ipai_exception x
              JOIN ipai_release r
                ON r.id = x.release_id AND r.revision_id = x.revision_id
             WHERE x.release_id IN %(ids)s AND x.state = 'active'
        """,
        value=lambda row, binding: policy.Grant(
            row["id"],
            binding.revision,
            frozenset(row["gates"] or ()),
            instant(row["effective_from"]),
            instant(row["expires_at"]),
            frozenset(map(tuple, row["requirements"] or ())),
        ),
        ledger=Ledger(
            (
                "exception_requested",
                "exception_approved",
                "exception_rejected",
                "exception_expired",
                "exception_revoked",
                "exception_closed",
                "exception_reviewed",
                "exception_review_overdue",
            ),
            "state",
            unrecorded="state = 'draft'",
        ),
        count="exception_count",
    ),
    FactKind(
        code="review",
        model="ipai.exception",
        view=_lt("View exception"),
        view_many=_lt("View exceptions"),
        sql=f"""
            SELECT r.id AS release_id,
                   jsonb_build_object(
                       'id', x.id, 'due_at', {moment("x.review_due_at")}) AS fact
              FROM ipai_exception x
              JOIN ipai_release r ON r.project_id = x.project_id
             WHERE r.id IN %(ids)s AND x.review_status = 'pending'
               AND x.review_due_at IS NOT NULL
        """,
        value=lambda row, binding: policy.PendingReview(
            row["id"], f"EX-{row['id']}", instant(row["due_at"])
        ),
    ),
    # A verdict names the exception that waives a condition by this code.
    FactKind(
        code="exception",
        model="ipai.exception",
        view=_lt("View exception"),
        view_many=_lt("View exceptions"),
    ),
    FactKind(
        code="control",
        model="ipai.environment.control",
        view=_lt("View control"),
        view_many=_lt("View controls"),
        # Judged by the latest check of each control, not by what the control repeats;
        # a lifetime by the configuration of its environment, which governance records.
        sql=f"""
            SELECT r.id AS release_id,
                   jsonb_build_object(
                       'id', c.id, 'environment', e.category,
                       'name', e.name || ': ' || c.kind,
                       'status', CASE
                           WHEN c.kind <> 'lifetime' THEN coalesce(k.status, 'unknown')
                           WHEN e.keep OR e.expires_at IS NOT NULL THEN 'pass'
                           ELSE 'fail' END,
                       'checked_at', CASE
                           WHEN c.kind = 'lifetime' THEN {moment("c.checked_at")}
                           ELSE {moment("k.checked_at")} END,
                       'holds_until', CASE
                           WHEN c.kind = 'lifetime' AND e.keep IS NOT TRUE
                           THEN {moment("e.expires_at")} END) AS fact
              FROM ipai_environment_control c
              JOIN ipai_environment e ON e.id = c.environment_id AND e.active
              JOIN ipai_release r ON r.project_id = e.project_id
         LEFT JOIN LATERAL (
                   SELECT found.status, found.checked_at
                     FROM ipai_control_check found
                    WHERE found.environment_id = c.environment_id
                      AND found.kind = c.kind
                 ORDER BY found.id DESC LIMIT 1) k ON TRUE
             WHERE r.id IN %(ids)s
        """,
        value=lambda row, binding: policy.EnvironmentControl(
            row["id"],
            row["environment"],
            row["name"],
            row["status"],
            instant(row["checked_at"]),
            instant(row["holds_until"]),
        ),
        age="checked_at",
    ),
    FactKind(
        code="control_check",
        model="ipai.control.check",
        view=_lt("View check of a control"),
        view_many=_lt("View checks of controls"),
        ledger=Ledger(("control_check",), "status", OF_GOVERNANCE),
    ),
    FactKind(
        code="drill",
        model="ipai.recovery.drill",
        view=_lt("View drill"),
        view_many=_lt("View drills"),
        sql=f"""
            SELECT DISTINCT ON (r.id, e.category, d.drill_type)
                   r.id AS release_id,
                   jsonb_build_object(
                       'id', d.id, 'environment', e.category, 'type', d.drill_type,
                       'successful', d.outcome = 'success',
                       'executed_at', {moment("d.executed_at")}) AS fact
              FROM ipai_recovery_drill d
              JOIN ipai_environment e ON e.id = d.environment_id
              JOIN ipai_release r ON r.project_id = d.project_id
             WHERE r.id IN %(ids)s
          ORDER BY r.id, e.category, d.drill_type, d.executed_at DESC, d.id DESC
        """,
        value=lambda row, binding: policy.Drill(
            row["id"],
            row["environment"],
            row["type"],
            row["successful"],
            instant(row["executed_at"]),
        ),
        age="executed_at",
        ledger=Ledger(("drill",), "outcome", OF_GOVERNANCE),
    ),
    FactKind(
        code="freeze",
        model="ipai.freeze.window",
        view=_lt("View freeze"),
        view_many=_lt("View freezes"),
    ),
)
