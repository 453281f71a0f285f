"""The one template that every persona contract follows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Section:
    """One of the ten sections: its title, what it answers, the fields it is made of."""

    title: str
    question: str
    fields: tuple[tuple[str, str], ...]  # field and label


SECTIONS = (
    Section(
        "Mission",
        "Why the role exists, in one or two sentences.",
        (("mission", "Mission"),),
    ),
    Section(
        "Scope and non-scope",
        "What the role works on, and what it leaves to others.",
        (("scope", "Scope"), ("non_scope", "Non-scope")),
    ),
    Section(
        "Inputs",
        "What the role needs before it can start, and from whom.",
        (("inputs", "Inputs"),),
    ),
    Section(
        "Outputs",
        "What the role hands on, and in which form.",
        (("outputs", "Outputs"),),
    ),
    Section(
        "Decision rights",
        "What the role decides without asking anybody else.",
        (("decision_rights", "Decision rights"),),
    ),
    Section(
        "Prohibited actions",
        "What the role must not do, whatever rights its system account has.",
        (("prohibited_actions", "Prohibited actions"),),
    ),
    Section(
        "Escalation rules",
        "When the role stops and whom it calls.",
        (("escalation_rules", "Escalation rules"),),
    ),
    Section(
        "Required evidence",
        "What must be on record for the role's work to count.",
        (("required_evidence", "Required evidence"),),
    ),
    Section(
        "KPIs",
        "The figures by which the role's work is judged.",
        (("kpis", "KPIs"),),
    ),
    Section(
        "Failure modes",
        "How the role fails, and what must prevent or show it.",
        (("failure_modes", "Failure modes"),),
    ),
)
#: The fields of the sections, in order.
FIELDS = tuple(name for section in SECTIONS for name, _label in section.fields)
LABELS = {name: label for section in SECTIONS for name, label in section.fields}
#: The holder of the role may do more or less when one of these changes.
MAJOR = ("decision_rights", "prohibited_actions")
#: How many primary outcomes a contract names: at least, at most.
OUTCOMES = (3, 5)
#: The shared rules every contract refers to.
OVERLAY = "template.md#governance-overlay"

_OVERLAY_RULES = (
    (
        "Evidence before decision: a gate passes on what is recorded for the revision "
        "that is released, never on what somebody remembers."
    ),
    (
        "A gate that is not passed is not walked around. Where a condition cannot be "
        "met in time, an exception is requested, approved by others, and expires."
    ),
    (
        "Duties are kept apart per person: nobody signs a revision they wrote, nobody "
        "signs both G2 and G3 of it, nobody approves an exception they requested."
    ),
    (
        "Decisions are facts: who, when, on which revision and why. They are "
        "superseded by newer ones, not edited."
    ),
    (
        "Environments are safe by default. A control is switched off by an approved "
        "exception only."
    ),
    "Whoever cannot decide within their rights escalates, and says so in the record.",
    "Where a contract and this overlay differ, the stricter of the two holds.",
)


#: On top of what is published.
GENERATED = (
    "<!-- Generated from the addon's records by `python3 -m tools publish`: "
    "not to be edited. -->"
)


def points(text: str | None) -> list[str]:
    """The points of a section: its lines that say something."""
    return [line.strip() for line in (text or "").splitlines() if line.strip()]


def missing(values: Mapping[str, Any]) -> list[str]:
    """What a contract still lacks.

    :param values: dict of text by field; ``outcomes`` one per line
    :returns: list of labels, in the order of the template
    """
    labels = [LABELS[name] for name in FIELDS if not points(values.get(name))]
    least, most = OUTCOMES
    if not least <= len(points(values.get("outcomes"))) <= most:
        labels.append(f"{least} to {most} primary outcomes")
    if not points(values.get("governance_overlay")):
        labels.append("Governance overlay")
    return labels


def template_markdown() -> str:
    """The template as it is published."""
    least, most = OUTCOMES
    decisive = " or ".join(LABELS[name].lower() for name in MAJOR)
    lines = [
        GENERATED,
        "",
        "# Persona contract template",
        "",
        "Every persona of the release process has a contract of this form:",
        f"ten sections, {least} to {most} primary outcomes and the overlay below.",
        "A version in which a section is empty cannot come into force.",
        "",
        "## Sections",
        "",
        "| no. | section | answers |",
        "| --- | --- | --- |",
        *(
            f"| {number} | {section.title} | {section.question} |"
            for number, section in enumerate(SECTIONS, start=1)
        ),
        "",
        "## Versions",
        "",
        "One version is in force; earlier ones stay readable and are never edited.",
        "A new version says why it is made. It counts as major (2.0) when",
        f"{decisive} change, as minor (1.1) otherwise.",
        "Each contract is reviewed every month or every quarter.",
        "",
        "## Governance overlay",
        "",
        "These rules hold for every persona:",
        "",
        *(f"- {rule}" for rule in _OVERLAY_RULES),
    ]
    return "\n".join(lines) + "\n"
