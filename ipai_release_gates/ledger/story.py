"""The story of a release, rebuilt from its ledger alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypedDict

from .chain import Entry
from .verify import as_entry

if TYPE_CHECKING:
    from .kinds import LedgerKind


class When(TypedDict):
    """When an entry was written, by whom, and its place in the chain."""

    at: str
    actor: str
    sequence: int


@dataclass(frozen=True)
class Revision:
    """A commit that was the release's revision from *at* on."""

    source_ref: str | None
    authors: tuple[str, ...]
    at: str
    actor: str
    sequence: int


@dataclass(frozen=True)
class Resolution:
    """The last status of a gate; *cause* says why it failed or was re-opened."""

    status: str | None
    source_ref: str | None
    cause: str | None
    at: str
    actor: str
    sequence: int


@dataclass(frozen=True)
class Move:
    """A stage move, or an attempt: *allowed*, or refused for what was *unmet*."""

    origin: str | None
    target: str | None
    allowed: bool
    reason: str | None
    unmet: tuple[str, ...]
    at: str
    actor: str
    sequence: int


@dataclass(frozen=True)
class Deployment:
    """A deployment with its latest status; *at* is when it reached it."""

    environment: str | None
    external_id: str | None
    status: str | None
    source_ref: str | None
    at: str
    actor: str
    sequence: int


@dataclass
class Story:
    """A release as its ledger records it.

    ``gates`` maps a gate's code to its last :class:`Resolution`; ``deployments``
    maps ``(environment, external_id)`` to a :class:`Deployment`, in the order they
    began; ``events`` holds every entry in order, :meth:`of` picks kinds of them.
    ``None`` stands for what no entry states.
    """

    chain: str | None = None
    project: str | None = None
    name: str | None = None
    stage: str | None = None
    source_ref: str | None = None
    cancelled: bool = False
    revisions: list[Revision] = field(default_factory=list)
    gates: dict[str | None, Resolution] = field(default_factory=dict)
    moves: list[Move] = field(default_factory=list)
    deployments: dict[tuple[str | None, str | None], Deployment] = field(
        default_factory=dict
    )
    events: list[Entry] = field(default_factory=list)

    def of(self, *kinds: str) -> list[Entry]:
        """Return the entries of the given kinds, in order."""
        return [entry for entry in self.events if entry.kind in kinds]

    def begin_revision(
        self, source_ref: str | None, authors: Iterable[str] | None, when: When
    ) -> None:
        """Make a commit the current revision."""
        self.source_ref = source_ref
        self.revisions.append(Revision(source_ref, tuple(authors or ()), **when))


#: Changes a story by the body of one entry.
Fold = Callable[[Story, Mapping[str, Any], When], None]


def rebuild(
    rows: Iterable[Entry | Mapping[str, Any]], kinds: Mapping[str, LedgerKind]
) -> Story:
    """Return the :class:`Story` that the rows of one chain state.

    Does not judge them: :func:`verify` first.

    :param rows: entries or mappings with their fields, in any order; keys of a body may
        be absent
    :param kinds: kinds by code; an entry of another kind is kept in ``events`` only
    :raise ValueError: a row is no entry, or the rows are of several chains
    """
    story = Story()
    story.events = sorted(map(as_entry, rows), key=lambda entry: entry.sequence)
    chains = {entry.chain for entry in story.events}
    if len(chains) > 1:
        raise ValueError(f"rows of {len(chains)} chains make no single story")
    story.chain = next(iter(chains), None)
    for entry in story.events:
        kind = kinds.get(entry.kind)
        if kind and kind.fold:
            when = When(
                at=entry.occurred_at, actor=entry.actor, sequence=entry.sequence
            )
            kind.fold(story, entry.body, when)
    return story


def release_opened(story: Story, body: Mapping[str, Any], when: When) -> None:
    """Begin the story."""
    story.project, story.name = body.get("project"), body.get("name")
    story.stage = body.get("stage")
    story.begin_revision(body.get("source_ref"), body.get("authors"), when)


def revision_changed(story: Story, body: Mapping[str, Any], when: When) -> None:
    """Make another commit the current revision."""
    story.begin_revision(body.get("to"), body.get("authors"), when)
    story.stage = body.get("stage") or story.stage


def gate_changed(story: Story, body: Mapping[str, Any], when: When) -> None:
    """Record the new status of a gate."""
    story.gates[body.get("gate")] = Resolution(
        body.get("status"), body.get("source_ref"), body.get("cause"), **when
    )


def move_allowed(story: Story, body: Mapping[str, Any], when: When) -> None:
    """Record a stage move.

    Before version 19.0.4 a cancellation was recorded as a move to ``cancelled``.
    """
    origin, target = body.get("from"), body.get("to")
    if target == body.get("reason") == "cancelled":
        story.cancelled = True
        return
    story.stage = target
    story.moves.append(Move(origin, target, True, body.get("reason"), (), **when))


def move_refused(story: Story, body: Mapping[str, Any], when: When) -> None:
    """Record a refused stage move."""
    unmet = tuple(body.get("unmet") or ())
    origin, target = body.get("from"), body.get("to")
    story.moves.append(Move(origin, target, False, body.get("reason"), unmet, **when))


def deployment_changed(story: Story, body: Mapping[str, Any], when: When) -> None:
    """Record the status of a deployment."""
    environment, external_id = body.get("environment"), body.get("external_id")
    story.deployments[environment, external_id] = Deployment(
        environment, external_id, body.get("status"), body.get("source_ref"), **when
    )


def rolled_back(story: Story, body: Mapping[str, Any], when: When) -> None:
    """Mark the deployment that was rolled back, known or not."""
    key = body.get("environment"), body.get("rollback_of")
    known = story.deployments.get(key)
    source_ref = known.source_ref if known else None
    story.deployments[key] = Deployment(*key, "rolled_back", source_ref, **when)


def release_cancelled(story: Story, _body: Mapping[str, Any], _when: When) -> None:
    """End the story without a last stage."""
    story.cancelled = True
