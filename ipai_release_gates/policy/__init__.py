"""The functional core: immutable facts in, a verdict out.

Nothing here knows the ORM, the clock or the network. The same definitions, facts
and instant always give the same verdict, so the rules are tested in milliseconds and
the database layer only has to gather facts and store results.
"""

from .definitions import (
    DEPLOYMENT_CONFIRMED,
    DEPLOYMENT_SUCCEEDED,
    REQUIREMENT_KINDS,
    Gate,
    Requirement,
)
from .evaluate import evaluate
from .facts import (
    Approval,
    Check,
    Deployment,
    EnvironmentControl,
    Evidence,
    Freeze,
    Grant,
    Incident,
    ReleaseFacts,
)
from .verdict import (
    BYPASSED,
    FAILED,
    IN_PROGRESS,
    MET,
    NOT_APPLICABLE,
    PASSED,
    PENDING,
    UNMET,
    WAIVED,
    Condition,
    GateVerdict,
    Verdict,
)

__all__ = [
    "BYPASSED",
    "DEPLOYMENT_CONFIRMED",
    "DEPLOYMENT_SUCCEEDED",
    "FAILED",
    "IN_PROGRESS",
    "MET",
    "NOT_APPLICABLE",
    "PASSED",
    "PENDING",
    "REQUIREMENT_KINDS",
    "UNMET",
    "WAIVED",
    "Approval",
    "Check",
    "Condition",
    "Deployment",
    "EnvironmentControl",
    "Evidence",
    "Freeze",
    "Gate",
    "GateVerdict",
    "Grant",
    "Incident",
    "ReleaseFacts",
    "Requirement",
    "Verdict",
    "evaluate",
]
