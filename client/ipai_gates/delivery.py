"""Delivery: what waits in the spool goes out in order, and stays until answered."""

from __future__ import annotations

import base64
import json
import random
import time
from collections.abc import Iterator, Sequence

from . import envelopes
from .problems import Denied, Problem, Refused, Unreachable, UsageProblem
from .server import Server
from .shapes import Json
from .spool import Busy, Spool

#: Events under way: name in the queue, and entry.
Batch = list[tuple[str, Json]]

MAX_BATCH = 50
MAX_BATCH_BYTES = 4 * 1024 * 1024
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0


class Delivery:
    """One call's turn at the spool.

    :ivar answers: name in the queue → answer, of all that this call delivered or had
        delivered
    :ivar entries: name in the queue → entry, of what this call delivered
    :ivar problem: why it stopped before the end, or ``None``
    """

    def __init__(self, server: Server, spool: Spool) -> None:
        self._server = server
        self._spool = spool
        self.answers: dict[str, Json] = {}
        self.entries: dict[str, Json] = {}
        self.problem: Problem | None = None

    def run(self, patience: float, own: Sequence[str] = ()) -> Delivery:
        """Deliver everything that waits now, or as much as the server takes.

        :param patience: seconds for which an unreachable server is asked again
        :param own: names of this call's own entries, which another process may deliver
        :returns: itself
        """
        deadline = time.monotonic() + patience
        for pause in pauses(FIRST_PAUSE, LONGEST_PAUSE):
            try:
                with self._spool.delivering(deadline):
                    self._deliver(self._spool.names())
                self.problem = None
                break
            except Busy:
                self.problem = Unreachable("Another process is still delivering.")
                break
            except (Denied, UsageProblem) as problem:
                self.problem = problem
                break
            except Unreachable as problem:
                self.problem = problem
                pause = max(pause, problem.retry_after or 0)
                if time.monotonic() + pause > deadline:
                    break
                time.sleep(pause)
        for name in own:
            if name not in self.answers:
                answer = self._spool.take_answer(name)
                if answer:
                    self.answers[name] = answer
        return self

    def _deliver(self, names: Sequence[str]) -> None:
        batch: Batch = []
        size = 0
        for name in names:
            entry = self._spool.read(name)
            if entry is None:
                continue
            if entry["kind"] != "event":
                self._send(batch)
                batch, size = [], 0
                self._settle(name, entry, self._alone(entry))
                continue
            length = len(json.dumps(entry["request"]))
            if batch and (len(batch) == MAX_BATCH or size + length > MAX_BATCH_BYTES):
                self._send(batch)
                batch, size = [], 0
            batch.append((name, entry))
            size += length
        self._send(batch)

    def _send(self, batch: Batch) -> None:
        """Send events as one list; in halves where it is refused as a whole."""
        if not batch:
            return
        try:
            answers = self._server.post_events(
                [entry["request"] for _name, entry in batch]
            )
        except Refused as refused:
            if len(batch) == 1:
                self._settle(*batch[0], refused.answer)
                return
            half = len(batch) // 2
            self._send(batch[:half])
            self._send(batch[half:])
            return
        for (name, entry), answer in zip(batch, answers):
            self._settle(name, entry, answer)

    def _alone(self, entry: Json) -> Json:
        """Send what is no event; its answer in the shape of an event's."""
        request = entry["request"]
        try:
            if entry["kind"] == "report":
                content = base64.b64decode(request["content_base64"])
                return _worst(self._server.post_report(request["query"], content))
            return self._open(request)
        except Refused as refused:
            return refused.answer

    def _open(self, request: Json) -> Json:
        values = request["values"]
        release = self._server.open_release(values)
        answer = {"status": "accepted", "http_status": 200, "detail": release}
        if release["source_ref"] == values["source_ref"] or not request["revise"]:
            return answer
        # The release stands at another commit: tell it of this one.
        (revised,) = self._server.post_events([revision(release, values, request)])
        if revised["status"] in ("rejected", "error"):
            return revised
        release["source_ref"] = values["source_ref"]
        return answer

    def _settle(self, name: str, entry: Json, answer: Json) -> None:
        self._spool.settle(name, entry, answer)
        self.answers[name] = answer
        self.entries[name] = entry


def revision(release: Json, values: Json, request: Json) -> Json:
    """The envelope that tells a release of its new commit."""
    address = {"release_id": release["uuid"]}
    source = request["source_system"]
    parts = [values["source_ref"], release["source_ref"], request["run"]]
    return {
        "schema_version": "v1.0",
        "idempotency_key": envelopes.key(source, address, "revision", parts),
        "event_type": "revision",
        "source_system": source,
        **address,
        "payload": {"source_ref": values["source_ref"], "authors": values["authors"]},
        "emitted_at": request["emitted_at"],
    }


_RANK = ("accepted", "duplicate", "pending", "error", "rejected")


def _worst(answers: list[Json]) -> Json:
    """One answer for the events of a report: the worst of them, with the others."""
    rank = {status: number for number, status in enumerate(_RANK)}
    worst = max(answers, key=lambda answer: rank.get(answer["status"], len(_RANK)))
    return {**worst, "answers": answers}


def pauses(first: float, longest: float) -> Iterator[float]:
    """Seconds to wait before each further try, growing, a little different for each."""
    pause = first
    while True:
        yield min(pause, longest) * random.uniform(0.75, 1.25)
        pause *= 1.6
