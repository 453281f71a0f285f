"""Judging a release: one small function per kind of requirement."""

from dataclasses import replace
from datetime import timezone

from .definitions import DEPLOYMENT_CONFIRMED
from .facts import DENY
from .verdict import (
    MET,
    NOT_APPLICABLE,
    UNMET,
    WAIVED,
    Condition,
    GateVerdict,
    Verdict,
)

APPROVED = "approved"


def evaluate(gates, facts, now):
    """Judge one release against gates.

    :param gates: the :class:`~.definitions.Gate` values in force; gates before the
        ones of interest must be among them, because later gates may demand them
    :param facts: the :class:`~.facts.ReleaseFacts` of the release
    :param now: the instant of the decision; expiry, freshness, freezes and deadlines
        are judged by it and by nothing else
    :returns: a :class:`~.verdict.Verdict` with the gates in their own order
    """
    case = _Case(sorted(gates, key=lambda gate: (gate.sequence, gate.code)), facts, now)
    return Verdict(
        facts.release,
        facts.revision,
        now,
        tuple(case.judged[gate.code] for gate in case.gates),
    )


class _Case:
    """One evaluation: definitions and facts, with the gates judged so far."""

    def __init__(self, gates, facts, now):
        self.gates = gates
        self.facts = facts
        self.now = now
        self.sequence_of = {gate.code: gate.sequence for gate in gates}
        self.all_checks = self._current(facts.checks)
        self.checks = _latest_checks(self.all_checks)
        self.evidence = self._current(facts.evidence)
        self.approvals = _standing_approvals(self._current(facts.approvals))
        self.deployments = self._current(facts.deployments)
        self.grants = self._current(facts.grants)
        self.judged = {}
        for gate in gates:
            self.judged[gate.code] = self._judge(gate)

    def _current(self, facts):
        return [fact for fact in facts if fact.revision == self.facts.revision]

    @property
    def short_revision(self):
        return self.facts.revision[:7]

    def _judge(self, gate):
        if not gate.requirements:
            # An emptied gate must not wave everything through.
            nothing = Condition(
                "requirements",
                "Requirements in force",
                "requirements",
                UNMET,
                f"{gate.code} has no requirement in force; a governance administrator "
                "must define at least one",
            )
            return GateVerdict(gate.code, gate.name, (nothing,))
        conditions = tuple(
            self._waive(gate, requirement, self._condition(gate, requirement))
            for requirement in gate.requirements
        )
        return GateVerdict(gate.code, gate.name, conditions)

    def _condition(self, gate, requirement):
        judge = _JUDGES.get(requirement.kind)
        if judge is None:
            state, reason, facts, adverse = _unmet(
                f"{requirement.kind!r} is not a known kind of requirement"
            )
        else:
            state, reason, facts, adverse = judge(self, gate, requirement)
        return Condition(
            requirement.code,
            requirement.name,
            requirement.kind,
            state,
            reason,
            facts,
            adverse,
        )

    def _waive(self, gate, requirement, condition):
        if condition.state != UNMET or not requirement.waivable:
            return condition
        grants = [
            grant
            for grant in self.grants
            if grant.covers(gate.code, requirement.code, self.now)
        ]
        if not grants:
            return condition
        grant = max(grants, key=lambda g: (g.expires_at, g.id))
        return replace(
            condition,
            state=WAIVED,
            reason=f"Waived by an exception until {_instant(grant.expires_at)}: "
            f"{condition.reason}",
            waived_by=grant.id,
            waived_until=grant.expires_at,
        )

    def _is_fresh(self, requirement, recorded_at):
        return (
            requirement.freshness is None
            or self.now - recorded_at <= requirement.freshness
        )

    def _too_old(self, requirement, recorded_at):
        return (
            f"recorded {_instant(recorded_at)}, older than the "
            f"{_hours(requirement.freshness)} allowed; record it again"
        )


# --- facts in order, and facts that supersede each other -----------------------------


def _in_order(facts):
    """Sort facts as they were recorded, so that reading order never shows."""
    return sorted(facts, key=lambda fact: fact.id)


def _latest_checks(checks):
    """Keep the latest check of each name and environment: earlier ones are history."""
    latest = {}
    for check in checks:
        key = (check.name, check.environment)
        if key not in latest or check.id > latest[key].id:
            latest[key] = check
    return _in_order(latest.values())


def _standing_approvals(approvals):
    """Keep each person's latest decision per gate: one person counts once."""
    latest = {}
    for approval in approvals:
        key = (approval.gate, approval.person)
        if key not in latest or approval.id > latest[key].id:
            latest[key] = approval
    return _in_order(latest.values())


# --- one judge per kind: (case, gate, requirement) -> state, reason, facts, adverse ---


def _met(reason, *facts):
    return MET, reason, facts, False


def _unmet(reason, *facts, adverse=False):
    return UNMET, reason, facts, adverse


def _judge_check(case, gate, requirement):
    names = (
        (requirement.check_name,)
        if requirement.check_name
        else case.facts.required_checks
    )
    if not names:
        return (
            NOT_APPLICABLE,
            "The project's policy requires no checks",
            (),
            False,
        )
    problems, facts, adverse = [], [], False
    for name in names:
        found = [
            check
            for check in case.checks
            if check.name == name
            and requirement.environment in (None, check.environment)
        ]
        facts += [("check", check.id) for check in found]
        if not found:
            where = f" on {requirement.environment}" if requirement.environment else ""
            problems.append(
                f"No successful `{name}` check{where} for revision "
                f"{case.short_revision}"
            )
        for check in found:
            if check.status != "pass":
                adverse = adverse or check.status == "fail"
                problems.append(
                    f"The latest `{name}` check for revision {case.short_revision} is "
                    f"`{check.status}`, it must be `pass`"
                )
            elif not case._is_fresh(requirement, check.recorded_at):
                problems.append(
                    f"Check `{name}`: {case._too_old(requirement, check.recorded_at)}"
                )
    if problems:
        return _unmet("; ".join(problems), *facts, adverse=adverse)
    listed = ", ".join(f"`{name}`" for name in names)
    return _met(f"{listed} passed for revision {case.short_revision}", *facts)


def _judge_no_failed_check(case, gate, requirement):
    # A health check after deployment belongs to G4: it must not reach back and fail
    # the gates before it, nor hide that a check of the same name failed there.
    relevant = [
        check
        for check in case.all_checks
        if check.status != "fail"
        or case.sequence_of.get(check.gate, gate.sequence) <= gate.sequence
    ]
    failed = [check for check in _latest_checks(relevant) if check.status == "fail"]
    if failed:
        listed = ", ".join(f"`{check.name}`" for check in failed)
        return _unmet(
            f"Failing for revision {case.short_revision}: {listed}",
            *(("check", check.id) for check in failed),
            adverse=True,
        )
    return _met(f"No check fails for revision {case.short_revision}")


def _judge_evidence(case, gate, requirement):
    if requirement.evidence_type is None:
        return _judge_evidence_package(case, gate, requirement)
    label = requirement.evidence_type.replace("_", " ")
    found = [
        evidence
        for evidence in case.evidence
        if evidence.type == requirement.evidence_type
        and evidence.gate in (None, gate.code)
    ]
    if not found:
        return _unmet(
            f"No {label} recorded for {gate.code} and revision {case.short_revision}"
        )
    latest = max(found, key=lambda evidence: evidence.id)
    fact = ("evidence", latest.id)
    for key, expected in sorted(requirement.metadata_match.items()):
        allowed = expected if isinstance(expected, (list, tuple)) else [expected]
        actual = latest.metadata.get(key)
        if actual not in allowed:
            wanted = " or ".join(f"`{value}`" for value in allowed)
            said = "nothing" if actual is None else f"`{actual}`"
            return _unmet(
                f"The {label} must say `{key}` is {wanted}, it says {said}",
                fact,
                adverse=actual is not None,
            )
    if not case._is_fresh(requirement, latest.recorded_at):
        return _unmet(
            f"The {label} was {case._too_old(requirement, latest.recorded_at)}", fact
        )
    return _met(
        f"{label.capitalize()} recorded for revision {case.short_revision}", fact
    )


def _judge_evidence_package(case, gate, requirement):
    missing, facts = [], []
    for other in case.gates:
        if other.sequence > gate.sequence:
            continue
        for demanded in other.requirements:
            if demanded.kind != "evidence" or demanded.evidence_type is None:
                continue
            limits = {requirement.freshness, demanded.freshness} - {None}
            demanded = replace(demanded, freshness=min(limits, default=None))
            state, _reason, found, _adverse = _judge_evidence(case, other, demanded)
            facts += found
            if state == UNMET:
                missing.append(
                    f"{demanded.evidence_type.replace('_', ' ')} ({other.code})"
                )
    if missing:
        return _unmet(
            f"The evidence package is incomplete: {', '.join(missing)}", *facts
        )
    return _met("The evidence package is complete", *facts)


def _judge_approval(case, gate, requirement):
    persona = requirement.persona.replace("_", " ")
    standing = [
        approval
        for approval in case.approvals
        if approval.gate == gate.code and approval.persona == requirement.persona
    ]
    against = [a for a in standing if a.decision != APPROVED]
    if against:
        return _unmet(
            f"A {persona} decided `{against[-1].decision}`; that person must approve, "
            "or a new revision must come",
            *(("approval", a.id) for a in against),
            adverse=True,
        )
    if case.facts.unresolved_authors:
        listed = ", ".join(sorted(case.facts.unresolved_authors))
        return _unmet(
            f"Independence cannot be shown: no user is known for author {listed}; "
            "a governance administrator must map the address to a user"
        )
    signed_before = {
        a.person
        for a in case.approvals
        if a.gate == requirement.distinct_from_gate and a.decision == APPROVED
    }
    counted, refused = {}, []
    for approval in standing:
        if approval.person in case.facts.authors:
            refused.append("an author of the revision cannot sign")
        elif approval.person in signed_before:
            refused.append(
                f"the signatory of {requirement.distinct_from_gate} cannot also sign "
                f"{gate.code}"
            )
        elif approval.service_account:
            refused.append("a service account cannot sign")
        elif not case._is_fresh(requirement, approval.recorded_at):
            refused.append(
                f"a sign-off was {case._too_old(requirement, approval.recorded_at)}"
            )
        else:
            counted[approval.person] = approval
    # A count left at zero must not wave everything through.
    if len(counted) >= max(requirement.min_count, 1):
        return _met(
            f"Signed off by a {persona} for revision {case.short_revision}",
            *(("approval", a.id) for a in counted.values()),
        )
    needed = (
        f"No valid sign-off by a {persona}"
        if requirement.min_count <= 1
        else f"{len(counted)} of {requirement.min_count} sign-offs by a {persona}"
    )
    because = f" ({'; '.join(dict.fromkeys(refused))})" if refused else ""
    return _unmet(
        f"{needed} for revision {case.short_revision}{because}",
        *(("approval", a.id) for a in counted.values()),
    )


def _judge_prior_gate(case, gate, requirement):
    prior = case.judged.get(requirement.prior_gate)
    if prior is None:
        return _unmet(
            f"{gate.code} demands {requirement.prior_gate}, which is not a gate before "
            "it"
        )
    if prior.open:
        how = "is bypassed by an exception" if prior.status == "bypassed" else "passed"
        return _met(f"{prior.code} {how}")
    return _unmet(f"{prior.code} {prior.name} is {prior.status.replace('_', ' ')}")


def _judge_deployment(case, gate, requirement):
    where = requirement.environment or "production"
    found = [d for d in case.deployments if d.environment == where]
    if not found:
        return _unmet(
            f"Revision {case.short_revision} has not been deployed to {where}"
        )
    latest = max(found, key=lambda d: (d.deployed_at, d.id))
    fact = ("deployment", latest.id)
    if latest.status == "in_progress":
        return _unmet(f"The deployment to {where} is still in progress", fact)
    if latest.status != "succeeded":
        return _unmet(
            f"The latest deployment of revision {case.short_revision} to {where} is "
            f"`{latest.status}`",
            fact,
            adverse=True,
        )
    if requirement.deployment_aspect != DEPLOYMENT_CONFIRMED:
        return _met(f"Revision {case.short_revision} runs in {where}", fact)
    if latest.deadline is None:
        return _met("No deadline is set for confirming the deployment", fact)
    if latest.confirmed_at is not None and latest.confirmed_at <= latest.deadline:
        return _met(f"Confirmed on {_instant(latest.confirmed_at)}, in time", fact)
    if case.now <= latest.deadline:
        return _met(f"Confirmation is due by {_instant(latest.deadline)}", fact)
    return _unmet(
        f"Not confirmed by the deadline, {_instant(latest.deadline)}; deploy again or "
        "roll back",
        fact,
        adverse=True,
    )


def _judge_no_open_incident(case, gate, requirement):
    incidents = _in_order(case.facts.incidents)
    blocking = [i for i in incidents if i.blocking and not i.resolved]
    if blocking:
        listed = ", ".join(f"{i.name} ({i.severity})" for i in blocking)
        return _unmet(
            f"Blocking incident still open: {listed}",
            *(("incident", i.id) for i in blocking),
            adverse=True,
        )
    return _met("No blocking incident is open")


def _judge_no_freeze(case, gate, requirement):
    where = requirement.environment or "production"
    windows = [
        window
        for window in _in_order(case.facts.freezes)
        if window.environment in (None, where)
    ]
    active = [w for w in windows if w.starts_at <= case.now < w.ends_at]
    # A freeze wins over a change window that is open at the same time.
    freezes = [w for w in active if w.kind == DENY]
    if freezes:
        listed = ", ".join(f"{w.name} until {_instant(w.ends_at)}" for w in freezes)
        return _unmet(f"Freeze in force: {listed}", *_windows(freezes))
    allowed = [w for w in windows if w.kind != DENY]
    if not allowed:
        return _met("No freeze window is in force")
    within = [w for w in active if w.kind != DENY]
    if within:
        latest = max(within, key=lambda w: (w.ends_at, w.id))
        return _met(
            f"Inside the change window {latest.name} until {_instant(latest.ends_at)}",
            *_windows(within),
        )
    coming = [w for w in allowed if w.starts_at > case.now]
    if not coming:
        return _unmet(
            f"Outside every change window of {where}, and none is to come; a "
            "governance administrator must define one",
            *_windows(allowed),
        )
    following = min(coming, key=lambda w: (w.starts_at, w.id))
    return _unmet(
        f"Outside every change window of {where}; the next one, {following.name}, "
        f"opens {_instant(following.starts_at)}",
        ("freeze", following.id),
    )


def _windows(occurrences):
    """The windows of some occurrences as facts, each once."""
    return tuple(dict.fromkeys(("freeze", window.id) for window in occurrences))


def _judge_soak_time(case, gate, requirement):
    where = requirement.environment or "staging"
    running = [
        d
        for d in case.deployments
        if d.environment == where and d.status == "succeeded"
    ]
    if not running:
        return _unmet(f"Revision {case.short_revision} has not run in {where} yet")
    # The newest deployment counts: deploying again starts the soak again.
    latest = max(running, key=lambda d: (d.deployed_at, d.id))
    fact = ("deployment", latest.id)
    # A sender's clock cannot make up for time in which nobody knew of the deployment.
    began_at = max(latest.deployed_at, latest.recorded_at or latest.deployed_at)
    ready_at = began_at + requirement.soak
    if case.now < ready_at:
        return _unmet(
            f"Revision {case.short_revision} must run in {where} until "
            f"{_instant(ready_at)}",
            fact,
        )
    return _met(
        f"Revision {case.short_revision} ran in {where} for "
        f"{_hours(requirement.soak)} or more",
        fact,
    )


def _judge_environment_controls(case, gate, requirement):
    where = requirement.environment or "production"
    controls = [c for c in _in_order(case.facts.controls) if c.environment == where]
    if not controls:
        return _unmet(f"No control of {where} has been checked")
    facts = tuple(("control", c.id) for c in controls)
    found = [
        (c, "over" if c.holds_until and c.holds_until <= case.now else c.status)
        for c in controls
    ]
    bad = [(c, status) for c, status in found if status != "pass"]
    if bad:
        listed = ", ".join(f"{c.name} is `{status}`" for c, status in bad)
        return _unmet(f"Controls of {where}: {listed}", *facts, adverse=True)
    old = [c for c in controls if not case._is_fresh(requirement, c.checked_at)]
    if old:
        listed = ", ".join(c.name for c in old)
        return _unmet(
            f"Controls of {where} not checked for {_hours(requirement.freshness)}: "
            f"{listed}",
            *facts,
        )
    return _met(f"Every control of {where} holds", *facts)


def _judge_recovery_drill(case, gate, requirement):
    where = requirement.environment or "production"
    what = f"{requirement.drill_type or 'recovery'} drill".replace("_", " ")
    found = [
        drill
        for drill in case.facts.drills
        if drill.environment == where and requirement.drill_type in (None, drill.type)
    ]
    if not found:
        return _unmet(f"No {what} of {where} has been recorded")
    latest = max(found, key=lambda drill: (drill.executed_at, drill.id))
    fact = ("drill", latest.id)
    if not latest.successful:
        return _unmet(
            f"The latest {what} of {where}, {_instant(latest.executed_at)}, did not "
            "succeed; repeat it",
            fact,
            adverse=True,
        )
    if not case._is_fresh(requirement, latest.executed_at):
        return _unmet(
            f"The latest {what} of {where}: "
            f"{case._too_old(requirement, latest.executed_at)}",
            fact,
        )
    return _met(
        f"The {what} of {where} on {_instant(latest.executed_at)} succeeded", fact
    )


def _judge_no_overdue_review(case, gate, requirement):
    overdue = [r for r in _in_order(case.facts.reviews) if case.now > r.due_at]
    if overdue:
        listed = ", ".join(f"{r.name}, due {_instant(r.due_at)}" for r in overdue)
        return _unmet(
            f"Post-event review overdue: {listed}",
            *(("exception", r.id) for r in overdue),
        )
    return _met("No post-event review is overdue")


_JUDGES = {
    "check": _judge_check,
    "evidence": _judge_evidence,
    "approval": _judge_approval,
    "prior_gate": _judge_prior_gate,
    "deployment": _judge_deployment,
    "no_failed_check": _judge_no_failed_check,
    "no_open_incident": _judge_no_open_incident,
    "no_freeze": _judge_no_freeze,
    "soak_time": _judge_soak_time,
    "environment_controls": _judge_environment_controls,
    "recovery_drill": _judge_recovery_drill,
    "no_overdue_review": _judge_no_overdue_review,
}


# --- words ---------------------------------------------------------------------------


def _instant(value):
    if value.tzinfo is not None:
        value = value.astimezone(timezone.utc)
    return f"{value:%Y-%m-%d %H:%M} UTC"


def _hours(delta):
    hours = delta.total_seconds() / 3600
    return f"{hours:g} hour" if hours == 1 else f"{hours:g} hours"
