"""Stages and gates: the way of a release from the first stage to the closing one."""

from .finding import ERROR, WARNING, Finding, Findings
from .values import Model, Stage

_CATEGORIES = ("dev", "staging", "production")


def stages_in_the_order_of_their_gates(model: Model) -> Findings:
    """A stage demands its gate and all before; a gate must not come too late."""
    last = None
    for stage in model.stages:
        gate = model.gate.get(stage.gate)
        if not gate:
            continue
        if last and gate.rank < last[1].rank:
            earlier, demanded = last
            yield Finding(
                "stage_gate_order",
                ERROR,
                stage.place,
                f"Stage “{stage.name}” demands {gate.code}, which comes before "
                f"{demanded.code} of the earlier stage “{earlier.name}”.",
                "Exchange the gates of the two stages, or the order of the gates.",
            )
        else:
            last = stage, gate


def a_gate_twice(model: Model) -> Findings:
    """Two stages that demand one gate: the second holds nothing back."""
    seen: dict[str | None, str] = {}
    for stage in model.stages:
        if stage.gate and stage.gate in seen:
            yield Finding(
                "stage_gate_twice",
                WARNING,
                stage.place,
                f"Stage “{stage.name}” demands {stage.gate}, as “{seen[stage.gate]}” "
                "before it does: entering it proves nothing more.",
                "Demand another gate there, or take the stage away.",
            )
        seen.setdefault(stage.gate, stage.name)


def gates_in_use(model: Model) -> Findings:
    """A gate that neither a stage nor a requirement asks for decides nothing."""
    asked = {stage.gate for stage in model.stages}
    asked |= {requirement.prior_gate for requirement in model.requirements}
    for gate in model.gates:
        if gate.code not in asked:
            yield Finding(
                "gate_unused",
                WARNING,
                gate.place,
                f"No stage demands {gate.code}, and no gate asks that it passed.",
                "Demand it at a stage, or archive its requirements and remove it.",
            )


def gates_that_can_open(model: Model) -> Findings:
    """A gate without a requirement is closed for good."""
    for stage in model.stages:
        if stage.gate and not model.requirements_of(stage.gate):
            yield Finding(
                "gate_empty",
                ERROR,
                model.gate[stage.gate].place,
                f"Stage “{stage.name}” demands {stage.gate}, which has no requirement: "
                "an empty gate is closed, so no release gets there.",
                "Give the gate a requirement, or take it off the stage.",
            )


def later_stages_demand_a_gate(model: Model) -> Findings:
    """Releases start in the first stage without one; all later ones should ask."""
    for number, stage in enumerate(model.stages):
        if number == 0 and stage.gate:
            yield Finding(
                "first_stage_gate",
                WARNING,
                stage.place,
                f"The first stage, “{stage.name}”, demands {stage.gate}, but every "
                "release starts there unasked.",
                "Take the gate off it; later stages demand what they need.",
            )
        if number and not stage.gate:
            yield Finding(
                "stage_without_gate",
                WARNING,
                stage.place,
                f"Stage “{stage.name}” demands no gate of its own.",
                "Demand a gate there, or merge the stage with the one before it.",
            )


def one_closing_stage(model: Model) -> Findings:
    """Exactly one stage closes a release, and it is the last."""
    closing = [stage for stage in model.stages if stage.is_closing]
    if not closing and model.stages:
        yield Finding(
            "closing_stage_missing",
            ERROR,
            model.stages[-1].place,
            "No stage closes a release.",
            "Mark the last stage as the closing one.",
        )
    for stage in closing[1:]:
        yield Finding(
            "closing_stage_twice",
            ERROR,
            stage.place,
            f"Both “{closing[0].name}” and “{stage.name}” close a release.",
            "Leave one of them marked as closing.",
        )
    if len(closing) == 1 and closing[0] != model.stages[-1]:
        yield Finding(
            "closing_stage_not_last",
            ERROR,
            closing[0].place,
            f"“{closing[0].name}” closes a release, but stages come after it.",
            "Move it to the end.",
        )


def every_target_has_its_stage(model: Model) -> Findings:
    """Releases are promoted to staging and to production by a stage."""
    offered = {stage.environment for stage in model.stages}
    for category in ("staging", "production"):
        if category not in offered and model.stages:
            yield Finding(
                "target_without_stage",
                ERROR,
                model.stages[-1].place,
                f"No stage promotes a release to {category}.",
                f"Set {category} as the promotion target of a stage.",
            )


def targets_in_order(model: Model) -> Findings:
    """A release does not go back from production to staging on its way forward."""
    last = None
    for stage in model.stages:
        if stage.environment not in _CATEGORIES:
            continue
        rank = _CATEGORIES.index(stage.environment)
        if last and rank < last[0]:
            yield Finding(
                "target_order",
                ERROR,
                stage.place,
                f"Stage “{stage.name}” promotes to {stage.environment} after "
                f"“{last[1].name}” has promoted to {last[1].environment}.",
                "Order the stages from dev over staging to production.",
            )
        else:
            last = rank, stage


def somebody_moves(model: Model) -> Findings:
    """Each stage has an active persona that may move a release there."""
    for stage in model.stages:
        if not any(
            model.persona[code].active for code in stage.movers if code in model.persona
        ):
            yield Finding(
                "stage_without_mover",
                ERROR,
                stage.place,
                f"No active persona may move a release to “{stage.name}”.",
                "Name a persona among the movers of the stage.",
            )


def deployments_come_after_their_gate(model: Model) -> Findings:
    """What demands a deployment must not stand before what permits it."""
    stages_by_target: dict[str | None, tuple[Stage, tuple[str, ...]]] = {}
    seen: list[str] = []
    for stage in model.stages:
        if stage.gate:
            seen.append(stage.gate)
        if stage.environment:
            stages_by_target.setdefault(stage.environment, (stage, tuple(seen)))
    for requirement in model.requirements:
        where = model.deploys(requirement)
        promoted = stages_by_target.get(where)
        if where != "dev" and promoted and requirement.gate in promoted[1]:
            yield Finding(
                "deployment_before_promotion",
                ERROR,
                requirement.place,
                f"{requirement.gate} must open before a release is promoted to {where} "
                f"(“{promoted[0].name}”), but “{requirement.name}” waits for a "
                "deployment there.",
                "Move the requirement to the gate of a later stage.",
            )


def the_closing_gate_asks_for_the_deployment(model: Model) -> Findings:
    """Nothing is closed that was never deployed."""
    gate = model.closing_gate
    if gate and not model.requirements_of(gate, "deployment"):
        yield Finding(
            "closing_without_deployment",
            ERROR,
            model.gate[gate].place,
            f"{gate} closes a release, but does not ask whether it was deployed.",
            "Give it a requirement of the kind “Deployed”.",
        )


CHECKS = (
    stages_in_the_order_of_their_gates,
    a_gate_twice,
    gates_in_use,
    gates_that_can_open,
    later_stages_demand_a_gate,
    one_closing_stage,
    every_target_has_its_stage,
    targets_in_order,
    somebody_moves,
    deployments_come_after_their_gate,
    the_closing_gate_asks_for_the_deployment,
)
