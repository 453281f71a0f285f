"""The kinds of requirements that the core brings, one module each."""

from . import (
    approval,
    check,
    deployment,
    environment_controls,
    evidence,
    no_failed_check,
    no_freeze,
    no_open_incident,
    no_overdue_review,
    prior_gate,
    recovery_drill,
    soak_time,
)
from ..kind import RequirementKind

#: In the order in which people choose one.
KINDS: tuple[RequirementKind, ...] = (
    check.KIND,
    evidence.KIND,
    approval.KIND,
    prior_gate.KIND,
    deployment.KIND,
    no_failed_check.KIND,
    no_open_incident.KIND,
    no_freeze.KIND,
    soak_time.KIND,
    environment_controls.KIND,
    recovery_drill.KIND,
    no_overdue_review.KIND,
)
