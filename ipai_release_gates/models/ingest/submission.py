from dataclasses import dataclass, field
from typing import Any

from ... import ingest


@dataclass(eq=False)
class Submission:
    """One event on its way through the pipeline."""

    log: Any
    raw: Any
    digest: str
    envelope: ingest.Envelope | None = None
    #: The kind of the event; set with the envelope.
    kind: ingest.EventKind | None = None
    release: Any = None
    revision: Any = None
    answer: dict | None = None
    created: dict = field(default_factory=dict)
    #: It was received earlier and is processed again: newer facts stay in force.
    kept: bool = False

    @property
    def open(self):
        return self.answer is None

    def follows(self, log):
        """Whether it arrived after another event.

        An event of a delivery arrived with the delivery.
        """
        return self.log._arrival_id() >= log._arrival_id()

    @property
    def stale(self):
        return bool(self.revision) and self.revision != self.release.revision_id

    def reject(self, code, message, field=None):
        self.answer = ingest.answers.rejected(self.log.id, code, message, field=field)

    def accept(self, **detail):
        self.answer = ingest.answers.accepted(
            self.log.id,
            {
                "release": self.release.uuid,
                "source_ref": self.envelope.source_ref or self.revision.source_ref,
                "stale": self.stale,
                "created": self.created,
                **detail,
            },
        )
