"""Personas and names: who can be distinguished, and who could sign."""

from collections.abc import Sequence
from typing import Any

from .finding import ERROR, WARNING, Finding, Findings
from .values import Model, Persona, Requirement


def personas_have_groups_that_sign(model: Model) -> Findings:
    """A persona whose group signs nothing decides nothing."""
    for persona in model.personas:
        if persona.active and not persona.may_sign:
            yield Finding(
                "persona_cannot_sign",
                ERROR,
                persona.place,
                f"“{persona.name}” is held by the group “{persona.group}”, whose "
                "members sign and move nothing.",
                "Give the persona a group of its own.",
            )


def personas_have_groups_of_their_own(model: Model) -> Findings:
    """Two personas with one group are always held together."""
    seen: dict[str, Persona] = {}
    for persona in model.personas:
        if not persona.active:
            continue
        other = seen.setdefault(persona.group, persona)
        if other is not persona:
            yield Finding(
                "persona_group_shared",
                ERROR,
                persona.place,
                f"“{persona.name}” and “{other.name}” are held by the same group, "
                f"“{persona.group}”: nobody holds one without the other.",
                "Give each of them a group of its own.",
            )


def personas_are_held(model: Model) -> Findings:
    """A persona that is asked for is somebody's."""
    if not model.is_staffed:
        return
    asked: set[str | None] = {code for stage in model.stages for code in stage.movers}
    asked |= {each.accountable for each in model.requirements}
    asked |= {each.persona for each in model.requirements}
    for persona in model.personas:
        if persona.active and persona.code in asked and not persona.people:
            yield Finding(
                "persona_unheld",
                WARNING,
                persona.place,
                f"Nobody holds “{persona.name}”, which the model asks for.",
                f"Give the group “{persona.group}” a member.",
            )


def enough_people_can_sign(model: Model) -> Findings:
    """Signatures that must come from different people need as many people."""
    if not model.is_staffed:
        return
    approvals = [each for each in model.requirements if each.kind == "approval"]
    for requirement in approvals:
        mine = _people(model, requirement)
        if len(mine) < requirement.min_count:
            yield _too_few(requirement, len(mine), requirement.min_count, "")
            continue
        for other in model.requirements_of(requirement.distinct_from_gate, "approval"):
            theirs = _people(model, other)
            both = requirement.min_count + other.min_count
            if len(theirs) >= other.min_count and len(mine | theirs) < both:
                yield _too_few(
                    requirement,
                    len(mine | theirs),
                    both,
                    f" with “{other.name}” of {other.gate}, which others must sign",
                )


def _people(model: Model, requirement: Requirement) -> frozenset[str]:
    persona = model.persona.get(requirement.persona)
    return persona.people if persona and persona.active else frozenset()


def _too_few(
    requirement: Requirement, there: int, needed: int, with_whom: str
) -> Finding:
    return Finding(
        "signatories_too_few",
        WARNING,
        requirement.place,
        f"“{requirement.name}” needs {needed} {'person' if needed == 1 else 'people'}"
        f"{with_whom}, but {there} could sign.",
        "Give more people the role, or ask for fewer signatures.",
    )


def names_differ(model: Model) -> Findings:
    """No two of a kind have codes or names that only differ by case or spaces."""
    kinds: tuple[Sequence[Any], ...] = (
        model.gates,
        model.stages,
        model.personas,
        model.evidence_types,
        model.domains,
        *(model.requirements_of(gate.code) for gate in model.gates),
    )
    for values in kinds:
        for attribute in ("code", "name"):
            seen: dict[str, Any] = {}
            for value in values:
                if not getattr(value, "active", True):
                    continue
                text = getattr(value, attribute)
                other = seen.setdefault("".join(text.split()).lower(), value)
                if other is not value:
                    yield Finding(
                        f"{attribute}_twice",
                        ERROR,
                        value.place,
                        f"“{text}” and “{getattr(other, attribute)}”, of {value.label} "
                        f"and {other.label}, are one {attribute} twice: nobody can "
                        "tell them apart.",
                        "Rename one of them, or archive it.",
                    )


CHECKS = (
    personas_have_groups_that_sign,
    personas_have_groups_of_their_own,
    personas_are_held,
    enough_people_can_sign,
    names_differ,
)
