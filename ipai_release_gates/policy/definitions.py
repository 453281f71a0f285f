"""What a gate demands: gates and requirements as plain values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

#: What a requirement of kind ``deployment`` asks of the latest deployment.
DEPLOYMENT_SUCCEEDED = "succeeded"
DEPLOYMENT_CONFIRMED = "confirmed"


@dataclass(frozen=True)
class Requirement:
    """One thing a gate demands.

    :param code: unique within its gate, e.g. ``unit_tests``
    :param name: what people read
    :param kind: code of a :class:`~.kind.RequirementKind`
    :param check_name: for ``check``; ``None`` means every check the project requires
    :param evidence_type: for ``evidence``; ``None`` means the complete evidence
        package: every evidence requirement of this gate and of the gates before it
    :param metadata_match: metadata key to the value (or the list of values) the
        evidence must carry
    :param persona: persona code whose sign-off an ``approval`` needs
    :param min_count: how many different persons must have approved
    :param distinct_from_gate: gate whose signatories may not sign this one
    :param prior_gate: gate code for ``prior_gate``
    :param environment: environment category for ``check`` (``None``: any),
        ``deployment``, ``no_freeze``, ``soak_time``, ``environment_controls`` and
        ``recovery_drill``
    :param drill_type: for ``recovery_drill``; ``None`` means a drill of any type
    :param deployment_aspect: :data:`DEPLOYMENT_SUCCEEDED` or
        :data:`DEPLOYMENT_CONFIRMED` (confirmed before the deployment's deadline)
    :param waivable: whether an exception can cover it
    :param freshness: the oldest a deciding fact may be
    :param soak: how long a deployment must have run for ``soak_time``
    :param parameters: the parameters that kinds of other addons have, by name
    """

    code: str
    name: str
    kind: str
    check_name: str | None = None
    evidence_type: str | None = None
    metadata_match: Mapping[str, Any] = field(default_factory=dict)
    persona: str | None = None
    min_count: int = 1
    distinct_from_gate: str | None = None
    prior_gate: str | None = None
    drill_type: str | None = None
    environment: str | None = None
    deployment_aspect: str = DEPLOYMENT_SUCCEEDED
    waivable: bool = True
    freshness: timedelta | None = None
    soak: timedelta | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Gate:
    """A gate with the requirements in force, in the order people read them."""

    code: str
    name: str
    sequence: int
    requirements: tuple[Requirement, ...]
