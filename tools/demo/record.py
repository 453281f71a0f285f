"""The record of a run: printed while it happens, and kept for the report."""

import time
from dataclasses import dataclass, field

from ..say import say
from .ambiguities import AMBIGUITIES


class Unexpected(Exception):
    """A step that did not behave as it must."""


@dataclass
class Step:
    """One thing somebody did, and what came back.

    :ivar refused: it was a wrong turn, and was refused as it must be
    """

    number: int
    who: str
    what: str
    answer: str
    refused: bool
    seconds: float


@dataclass
class Chapter:
    """Steps that belong together, and blocks of Markdown that show where they led."""

    title: str
    steps: list = field(default_factory=list)
    blocks: list = field(default_factory=list)


class Record:
    """Takes down every step; :meth:`expect` ends the run at the first wrong one."""

    def __init__(self):
        self.chapters = []
        self.findings = {}
        self.facts = {}
        #: Why the run ended early; emptied when it reached its end.
        self.failure = "broken off"
        self.started = self._last = time.monotonic()
        self._number = 0

    @property
    def steps(self):
        """All steps so far."""
        return [step for chapter in self.chapters for step in chapter.steps]

    @property
    def seconds(self):
        """How long the run has taken."""
        return time.monotonic() - self.started

    def chapter(self, title):
        """Begin a chapter."""
        say(f"\n── {title} " + "─" * max(3, 74 - len(title)))
        self.chapters.append(Chapter(title))

    def step(self, who, what, answer="", refused=False):
        """Take down what somebody did, with the answer; refusals in full."""
        now = time.monotonic()
        self._number += 1
        step = Step(self._number, who, what, answer, refused, now - self._last)
        self._last = now
        self.chapters[-1].steps.append(step)
        say(f"{step.number:>3} {who:<16}{what}")
        mark = "✗ refused, as it must be: " if refused else "✓ "
        for line in answer.splitlines():
            say(f"{'':<20}{mark}{line}")
            mark = " " * 2

    def block(self, markdown):
        """Keep a block of Markdown with this chapter, for the report only."""
        self.chapters[-1].blocks.append(markdown)

    def finding(self, key):
        """The last step met an ambiguity of the specifications."""
        AMBIGUITIES[key]  # a misspelt one must not get lost
        self.findings.setdefault(key, []).append(self._number)

    def expect(self, holds, message):
        """Go on only if this holds.

        :raises Unexpected: with the message, and the last step to find it by
        """
        if not holds:
            last = self.steps[-1] if self.steps else None
            after = (
                f" (after step {last.number}: {last.who} {last.what})" if last else ""
            )
            raise Unexpected(f"{message}{after}")

    def tell(self, line):
        """Print a line that belongs to the last step; the report has its own form."""
        say(f"    {line}")
