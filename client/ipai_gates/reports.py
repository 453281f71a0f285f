"""What each reporting command sends, as entries for the spool."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import sys
from argparse import Namespace

from . import git, junit
from .envelopes import envelope, now
from .problems import UsageProblem
from .settings import Settings
from .shapes import Entry, Json

MAX_FILE = 10 * 1024 * 1024


def read_file(path: str, limit: int = MAX_FILE) -> bytes:
    """The bytes of a file that is to be sent.

    :raises UsageProblem: when it cannot be read, is empty or too large
    """
    try:
        with open(path, "rb") as handle:
            data = handle.read(limit + 1)
    except OSError as error:
        raise UsageProblem(f"{path} cannot be read: {error.strerror}.") from None
    if not data:
        raise UsageProblem(f"{path} is empty.")
    if len(data) > limit:
        raise UsageProblem(
            f"{path} is larger than {limit >> 20} MiB: keep it elsewhere and send its "
            "address, evidence --link with --sha256."
        )
    return data


def _entry(event: Json) -> Entry:
    return "event", event["idempotency_key"], event


def _file_evidence(
    settings: Settings,
    arguments: Namespace,
    type_: str,
    path: str,
    data: bytes,
    metadata: Json | None = None,
    part: str = "",
) -> Entry:
    payload: Json = {
        "type": type_,
        "filename": os.path.basename(path),
        "content_base64": base64.b64encode(data).decode(),
        "sha256": hashlib.sha256(data).hexdigest(),
    }
    if metadata:
        payload["metadata"] = metadata
    return _entry(
        envelope(
            settings,
            "evidence",
            payload,
            f"{type_}/{part}{path}",
            gate=arguments.gate,
            sequence=arguments.sequence,
        )
    )


def _values(pairs: list[tuple[str, str]]) -> Json:
    """The facts of ``--metadata``: a number or a truth value is one, all else text."""
    found: Json = {}
    for name, text in pairs:
        try:
            value = json.loads(text)
        except ValueError:
            value = text
        found[name] = value if isinstance(value, (int, float, bool)) else text
    return found


def build(settings: Settings, arguments: Namespace) -> list[Entry]:
    """The build and its checks; before them the files they rest on."""
    gate, sequence = arguments.gate, arguments.sequence
    checks: list[Json] = [
        {"name": name, "status": status} for name, status in arguments.check
    ]
    entries = []
    for name, path in arguments.junit:
        data = read_file(path)
        status, counts = junit.summary(data, path)
        checks.append({"name": name, "status": status, "metadata": counts})
        entries.append(
            _file_evidence(
                settings, arguments, "test_result", path, data, counts, f"{name}/"
            )
        )
    log_url = arguments.log_url or settings.run_url
    if arguments.log_file:
        data = read_file(arguments.log_file)
        entries.append(
            _file_evidence(settings, arguments, "build_log", arguments.log_file, data)
        )
        # The log is kept where it was sent to.
        log_url = log_url or f"{settings.url}/odoo/release-evidence"
    if not log_url:
        raise UsageProblem(
            "Where is the log of this build? Give --log-url, --run-url or --log-file."
        )
    names = [check["name"] for check in checks]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UsageProblem(f"The check {twice[0]} is there twice: one result each.")
    payload: Json = {"status": arguments.status, "checks": checks, "log_url": log_url}
    event = envelope(settings, "build_complete", payload, gate=gate, sequence=sequence)
    return [*entries, _entry(event)]


def check(settings: Settings, arguments: Namespace) -> list[Entry]:
    """One check."""
    payload: Json = {"name": arguments.check_name, "status": arguments.status}
    reference = arguments.artifact or settings.run_url
    if reference:
        payload["artifact_ref"] = reference
    if arguments.metadata:
        payload["metadata"] = _values(arguments.metadata)
    return [
        _entry(
            envelope(
                settings,
                "check_result",
                payload,
                arguments.check_name,
                gate=arguments.gate,
                sequence=arguments.sequence,
            )
        )
    ]


def evidence(settings: Settings, arguments: Namespace) -> list[Entry]:
    """A file or an address."""
    metadata = _values(arguments.metadata)
    if arguments.file:
        if arguments.sha256:
            raise UsageProblem("--sha256 is for a link; that of a file is computed.")
        data = read_file(arguments.file)
        return [
            _file_evidence(
                settings, arguments, arguments.type, arguments.file, data, metadata
            )
        ]
    payload: Json = {"type": arguments.type, "url": arguments.link}
    if arguments.sha256:
        payload["sha256"] = arguments.sha256
    if metadata:
        payload["metadata"] = metadata
    return [
        _entry(
            envelope(
                settings,
                "evidence",
                payload,
                f"{arguments.type}/{arguments.link}",
                gate=arguments.gate,
                sequence=arguments.sequence,
            )
        )
    ]


def junit_files(settings: Settings, arguments: Namespace) -> list[Entry]:
    """JUnit files as evidence, and one check over all of them."""
    entries, statuses = [], []
    total = dict.fromkeys(("tests", "failures", "errors", "skipped"), 0)
    for path in arguments.files:
        data = read_file(path)
        status, counts = junit.summary(data, path)
        statuses.append(status)
        for name, number in counts.items():
            total[name] += number
        entries.append(
            _file_evidence(settings, arguments, "test_result", path, data, counts)
        )
    found = set(statuses)
    status = "fail" if "fail" in found else "pass" if "pass" in found else "skipped"
    payload: Json = {"name": arguments.check_name, "status": status, "metadata": total}
    if settings.run_url:
        payload["artifact_ref"] = settings.run_url
    event = envelope(
        settings,
        "check_result",
        payload,
        arguments.check_name,
        gate=arguments.gate,
        sequence=arguments.sequence,
    )
    return [*entries, _entry(event)]


def report(settings: Settings, arguments: Namespace) -> list[Entry]:
    """A raw file for one of the server's adapters."""
    data = read_file(arguments.file)
    name = arguments.check_name or arguments.format
    event = envelope(
        settings,
        "report",
        {},
        f"{arguments.format}/{name}/{arguments.file}",
        gate=arguments.gate,
        sequence=arguments.sequence,
    )
    query = {
        "format": arguments.format,
        "source_ref": event["payload"]["source_ref"],
        "source_system": settings.source_system,
        "idempotency_key": event["idempotency_key"],
        "name": name,
        "filename": os.path.basename(arguments.file),
        "emitted_at": event["emitted_at"],
    }
    address = event.get("release_id")
    if isinstance(address, dict):
        raise UsageProblem(
            "report names the release by --release, or by --project and the commit: "
            "leave --name out."
        )
    query.update({"release": address} if address else {"project": event["project"]})
    if arguments.gate:
        query["gate_code"] = arguments.gate
    content = base64.b64encode(data).decode()
    request = {"query": query, "content_base64": content}
    return [("report", event["idempotency_key"], request)]


def deploy(settings: Settings, arguments: Namespace) -> list[Entry]:
    """A deployment."""
    external_id = arguments.id
    if not external_id:
        if not settings.run:
            raise UsageProblem(
                "Which deployment? Give --id, the same for all reports about it."
            )
        # Not of the step: the one that reports the end is another than the beginning.
        run = "/".join(settings.run.split("/")[:2])
        external_id = f"{settings.source_system}/{run}/{arguments.environment}"
    payload = {
        "environment": arguments.environment,
        "status": arguments.status,
        "external_id": external_id,
    }
    if arguments.at:
        payload["deployed_at"] = arguments.at
    if arguments.rollback_of:
        payload["rollback_of"] = arguments.rollback_of
    return [
        _entry(
            envelope(
                settings,
                "deployment_event",
                payload,
                f"{external_id}/{arguments.status}",
                gate=arguments.gate,
                sequence=arguments.sequence,
            )
        )
    ]


def health(settings: Settings, arguments: Namespace) -> list[Entry]:
    """The health of an environment."""
    payload: Json = {"environment": arguments.environment, "status": arguments.status}
    if arguments.check:
        payload["checks"] = [
            {"name": name, "status": status} for name, status in arguments.check
        ]
    link = arguments.link or settings.run_url
    if link:
        payload["url"] = link
    if arguments.metadata:
        payload["metadata"] = _values(arguments.metadata)
    return [
        _entry(
            envelope(
                settings,
                "health_check",
                payload,
                arguments.environment,
                gate=arguments.gate,
                sequence=arguments.sequence,
            )
        )
    ]


def open_release(settings: Settings, arguments: Namespace) -> list[Entry]:
    """A release."""
    for name in ("project", "name"):
        if not getattr(settings, name):
            raise UsageProblem(f"open needs --{name} or IPAI_GATES_{name.upper()}.")
    revision = settings.source_ref
    values = {
        "project": settings.project,
        "name": settings.name,
        "source_ref": revision,
        "environment_target": arguments.target,
        "authors": arguments.author or git.authors(revision, arguments.since),
    }
    if arguments.digest:
        values["artifact_digest"] = arguments.digest
    request = {
        "values": values,
        "revise": arguments.revise,
        "source_system": settings.source_system,
        "run": settings.run or "",
        "emitted_at": now(),
    }
    return [("release", f"open {settings.project} {settings.name}", request)]


def send(_settings: Settings, arguments: Namespace) -> list[Entry]:
    """Envelopes as they are."""
    if arguments.file == "-":
        data = sys.stdin.buffer.read()
    else:
        data = read_file(arguments.file, 1 << 30)
    try:
        text = data.decode()
        found = (
            json.loads(text)
            if text.lstrip().startswith("[")
            else [json.loads(line) for line in text.splitlines() if line.strip()]
        )
    except ValueError as error:
        raise UsageProblem(
            f"{arguments.file} holds no envelopes, one JSON object on each line or a "
            f"list of them: {error}."
        ) from None
    for number, event in enumerate(found, 1):
        if not (
            isinstance(event, dict) and isinstance(event.get("idempotency_key"), str)
        ):
            raise UsageProblem(
                f"{arguments.file}: envelope {number} has no idempotency_key; without "
                "one a retry would be counted twice."
            )
    if not found:
        raise UsageProblem(f"{arguments.file} holds no envelope.")
    return [_entry(event) for event in found]
