"""The story of a release, told by its ledger alone."""

from dataclasses import dataclass, field

from .verify import as_entry


@dataclass(frozen=True)
class Revision:
    """A commit that was the release's revision from *at* on."""

    source_ref: str
    authors: tuple
    at: str
    actor: str
    sequence: int


@dataclass(frozen=True)
class Resolution:
    """What a gate last came to; *cause* says why it failed or was re-opened."""

    status: str
    source_ref: str
    cause: str
    at: str
    actor: str
    sequence: int


@dataclass(frozen=True)
class Move:
    """A stage move, or an attempt: *allowed*, or refused for what was *unmet*."""

    origin: str
    target: str
    allowed: bool
    reason: str
    unmet: tuple
    at: str
    actor: str
    sequence: int


@dataclass(frozen=True)
class Deployment:
    """A deployment with its latest status; *at* is when it reached it."""

    environment: str
    external_id: str
    status: str
    source_ref: str
    at: str
    actor: str
    sequence: int


@dataclass
class Story:
    """A release as its ledger tells it.

    ``gates`` maps a gate's code to its last :class:`Resolution`; ``deployments``
    maps ``(environment, external_id)`` to a :class:`Deployment`, in the order they
    began; ``events`` holds every entry in order, :meth:`of` picks kinds of them.
    What no entry tells is None.
    """

    chain: str | None = None
    project: str | None = None
    name: str | None = None
    stage: str | None = None
    source_ref: str | None = None
    revisions: list = field(default_factory=list)
    gates: dict = field(default_factory=dict)
    moves: list = field(default_factory=list)
    deployments: dict = field(default_factory=dict)
    events: list = field(default_factory=list)

    def of(self, *kinds):
        """Return the entries of the given kinds, in order."""
        return [entry for entry in self.events if entry.kind in kinds]

    def begin_revision(self, source_ref, authors, when):
        self.source_ref = source_ref
        self.revisions.append(Revision(source_ref, tuple(authors or ()), **when))


def rebuild(rows):
    """Return the :class:`Story` that the rows of one chain tell.

    Does not judge them: :func:`verify` first.

    :param rows: :class:`Entry` or mappings with its fields, in any order. Bodies
        follow the table in ``chain``; keys may be absent, others are kept in
        ``events``.
    :raise ValueError: a row is no entry, or the rows are of several chains.
    """
    story = Story()
    story.events = sorted(map(as_entry, rows), key=lambda entry: entry.sequence)
    chains = {entry.chain for entry in story.events}
    if len(chains) > 1:
        raise ValueError(f"rows of {len(chains)} chains tell no single story")
    story.chain = next(iter(chains), None)
    for entry in story.events:
        fold = _FOLDS.get(entry.kind)
        if fold:
            when = {
                "at": entry.occurred_at,
                "actor": entry.actor,
                "sequence": entry.sequence,
            }
            fold(story, entry.body, when)
    return story


def _release_opened(story, body, when):
    story.project, story.name = body.get("project"), body.get("name")
    story.stage = body.get("stage")
    story.begin_revision(body.get("source_ref"), body.get("authors"), when)


def _revision_changed(story, body, when):
    story.begin_revision(body.get("to"), body.get("authors"), when)
    story.stage = body.get("stage") or story.stage


def _gate(story, body, when):
    story.gates[body.get("gate")] = Resolution(
        body.get("status"), body.get("source_ref"), body.get("cause"), **when
    )


def _move_allowed(story, body, when):
    origin, target = body.get("from"), body.get("to")
    story.stage = target
    story.moves.append(Move(origin, target, True, body.get("reason"), (), **when))


def _move_refused(story, body, when):
    unmet = tuple(body.get("unmet") or ())
    origin, target = body.get("from"), body.get("to")
    story.moves.append(Move(origin, target, False, body.get("reason"), unmet, **when))


def _deployment(story, body, when):
    environment, external_id = body.get("environment"), body.get("external_id")
    story.deployments[environment, external_id] = Deployment(
        environment, external_id, body.get("status"), body.get("source_ref"), **when
    )


def _rollback(story, body, when):
    """Mark the deployment that was rolled back, known or not."""
    key = body.get("environment"), body.get("rollback_of")
    known = story.deployments.get(key)
    source_ref = known.source_ref if known else None
    story.deployments[key] = Deployment(*key, "rolled_back", source_ref, **when)


_FOLDS = {
    "release_opened": _release_opened,
    "revision_changed": _revision_changed,
    "gate_resolved": _gate,
    "gate_reopened": _gate,
    "move_allowed": _move_allowed,
    "move_refused": _move_refused,
    "deployment": _deployment,
    "rollback": _rollback,
}
