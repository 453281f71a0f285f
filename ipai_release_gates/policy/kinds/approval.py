"""Requirement kind ``approval``: enough independent people signed the gate off."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from ..case import Case
from ..definitions import Gate, Requirement
from ..facts import Approval, ReleaseFacts
from ..kind import JUST_AFTER, Entry, Parameter, RequirementKind
from ..parameters import FRESHNESS
from ..reason import Reason, _lt
from ..verdict import Judgement, met, unmet

APPROVED = "approved"


def _judge(case: Case, gate: Gate, requirement: Requirement) -> Judgement:
    persona = Reason.of_words(requirement.persona or "")
    standing = [
        approval
        for approval in case.approvals
        if approval.gate == gate.code and approval.persona == requirement.persona
    ]
    against = [a for a in standing if a.decision != APPROVED]
    if against:
        return unmet(
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
        return unmet(
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
    counted: dict[str, Approval] = {}
    refused: list[Reason] = []
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
        elif not case.is_fresh(requirement, approval.recorded_at):
            refused.append(
                Reason(
                    _lt("a sign-off was %(too_old)s"),
                    too_old=case.too_old(requirement, approval.recorded_at),
                )
            )
        else:
            counted[approval.person] = approval
    # A count left at zero must not wave everything through.
    if len(counted) >= max(requirement.min_count, 1):
        return met(
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
    return unmet(needed, *(("approval", a.id) for a in counted.values()))


def _sentence(entry: Entry) -> str:
    number = entry["min_count"]
    people = f"{number} people sign" if number > 1 else "somebody signs"
    sentence = (
        f"{people} as `{entry['approval_persona']}`: `gate_signoff` or by hand, never "
        "a service"
    )
    if entry["distinct_from_gate"]:
        sentence += f"; not the signatory of {entry['distinct_from_gate']}"
    return sentence


def _turning_points(
    facts: ReleaseFacts, requirement: Requirement
) -> Iterator[datetime]:
    if requirement.freshness is not None:
        for approval in facts.approvals:
            yield approval.recorded_at + requirement.freshness + JUST_AFTER


KIND = RequirementKind(
    code="approval",
    label=_lt("Signed off"),
    judge=_judge,
    sentence=_sentence,
    parameters=(
        Parameter(
            "approval_persona",
            "code",
            of="personas",
            attribute="persona",
            needed=_lt("A sign-off needs its persona."),
            help="Who signs.",
            sequence=40,
        ),
        Parameter(
            "min_count",
            "whole",
            attribute="min_count",
            default=1,
            least=1,
            help="How many different people sign.",
            sequence=50,
        ),
        Parameter(
            "distinct_from_gate",
            "code",
            of="gates",
            attribute="distinct_from_gate",
            help="Whoever signed that gate cannot sign this one.",
            sequence=60,
        ),
        FRESHNESS,
    ),
    fact_kinds=("approval",),
    turning_points=_turning_points,
    next_step="_step_for_approval",
    actor_check="_may_sign_off",
    is_criterion=False,
)
