"""Requirement kind ``toy_walkthrough``: a person walked through the revision."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from odoo.addons.ipai_release_gates.policy import (
    Case,
    Entry,
    Gate,
    Judgement,
    Reason,
    Requirement,
    RequirementKind,
    met,
    unmet,
)

MODULE = "ipai_release_gates_toy"
#: The code of the kind of fact that the judge reads.
FACT = "toy_walkthrough"


@dataclass(frozen=True)
class Walkthrough:
    """A walk through the product, and whether it succeeded."""

    id: int
    revision: str
    successful: bool
    recorded_at: datetime


_Reason = Reason.of_addon(MODULE)


def _lt(term: str) -> str:
    """Mark a term for translation; it stays as it is."""
    return term


def _judge(case: Case, gate: Gate, requirement: Requirement) -> Judgement:
    walks: list[Walkthrough] = case.of(FACT)
    if not walks:
        return unmet(
            _Reason(
                _lt("Nobody walked through revision %(revision)s yet"),
                revision=case.short_revision,
            )
        )
    # The newest walk counts: an earlier one is history.
    latest = max(walks, key=lambda walk: walk.id)
    fact = (FACT, latest.id)
    if not latest.successful:
        return unmet(
            _Reason(
                _lt("The walk through revision %(revision)s did not succeed"),
                revision=case.short_revision,
            ),
            fact,
            adverse=True,
        )
    return met(
        _Reason(
            _lt("A walk through revision %(revision)s succeeded"),
            revision=case.short_revision,
        ),
        fact,
    )


def _sentence(entry: Entry) -> str:
    return "a person walked through the revision: by hand"


KIND = RequirementKind(
    code="toy_walkthrough",
    label=_lt("Walkthrough"),
    judge=_judge,
    sentence=_sentence,
    fact_kinds=(FACT,),
    module=MODULE,
)
