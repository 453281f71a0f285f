"""Judging a release: one small function per kind of requirement."""

from dataclasses import replace
from datetime import timezone
from functools import reduce

from .definitions import DEPLOYMENT_CONFIRMED
from .facts import DENY
from .reason import Reason, _lt
from .verdict import (
    BYPASSED,
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
                Reason(
                    _lt(
                        "%(gate)s has no requirement in force; a governance "
                        "administrator must define at least one"
                    ),
                    gate=gate.code,
                ),
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
                Reason(
                    _lt("%(kind)s is not a known kind of requirement"),
                    kind=repr(requirement.kind),
                )
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
            reason=Reason(
                _lt("Waived by an exception until %(until)s: %(reason)s"),
                until=_instant(grant.expires_at),
                reason=condition.reason,
            ),
            waived_by=grant.id,
            waived_until=grant.expires_at,
        )

    def _is_fresh(self, requirement, recorded_at):
        return (
            requirement.freshness is None
            or self.now - recorded_at <= requirement.freshness
        )

    def _too_old(self, requirement, recorded_at):
        return Reason(
            _lt("recorded %(at)s, older than the %(hours)s allowed; record it again"),
            at=_instant(recorded_at),
            hours=_hours(requirement.freshness),
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
            Reason(_lt("The project's policy requires no checks")),
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
            problems.append(_missing_check(case, requirement, name))
        for check in found:
            if check.status != "pass":
                adverse = adverse or check.status == "fail"
                problems.append(
                    Reason(
                        _lt(
                            "The latest `%(check)s` check for revision %(revision)s is "
                            "`%(status)s`, it must be `pass`"
                        ),
                        check=name,
                        revision=case.short_revision,
                        status=check.status,
                    )
                )
            elif not case._is_fresh(requirement, check.recorded_at):
                problems.append(
                    Reason(
                        _lt("Check `%(check)s`: %(too_old)s"),
                        check=name,
                        too_old=case._too_old(requirement, check.recorded_at),
                    )
                )
    if problems:
        return _unmet(Reason.joined("; ", problems), *facts, adverse=adverse)
    return _met(
        Reason(
            _lt("%(checks)s passed for revision %(revision)s"),
            checks=", ".join(f"`{name}`" for name in names),
            revision=case.short_revision,
        ),
        *facts,
    )


def _missing_check(case, requirement, name):
    if requirement.environment:
        return Reason(
            _lt(
                "No successful `%(check)s` check on %(where)s for revision %(revision)s"
            ),
            check=name,
            where=requirement.environment,
            revision=case.short_revision,
        )
    return Reason(
        _lt("No successful `%(check)s` check for revision %(revision)s"),
        check=name,
        revision=case.short_revision,
    )


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
        return _unmet(
            Reason(
                _lt("Failing for revision %(revision)s: %(checks)s"),
                revision=case.short_revision,
                checks=", ".join(f"`{check.name}`" for check in failed),
            ),
            *(("check", check.id) for check in failed),
            adverse=True,
        )
    return _met(
        Reason(
            _lt("No check fails for revision %(revision)s"),
            revision=case.short_revision,
        )
    )


def _judge_evidence(case, gate, requirement):
    if requirement.evidence_type is None:
        return _judge_evidence_package(case, gate, requirement)
    label = Reason.of_words(requirement.evidence_type)
    found = [
        evidence
        for evidence in case.evidence
        if evidence.type == requirement.evidence_type
        and evidence.gate in (None, gate.code)
    ]
    if not found:
        return _unmet(
            Reason(
                _lt("No %(evidence)s recorded for %(gate)s and revision %(revision)s"),
                evidence=label,
                gate=gate.code,
                revision=case.short_revision,
            )
        )
    latest = max(found, key=lambda evidence: evidence.id)
    fact = ("evidence", latest.id)
    for key, expected in sorted(requirement.metadata_match.items()):
        allowed = expected if isinstance(expected, (list, tuple)) else [expected]
        actual = latest.metadata.get(key)
        if actual not in allowed:
            return _unmet(
                Reason(
                    _lt(
                        "The %(evidence)s must say `%(key)s` is %(wanted)s, it says "
                        "%(actual)s"
                    ),
                    evidence=label,
                    key=key,
                    wanted=_either(allowed),
                    actual=Reason(_lt("nothing")) if actual is None else f"`{actual}`",
                ),
                fact,
                adverse=actual is not None,
            )
    if not case._is_fresh(requirement, latest.recorded_at):
        return _unmet(
            Reason(
                _lt("The %(evidence)s was %(too_old)s"),
                evidence=label,
                too_old=case._too_old(requirement, latest.recorded_at),
            ),
            fact,
        )
    return _met(
        Reason(
            _lt("%(Evidence)s recorded for revision %(revision)s"),
            Evidence=label,
            revision=case.short_revision,
        ),
        fact,
    )


def _either(values):
    """``a`` or ``b`` or ``c``"""
    said = [f"`{value}`" for value in values] or [Reason(_lt("nothing"))]
    return reduce(
        lambda one, other: Reason(_lt("%(one)s or %(other)s"), one=one, other=other),
        said,
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
                    Reason(
                        "%(evidence)s (%(gate)s)",
                        evidence=Reason.of_words(demanded.evidence_type),
                        gate=other.code,
                    )
                )
    if missing:
        return _unmet(
            Reason(
                _lt("The evidence package is incomplete: %(missing)s"),
                missing=Reason.joined(", ", missing),
            ),
            *facts,
        )
    return _met(Reason(_lt("The evidence package is complete")), *facts)


def _judge_approval(case, gate, requirement):
    persona = Reason.of_words(requirement.persona)
    standing = [
        approval
        for approval in case.approvals
        if approval.gate == gate.code and approval.persona == requirement.persona
    ]
    against = [a for a in standing if a.decision != APPROVED]
    if against:
        return _unmet(
            Reason(
                _lt(
                    "A %(persona)s decided `%(decision)s`; that person must approve, "
                    "or a new revision must come"
                ),
                persona=persona,
                decision=against[-1].decision,
            ),
            *(("approval", a.id) for a in against),
            adverse=True,
        )
    if case.facts.unresolved_authors:
        return _unmet(
            Reason(
                _lt(
                    "Independence cannot be shown: no user is known for author "
                    "%(authors)s; a governance administrator must map the address to a "
                    "user"
                ),
                authors=", ".join(sorted(case.facts.unresolved_authors)),
            )
        )
    signed_before = {
        a.person
        for a in case.approvals
        if a.gate == requirement.distinct_from_gate and a.decision == APPROVED
    }
    counted, refused = {}, []
    for approval in standing:
        if approval.person in case.facts.authors:
            refused.append(Reason(_lt("an author of the revision cannot sign")))
        elif approval.person in signed_before:
            refused.append(
                Reason(
                    _lt("the signatory of %(other)s cannot also sign %(gate)s"),
                    other=requirement.distinct_from_gate,
                    gate=gate.code,
                )
            )
        elif approval.service_account:
            refused.append(Reason(_lt("a service account cannot sign")))
        elif not case._is_fresh(requirement, approval.recorded_at):
            refused.append(
                Reason(
                    _lt("a sign-off was %(too_old)s"),
                    too_old=case._too_old(requirement, approval.recorded_at),
                )
            )
        else:
            counted[approval.person] = approval
    # A count left at zero must not wave everything through.
    if len(counted) >= max(requirement.min_count, 1):
        return _met(
            Reason(
                _lt("Signed off by a %(persona)s for revision %(revision)s"),
                persona=persona,
                revision=case.short_revision,
            ),
            *(("approval", a.id) for a in counted.values()),
        )
    if requirement.min_count <= 1:
        needed = Reason(
            _lt("No valid sign-off by a %(persona)s for revision %(revision)s"),
            persona=persona,
            revision=case.short_revision,
        )
    else:
        needed = Reason(
            _lt(
                "%(count)s of %(needed)s sign-offs by a %(persona)s for revision "
                "%(revision)s"
            ),
            count=len(counted),
            needed=requirement.min_count,
            persona=persona,
            revision=case.short_revision,
        )
    if refused:
        because = Reason.joined("; ", dict.fromkeys(refused))
        needed = Reason("%(needed)s (%(because)s)", needed=needed, because=because)
    return _unmet(needed, *(("approval", a.id) for a in counted.values()))


def _judge_prior_gate(case, gate, requirement):
    prior = case.judged.get(requirement.prior_gate)
    if prior is None:
        return _unmet(
            Reason(
                _lt("%(gate)s demands %(prior)s, which is not a gate before it"),
                gate=gate.code,
                prior=str(requirement.prior_gate),
            )
        )
    if prior.open:
        bypassed = prior.status == BYPASSED
        return _met(
            Reason(
                _lt("%(gate)s is bypassed by an exception")
                if bypassed
                else _lt("%(gate)s passed"),
                gate=prior.code,
            )
        )
    return _unmet(
        Reason(
            _lt("%(gate)s %(name)s is %(status)s"),
            gate=prior.code,
            name=prior.name,
            status=Reason.of_words(prior.status),
        )
    )


def _judge_deployment(case, gate, requirement):
    where = requirement.environment or "production"
    found = [d for d in case.deployments if d.environment == where]
    if not found:
        return _unmet(
            Reason(
                _lt("Revision %(revision)s has not been deployed to %(where)s"),
                revision=case.short_revision,
                where=where,
            )
        )
    latest = max(found, key=lambda d: (d.deployed_at, d.id))
    fact = ("deployment", latest.id)
    if latest.status == "in_progress":
        return _unmet(
            Reason(
                _lt("The deployment to %(where)s is still in progress"), where=where
            ),
            fact,
        )
    if latest.status != "succeeded":
        return _unmet(
            Reason(
                _lt(
                    "The latest deployment of revision %(revision)s to %(where)s is "
                    "`%(status)s`"
                ),
                revision=case.short_revision,
                where=where,
                status=latest.status,
            ),
            fact,
            adverse=True,
        )
    if requirement.deployment_aspect != DEPLOYMENT_CONFIRMED:
        return _met(
            Reason(
                _lt("Revision %(revision)s runs in %(where)s"),
                revision=case.short_revision,
                where=where,
            ),
            fact,
        )
    if latest.deadline is None:
        return _met(
            Reason(_lt("No deadline is set for confirming the deployment")), fact
        )
    if latest.confirmed_at is not None and latest.confirmed_at <= latest.deadline:
        return _met(
            Reason(
                _lt("Confirmed on %(at)s, in time"), at=_instant(latest.confirmed_at)
            ),
            fact,
        )
    if case.now <= latest.deadline:
        return _met(
            Reason(_lt("Confirmation is due by %(by)s"), by=_instant(latest.deadline)),
            fact,
        )
    return _unmet(
        Reason(
            _lt(
                "Not confirmed by the deadline, %(deadline)s; deploy again or roll back"
            ),
            deadline=_instant(latest.deadline),
        ),
        fact,
        adverse=True,
    )


def _judge_no_open_incident(case, gate, requirement):
    incidents = _in_order(case.facts.incidents)
    blocking = [i for i in incidents if i.blocking and not i.resolved]
    if blocking:
        listed = ", ".join(f"{i.name} ({i.severity})" for i in blocking)
        return _unmet(
            Reason(
                _lt("Blocking incident still open: %(incidents)s"), incidents=listed
            ),
            *(("incident", i.id) for i in blocking),
            adverse=True,
        )
    return _met(Reason(_lt("No blocking incident is open")))


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
        listed = Reason.joined(
            ", ",
            [
                Reason(
                    _lt("%(name)s until %(until)s"),
                    name=each.name,
                    until=_instant(each.ends_at),
                )
                for each in freezes
            ],
        )
        return _unmet(
            Reason(_lt("Freeze in force: %(freezes)s"), freezes=listed),
            *_windows(freezes),
        )
    allowed = [w for w in windows if w.kind != DENY]
    if not allowed:
        return _met(Reason(_lt("No freeze window is in force")))
    within = [w for w in active if w.kind != DENY]
    if within:
        latest = max(within, key=lambda w: (w.ends_at, w.id))
        return _met(
            Reason(
                _lt("Inside the change window %(name)s until %(until)s"),
                name=latest.name,
                until=_instant(latest.ends_at),
            ),
            *_windows(within),
        )
    coming = [w for w in allowed if w.starts_at > case.now]
    if not coming:
        return _unmet(
            Reason(
                _lt(
                    "Outside every change window of %(where)s, and none is to come; a "
                    "governance administrator must define one"
                ),
                where=where,
            ),
            *_windows(allowed),
        )
    following = min(coming, key=lambda w: (w.starts_at, w.id))
    return _unmet(
        Reason(
            _lt(
                "Outside every change window of %(where)s; the next one, %(name)s, "
                "opens %(at)s"
            ),
            where=where,
            name=following.name,
            at=_instant(following.starts_at),
        ),
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
        return _unmet(
            Reason(
                _lt("Revision %(revision)s has not run in %(where)s yet"),
                revision=case.short_revision,
                where=where,
            )
        )
    # The newest deployment counts: deploying again starts the soak again.
    latest = max(running, key=lambda d: (d.deployed_at, d.id))
    fact = ("deployment", latest.id)
    # A sender's clock cannot make up for time in which nobody knew of the deployment.
    began_at = max(latest.deployed_at, latest.recorded_at or latest.deployed_at)
    ready_at = began_at + requirement.soak
    if case.now < ready_at:
        return _unmet(
            Reason(
                _lt("Revision %(revision)s must run in %(where)s until %(until)s"),
                revision=case.short_revision,
                where=where,
                until=_instant(ready_at),
            ),
            fact,
        )
    return _met(
        Reason(
            _lt("Revision %(revision)s ran in %(where)s for %(hours)s or more"),
            revision=case.short_revision,
            where=where,
            hours=_hours(requirement.soak),
        ),
        fact,
    )


def _judge_environment_controls(case, gate, requirement):
    where = requirement.environment or "production"
    controls = [c for c in _in_order(case.facts.controls) if c.environment == where]
    if not controls:
        return _unmet(
            Reason(_lt("No control of %(where)s has been checked"), where=where)
        )
    facts = tuple(("control", c.id) for c in controls)
    found = [
        (c, "over" if c.holds_until and c.holds_until <= case.now else c.status)
        for c in controls
    ]
    bad = [(c, status) for c, status in found if status != "pass"]
    if bad:
        listed = Reason.joined(
            ", ",
            [
                Reason(_lt("%(name)s is `%(status)s`"), name=c.name, status=status)
                for c, status in bad
            ],
        )
        return _unmet(
            Reason(
                _lt("Controls of %(where)s: %(controls)s"), where=where, controls=listed
            ),
            *facts,
            adverse=True,
        )
    old = [c for c in controls if not case._is_fresh(requirement, c.checked_at)]
    if old:
        return _unmet(
            Reason(
                _lt("Controls of %(where)s not checked for %(hours)s: %(controls)s"),
                where=where,
                hours=_hours(requirement.freshness),
                controls=", ".join(c.name for c in old),
            ),
            *facts,
        )
    return _met(Reason(_lt("Every control of %(where)s holds"), where=where), *facts)


def _judge_recovery_drill(case, gate, requirement):
    where = requirement.environment or "production"
    what = Reason.of_words(f"{requirement.drill_type or 'recovery'} drill")
    found = [
        drill
        for drill in case.facts.drills
        if drill.environment == where and requirement.drill_type in (None, drill.type)
    ]
    if not found:
        return _unmet(
            Reason(
                _lt("No %(drill)s of %(where)s has been recorded"),
                drill=what,
                where=where,
            )
        )
    latest = max(found, key=lambda drill: (drill.executed_at, drill.id))
    fact = ("drill", latest.id)
    if not latest.successful:
        return _unmet(
            Reason(
                _lt(
                    "The latest %(drill)s of %(where)s, %(at)s, did not succeed; "
                    "repeat it"
                ),
                drill=what,
                where=where,
                at=_instant(latest.executed_at),
            ),
            fact,
            adverse=True,
        )
    if not case._is_fresh(requirement, latest.executed_at):
        return _unmet(
            Reason(
                _lt("The latest %(drill)s of %(where)s: %(too_old)s"),
                drill=what,
                where=where,
                too_old=case._too_old(requirement, latest.executed_at),
            ),
            fact,
        )
    return _met(
        Reason(
            _lt("The %(drill)s of %(where)s on %(at)s succeeded"),
            drill=what,
            where=where,
            at=_instant(latest.executed_at),
        ),
        fact,
    )


def _judge_no_overdue_review(case, gate, requirement):
    overdue = [r for r in _in_order(case.facts.reviews) if case.now > r.due_at]
    if overdue:
        listed = Reason.joined(
            ", ",
            [
                Reason(
                    _lt("%(name)s, due %(due)s"), name=r.name, due=_instant(r.due_at)
                )
                for r in overdue
            ],
        )
        return _unmet(
            Reason(_lt("Post-event review overdue: %(reviews)s"), reviews=listed),
            *(("exception", r.id) for r in overdue),
        )
    return _met(Reason(_lt("No post-event review is overdue")))


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
    said = f"{hours:g}"
    return Reason(
        _lt("%(hours)s hour") if hours == 1 else _lt("%(hours)s hours"), hours=said
    )
