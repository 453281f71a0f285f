"""SARIF 2.1.0, as analysers of code write it (OASIS, "Static Analysis Results
Interchange Format").

A run without ``results`` did not report any, which is not the same as none found
(3.14.23); one whose tool says it failed (3.20.14) shows nothing. Neither passes.
"""

from __future__ import annotations

from typing import Any

from .fields import MAX_CONTENT_BYTES, MAX_ID
from .report import Document, Report, shown, unreadable
from .report_json import read_document

LEVELS = ("error", "warning", "note", "none")
MAX_LISTED_TOOLS = 20
_KINDS = ("pass", "open", "informational", "notApplicable", "review", "fail")
# 3.27.23: a suppression that is not accepted yet, or was rejected, suppresses nothing.
_NOT_SUPPRESSED = ("underReview", "rejected")


def parse_sarif(data: bytes, *, max_bytes: int = MAX_CONTENT_BYTES) -> Report:
    """Return the :class:`Report` of a SARIF file.

    ``fail`` for an error nobody suppressed, a run without results or failed, or
    no run at all; else ``warning`` for a warning, else ``pass``.

    :param bytes data: the file.
    :param int max_bytes: refuse more than this, before reading.
    :raise Rejected: it cannot be read, or is no SARIF 2.1.0.
    """
    log = read_document(data, "SARIF", max_bytes)
    version = log.plain("version", str)
    if version != "2.1.0" or log.get("runs", list) is None:
        raise unreadable("Not SARIF 2.1.0: version must be 2.1.0, with a list of runs.")
    if log.get("inlineExternalProperties", list) is not None:
        raise unreadable("inlineExternalProperties: results must stand in their run.")
    counts = dict.fromkeys((*LEVELS, "suppressed"), 0)
    tools, runs, broken = [], 0, 0
    for run in log.each("runs"):
        runs += 1
        tools.append(_tool(run))
        broken += _is_broken(run)
        levels = _default_levels(run)
        for result in run.each("results"):
            counts[_counted_as(result, levels)] += 1
    if not runs or broken or counts["error"]:
        status = "fail"
    else:
        status = "warning" if counts["warning"] else "pass"
    metadata = {
        "format": "SARIF 2.1.0",
        "runs": runs,
        "runs_without_results": broken,
        **counts,
        "tools": tools[:MAX_LISTED_TOOLS],
    }
    return Report(status, metadata, "vulnerability_scan")


def _tool(run: Document) -> dict[str, Any]:
    tool = run.get("tool", dict)
    driver = tool and tool.get("driver", dict)
    name = driver and shown(driver.plain("name", str))
    if not driver or not name:
        raise run.fault("tool.driver.name: This field is required.")
    version = driver.plain("semanticVersion", str) or driver.plain("version", str)
    return {"name": name, **({"version": shown(version)} if version else {})}


def _is_broken(run: Document) -> bool:
    references = run.get("externalPropertyFileReferences", dict)
    if references and references.get("results", list) is not None:
        raise references.fault("The results must stand in the file itself.")
    if run.get("results", list) is None:
        return True
    return any(
        invocation.plain("executionSuccessful", bool) is False
        for invocation in run.each("invocations")
    )


def _default_levels(run: Document) -> dict[Any, str]:
    """The level of each rule, by its component and position, and by its id."""
    levels: dict[Any, str] = {}
    tool = run.get("tool", dict)
    driver = tool and tool.get("driver", dict)
    components: list[tuple[int | None, Document]] = [(None, driver)] if driver else []
    components += enumerate(tool.each("extensions") if tool else ())
    for component, found in components:
        for position, rule in enumerate(found.each("rules")):
            default = rule.get("defaultConfiguration", dict)
            level = default and default.plain("level", str)
            if level:
                levels[component, position] = level
                levels.setdefault(rule.plain("id", str), level)
    return levels


def _counted_as(result: Document, levels: dict[Any, str]) -> str:
    """The level a result counts by, or ``suppressed``."""
    suppressions = [s.plain("status", str) for s in result.each("suppressions")]
    if suppressions and not any(status in _NOT_SUPPRESSED for status in suppressions):
        return "suppressed"
    if result.plain("baselineState", str) == "absent":
        return "none"  # it was there once, and is no more
    kind = result.plain("kind", str, "fail")
    if kind not in _KINDS:
        raise result.fault(f"kind must be one of {', '.join(_KINDS)}.")
    level: str | None = result.plain("level", str)
    if level is None:
        # 3.27.10: by its rule; of a kind that is no failure, none; else a warning.
        if kind != "fail":
            return "none"
        level = _level_of_rule(result, levels) or "warning"
    if level not in LEVELS:
        raise result.fault(f"level must be one of {', '.join(LEVELS)}.")
    return level


def _level_of_rule(result: Document, levels: dict[Any, str]) -> str | None:
    rule = result.get("rule", dict)
    tool = rule and rule.get("toolComponent", dict)
    component = tool.plain("index", int) if tool else None
    position = rule.plain("index", int) if rule else None
    if position is None:
        position = result.plain("ruleIndex", int)
    if position is not None and 0 <= position < MAX_ID:
        return levels.get((component, position))
    identifier = (rule and rule.plain("id", str)) or result.plain("ruleId", str)
    while identifier:
        if identifier in levels:
            return levels[identifier]
        # 3.5.4: CA1000/1 is a case of rule CA1000
        identifier = identifier.rpartition("/")[0]
    return None
