"""How time alone changes a verdict.

For facts that stay as they are, a verdict is a step function of the clock: it changes
only where an exception begins or ends, a freeze does, a deadline passes, evidence
grows too old or a soak is over. The steps are therefore known beforehand, and a stored
forecast says at any instant what a fresh verdict would say.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from .definitions import Gate
from .evaluate import evaluate
from .facts import ReleaseFacts
from .kind import RequirementKind
from .verdict import Verdict

#: The most steps looked at; judging again in between finds later ones.
MAX_STEPS = 50

Kinds = Mapping[str, RequirementKind]


def turning_points(
    gates: Iterable[Gate], facts: ReleaseFacts, now: datetime, kinds: Kinds
) -> list[datetime]:
    """The instants after *now* at which a verdict on these facts may change.

    :param gates: the :class:`~.definitions.Gate` values in force
    :param facts: the :class:`~.facts.ReleaseFacts` of the release
    :param now: instants up to this one are left out
    :param kinds: as for :func:`~.evaluate.evaluate`
    :returns: sorted list; the verdict is the same at every instant between two of them
    """
    points: set[datetime] = set()
    for grant in facts.grants:
        points |= {grant.effective_from, grant.expires_at}
    for gate in gates:
        for requirement in gate.requirements:
            kind = kinds.get(requirement.kind)
            if kind is not None and not kind.missing(requirement):
                points.update(kind.turning_points(facts, requirement))
    return sorted(point for point in points if point > now)


def forecast(
    gates: Sequence[Gate], facts: ReleaseFacts, now: datetime, kinds: Kinds
) -> tuple[Verdict, list[tuple[datetime, Verdict]]]:
    """The verdict now, and those that follow from time alone.

    :param gates: as for :func:`~.evaluate.evaluate`
    :param facts: the :class:`~.facts.ReleaseFacts` of the release
    :param now: the first instant
    :param kinds: as for :func:`~.evaluate.evaluate`
    :returns: the verdict at *now* and a list of pairs ``(instant, verdict)``, each
        holding from its instant on; only those in which a gate changes its status
    """
    verdict = evaluate(gates, facts, now, kinds)
    steps: list[tuple[datetime, Verdict]] = []
    standing = _statuses(verdict)
    for point in turning_points(gates, facts, now, kinds)[:MAX_STEPS]:
        later = evaluate(gates, facts, point, kinds)
        if _statuses(later) != standing:
            standing = _statuses(later)
            steps.append((point, later))
    return verdict, steps


def horizon(
    gates: Iterable[Gate], facts: ReleaseFacts, now: datetime, kinds: Kinds
) -> datetime | None:
    """The instant up to which :func:`forecast` looked, ``None`` for the end of time."""
    points = turning_points(gates, facts, now, kinds)
    return points[MAX_STEPS] if len(points) > MAX_STEPS else None


def _statuses(verdict: Verdict) -> dict[str, str]:
    return {gate.code: gate.status for gate in verdict.gates}
