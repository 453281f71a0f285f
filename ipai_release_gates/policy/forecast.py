"""What time alone will make of a verdict.

For facts that stay as they are, a verdict is a step function of the clock: it changes
only where an exception begins or ends, a freeze does, a deadline passes, evidence
grows too old or a soak is over. So the steps can be known beforehand, and what was
stored can say at any instant what a fresh verdict would.
"""

from datetime import timedelta

from .evaluate import evaluate

#: Conditions that hold *up to* an instant stop holding right after it.
_JUST_AFTER = timedelta(microseconds=1)

#: The most steps looked at; later ones are found by judging again in between.
MAX_STEPS = 50


def turning_points(gates, facts, now):
    """The instants after *now* at which a verdict on these facts may change.

    :param gates: the :class:`~.definitions.Gate` values in force
    :param facts: the :class:`~.facts.ReleaseFacts` of the release
    :param now: instants up to this one are left out
    :returns: sorted list; the verdict is the same at every instant between two of them
    """
    points = set()
    for grant in facts.grants:
        points |= {grant.effective_from, grant.expires_at}
    for freeze in facts.freezes:
        points |= {freeze.starts_at, freeze.ends_at}
    for deployment in facts.deployments:
        if deployment.deadline is not None:
            points.add(deployment.deadline + _JUST_AFTER)
    points.update(c.holds_until for c in facts.controls if c.holds_until is not None)
    for review in facts.reviews:
        points.add(review.due_at + _JUST_AFTER)
    points |= _soaked(gates, facts) | _grown_old(gates, facts)
    return sorted(point for point in points if point > now)


def forecast(gates, facts, now):
    """Say how the gates will stand, as far as time alone decides.

    :param gates: as for :func:`~.evaluate.evaluate`
    :param facts: the :class:`~.facts.ReleaseFacts` of the release
    :param now: the instant from which on
    :returns: the verdict at *now* and a list of pairs ``(instant, verdict)``, each
        holding from its instant on; only those in which a gate changes its status
    """
    verdict = evaluate(gates, facts, now)
    steps, standing = [], _statuses(verdict)
    for point in turning_points(gates, facts, now)[:MAX_STEPS]:
        later = evaluate(gates, facts, point)
        if _statuses(later) != standing:
            standing = _statuses(later)
            steps.append((point, later))
    return verdict, steps


def horizon(gates, facts, now):
    """The instant up to which :func:`forecast` looked, ``None`` for the end of time."""
    points = turning_points(gates, facts, now)
    return points[MAX_STEPS] if len(points) > MAX_STEPS else None


def _statuses(verdict):
    return {gate.code: gate.status for gate in verdict.gates}


def _soaked(gates, facts):
    soaks = {r.soak for gate in gates for r in gate.requirements} - {None}
    return {
        max(deployment.deployed_at, deployment.recorded_at or deployment.deployed_at)
        + soak
        for deployment in facts.deployments
        for soak in soaks
    }


def _grown_old(gates, facts):
    limits = {r.freshness for gate in gates for r in gate.requirements} - {None}
    recorded = {
        *(check.recorded_at for check in facts.checks),
        *(evidence.recorded_at for evidence in facts.evidence),
        *(approval.recorded_at for approval in facts.approvals),
        *(control.checked_at for control in facts.controls if control.checked_at),
        *(drill.executed_at for drill in facts.drills),
    }
    return {moment + limit + _JUST_AFTER for moment in recorded for limit in limits}
