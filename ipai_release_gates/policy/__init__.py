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
    ALLOW,
    DENY,
    Approval,
    Check,
    Deployment,
    Drill,
    EnvironmentControl,
    Evidence,
    Freeze,
    Grant,
    Incident,
    PendingReview,
    ReleaseFacts,
)
from .forecast import forecast, horizon, turning_points
from .reason import Reason
from .risk import EMERGENCY, RISKS, Risk, level_of, remind_at
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
    "ALLOW",
    "BYPASSED",
    "DENY",
    "DEPLOYMENT_CONFIRMED",
    "DEPLOYMENT_SUCCEEDED",
    "EMERGENCY",
    "FAILED",
    "IN_PROGRESS",
    "MET",
    "NOT_APPLICABLE",
    "PASSED",
    "PENDING",
    "REQUIREMENT_KINDS",
    "RISKS",
    "UNMET",
    "WAIVED",
    "Approval",
    "Check",
    "Condition",
    "Deployment",
    "Drill",
    "EnvironmentControl",
    "Evidence",
    "Freeze",
    "Gate",
    "GateVerdict",
    "Grant",
    "Incident",
    "PendingReview",
    "Reason",
    "ReleaseFacts",
    "Requirement",
    "Risk",
    "Verdict",
    "evaluate",
    "forecast",
    "horizon",
    "level_of",
    "remind_at",
    "turning_points",
]
