"""The counts of a JUnit file, as the server counts them.

Test cases are counted, each by its worst outcome; what the attributes of a suite claim
can only make the result worse.
"""

from __future__ import annotations

from typing import NoReturn
from xml.parsers import expat

from .problems import UsageProblem

_OUTCOMES = {
    "notrun": "skipped",
    "disabled": "skipped",
    "skipped": "skipped",
    "suppressed": "skipped",
    "failed": "failures",
    "failure": "failures",
    "fail": "failures",
    "error": "errors",
}
_WORSE = (None, "skipped", "failures", "errors")


class _Counter:
    """Reads the elements of one file."""

    def __init__(self) -> None:
        self.counts = dict.fromkeys(("tests", "failures", "errors", "skipped"), 0)
        self.claimed = 0
        self.depth = 0
        self.case: int | None = None
        self.outcome: str | None = None

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        tag = tag.rpartition(" ")[2]
        self.depth += 1
        if self.depth == 1 and tag not in ("testsuites", "testsuite"):
            raise ValueError("its root is neither testsuites nor testsuite")
        if self.case is not None:
            if self.depth == self.case + 1:
                child = {"failure": "failures", "error": "errors"}.get(tag, tag)
                self.worst(child)
        elif tag == "testcase":
            self.case, self.outcome = self.depth, None
            for name in ("status", "result"):
                self.worst(_OUTCOMES.get(attributes.get(name, "").lower()))
        else:
            claims = [_whole(attributes.get(key)) for key in ("failures", "errors")]
            self.claimed = max(self.claimed, sum(claims))

    def worst(self, outcome: str | None) -> None:
        if outcome in _WORSE:
            self.outcome = max(self.outcome, outcome, key=_WORSE.index)

    def end(self, _tag: str) -> None:
        if self.case == self.depth:
            self.counts["tests"] += 1
            if self.outcome:
                self.counts[self.outcome] += 1
            self.case = None
        self.depth -= 1


def _whole(text: str | None) -> int:
    try:
        return max(int(text or 0), 0)
    except ValueError:
        return 0


def _refuse(*_arguments: object) -> NoReturn:
    raise ValueError("it declares a document type, which is not read")


def summary(data: bytes, label: str) -> tuple[str, dict[str, int]]:
    """The status and the counts of a JUnit file.

    :param data: the file
    :param label: what messages call it
    :returns: ``(status, counts)``; the status is ``fail`` when anything failed or no
        test was there, ``skipped`` when all were skipped, else ``pass``; the counts
        are ``tests``, ``failures``, ``errors`` and ``skipped``
    :raises UsageProblem: when it is no JUnit file
    """
    counter = _Counter()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = counter.start
    parser.EndElementHandler = counter.end
    parser.StartDoctypeDeclHandler = _refuse
    parser.EntityDeclHandler = _refuse
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise UsageProblem(f"{label} is no JUnit file: {error}.") from None
    counts = counter.counts
    if not counts["tests"] or counts["failures"] or counts["errors"] or counter.claimed:
        return "fail", counts
    return ("skipped" if counts["skipped"] == counts["tests"] else "pass"), counts
