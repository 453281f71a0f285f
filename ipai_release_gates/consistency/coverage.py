"""Expertise and contracts: somebody answers for each demand of a gate."""

from .finding import ERROR, Finding, Findings
from .values import Model


def _holding(model: Model, domain: str) -> list[str]:
    """The levels at which active personas hold a domain."""
    return [
        level
        for code, level in model.holders.get(domain, ())
        if code in model.persona and model.persona[code].active
    ]


def conditions_draw_on_held_domains(model: Model) -> Findings:
    """A condition whose domain nobody holds is a gap."""
    for need in model.requirements:
        if not _holding(model, need.domain):
            yield Finding(
                "domain_unheld",
                ERROR,
                need.place,
                f"Nobody holds “{need.domain}”, on which “{need.name}” draws.",
                "Give the domain to a persona, or name another one.",
            )


def domains_have_a_primary(model: Model) -> Findings:
    """Each domain is one active persona's first business."""
    for domain in model.domains:
        if _holding(model, domain.code).count("primary") != 1:
            yield Finding(
                "domain_primary",
                ERROR,
                domain.place,
                f"“{domain.name}” does not have exactly one primary persona.",
                "Name the persona that answers for it.",
            )


def personas_have_a_contract(model: Model) -> Findings:
    """What a persona answers for is written down and in force."""
    for persona in model.personas:
        if persona.active and not persona.has_contract:
            yield Finding(
                "persona_contract",
                ERROR,
                persona.place,
                f"“{persona.name}” has no contract in force.",
                "Complete its contract and bring it into force.",
            )


CHECKS = (
    conditions_draw_on_held_domains,
    domains_have_a_primary,
    personas_have_a_contract,
)
