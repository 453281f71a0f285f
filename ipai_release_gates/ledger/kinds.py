"""The kinds of ledger entries of the core, one value each.

A kind states what its body holds, how the story of a release changes by it, and which
webhook events it causes. The Selection of the entry model, the timeline, the story and
the webhooks derive from these values; a satellite adds its own by overriding
``ipai.ledger.entry._kinds()``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from . import story

Body = Mapping[str, Any]


def _lt(term: str) -> str:
    """Mark a label for translation; it stays as it is."""
    return term


def _no_events(_body: Body) -> tuple[str, ...]:
    return ()


def _no_details(_body: Body) -> dict[str, Any]:
    return {}


@dataclass(frozen=True)
class LedgerKind:
    """One kind of ledger entry.

    :param code: what an entry carries, covered by its hash; never renamed
    :param label: what people read, in English
    :param body: keys of the body; a body may have more, which are hashed like these
    :param icon: class of the icon in the timeline
    :param fold: changes a :class:`~.story.Story` by a body; ``None``: the entry is
        kept in ``Story.events`` and changes nothing else
    :param events: from a body, the webhook events the entry may be sent as; an endpoint
        receives the first one it subscribes to
    :param details: from a body, what the webhook message holds beside the release
    :param subject_as: key under which the message holds the record the entry is about;
        its model offers ``_webhook_payload()``
    :param module: addon whose translations hold the label
    """

    code: str
    label: str
    body: tuple[str, ...]
    icon: str = "fa-circle-o"
    fold: story.Fold | None = None
    events: Callable[[Body], tuple[str, ...]] = _no_events
    details: Callable[[Body], dict[str, Any]] = _no_details
    subject_as: str = ""
    module: str = "ipai_release_gates"


_GATE_EVENTS = {
    "passed": "gate.passed",
    "bypassed": "gate.bypassed",
    "failed": "gate.failed",
}


def _gate_events(body: Body) -> tuple[str, ...]:
    event = _GATE_EVENTS.get(body["status"])
    return (event,) if event else ()


def _reopened_events(body: Body) -> tuple[str, ...]:
    # An endpoint for failed gates alone also receives one that had passed before.
    return ("gate.reopened", *_gate_events(body))


def _gate_details(body: Body) -> dict[str, Any]:
    return {
        "gate": {
            "code": body["gate"],
            "status": body["status"],
            "former_status": body.get("from"),
            "revision": body.get("source_ref"),
            "cause": body.get("cause"),
        }
    }


def _move_details(body: Body) -> dict[str, Any]:
    return {"move": {name: body.get(name) or None for name in ("from", "to", "reason")}}


def _cancellation_details(body: Body) -> dict[str, Any]:
    return {"cancellation": {"stage": body.get("stage")}}


KINDS: tuple[LedgerKind, ...] = (
    LedgerKind(
        "release_opened",
        _lt("Release opened"),
        ("project", "name", "source_ref", "authors", "stage"),
        "fa-flag-o",
        fold=story.release_opened,
    ),
    LedgerKind(
        "revision_changed",
        _lt("Revision changed"),
        ("from", "to", "authors", "stage"),
        "fa-code-fork",
        fold=story.revision_changed,
    ),
    LedgerKind(
        "check",
        _lt("Check"),
        ("name", "status", "source_ref", "gate", "source_system", "stale"),
        "fa-check-square-o",
    ),
    LedgerKind(
        "evidence",
        _lt("Evidence"),
        ("type", "source_ref", "gate", "sha256", "url", "stale"),
        "fa-file-text-o",
    ),
    LedgerKind(
        "approval",
        _lt("Approval"),
        (
            "gate",
            "persona",
            "decision",
            "source_ref",
            "stale",
            "rationale_sha256",
            "exception",
        ),
        "fa-pencil-square-o",
    ),
    LedgerKind(
        "exception_requested",
        _lt("Exception requested"),
        ("exception", "state", "type", "risk", "gates", "expires_at"),
        "fa-question-circle-o",
    ),
    LedgerKind(
        "exception_approved",
        _lt("Exception approved"),
        ("exception", "state"),
        "fa-unlock-alt",
    ),
    LedgerKind(
        "exception_rejected",
        _lt("Exception rejected"),
        ("exception", "state", "reason"),
        "fa-times-circle-o",
    ),
    LedgerKind(
        "exception_expired",
        _lt("Exception expired"),
        ("exception", "state"),
        "fa-clock-o",
        events=lambda body: ("exception.expired",),
        subject_as="exception",
    ),
    LedgerKind(
        "exception_revoked",
        _lt("Exception revoked"),
        ("exception", "state", "reason"),
        "fa-undo",
    ),
    LedgerKind(
        "exception_closed",
        _lt("Exception closed"),
        ("exception", "state", "reason"),
        "fa-times-circle-o",
    ),
    LedgerKind(
        "exception_reviewed",
        _lt("Exception reviewed"),
        ("exception", "state", "findings"),
        "fa-search",
    ),
    LedgerKind(
        "exception_review_overdue",
        _lt("Exception review overdue"),
        ("exception", "state"),
        "fa-bell-o",
    ),
    LedgerKind(
        "gate_resolved",
        _lt("Gate resolved"),
        ("gate", "status", "from", "source_ref", "cause"),
        "fa-check-circle",
        fold=story.gate_changed,
        events=_gate_events,
        details=_gate_details,
    ),
    LedgerKind(
        "gate_reopened",
        _lt("Gate reopened"),
        ("gate", "from", "status", "source_ref", "cause"),
        "fa-exclamation-circle",
        fold=story.gate_changed,
        events=_reopened_events,
        details=_gate_details,
    ),
    LedgerKind(
        "move_allowed",
        _lt("Move allowed"),
        ("from", "to", "reason", "source_ref"),
        "fa-arrow-right",
        fold=story.move_allowed,
        events=lambda body: ("release.moved",),
        details=_move_details,
    ),
    LedgerKind(
        "move_refused",
        _lt("Move refused"),
        ("from", "to", "unmet"),
        "fa-ban",
        fold=story.move_refused,
    ),
    LedgerKind(
        "release_cancelled",
        _lt("Release cancelled"),
        ("stage", "source_ref"),
        "fa-times",
        fold=story.release_cancelled,
        events=lambda body: ("release.cancelled",),
        details=_cancellation_details,
    ),
    LedgerKind(
        "signoff_refused",
        _lt("Signoff refused"),
        ("gate", "persona", "reason"),
        "fa-ban",
    ),
    LedgerKind(
        "deployment",
        _lt("Deployment"),
        ("environment", "status", "external_id", "source_ref"),
        "fa-rocket",
        fold=story.deployment_changed,
    ),
    LedgerKind(
        "deployment_refused",
        _lt("Deployment refused"),
        ("environment", "source_ref", "unmet"),
        "fa-ban",
    ),
    LedgerKind(
        "rollback",
        _lt("Rollback"),
        ("environment", "external_id", "rollback_of", "source_ref"),
        "fa-undo",
        fold=story.rolled_back,
    ),
    LedgerKind(
        "incident",
        _lt("Incident"),
        ("external_id", "severity", "status"),
        "fa-fire",
    ),
    LedgerKind(
        "drill",
        _lt("Recovery drill"),
        ("project", "environment", "type", "outcome", "restore_validated"),
        "fa-life-ring",
    ),
    LedgerKind(
        "control_check",
        _lt("Check of a control"),
        ("project", "environment", "control", "status", "note"),
        "fa-shield",
    ),
    LedgerKind(
        "policy_changed",
        _lt("Policy changed"),
        ("what", "before", "after"),
        "fa-sliders",
    ),
    LedgerKind(
        "role_changed",
        _lt("Role changed"),
        ("user", "added", "removed"),
        "fa-users",
    ),
)

#: The kinds of the core by code, in the order in which people read them.
CORE: Mapping[str, LedgerKind] = {kind.code: kind for kind in KINDS}
