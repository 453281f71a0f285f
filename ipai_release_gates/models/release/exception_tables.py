"""The tables of exceptions, from which model and database triggers are made."""

from ... import policy

#: State → the states that may follow it.
NEXT_STATES = {
    "draft": ("requested", "closed"),
    "requested": ("active", "rejected", "closed"),
    "active": ("expired", "revoked", "closed"),
}
#: Columns that no longer change once an exception is requested: what is asked for, by
#: whom, when, and for which revision.
SEALED = (
    "release_id",
    "revision_id",
    "exception_type",
    "risk_level",
    "rationale",
    "risk_statement",
    "compensating_controls",
    "effective_from",
    "expires_at",
    "extension_of_id",
    "source_system",
    "recorded_by_id",
    "recorded_at",
    "requested_at",
)
#: Columns that change only in the step to one of these states.
STAMPED = {
    "requested_at": ("requested",),
    "approved_at": ("active",),
    "ended_at": ("rejected", "expired", "revoked", "closed"),
    "ended_by_id": ("rejected", "expired", "revoked", "closed"),
    "end_reason": ("rejected", "expired", "revoked", "closed"),
}
#: Relation tables with the gates and requirements that are asked for.
SEALED_RELATIONS = ("ipai_exception_gate_rel", "ipai_exception_requirement_rel")
#: Types of exceptions that may waive any requirement, and whole gates.
COVERS_WHOLE_GATES = ("gate_bypass", policy.EMERGENCY)
#: Levels of risk at which compensating controls must be stated.
CONTROLLED_RISKS = ("high", "critical")
