"""Requirements: whether what they demand exists, and can be met together."""

from typing import Any

import jsonschema

from .finding import ERROR, WARNING, Finding, Findings
from .values import Model


def kinds_are_installed(model: Model) -> Findings:
    """Each condition is of a kind that an installed addon judges."""
    for requirement in model.requirements:
        if requirement.kind not in model.kinds:
            yield Finding(
                "kind_unknown",
                ERROR,
                requirement.place,
                f"No installed addon judges “{requirement.name}”, which is of the kind "
                f"“{requirement.kind}”: {requirement.gate} is closed.",
                "Install the addon that brings the kind, or archive the requirement.",
            )


def prior_gates_come_before(model: Model) -> Findings:
    """A gate asks for gates before it; a circle would never open."""
    for requirement in model.requirements:
        if requirement.kind != "prior_gate":
            continue
        gate, prior = (
            model.gate.get(code) for code in (requirement.gate, requirement.prior_gate)
        )
        if gate and prior and prior.rank >= gate.rank:
            yield Finding(
                "prior_gate_order",
                ERROR,
                requirement.place,
                f"{gate.code} asks that {prior.code} passed, which does not come "
                "before it.",
                "Put the gates in order, or name an earlier gate.",
            )


def accountable_personas_are_active(model: Model) -> Findings:
    """Somebody answers for each condition."""
    for requirement in model.requirements:
        persona = model.persona.get(requirement.accountable)
        if not (persona and persona.active):
            yield Finding(
                "accountable_archived",
                ERROR,
                requirement.place,
                f"“{requirement.accountable}”, accountable for “{requirement.name}”, "
                "is archived: nobody answers for it.",
                "Name another persona, or restore this one.",
            )


def domains_exist(model: Model) -> Findings:
    """Each condition draws on a domain there is."""
    known = {domain.code for domain in model.domains}
    for requirement in model.requirements:
        if requirement.domain not in known:
            yield Finding(
                "domain_unknown",
                ERROR,
                requirement.place,
                f"“{requirement.name}” draws on the unknown expertise domain "
                f"“{requirement.domain}”.",
                "Name a domain there is.",
            )


def signatories_can_sign(model: Model) -> Findings:
    """Who is asked for a signature holds a persona that may give one."""
    for requirement in model.requirements:
        if requirement.kind != "approval":
            continue
        persona = model.persona.get(requirement.persona)
        if not (persona and persona.active):
            yield Finding(
                "approval_persona_archived",
                ERROR,
                requirement.place,
                f"“{requirement.name}” is signed by “{requirement.persona}”, which is "
                "archived: nobody can sign.",
                "Name another persona, or restore this one.",
            )


def independence_is_of_something(model: Model) -> Findings:
    """Keeping signatories apart needs a signature to keep apart from."""
    for requirement in model.requirements:
        other = requirement.distinct_from_gate
        if requirement.kind != "approval" or not other:
            continue
        if other == requirement.gate:
            message = (
                f"Who signs {other} must not be who signed {other}: the second "
                "signature is asked to be its own contrary."
            )
        elif not model.requirements_of(other, "approval"):
            message = (
                f"“{requirement.name}” keeps its signatory apart from that of "
                f"{other}, which nobody signs."
            )
        else:
            continue
        yield Finding(
            "independence_of_nothing",
            ERROR,
            requirement.place,
            message,
            "Name another gate, or ask for a signature there.",
        )


def evidence_types_are_active(model: Model) -> Findings:
    """Evidence of an archived type cannot be recorded."""
    for requirement in model.requirements:
        type_ = model.evidence_type.get(requirement.evidence_type)
        if requirement.evidence_type and not (type_ and type_.active):
            yield Finding(
                "evidence_type_archived",
                ERROR,
                requirement.place,
                f"“{requirement.name}” asks for evidence of the type "
                f"“{requirement.evidence_type}”, which is archived.",
                "Name another type, or restore this one.",
            )


def metadata_can_match(model: Model) -> Findings:
    """What evidence must carry is what the schema of its type lets it carry."""
    for requirement in model.requirements:
        type_ = model.evidence_type.get(requirement.evidence_type)
        if type_ is None:
            continue
        schema = type_.schema or {}
        for name, wanted in (requirement.metadata_match or {}).items():
            values = wanted if isinstance(wanted, list) else [wanted]
            if any(_is_allowed(schema, name, value) for value in values):
                continue
            yield Finding(
                "metadata_impossible",
                ERROR,
                requirement.place,
                f"“{requirement.name}” wants {name} = {wanted!r}, which the schema of "
                f"“{type_.code}” does not allow.",
                "Change what is matched, or the schema of the evidence type.",
            )


def _is_allowed(schema: dict[str, Any], name: str, value: Any) -> bool:
    """Whether metadata may carry a value, as far as the schema tells of the name."""
    known = schema.get("properties", {})
    if name in known:
        return jsonschema.Draft202012Validator(known[name]).is_valid(value)
    return schema.get("additionalProperties", True) is not False


def facts_outlive_the_soak(model: Model) -> Findings:
    """What must be fresh at a gate is not too old once the soak is over."""
    for soak in model.requirements:
        if soak.kind != "soak_time":
            continue
        # A freshness of 0 is none; kinds whose facts do not age have no other.
        for requirement in model.requirements_of(soak.gate):
            if 0 < requirement.freshness_hours < soak.soak_hours:
                yield Finding(
                    "fresh_shorter_than_soak",
                    WARNING,
                    requirement.place,
                    f"“{requirement.name}” counts for {requirement.freshness_hours:g} "
                    f"hours, but {soak.gate} soaks for {soak.soak_hours:g}: what was "
                    "recorded before the soak is too old after it.",
                    "Let it count for longer than the soak.",
                )


def the_soak_ends_before_the_deadline(model: Model) -> Findings:
    """A gate that must be confirmed in time cannot soak for longer than that."""
    for soak in model.requirements:
        confirmed = [
            requirement
            for requirement in model.requirements_of(soak.gate, "deployment")
            if requirement.deployment_aspect == "confirmed"
        ]
        if soak.kind != "soak_time" or soak.environment != "production":
            continue
        for project in model.projects:
            if confirmed and soak.soak_hours >= project.confirmation_hours:
                yield Finding(
                    "soak_past_deadline",
                    ERROR,
                    project.place,
                    f"{soak.gate} soaks in production for {soak.soak_hours:g} hours, "
                    "but its outcome must be confirmed within "
                    f"{project.confirmation_hours:g}.",
                    "Give the project a longer deadline, or soak for less.",
                )


def deployments_say_where(model: Model) -> Findings:
    """A deployment, or a soak, is somewhere."""
    for requirement in model.requirements:
        # Without an environment the kind falls back to one that nobody reads here.
        if model.deploys(requirement) and not requirement.environment:
            yield Finding(
                "deployment_nowhere",
                WARNING,
                requirement.place,
                f"“{requirement.name}” does not say in which environment.",
                "Set the environment category.",
            )


def required_checks_are_asked_for(model: Model) -> Findings:
    """The checks a project requires are required by a gate."""
    if any(
        requirement.kind == "check" and not requirement.check_name
        for requirement in model.requirements
    ):
        return
    for project in model.projects:
        if project.required_checks:
            yield Finding(
                "required_checks_unasked",
                ERROR,
                project.place,
                f"{project.name} requires {', '.join(project.required_checks)}, but no "
                "gate asks for the required checks.",
                "Give a gate a requirement of the kind “Check passed” without a name.",
            )


def checks_are_named_alike(model: Model) -> Findings:
    """A check is spelled one way, by gates and by projects."""
    for requirement in model.requirements:
        if requirement.kind != "check" or not requirement.check_name:
            continue
        for project in model.projects:
            for name in project.required_checks:
                if name != requirement.check_name and _loosely(name) == _loosely(
                    requirement.check_name
                ):
                    yield Finding(
                        "check_name_spelling",
                        ERROR,
                        project.place,
                        f"“{requirement.name}” asks for “{requirement.check_name}”, "
                        f"{project.name} for “{name}”: for a gate these are two.",
                        "Spell the check one way.",
                    )


def _loosely(name: str) -> str:
    return "".join(filter(str.isalnum, name)).lower()


CHECKS = (
    kinds_are_installed,
    prior_gates_come_before,
    accountable_personas_are_active,
    domains_exist,
    signatories_can_sign,
    independence_is_of_something,
    evidence_types_are_active,
    metadata_can_match,
    facts_outlive_the_soak,
    the_soak_ends_before_the_deadline,
    deployments_say_where,
    required_checks_are_asked_for,
    checks_are_named_alike,
)
