"""One evaluation: what the judge of a requirement has before it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from datetime import datetime, timedelta, timezone
from functools import cached_property
from typing import Any, Protocol, TypeVar

from .definitions import Gate, Requirement
from .facts import Approval, Check, Deployment, Evidence, Grant, ReleaseFacts
from .reason import Reason, _lt
from .verdict import GateVerdict


class _Numbered(Protocol):
    @property
    def id(self) -> int: ...


class _OfRevision(_Numbered, Protocol):
    @property
    def revision(self) -> str: ...


_Fact = TypeVar("_Fact", bound=_Numbered)
_RevisionFact = TypeVar("_RevisionFact", bound=_OfRevision)


class Case:
    """The definitions and the facts of one evaluation, and the gates judged so far.

    :ivar gates: all gates, in order
    :ivar facts: the :class:`~.facts.ReleaseFacts` of the release
    :ivar now: the instant of the decision
    :ivar judged: the verdicts on the gates before the one that is judged, by code
    """

    def __init__(
        self, gates: Sequence[Gate], facts: ReleaseFacts, now: datetime
    ) -> None:
        self.gates = gates
        self.facts = facts
        self.now = now
        self.judged: dict[str, GateVerdict] = {}

    @cached_property
    def sequence_of(self) -> dict[str, int]:
        """The sequence of each gate, by code."""
        return {gate.code: gate.sequence for gate in self.gates}

    @property
    def short_revision(self) -> str:
        """The beginning of the current revision, as reasons quote it."""
        return self.facts.revision[:7]

    # --- facts of the current revision -----------------------------------------------

    def current(self, facts: Iterable[_RevisionFact]) -> list[_RevisionFact]:
        """The facts that speak of the current revision; no other counts."""
        return [fact for fact in facts if fact.revision == self.facts.revision]

    def of(self, kind: str) -> list[Any]:
        """The facts of a kind by its code, without those of other revisions."""
        return [
            fact
            for fact in self.facts.of(kind)
            if getattr(fact, "revision", self.facts.revision) == self.facts.revision
        ]

    @cached_property
    def all_checks(self) -> list[Check]:
        """Every check of the current revision."""
        return self.current(self.facts.checks)

    @cached_property
    def checks(self) -> list[Check]:
        """The latest check of each name and environment; earlier ones are history."""
        return latest_checks(self.all_checks)

    @cached_property
    def evidence(self) -> list[Evidence]:
        """Every piece of evidence of the current revision."""
        return self.current(self.facts.evidence)

    @cached_property
    def approvals(self) -> list[Approval]:
        """Each person's latest decision per gate: one person counts once."""
        return _latest(
            self.current(self.facts.approvals),
            lambda approval: (approval.gate, approval.person),
        )

    @cached_property
    def deployments(self) -> list[Deployment]:
        """Every deployment of the current revision."""
        return self.current(self.facts.deployments)

    @cached_property
    def grants(self) -> list[Grant]:
        """Every approved exception for the current revision."""
        return self.current(self.facts.grants)

    # --- age -------------------------------------------------------------------------

    def is_fresh(self, requirement: Requirement, recorded_at: datetime) -> bool:
        """Whether a fact is young enough for a requirement."""
        return (
            requirement.freshness is None
            or self.now - recorded_at <= requirement.freshness
        )

    def too_old(self, requirement: Requirement, recorded_at: datetime) -> Reason:
        """Why a fact that is not fresh does not count; a part of a sentence."""
        assert requirement.freshness is not None
        return Reason(
            _lt("recorded %(at)s, older than the %(hours)s allowed; record it again"),
            at=instant(recorded_at),
            hours=hours(requirement.freshness),
        )


# --- facts in order, and facts that supersede each other -----------------------------


def in_order(facts: Iterable[_Fact]) -> list[_Fact]:
    """Sort facts as they were recorded, so that the order of reading never shows."""
    return sorted(facts, key=lambda fact: fact.id)


def latest_checks(checks: Iterable[Check]) -> list[Check]:
    """The latest of some checks, of each name and environment."""
    return _latest(checks, lambda check: (check.name, check.environment))


def _latest(facts: Iterable[_Fact], key: Callable[[_Fact], Hashable]) -> list[_Fact]:
    latest: dict[Hashable, _Fact] = {}
    for fact in facts:
        of = key(fact)
        if of not in latest or fact.id > latest[of].id:
            latest[of] = fact
    return in_order(latest.values())


# --- words ---------------------------------------------------------------------------


def instant(value: datetime) -> str:
    """An instant as reasons show it, in UTC and to the minute."""
    if value.tzinfo is not None:
        value = value.astimezone(timezone.utc)
    return f"{value:%Y-%m-%d %H:%M} UTC"


def hours(delta: timedelta) -> Reason:
    """A length of time as reasons show it, in hours."""
    number = delta.total_seconds() / 3600
    return Reason(
        _lt("%(hours)s hour") if number == 1 else _lt("%(hours)s hours"),
        hours=f"{number:g}",
    )
