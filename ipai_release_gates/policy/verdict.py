"""The verdict: a tree of gates and conditions with reasons a person can act on."""

from dataclasses import dataclass
from datetime import datetime

from .reason import Reason

MET = "met"
UNMET = "unmet"
WAIVED = "waived"
NOT_APPLICABLE = "not_applicable"

PENDING = "pending"
IN_PROGRESS = "in_progress"
PASSED = "passed"
FAILED = "failed"
BYPASSED = "bypassed"


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
    facts: tuple[tuple[str, int], ...] = ()
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
    def unmet(self):
        """The conditions that hold the gate closed."""
        return tuple(c for c in self.conditions if c.state == UNMET)

    @property
    def status(self):
        """``passed``, ``bypassed``, ``failed``, ``in_progress`` or ``pending``.

        ``failed`` needs a fact that speaks against the release; a gate that merely
        lacks facts is ``pending``, or ``in_progress`` once some have arrived.
        """
        if self.unmet:
            if any(c.adverse for c in self.unmet):
                return FAILED
            started = any(c.facts for c in self.conditions if c.kind != "prior_gate")
            return IN_PROGRESS if started else PENDING
        if any(c.state == WAIVED for c in self.conditions):
            return BYPASSED
        return PASSED

    @property
    def open(self):
        """Whether a release may go through: passed, or bypassed by an exception."""
        return self.status in (PASSED, BYPASSED)


@dataclass(frozen=True)
class Verdict:
    """The judgement on one release at one instant."""

    release: int
    revision: str
    evaluated_at: datetime
    gates: tuple[GateVerdict, ...]

    def gate(self, code):
        """The verdict on one gate.

        :raises KeyError: when the gate was not evaluated
        """
        for gate in self.gates:
            if gate.code == code:
                return gate
        raise KeyError(code)

    def only(self, codes):
        """The same verdict, narrowed to some gates.

        :raises KeyError: when a gate was not evaluated: a gate nobody judged must
            not let a release through
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
    def eligible(self):
        """Whether every gate in the verdict lets the release through."""
        return all(gate.open for gate in self.gates)

    @property
    def unmet(self):
        """Every unmet condition, as pairs of gate verdict and condition."""
        return tuple((gate, c) for gate in self.gates for c in gate.unmet)
