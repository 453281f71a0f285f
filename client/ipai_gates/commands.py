"""What each command does, and which exit code it ends with."""

from __future__ import annotations

import os
import re
import time
from argparse import Namespace
from collections.abc import Sequence

from . import reports
from .delivery import Delivery, pauses
from .problems import (
    DONE,
    NOT_ELIGIBLE,
    REFUSED,
    SPOOLED,
    UNREACHABLE,
    Denied,
    Refused,
    Unreachable,
    UsageProblem,
    reason_of,
)
from .say import say
from .server import Server
from .settings import Settings
from .shapes import Entry, Json, Outcome
from .spool import Spool

#: What is not met: gate and condition → reason.
Reasons = dict[tuple[str, str], str]
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
#: Statuses of a gate that let a release through.
_THROUGH = ("passed", "bypassed")
REPORTS = {
    "open": reports.open_release,
    "build": reports.build,
    "check": reports.check,
    "evidence": reports.evidence,
    "junit": reports.junit_files,
    "report": reports.report,
    "deploy": reports.deploy,
    "health": reports.health,
    "send": reports.send,
}


def run(settings: Settings, arguments: Namespace) -> Outcome:
    """Do what a command line asks for.

    :returns: ``(exit code, data)``; the data is machine output
    :raises Problem: when it cannot be done
    """
    command = arguments.command
    if command in REPORTS:
        entries = REPORTS[command](settings, arguments)
        if command == "deploy" and arguments.status == "in_progress":
            return _ask(settings, entries[0][2])
        return _report(settings, entries)
    return {"verdict": _verdict, "wait": _wait, "flush": _flush, "spool": _spool}[
        command
    ](settings, arguments)


def _open_spool(settings: Settings) -> Spool:
    return Spool(settings.spool, f"{settings.url}|{settings.database or ''}")


# --- reporting -----------------------------------------------------------------------


def _report(settings: Settings, entries: list[Entry]) -> Outcome:
    """Put entries into the spool, and deliver it with all that waited before them."""
    spool = _open_spool(settings)
    own = [spool.add(*entry) for entry in entries]
    delivery = Delivery(Server(settings), spool).run(settings.patience, own)
    keys = dict(zip(own, (key for _kind, key, _request in entries)))
    data: Json = {"answers": [], "release": None}
    for name in own:
        answer = delivery.answers.get(name)
        data["answers"].append(_shown(keys[name], answer))
        if answer and keys[name].startswith("open "):
            data["release"] = answer["detail"] if _taken(answer) else None
    code = _outcome(settings, delivery, own, spool, data)
    return code, data


def _taken(answer: Json) -> bool:
    return answer["status"] in ("accepted", "duplicate")


def _shown(key: str, answer: Json | None) -> Json:
    """Tell people about one of this call's own; its part of the machine output."""
    if answer is None:
        say(f"{key}: in the spool, to be delivered later")
        return {"key": key, "status": "spooled"}
    detail = answer.get("detail") or {}
    status = answer["status"]
    if status == "accepted" and detail.get("stale"):
        text = "accepted as history only: its commit is no longer the current one"
    elif status == "pending":
        text = str(detail.get("message") or "kept until a release has its commit")
    elif status == "error":
        text = f"kept by the server with an error, as event {answer.get('ingest_id')}"
    elif status == "rejected":
        text = f"refused ({detail.get('code')}): {reason_of(answer)}"
        if detail.get("code") == "idempotency_conflict":
            text += (
                " This run reported it otherwise before: --sequence tells them apart."
            )
    else:
        text = status
    if detail.get("uuid"):
        text += f", release {detail['name']} is {detail['uuid']}"
        text += "" if detail.get("created") else f", at commit {detail['source_ref']}"
    say(f"{key}: {text}")
    return {"key": key, **answer}


def _outcome(
    settings: Settings,
    delivery: Delivery,
    own: Sequence[str],
    spool: Spool,
    data: Json,
) -> int:
    """The exit code of a delivery; tells about what is not this call's own."""
    waiting = spool.names()
    missing = [name for name in own if name not in delivery.answers]
    refused = [
        (delivery.entries[name]["key"] if name in delivery.entries else name, answer)
        for name, answer in delivery.answers.items()
        if answer["status"] == "rejected"
    ]
    for name, answer in delivery.answers.items():
        if answer["status"] == "rejected" and name not in own:
            key = delivery.entries[name]["key"]
            say(f"{key}: from the spool, refused: {reason_of(answer)}")
    data["waiting"] = len(waiting)
    data["refused"] = [{"key": key, "reason": reason_of(a)} for key, a in refused]
    _show_corrupt(spool, data)
    if delivery.problem:
        say(delivery.problem)
        data["problem"] = str(delivery.problem)
    if waiting:
        say(
            f"{len(waiting)} wait in the spool {settings.spool}; the next call delivers"
            " them first, or: ipai-gates flush"
        )
    if refused:
        say("what was refused lies aside: ipai-gates spool shows it")
    if refused or isinstance(delivery.problem, Denied):
        return REFUSED
    if isinstance(delivery.problem, UsageProblem):
        return delivery.problem.code
    errors = any(a["status"] == "error" for a in delivery.answers.values())
    if missing or errors or (delivery.problem and not own):
        return DONE if settings.ok_if_spooled else SPOOLED
    return DONE


def _show_corrupt(spool: Spool, data: Json) -> None:
    data["corrupt"] = spool.corrupted()
    for path in data["corrupt"]:
        say(f"a file of the spool could not be read and was set aside: {path}")


def _ask(settings: Settings, event: Json) -> Outcome:
    """Ask whether a deployment may begin.

    It is not spooled: permission that comes later is none.
    """
    spool = _open_spool(settings)
    server = Server(settings)
    data: Json = {}
    code = _outcome(settings, Delivery(server, spool).run(0), (), spool, data)
    deadline = time.monotonic() + settings.patience
    for pause in pauses(0.5, 30):
        try:
            (answer,) = server.post_events([event])
            break
        except Refused as refused:
            answer = refused.answer
            break
        except Unreachable as problem:
            pause = max(pause, problem.retry_after or 0)
            if time.monotonic() + pause > deadline:
                say(problem)
                say("so nobody has allowed this deployment: it must not begin")
                return UNREACHABLE, {**data, "problem": str(problem)}
            time.sleep(pause)
    data["answers"] = [_shown(event["idempotency_key"], answer)]
    if not _taken(answer):
        say("this deployment must not begin")
        return (SPOOLED if answer["status"] in ("error", "pending") else REFUSED), data
    return (REFUSED if code == REFUSED else DONE), data


# --- asking --------------------------------------------------------------------------


def _flush_quietly(settings: Settings, server: Server) -> None:
    """What waits may matter for the verdict: it goes first."""
    if os.path.isdir(settings.spool):
        spool = _open_spool(settings)
        if spool.names():
            delivery = Delivery(server, spool).run(0)
            _outcome(settings, delivery, (), spool, {})


def _judge(
    settings: Settings, server: Server, arguments: Namespace
) -> tuple[bool, Json]:
    address = settings.address().get("release_id")
    if not address:
        raise UsageProblem(
            "Which release? Give --release (its uuid, as open told it), or --project "
            "and --name."
        )
    verdict = server.verdict(address, arguments.target)
    if not arguments.gate:
        return verdict["eligible"], verdict
    found = [gate for gate in verdict["gates"] if gate["code"] == arguments.gate]
    if not found:
        codes = ", ".join(gate["code"] for gate in verdict["gates"]) or "none"
        raise UsageProblem(
            f"--gate {arguments.gate}: {arguments.target} needs {codes}; another "
            "--target may need it."
        )
    return found[0]["status"] in _THROUGH, {**verdict, "gates": found}


def _missing(verdict: Json) -> Reasons:
    """What is not met: ``(gate, condition) → reason``."""
    return {
        (gate["code"], condition["code"]): condition["reason"]
        for gate in verdict["gates"]
        for condition in gate["conditions"]
        if condition["state"] == "unmet"
    }


def _show(eligible: bool, verdict: Json, before: Reasons | None = None) -> Reasons:
    """Tell a verdict; with one before it, what has changed."""
    missing = _missing(verdict)
    if before is None or missing.keys() != before.keys():
        gates = ", ".join(
            f"{gate['code']} {gate['status']}" for gate in verdict["gates"]
        )
        say(
            f"release {verdict['release']} at {str(verdict['revision'])[:12]}: "
            f"{'eligible' if eligible else 'not eligible'} for {verdict['target']} "
            f"({gates})"
        )
    for (gate, code), reason in missing.items():
        if (before or {}).get((gate, code)) != reason:
            say(f"{gate} needs {code}: {reason}")
    for gate, code in (before or {}).keys() - missing.keys():
        say(f"{gate}: {code} is met now")
    return missing


def _verdict(settings: Settings, arguments: Namespace) -> Outcome:
    server = Server(settings)
    _flush_quietly(settings, server)
    deadline = time.monotonic() + settings.patience
    for pause in pauses(0.5, 30):
        try:
            eligible, verdict = _judge(settings, server, arguments)
            break
        except Unreachable as problem:
            pause = max(pause, problem.retry_after or 0)
            if time.monotonic() + pause > deadline:
                raise
            time.sleep(pause)
    _show(eligible, verdict)
    return (DONE if eligible else NOT_ELIGIBLE), {"verdict": verdict}


def _wait(settings: Settings, arguments: Namespace) -> Outcome:
    server = Server(settings)
    deadline = time.monotonic() + arguments.wait_for
    missing = verdict = None
    silent = False
    for pause in pauses(2.0, arguments.longest_pause):
        problem = None
        try:
            _flush_quietly(settings, server)
            eligible, verdict = _judge(settings, server, arguments)
            missing = _show(eligible, verdict, missing)
            if eligible:
                return DONE, {"verdict": verdict}
        except Unreachable as unreachable:
            problem = unreachable
            pause = max(pause, problem.retry_after or 0)
        if problem and not silent:
            say(problem)
        elif silent and not problem:
            say("the server answers again")
        silent = bool(problem)
        left = deadline - time.monotonic()
        if left <= 0:
            break
        time.sleep(min(pause, left))
    if silent:
        say(f"gave up after {arguments.wait_for:g} s: the server cannot be reached")
        return UNREACHABLE, {"verdict": verdict, "problem": str(problem)}
    say(f"gave up after {arguments.wait_for:g} s")
    return NOT_ELIGIBLE, {"verdict": verdict}


# --- the spool -----------------------------------------------------------------------


def _flush(settings: Settings, _arguments: Namespace) -> Outcome:
    spool = _open_spool(settings)
    before = len(spool.names())
    delivery = Delivery(Server(settings), spool).run(settings.patience)
    data: Json = {}
    code = _outcome(settings, delivery, (), spool, data)
    answers = delivery.answers
    data["delivered"] = [
        {"key": delivery.entries[name]["key"], **answer}
        for name, answer in answers.items()
    ]
    say(f"{len(answers)} of {before} delivered")
    return code, data


def _spool(settings: Settings, arguments: Namespace) -> Outcome:
    spool = _open_spool(settings)
    data: Json = {}
    if arguments.again:
        data["again"] = spool.again()
        say(f"{data['again']} put back into the queue: ipai-gates flush delivers them")
    waiting, refused = [], []
    for name in spool.names():
        entry = spool.read(name)
        if entry:
            since = _moment(entry["spooled_at"])
            waiting.append({"key": entry["key"], "kind": entry["kind"], "since": since})
            say(f"waits since {since}: {entry['key']}")
    for name, entry in spool.refusals():
        reason = reason_of(entry["answer"])
        path = os.path.join(spool.refused, name)
        refused.append({"key": entry["key"], "reason": reason, "file": path})
        say(f"refused: {entry['key']}: {reason} ({path})")
    _show_corrupt(spool, data)
    say(f"{len(waiting)} wait, {len(refused)} were refused: {spool.folder}")
    return DONE, {**data, "waiting": waiting, "refused": refused}


def _moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def outputs(code: int, data: Json) -> dict[str, str]:
    """What ``--outputs`` writes: names and values that cannot break out of a line."""
    found = {"IPAI_GATES_EXIT_CODE": str(code)}
    release = data.get("release") or {}
    if _UUID.fullmatch(str(release.get("uuid"))):
        found["IPAI_GATES_RELEASE"] = release["uuid"]
    if data.get("verdict"):
        found["IPAI_GATES_ELIGIBLE"] = "true" if code == DONE else "false"
    return found
