"""A kind of event: one value that carries everything known about it.

The kinds of a database are the union of what its addons bring. What an envelope may
hold, who may send it, what becomes of it and how the HTTP API describes it follow from
these values; a satellite adds its own by overriding
``ipai.control.plane._event_kinds()``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from . import payloads
from .combining import RecordReader

#: The subject of an event: a revision that the release has, the release itself, or a
#: revision that the release is to get.
REVISION = "revision"
RELEASE = "release"
NEW_REVISION = "new_revision"

#: The gates that a role may name in an event, ``None`` for no gate in particular.
Gates = frozenset[str | None]
#: A role that may name any gate.
ANY_GATE = None
_OPERATIONAL_GATES: Gates = frozenset({None, "G4"})
#: Types of evidence about how things run. An SRE proves these for every gate; whether
#: a release was built and verified, an SRE proves for the operational gate only.
_OPERATIONAL_EVIDENCE = frozenset(
    {
        "reference",
        "health_check",
        "monitoring_baseline",
        "fallback_timer",
        "restore_drill",
        "incident_report",
    }
)


@dataclass(frozen=True)
class Planned:
    """A model whose records events of a kind plan.

    :param model: its name in Odoo; it has ``system_create``
    :param label: key of the answer that lists the ids of the created records
    :param same: fields that are equal in two facts about the same thing; the later
        one counts. Empty: no verdict depends on which one is later
    """

    model: str
    label: str
    same: tuple[str, ...] = ()


@dataclass(frozen=True)
class EventKind:
    """A kind of event.

    :param code: unique among the kinds of a database; the field ``event_type``
    :param read: reader of the payload, which describes itself as JSON Schema
    :param method: name of the method of ``ipai.control.plane`` that handles an event.
        It takes the submission and a lookup. With ``plans`` it returns the facts to
        create as ``[(model, values)]``; without, it acts and returns further items of
        the answer, or ``None``
    :param senders: role → gates that it may name; ``None``: every role may send it,
        because the method checks the authority of the sender
    :param plans: the models of the planned facts; empty: the method acts at once
    :param subject: :data:`REVISION`, :data:`RELEASE` or :data:`NEW_REVISION`
    :param needs_gate: what is wrong with an event that names no gate; ``""``: it may
        name none
    :param refused: keys that neither the envelope nor the payload may hold → message
        and code of the refusal
    :param without_gate: values of ``type`` in the payload that a role limited to some
        gates may send for no gate; ``None``: any
    """

    code: str
    read: RecordReader
    method: str
    senders: Mapping[str, Gates | None] | None
    plans: tuple[Planned, ...] = ()
    subject: str = REVISION
    needs_gate: str = ""
    refused: Mapping[str, tuple[str, str]] = field(
        default_factory=lambda: MappingProxyType({})
    )
    without_gate: frozenset[str] | None = None


Kinds = Mapping[str, EventKind]

CHECKS = Planned("ipai.check", "checks", ("name", "environment_category"))
EVIDENCE = Planned("ipai.evidence", "evidence", ("type_code",))
ENVIRONMENT_EVENTS = Planned("ipai.environment.event", "environment_events")


def _any_gate(*roles: str) -> Mapping[str, Gates | None]:
    return dict.fromkeys(roles, ANY_GATE)


KINDS: tuple[EventKind, ...] = (
    EventKind(
        "revision",
        payloads.revision,
        "_take_revision",
        _any_gate("ci_service", "developer", "release_manager"),
        subject=NEW_REVISION,
    ),
    EventKind(
        "build_complete",
        payloads.build_complete,
        "_plan_build",
        _any_gate("ci_service", "developer"),
        plans=(CHECKS, EVIDENCE),
    ),
    EventKind(
        "check_result",
        payloads.check_result,
        "_plan_check",
        _any_gate("ci_service", "developer"),
        plans=(CHECKS,),
    ),
    EventKind(
        "evidence",
        payloads.evidence,
        "_plan_evidence",
        {
            **_any_gate("ci_service", "developer", "qa_tester", "release_manager"),
            "sre": _OPERATIONAL_GATES,
        },
        plans=(EVIDENCE,),
        without_gate=_OPERATIONAL_EVIDENCE,
    ),
    EventKind(
        "gate_signoff",
        payloads.gate_signoff,
        "_take_signoff",
        # The signature checks persona, account and authorship, and records a refusal.
        None,
        needs_gate="A sign-off is for one gate and must name it.",
        refused=payloads.IDENTITY_REFUSED,
    ),
    EventKind(
        "deployment_event",
        payloads.deployment_event,
        "_take_deployment",
        _any_gate("ci_service", "sre"),
    ),
    EventKind(
        "health_check",
        payloads.health_check,
        "_plan_health",
        _any_gate("ci_service", "sre"),
        plans=(CHECKS, EVIDENCE, ENVIRONMENT_EVENTS),
    ),
    EventKind(
        "incident",
        payloads.incident,
        "_take_incident",
        _any_gate("ci_service", "sre"),
        subject=RELEASE,
    ),
    EventKind(
        "environment_event",
        payloads.environment_event,
        "_take_environment_event",
        _any_gate("ci_service", "sre"),
        subject=RELEASE,
    ),
)


def by_code(kinds: Iterable[EventKind]) -> dict[str, EventKind]:
    """The kinds by their code, in order.

    :raises ValueError: when two kinds have one code, or plan one model differently
    """
    found: dict[str, EventKind] = {}
    for kind in kinds:
        if kind.code in found:
            raise ValueError(f"Two kinds of events have the code {kind.code}.")
        found[kind.code] = kind
    planned_by(found.values())
    return found


def planned_by(kinds: Iterable[EventKind]) -> dict[str, Planned]:
    """The models that events of some kinds plan, by their name, in order.

    :raises ValueError: when two kinds plan one model differently
    """
    found: dict[str, Planned] = {}
    for kind in kinds:
        for planned in kind.plans:
            if found.setdefault(planned.model, planned) != planned:
                raise ValueError(
                    f"The kind of event {kind.code} plans {planned.model} in another "
                    "way than a kind before it."
                )
    return found


#: The kinds of the core by code.
CORE: Kinds = MappingProxyType(by_code(KINDS))
#: The codes of the core's kinds, in order.
EVENT_TYPES = tuple(CORE)
