"""The verdict: a tree of gates and conditions with reasons a person can act on."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from .reason import Reason

#: The kind and the id of a fact.
FactKey = tuple[str, int]

MET = "met"
UNMET = "unmet"
WAIVED = "waived"
NOT_APPLICABLE = "not_applicable"

PENDING = "pending"
IN_PROGRESS = "in_progress"
PASSED = "passed"
FAILED = "failed"
BYPASSED = "bypassed"


class Judgement(NamedTuple):
    """What the judge of a kind says of one requirement.

    :param state: ``met``, ``unmet`` or ``not_applicable``
    :param reason: one sentence that says why, and what would change it
    :param facts: the facts that decided, as pairs of kind and id
    :param adverse: unmet because a fact speaks against it, not because one is missing
    """

    state: str
    reason: Reason
    facts: tuple[FactKey, ...] = ()
    adverse: bool = False


def met(reason: Reason, *facts: FactKey) -> Judgement:
    """The judgement that a requirement is met by some facts."""
    return Judgement(MET, reason, facts)


def unmet(reason: Reason, *facts: FactKey, adverse: bool = False) -> Judgement:
    """The judgement that a requirement is not met; see :class:`Judgement`."""
    return Judgement(UNMET, reason, facts, adverse)


@dataclass(frozen=True)
class Condition:
    """One requirement, judged.

    :param state: ``met``, ``unmet``, ``waived`` or ``not_applicable``
    :param reason: one sentence that says why, and what would change it
    :param facts: the facts that decided, as pairs of kind and id
    :param adverse: unmet because a fact speaks against it, not because one is missing
    :param waived_by: id of the exception that covers it
    :param waived_until: when that exception ends
    """

    code: str
    name: str
    kind: str
    state: str
    reason: Reason
    facts: tuple[FactKey, ...] = ()
    adverse: bool = False
    waived_by: int | None = None
    waived_until: datetime | None = None


@dataclass(frozen=True)
class GateVerdict:
    """A gate with its conditions and the status that follows from them."""

    code: str
    name: str
    conditions: tuple[Condition, ...]

    @property
    def unmet(self) -> tuple[Condition, ...]:
        """The conditions that hold the gate closed."""
        return tuple(c for c in self.conditions if c.state == UNMET)

    @property
    def status(self) -> str:
        """``passed``, ``bypassed``, ``failed``, ``in_progress`` or ``pending``.

        ``failed`` needs a fact that speaks against the release; a gate that merely
        lacks facts is ``pending``, or ``in_progress`` once some have arrived.
        """
        if self.unmet:
            if any(c.adverse for c in self.unmet):
                return FAILED
            started = any(c.facts for c in self.conditions)
            return IN_PROGRESS if started else PENDING
        if any(c.state == WAIVED for c in self.conditions):
            return BYPASSED
        return PASSED

    @property
    def open(self) -> bool:
        """Whether a release may go through: passed, or bypassed by an exception."""
        return self.status in (PASSED, BYPASSED)


@dataclass(frozen=True)
class Verdict:
    """The judgement on one release at one instant."""

    release: int
    revision: str
    evaluated_at: datetime
    gates: tuple[GateVerdict, ...]

    def gate(self, code: str) -> GateVerdict:
        """The verdict on one gate.

        :raises KeyError: when the gate was not evaluated
        """
        for gate in self.gates:
            if gate.code == code:
                return gate
        raise KeyError(code)

    def only(self, codes: Iterable[str]) -> "Verdict":
        """The same verdict, narrowed to some gates.

        :raises KeyError: when a gate was not evaluated: a gate that was not judged
            must not let a release through
        """
        codes = set(codes)
        missing = codes - {gate.code for gate in self.gates}
        if missing:
            raise KeyError(", ".join(sorted(missing)))
        return Verdict(
            self.release,
            self.revision,
            self.evaluated_at,
            tuple(gate for gate in self.gates if gate.code in codes),
        )

    @property
    def eligible(self) -> bool:
        """Whether every gate in the verdict lets the release through."""
        return all(gate.open for gate in self.gates)

    @property
    def unmet(self) -> tuple[tuple[GateVerdict, Condition], ...]:
        """Every unmet condition, as pairs of gate verdict and condition."""
        return tuple((gate, c) for gate in self.gates for c in gate.unmet)
