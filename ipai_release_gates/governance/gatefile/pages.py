"""What the pages of ``docs/reference/gates`` show of the policy, as Markdown tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from .schema import Entries, Entry

if TYPE_CHECKING:
    from ...policy import RequirementKind

Kinds = Mapping[str, "RequirementKind"]


def table(header: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    """A Markdown table.

    :param header: the names of the columns
    :param rows: their cells; what is empty stays empty
    """
    lines = [_row(header), _row("---" for _name in header)]
    return "\n".join(lines + [_row(map(_cell, row)) for row in rows])


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(value: Any) -> str:
    if value is None or value is False:
        return ""
    if isinstance(value, bool):
        return "yes"
    return " ".join(str(value).split()).replace("|", "\\|")


def code(word: str | None) -> str:
    """A word as code; nothing for nothing."""
    return f"`{word}`" if word else ""


def codes(words: Iterable[str]) -> str:
    """Several words as code."""
    return ", ".join(map(code, words))


def requirements_table(gates: Entries, kinds: Kinds) -> str:
    """Which event counts for which requirement of which gate."""
    return table(
        ("gate", "requirement", "kind", "counts when", "waivable", "accountable"),
        (
            (
                gate,
                code(name) + ("" if requirement["active"] else " (not in force)"),
                code(requirement["kind"]),
                counts(requirement, kinds),
                "yes" if requirement["waivable"] else "no",
                code(requirement["accountable_persona"]),
            )
            for gate, entry in gates.items()
            for name, requirement in entry["requirements"].items()
        ),
    )


def counts(entry: Entry, kinds: Kinds) -> str:
    """What makes a requirement met, and what brings that, as one sentence.

    :param entry: the requirement as a policy file has it
    :param kinds: the kinds of requirements by code
    """
    kind = kinds.get(entry["kind"])
    if kind is None:
        return "never: no installed addon judges this kind"
    sentence = kind.sentence(entry)
    if kind.parameter("freshness_hours") and entry["freshness_hours"]:
        sentence += f"; no older than {entry['freshness_hours']:g} hours"
    return sentence


def stages_table(stages: Entries) -> str:
    """The stages with what each demands and who moves there."""
    return table(
        ("stage", "code", "demands", "movers", "a new commit pulls it back"),
        (
            (
                entry["name"],
                code(name),
                entry["gate"],
                codes(entry["movers"]),
                "yes" if entry["pulls_back"] else "no",
            )
            for name, entry in stages.items()
        ),
    )


def exception_types_table(definition: Entry) -> str:
    """Types of exceptions and what each may cover."""
    return table(
        ("type", "may waive", "whole gates", "risk"),
        (
            (
                code(name),
                codes(about["waives"])
                if isinstance(about["waives"], list)
                else about["waives"],
                "yes" if about["covers_whole_gates"] else "no",
                about["risk"],
            )
            for name, about in definition["types"].items()
        ),
    )


def risks_table(definition: Entry) -> str:
    """What each level of risk asks of an exception."""
    return table(
        ("risk", "longest life", "approved by one each", "controls", "review within"),
        (
            (
                code(name),
                _time(about["longest_life_hours"]),
                codes(about["approved_by_one_each"]),
                "must be said" if about["compensating_controls_required"] else "",
                _time(about["review_within_hours"]),
            )
            for name, about in definition["risk_levels"].items()
        ),
    )


def states_table(definition: Entry) -> str:
    """The states of an exception and what may follow each."""
    return table(
        ("state", "may become"),
        ((code(n), codes(about["next"])) for n, about in definition["states"].items()),
    )


def not_waivable_table(gates: Entries) -> str:
    """The requirements that no exception covers."""
    return table(
        ("gate", "requirement"),
        (
            (gate, f"{code(name)} {requirement['name']}")
            for gate, entry in gates.items()
            for name, requirement in entry["requirements"].items()
            if not requirement["waivable"] and requirement["active"]
        ),
    )


def _time(hours: float | None) -> str:
    if hours is None:
        return ""
    return f"{hours // 24} days" if hours > 48 and hours % 24 == 0 else f"{hours} hours"
