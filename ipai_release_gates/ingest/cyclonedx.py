"""CycloneDX JSON 1.4 to 1.7: what a release is made of, and what is known against it.

A list of parts is no scan of them. A file that names no vulnerability may be of a tool
that looked for none, and some of those write an empty list: it never passes.
"""

from __future__ import annotations

from .fields import MAX_CONTENT_BYTES
from .report import Document, Report, shown, unreadable
from .report_json import read_document

VERSIONS = ("1.4", "1.5", "1.6", "1.7")
SEVERITIES = ("critical", "high", "medium", "low", "info", "none", "unknown")
#: What an analysis says of a vulnerability that needs nothing done any more.
SETTLED = ("resolved", "resolved_with_pedigree", "false_positive", "not_affected")
STATES = (*SETTLED, "exploitable", "in_triage")
# The worst of these decides. What nobody rated may be the worst there is.
_FAILS = ("critical", "high", "unknown")
_WARNS = ("medium", "low")
# From the worst on: of several ratings the worst counts.
_ORDER = ("critical", "high", "unknown", "medium", "low", "info", "none")


def parse_cyclonedx(data: bytes, *, max_bytes: int = MAX_CONTENT_BYTES) -> Report:
    """Return the :class:`Report` of a CycloneDX file.

    ``skipped`` for a list of components alone, ``fail`` for one without any; where
    vulnerabilities are named, ``fail`` if one that is open is critical, high or not
    rated, ``warning`` if one is medium or low, else ``pass``.

    :param bytes data: the file.
    :param int max_bytes: refuse more than this, before reading.
    :raise Rejected: it cannot be read, or is no CycloneDX of these versions.
    """
    bom = read_document(data, "CycloneDX", max_bytes)
    if bom.plain("bomFormat", str) != "CycloneDX":
        raise unreadable("Not CycloneDX: bomFormat must be CycloneDX.")
    version = bom.plain("specVersion", str)
    if version not in VERSIONS:
        raise bom.fault(f"specVersion must be one of {', '.join(VERSIONS)}.")
    components = _count_components(bom)
    opened = dict.fromkeys(SEVERITIES, 0)
    settled = dict.fromkeys(SETTLED, 0)
    for vulnerability in bom.each("vulnerabilities"):
        state = _state(vulnerability)
        if state in settled:
            settled[state] += 1
        else:
            opened[_severity(vulnerability)] += 1
    found = sum(opened.values()) + sum(settled.values())
    about = bom.get("metadata", dict)
    metadata = {
        "format": f"CycloneDX {version}",
        "components": components,
        "vulnerabilities": found,
        "open": opened,
        "settled": settled,
        "serial_number": shown(bom.plain("serialNumber", str)),
        "timestamp": shown(about.plain("timestamp", str) if about else None),
    }
    status = _status(components, found, opened)
    kind = "vulnerability_scan" if found else "sbom"
    known = {key: value for key, value in metadata.items() if value is not None}
    return Report(status, known, kind)


def _status(components: int, found: int, opened: dict[str, int]) -> str:
    if not found:
        return "skipped" if components else "fail"
    if any(opened[severity] for severity in _FAILS):
        return "fail"
    return "warning" if any(opened[severity] for severity in _WARNS) else "pass"


def _count_components(bom: Document) -> int:
    """Components at every depth, which the document's own depth bounds."""
    count, level = 0, [bom]
    while level:
        level = [inner for outer in level for inner in outer.each("components")]
        count += len(level)
    return count


def _state(vulnerability: Document) -> str | None:
    analysis = vulnerability.get("analysis", dict)
    if not analysis:
        return None
    state: str | None = analysis.plain("state", str)
    if state is not None and state not in STATES:
        raise analysis.fault(f"state must be one of {', '.join(STATES)}.")
    return state


def _severity(vulnerability: Document) -> str:
    severities = [r.plain("severity", str) for r in vulnerability.each("ratings")]
    for severity in severities:
        if severity is not None and severity not in SEVERITIES:
            words = ", ".join(SEVERITIES)
            raise vulnerability.fault(f"severity must be one of {words}.")
    rated = [severity for severity in severities if severity not in (None, "unknown")]
    # One rating that says nothing takes nothing from another that does.
    return min(rated, key=_ORDER.index) if rated else "unknown"
