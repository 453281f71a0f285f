"""JUnit XML of several dialects, read safely.

Knows what pytest, Maven Surefire, jest-junit, go-junit-report, gotestsum, PHPUnit and
CTest write, and what others write like them: ``testsuites`` or ``testsuite`` as root,
suites in suites, ``failure``, ``error`` and ``skipped`` inside ``testcase``. Test cases
are counted; what a suite's attributes claim can only make the result worse.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, NoReturn
from xml.parsers import expat

from .errors import Rejected
from .report import bounded, unreadable

MAX_BYTES = 5 * 1024 * 1024
MAX_DEPTH = 100
MAX_LISTED_SUITES = 50

_SEPARATOR = " "
# Words of the status and result attributes of googletest, and of writers that mark a
# case by attribute alone. Surefire's flakyFailure and rerunFailure children are not
# here: such a case has a failure child as well unless it passed in the end.
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
_SEVERITY = ("skipped", "failures", "errors")


@dataclass(frozen=True)
class Counts:
    """Test cases of one suite without its inner suites; each counted once, by its
    worst outcome. ``time`` is in seconds."""

    tests: int = 0
    failures: int = 0
    errors: int = 0
    skipped: int = 0
    time: float = 0.0


@dataclass(frozen=True)
class JUnitReport:
    """Counts over all suites, and ``suites`` as ``(name, Counts)`` in document order.

    ``declared`` is the highest number of failures and errors that one suite's
    attributes claim; a runner that could not load a suite may say so only there.
    """

    tests: int
    failures: int
    errors: int
    skipped: int
    time: float
    suites: tuple[tuple[str, Counts], ...]
    declared: int = 0

    @property
    def status(self) -> str:
        """``fail`` if anything failed or nothing was there to run, ``skipped`` if
        every test was skipped, else ``pass``."""
        if not self.tests or self.failures or self.errors or self.declared:
            return "fail"
        return "skipped" if self.skipped == self.tests else "pass"


class _Reader:
    def __init__(self) -> None:
        # In document order; "listed" even if without a test case.
        self.suites: list[dict[str, Any]] = []
        self.open_suites: list[dict[str, Any]] = []
        self.depth = 0
        self.case: dict[str, Any] | None = None
        self.case_depth = 0
        self.declared = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        tag = tag.rpartition(_SEPARATOR)[2]
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise unreadable(f"Elements are nested more than {MAX_DEPTH} deep.")
        if self.depth == 1 and tag not in ("testsuites", "testsuite"):
            raise unreadable(
                "Not a JUnit report: its root is neither testsuites nor testsuite."
            )
        if self.case is not None:
            if self.depth == self.case_depth + 1:
                self.outcome(self.outcome_of(tag, attributes))
        elif tag in ("testsuites", "testsuite"):
            claims = [_whole(attributes.get(key)) for key in ("failures", "errors")]
            self.declared = max(self.declared, sum(claims))
            if self.open_suites:
                self.open_suites[-1]["listed"] = False
            counts = dict.fromkeys(("tests", *_SEVERITY), 0) | {"time": 0.0}
            suite = {
                "name": attributes.get("name", ""),
                "counts": counts,
                "listed": tag == "testsuite",
                "depth": self.depth,
            }
            self.suites.append(suite)
            self.open_suites.append(suite)
        elif tag == "testcase":
            self.case_depth = self.depth
            self.case = {
                "outcome": None,
                "time": _seconds(attributes.get("time")),
                "status": attributes.get("status"),
            }
            for key in ("status", "result"):
                self.outcome(_OUTCOMES.get(attributes.get(key, "").lower()))

    def outcome_of(self, tag: str, attributes: dict[str, str]) -> str:
        """What a child of a test case says of its outcome."""
        status = self.case and self.case["status"]
        not_run = tag == "skipped" and status == "notrun"
        if not_run and not attributes.get("message", "SKIP_").startswith("SKIP_"):
            # CTest: no such program, or what it needs failed. CTest counts it as
            # failed itself; only SKIP_RETURN_CODE and SKIP_REGULAR_EXPRESSION skip.
            return "errors"
        return {"failure": "failures", "error": "errors"}.get(tag, tag)

    def outcome(self, found: str | None) -> None:
        if self.case is not None and found in _SEVERITY:
            known = self.case["outcome"]
            if known is None or _SEVERITY.index(found) > _SEVERITY.index(known):
                self.case["outcome"] = found

    def end(self, _tag: str) -> None:
        if self.case is not None and self.depth == self.case_depth:
            counts = self.open_suites[-1]["counts"]
            counts["tests"] += 1
            counts["time"] += self.case["time"]
            if self.case["outcome"]:
                counts[self.case["outcome"]] += 1
            self.case = None
        elif self.case is None and self.open_suites[-1]["depth"] == self.depth:
            self.open_suites.pop()
        self.depth -= 1


def _refuse(*_arguments: object) -> NoReturn:
    raise unreadable("A document type or entity declaration is not accepted.")


def parse_junit(data: bytes, *, max_bytes: int = MAX_BYTES) -> JUnitReport:
    """Return the :class:`JUnitReport` of a JUnit XML file.

    Nothing is fetched and nothing expanded: a document type declaration, and with it
    every entity, ends the reading.

    :param bytes data: the file.
    :param int max_bytes: refuse more than this, before reading.
    :raise Rejected: too large, not well-formed, hostile, or not JUnit.
    :raise TypeError: *data* is not bytes.
    """
    bounded(data, max_bytes)
    reader = _Reader()
    parser = expat.ParserCreate(namespace_separator=_SEPARATOR)
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.StartDoctypeDeclHandler = _refuse
    parser.EntityDeclHandler = _refuse
    parser.ExternalEntityRefHandler = _refuse
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise unreadable(f"Not well-formed XML: {error}.") from None
    except (LookupError, ValueError) as error:
        if isinstance(error, Rejected):
            raise
        raise unreadable("The report's encoding is not supported.") from None
    suites = tuple(
        (suite["name"], Counts(**suite["counts"]))
        for suite in reader.suites
        if suite["counts"]["tests"] or suite["listed"]
    )
    total = {
        key: sum(getattr(counts, key) for _name, counts in suites)
        for key in ("tests", "failures", "errors", "skipped", "time")
    }
    return JUnitReport(**total, suites=suites, declared=reader.declared)


def to_checks(report: JUnitReport, name: str) -> list[dict[str, Any]]:
    """Return the report as ``checks`` of a ``build_complete`` payload.

    One check called *name*: its metadata has the counts, and the first
    ``MAX_LISTED_SUITES`` suites with theirs.
    """
    counts = {key: getattr(report, key) for key in Counts.__dataclass_fields__}
    listed = [
        {"name": suite[:128], **asdict(inner)}
        for suite, inner in report.suites[:MAX_LISTED_SUITES]
    ]
    metadata = {**counts, "suite_count": len(report.suites), "suites": listed}
    return [{"name": name, "status": report.status, "metadata": metadata}]


def _whole(text: str | None) -> int:
    try:
        return max(int(text or ""), 0)
    except ValueError:
        return 0


def _seconds(text: str | None) -> float:
    try:
        # Surefire groups thousands by a comma: 1,234.567
        seconds = float((text or "").replace(",", ""))
    except ValueError:
        return 0.0
    return seconds if math.isfinite(seconds) and seconds > 0 else 0.0
