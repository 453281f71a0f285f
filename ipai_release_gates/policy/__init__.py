"""The functional core: immutable facts in, a verdict out.

Nothing here knows the ORM, the clock or the network. The same definitions, facts
and instant always give the same verdict, so the rules are tested in milliseconds and
the database layer only has to gather facts and store results.
"""

from .case import Case
from .definitions import (
    DEPLOYMENT_CONFIRMED,
    DEPLOYMENT_SUCCEEDED,
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
from .kind import (
    JUST_AFTER,
    PEOPLE,
    TIME,
    Entry,
    Parameter,
    RequirementKind,
    by_code,
    parameters_of,
)
from .kinds import KINDS
from .parameters import ENVIRONMENT, FRESHNESS, IN_PRODUCTION, IN_STAGING
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
    FactKey,
    GateVerdict,
    Judgement,
    Verdict,
    met,
    unmet,
)

__all__ = [
    "ALLOW",
    "BYPASSED",
    "DENY",
    "DEPLOYMENT_CONFIRMED",
    "DEPLOYMENT_SUCCEEDED",
    "EMERGENCY",
    "ENVIRONMENT",
    "FAILED",
    "FRESHNESS",
    "IN_PRODUCTION",
    "IN_PROGRESS",
    "IN_STAGING",
    "JUST_AFTER",
    "KINDS",
    "MET",
    "NOT_APPLICABLE",
    "PASSED",
    "PENDING",
    "PEOPLE",
    "RISKS",
    "TIME",
    "UNMET",
    "WAIVED",
    "Approval",
    "Case",
    "Check",
    "Condition",
    "Deployment",
    "Drill",
    "Entry",
    "EnvironmentControl",
    "Evidence",
    "FactKey",
    "Freeze",
    "Gate",
    "GateVerdict",
    "Grant",
    "Incident",
    "Judgement",
    "Parameter",
    "PendingReview",
    "Reason",
    "ReleaseFacts",
    "Requirement",
    "RequirementKind",
    "Risk",
    "Verdict",
    "by_code",
    "evaluate",
    "forecast",
    "horizon",
    "level_of",
    "met",
    "parameters_of",
    "remind_at",
    "turning_points",
    "unmet",
]
