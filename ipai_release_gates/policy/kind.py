"""A kind of requirement: one value that carries everything known about it.

The kinds of a database are the union of what its addons bring. Everything else
follows from these values: which fields a form shows, what a policy file may hold, how
a published page describes a requirement, and when a verdict can change by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from .definitions import Gate, Requirement
from .facts import ReleaseFacts
from .verdict import Judgement

if TYPE_CHECKING:
    from .case import Case

#: What an unmet requirement waits for: an accountable person, or only the clock.
PEOPLE = "people"
TIME = "time"

#: Conditions that hold *up to* an instant stop holding right after it.
JUST_AFTER = timedelta(microseconds=1)

#: Judges one requirement of a gate.
Judge = Callable[["Case", Gate, Requirement], Judgement]

#: The parameters of a requirement by their name in policy files, archived or not.
Entry = Mapping[str, Any]


@dataclass(frozen=True)
class Parameter:
    """A parameter that requirements of a kind have.

    :param name: its name in policy files. The field of ``ipai.gate.requirement`` has
        the same name, with ``_id`` at its end when it refers to a record
    :param type: ``text``, ``code`` (of a record), ``choice``, ``whole``, ``number``,
        ``hours`` (a number in files, a :class:`~datetime.timedelta` for the judge)
        or ``object`` (JSON text in the field, a mapping for the judge)
    :param of: for a code or a choice: the set of words it is taken from
    :param attribute: the attribute of :class:`~.definitions.Requirement` that carries
        it; ``None``: it is an item of ``Requirement.parameters``
    :param default: the value of a requirement that does not state one
    :param least: the smallest number allowed
    :param needed: what is wrong when it is empty; ``""``: it may be empty
    :param assumed: what the judge takes for an empty value
    :param help: one sentence for editors of policy files
    :param sequence: its place among the parameters of all kinds
    """

    name: str
    type: str
    of: str | None = None
    attribute: str | None = None
    default: Any = None
    least: float | None = None
    needed: str = ""
    assumed: Any = None
    help: str = ""
    sequence: int = 1000

    def with_assumed(self, value: Any) -> Parameter:
        """The same parameter, where an empty value stands for another one."""
        return replace(self, assumed=value)

    def value_in(self, requirement: Requirement) -> Any:
        """The value that a requirement has; what is assumed when that is empty."""
        if self.attribute:
            value = getattr(requirement, self.attribute)
        else:
            value = requirement.parameters.get(self.name)
        return self.assumed if value is None else value


def _no_points(facts: ReleaseFacts, requirement: Requirement) -> Iterable[datetime]:
    return ()


@dataclass(frozen=True)
class RequirementKind:
    """A kind of requirement.

    :param code: unique among the kinds of a database; the value of the field ``kind``
    :param label: its name for people, marked for translation with ``_lt``
    :param judge: pure function of case, gate and requirement; see
        :func:`~.evaluate.evaluate`
    :param sentence: function of a requirement's :data:`Entry` that says when it is met
        and what brings that; part of the published pages, English
    :param parameters: the parameters that the judge reads, and no others
    :param fact_kinds: codes of the kinds of facts that the judge reads
    :param turning_points: function of facts and requirement: the instants at which the
        judgement may change although no fact does
    :param waived_by: types of exceptions that may waive it, apart from those that
        waive any requirement; the first one is proposed
    :param next_step: name of the method of ``ipai.release`` that offers a person the
        next step for an unmet requirement
    :param waits_for: :data:`PEOPLE` or :data:`TIME`
    :param actor_check: name of the method of ``ipai.release`` that says whether a user
        can act on an unmet requirement; ``None``: every accountable user can
    :param is_criterion: whether the signatory of a gate verifies it before signing
    :param module: the addon that brings it and the translation of its label
    """

    code: str
    label: str
    judge: Judge
    sentence: Callable[[Entry], str]
    parameters: tuple[Parameter, ...] = ()
    fact_kinds: tuple[str, ...] = ()
    turning_points: Callable[[ReleaseFacts, Requirement], Iterable[datetime]] = (
        _no_points
    )
    waived_by: tuple[str, ...] = ()
    next_step: str | None = None
    waits_for: str = PEOPLE
    actor_check: str | None = None
    is_criterion: bool = True
    module: str = "ipai_release_gates"

    def parameter(self, name: str) -> Parameter | None:
        """The parameter of that name, if requirements of this kind have it."""
        for parameter in self.parameters:
            if parameter.name == name:
                return parameter
        return None

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """The names of its parameters, in the order of the entry."""
        return tuple(parameter.name for parameter in self.parameters)

    def missing(self, requirement: Requirement) -> tuple[Parameter, ...]:
        """The parameters that a requirement needs and does not have."""
        return tuple(
            parameter
            for parameter in self.parameters
            if parameter.needed and not parameter.value_in(requirement)
        )


def by_code(kinds: Iterable[RequirementKind]) -> dict[str, RequirementKind]:
    """The kinds by their code, in order.

    :raises ValueError: when two kinds have one code, or when two parameters of one
        name differ in more than what a kind needs and assumes
    """
    found: dict[str, RequirementKind] = {}
    for kind in kinds:
        if kind.code in found:
            raise ValueError(f"Two kinds of requirements have the code {kind.code}.")
        found[kind.code] = kind
    parameters_of(found.values())
    return found


def parameters_of(kinds: Iterable[RequirementKind]) -> tuple[Parameter, ...]:
    """The parameters of some kinds, each once, in the order of policy files.

    :raises ValueError: when two parameters of one name contradict each other
    """
    found: dict[str, Parameter] = {}
    for kind in kinds:
        for parameter in kind.parameters:
            shared = replace(parameter, needed="", assumed=None)
            if found.setdefault(shared.name, shared) != shared:
                raise ValueError(
                    f"The parameter {shared.name} of {kind.code} differs from the one "
                    "of another kind of requirement."
                )
    return tuple(sorted(found.values(), key=lambda each: (each.sequence, each.name)))
