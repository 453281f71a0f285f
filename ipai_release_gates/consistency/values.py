"""The governance model as plain values; what refers to another names its code."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from .finding import Record

if TYPE_CHECKING:
    from ..policy import RequirementKind


class _Placed:
    """A value that stands for a record."""

    record_model: ClassVar[str]
    id: int
    code: str

    @property
    def place(self) -> Record:
        """Where to look for it."""
        return Record(self.record_model, self.id, self.label)

    @property
    def label(self) -> str:
        """What people call it."""
        return self.code


@dataclass(frozen=True)
class Gate(_Placed):
    """A gate; in the order of ``(sequence, id)``."""

    record_model: ClassVar[str] = "ipai.gate"

    id: int
    code: str
    name: str
    sequence: int

    @property
    def rank(self) -> tuple[int, int]:
        """What gates are ordered by."""
        return self.sequence, self.id


@dataclass(frozen=True)
class Requirement(_Placed):
    """An active requirement of a gate; hours are floats, 0 for none."""

    record_model: ClassVar[str] = "ipai.gate.requirement"

    id: int
    gate: str
    code: str
    name: str
    kind: str
    accountable: str
    domain: str
    check_name: str | None = None
    evidence_type: str | None = None
    metadata_match: dict[str, Any] | None = None
    persona: str | None = None
    min_count: int = 1
    distinct_from_gate: str | None = None
    prior_gate: str | None = None
    environment: str | None = None
    deployment_aspect: str | None = None
    freshness_hours: float = 0.0
    soak_hours: float = 0.0

    @property
    def label(self) -> str:
        """By its gate too: codes repeat among gates."""
        return f"{self.gate}/{self.code}"


@dataclass(frozen=True)
class Stage(_Placed):
    """A stage; ``movers`` are codes of personas, archived ones included."""

    record_model: ClassVar[str] = "ipai.release.stage"

    id: int
    code: str
    name: str
    gate: str | None = None
    movers: tuple[str, ...] = ()
    environment: str | None = None
    is_closing: bool = False


@dataclass(frozen=True)
class Persona(_Placed):
    """A persona; ``people`` holds who could sign as it, a key per person."""

    record_model: ClassVar[str] = "ipai.persona"

    id: int
    code: str
    name: str
    group: str
    active: bool = True
    may_sign: bool = True
    people: frozenset[str] = frozenset()
    has_contract: bool = True


@dataclass(frozen=True)
class EvidenceType(_Placed):
    """An evidence type; ``schema`` is its JSON Schema, if it has one."""

    record_model: ClassVar[str] = "ipai.evidence.type"

    id: int
    code: str
    name: str
    active: bool = True
    schema: dict[str, Any] | None = None


@dataclass(frozen=True)
class Domain(_Placed):
    """An expertise domain."""

    record_model: ClassVar[str] = "ipai.expertise.domain"

    id: int
    code: str
    name: str


@dataclass(frozen=True)
class Project(_Placed):
    """A project: the checks it requires, and the deadline of G4 in hours."""

    record_model: ClassVar[str] = "ipai.project"

    id: int
    name: str
    required_checks: tuple[str, ...] = ()
    confirmation_hours: float = 24.0

    @property
    def label(self) -> str:
        """It has no code: its repository names it."""
        return self.name


@dataclass(frozen=True)
class Model:
    """All of it. Gates, stages and requirements are in their order.

    ``holders`` maps the code of a domain to pairs of persona code and level, which is
    ``primary`` or ``shared``. ``kinds`` are the kinds of requirements by code.
    """

    gates: tuple[Gate, ...] = ()
    requirements: tuple[Requirement, ...] = ()
    stages: tuple[Stage, ...] = ()
    personas: tuple[Persona, ...] = ()
    evidence_types: tuple[EvidenceType, ...] = ()
    domains: tuple[Domain, ...] = ()
    projects: tuple[Project, ...] = ()
    holders: Mapping[str, Iterable[tuple[str, str]]] = field(default_factory=dict)
    kinds: Mapping[str, RequirementKind] = field(default_factory=dict)

    @cached_property
    def gate(self) -> dict[str | None, Gate]:
        """Gates by code."""
        return {gate.code: gate for gate in self.gates}

    @cached_property
    def persona(self) -> dict[str | None, Persona]:
        """Personas by code."""
        return {persona.code: persona for persona in self.personas}

    @cached_property
    def evidence_type(self) -> dict[str | None, EvidenceType]:
        """Evidence types by code."""
        return {type_.code: type_ for type_ in self.evidence_types}

    def requirements_of(self, gate: str | None, *kinds: str) -> list[Requirement]:
        """The requirements of a gate, all or those of some kinds."""
        return [
            requirement
            for requirement in self.requirements
            if requirement.gate == gate and (not kinds or requirement.kind in kinds)
        ]

    def deploys(self, requirement: Requirement) -> str | None:
        """Where a requirement looks for a deployment; ``None``: it does not."""
        kind = self.kinds.get(requirement.kind)
        where = kind and kind.parameter("environment_category")
        if not (kind and where and "deployment" in kind.fact_kinds):
            return None
        return requirement.environment or where.assumed

    @cached_property
    def closing_gate(self) -> str | None:
        """The gate that the closing stage demands: the one after the deployment."""
        closing = [stage.gate for stage in self.stages if stage.is_closing]
        return closing[-1] if closing else None

    @property
    def is_staffed(self) -> bool:
        """Whether anybody holds a persona; until then roles are still to be given."""
        return any(persona.people for persona in self.personas)
