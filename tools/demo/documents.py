"""The documents of a release, made from what repository and server really say."""

import base64
import hashlib
import statistics
import time
import urllib.request
import xml.etree.ElementTree as ET
from collections import Counter

from . import repository

PROBES = 20


def file(release, kind, filename, content, **metadata):
    """The payload of an evidence event that carries a file, with its SHA-256.

    :param kind: type of evidence
    :param bytes content: the file
    """
    payload = {
        "source_ref": release.commit.sha,
        "type": kind,
        "filename": filename,
        "content_base64": base64.b64encode(content).decode(),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    return {**payload, "metadata": metadata} if metadata else payload


def tests_by_module(junit):
    """How many tests each module has, and how many of them did not pass."""
    tests, missed = Counter(), Counter()
    # Written by our own pytest a moment ago.
    for case in ET.fromstring(junit).iter("testcase"):
        module = case.get("classname", "").split(".")[-1]
        tests[module] += 1
        if any(case.find(tag) is not None for tag in ("failure", "error", "skipped")):
            missed[module] += 1
    return {module: (tests[module], missed[module]) for module in sorted(tests)}


def acceptance_criteria(junit):
    """Each criterion with the tests it is mapped to, as Markdown."""
    lines = [
        "# Acceptance criteria",
        "",
        "| criterion | tests | passed |",
        "|--|--|--|",
    ]
    for module, (tests, missed) in tests_by_module(junit).items():
        criterion = module.removeprefix("test_").replace("_", " ")
        lines.append(
            f"| {criterion} behaves as designed | {tests} | {tests - missed} |"
        )
    return "\n".join([*lines, ""]).encode()


def defect_register(junit):
    """Tests that did not pass, as CSV; with the head alone when there are none."""
    rows = [
        f"{module},{missed},open"
        for module, (_, missed) in tests_by_module(junit).items()
        if missed
    ]
    return "\n".join(["module,tests not passed,state", *rows, ""]).encode()


def release_notes(release):
    """What changed, from the history of git."""
    head = f"# {release.name}\n\nRevision {release.commit.sha}\n\n"
    return f"{head}{repository.release_notes()}\n".encode()


def rollback_plan(release):
    """When to go back, and how."""
    return (
        f"# Way back from {release.name}\n\n"
        "Criteria: the health check fails twice in a row, or the fallback timer of 30 "
        "minutes runs out without a normal monitoring baseline.\n\n"
        "1. Restore the database dump that was taken before the deployment.\n"
        "2. Deploy the revision that ran before; the dump has the data for it.\n"
        "3. Report the rollback (`deployment_event` with `rollback_of`).\n"
    ).encode()


def probe(url):
    """Ask a server for its health a few times.

    :returns: ``pass`` or ``fail``, and the measurements in whole milliseconds
    """
    times, status = [], 200
    for _ in range(PROBES):
        begun = time.monotonic()
        try:
            with urllib.request.urlopen(f"{url}/web/health", timeout=10) as answer:
                status = answer.status
        except OSError:
            status = 0
        times.append(round((time.monotonic() - begun) * 1000))
        if status != 200:
            return "fail", {"http_status": status}
    slowest = statistics.quantiles(times, n=20)[-1]
    measured = {"median_ms": round(statistics.median(times)), "p95_ms": round(slowest)}
    return "pass", {"http_status": status, "probes": PROBES, **measured}
