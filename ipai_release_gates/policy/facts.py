"""What has been recorded about a release, as immutable values.

Every fact carries the revision it speaks of; the core counts only those of the
release's current revision, also when the caller passes others. All instants are aware
or all are naive UTC: the core only compares them with each other and with ``now``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

#: The attribute of :class:`ReleaseFacts` that has the facts of a kind of the core.
_ATTRIBUTES = {
    "check": "checks",
    "evidence": "evidence",
    "approval": "approvals",
    "deployment": "deployments",
    "incident": "incidents",
    "freeze": "freezes",
    "control": "controls",
    "drill": "drills",
    "review": "reviews",
    "grant": "grants",
}

#: What an occurrence of a window does to promotions.
DENY = "deny"
ALLOW = "allow"


@dataclass(frozen=True)
class Check:
    """A check result; ``gate`` and ``environment`` are ``None`` when not named."""

    id: int
    revision: str
    name: str
    status: str
    recorded_at: datetime
    gate: str | None = None
    environment: str | None = None


@dataclass(frozen=True)
class Evidence:
    """A piece of evidence; without a ``gate`` it serves every gate of the release."""

    id: int
    revision: str
    type: str
    recorded_at: datetime
    gate: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Approval:
    """A sign-off. ``person`` identifies the human, not the account or the group."""

    id: int
    revision: str
    gate: str
    persona: str
    decision: str
    person: str
    recorded_at: datetime
    service_account: bool = False


@dataclass(frozen=True)
class Deployment:
    """A deployment; ``confirmed_at`` is when the G4 outcome was reached.

    ``deployed_at`` is what its sender says, ``recorded_at`` when it was first recorded.
    """

    id: int
    revision: str
    environment: str
    status: str
    deployed_at: datetime
    deadline: datetime | None = None
    confirmed_at: datetime | None = None
    recorded_at: datetime | None = None


@dataclass(frozen=True)
class Incident:
    """An incident of the release or its project, open until resolved."""

    id: int
    name: str
    severity: str
    blocking: bool
    resolved: bool


@dataclass(frozen=True)
class Freeze:
    """One occurrence of a freeze or of a change window.

    :param kind: :data:`DENY`, nothing is promoted in it; or :data:`ALLOW`, where there
        is one, nothing is promoted outside of them all
    :param environment: category it holds for; ``None`` for every one
    """

    id: int
    name: str
    starts_at: datetime
    ends_at: datetime
    kind: str = DENY
    environment: str | None = None


@dataclass(frozen=True)
class EnvironmentControl:
    """The last known state of a control on an environment of a category.

    :param holds_until: when it stops holding by itself, as an agreed lifetime does
    """

    id: int
    environment: str
    name: str
    status: str
    checked_at: datetime
    holds_until: datetime | None = None


@dataclass(frozen=True)
class Drill:
    """A recovery drill on an environment of a category, and how it ended."""

    id: int
    environment: str
    type: str
    successful: bool
    executed_at: datetime


@dataclass(frozen=True)
class PendingReview:
    """A post-event review of the project that an exception still owes."""

    id: int
    name: str
    due_at: datetime


@dataclass(frozen=True)
class Grant:
    """An approved exception: it covers whole gates, or single requirements of them.

    :param revision: the revision it was approved for; it covers no other
    :param requirements: pairs of gate code and requirement code; empty means the
        whole of every gate in ``gates``
    """

    id: int
    revision: str
    gates: frozenset[str]
    effective_from: datetime
    expires_at: datetime
    requirements: frozenset[tuple[str, str]] = frozenset()

    def covers(self, gate: str, requirement: str, now: datetime) -> bool:
        """Whether this grant covers that requirement at that instant."""
        if not self.effective_from <= now < self.expires_at:
            return False
        if self.requirements:
            return (gate, requirement) in self.requirements
        return gate in self.gates


@dataclass(frozen=True)
class ReleaseFacts:
    """Everything a verdict on one release may rest on.

    :param revision: the current revision, a full commit SHA
    :param authors: person keys of everyone who authored or committed the revision
    :param unresolved_authors: e-mail addresses no user could be found for
    :param required_checks: names of the checks the project's policy requires
    :param others: facts of the kinds that other addons bring, by the code of the kind
    """

    release: int
    revision: str
    authors: frozenset[str] = frozenset()
    unresolved_authors: frozenset[str] = frozenset()
    required_checks: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    approvals: tuple[Approval, ...] = ()
    deployments: tuple[Deployment, ...] = ()
    incidents: tuple[Incident, ...] = ()
    freezes: tuple[Freeze, ...] = ()
    controls: tuple[EnvironmentControl, ...] = ()
    drills: tuple[Drill, ...] = ()
    reviews: tuple[PendingReview, ...] = ()
    grants: tuple[Grant, ...] = ()
    others: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)

    @classmethod
    def gathered(
        cls, facts: Mapping[str, tuple[Any, ...]], **about: Any
    ) -> ReleaseFacts:
        """Facts by the code of their kind, as the facts of one release.

        :param facts: tuples of values by the code of their kind
        :param about: the fields of the release itself
        """
        named: dict[str, Any] = {
            _ATTRIBUTES[code]: facts[code] for code in facts if code in _ATTRIBUTES
        }
        others = {code: facts[code] for code in facts if code not in _ATTRIBUTES}
        return cls(**about, **named, others=others)

    def of(self, kind: str) -> tuple[Any, ...]:
        """The facts of a kind, by its code; none when nothing brings the kind."""
        attribute = _ATTRIBUTES.get(kind)
        if attribute is not None:
            return tuple(getattr(self, attribute))
        return self.others.get(kind, ())
