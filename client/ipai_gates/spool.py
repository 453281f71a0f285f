"""The spool: what is to be sent lies on disk first, and leaves it when answered.

A folder per server below the spool's folder::

    queue/      what waits, one file each; their names sort in the order of sending
    answers/    answers for a process whose event another process delivered
    refused/    what the server refused, with its answer
    corrupt/    files that cannot be read any more
    order.lock, delivery.lock

Files are written under another name, synced and renamed, so each is whole or not
there. ``order.lock`` is held while a file gets its place, ``delivery.lock`` by the one
process that sends; the kernel drops the lock of a process however it ends. Nothing here
holds the API key.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import time
import uuid
from collections.abc import Iterator

from .problems import UsageProblem
from .shapes import Json

FORMAT = 1
#: Seconds after which nobody comes back for an answer.
_FORGOTTEN = 3600
_STEP = 0.05


class Busy(Exception):
    """Another process is still sending."""


class Spool:
    """The spool of one server.

    :param folder: the spool's folder
    :param server: what tells this server from others
    :raises UsageProblem: when nothing can be written there
    """

    def __init__(self, folder: str, server: str) -> None:
        self.folder = os.path.join(
            folder, hashlib.sha256(server.encode()).hexdigest()[:16]
        )
        # Not the process id: containers that share a spool have the same ones.
        self._me = uuid.uuid4().hex
        self.queue, self.answers, self.refused, self.corrupt = (
            os.path.join(self.folder, name)
            for name in ("queue", "answers", "refused", "corrupt")
        )
        try:
            for path in (folder, self.folder):
                os.makedirs(path, mode=0o700, exist_ok=True)
            for path in (self.queue, self.answers, self.refused, self.corrupt):
                os.makedirs(path, mode=0o700, exist_ok=True)
            with self._lock("order", time.monotonic() + 30):
                self._clear_fragments()
        except (OSError, Busy) as error:
            raise UsageProblem(
                f"The spool {folder} cannot be used ({error}): name a folder that can "
                "be written by --spool or IPAI_GATES_SPOOL."
            ) from None

    # --- putting in ------------------------------------------------------------------

    def add(self, kind: str, key: str, request: Json) -> str:
        """Put one request at the end of the queue.

        It is on disk when this returns.

        :param kind: ``event``, ``release`` or ``report``
        :param key: its idempotency key, or what it is called
        :param request: what is sent, as JSON can carry it
        :returns: its name in the queue
        """
        entry = {
            "format": FORMAT,
            "kind": kind,
            "key": key,
            "owner": self._me,
            "spooled_at": time.time(),
            "request": request,
            "sha256": _digest(request),
        }
        with self._lock("order", time.monotonic() + 60):
            name = self._next_name(key)
            self._write(self.queue, name, entry)
        return name

    def _next_name(self, key: str) -> str:
        last = max((int(name.split("-")[0]) for name in self.names()), default=0)
        number = max(last + 1, time.time_ns())
        return f"{number:020d}-{hashlib.sha256(key.encode()).hexdigest()[:12]}.json"

    def _write(self, folder: str, name: str, value: Json) -> None:
        path = os.path.join(folder, name)
        temporary = f"{path}.tmp"
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
        handle = os.open(temporary, flags, 0o600)
        with open(handle, "w", encoding="utf-8") as output:
            json.dump(value, output)
            output.flush()
            os.fsync(output.fileno())
        os.replace(temporary, path)
        _sync(folder)

    def _clear_fragments(self) -> None:
        """Remove what a killed process began to write; called with the lock held."""
        for name in os.listdir(self.queue):
            if name.endswith(".tmp"):
                os.unlink(os.path.join(self.queue, name))

    # --- looking ---------------------------------------------------------------------

    def names(self) -> list[str]:
        """The names in the queue, in the order of sending."""
        return sorted(
            name
            for name in os.listdir(self.queue)
            if name.endswith(".json") and name.split("-")[0].isdigit()
        )

    def read(self, name: str) -> Json | None:
        """The entry of that name.

        One that cannot be read is set aside.

        :returns: ``None`` when it is gone or was set aside
        """
        path = os.path.join(self.queue, name)
        try:
            with open(path, encoding="utf-8") as handle:
                entry: Json = json.load(handle)
            sound = (
                entry["format"] == FORMAT
                and entry["kind"] in ("event", "release", "report")
                and entry["sha256"] == _digest(entry["request"])
            )
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError):
            sound = False
        if sound:
            return entry
        with contextlib.suppress(FileNotFoundError):
            os.replace(path, os.path.join(self.corrupt, name))
            _sync(self.corrupt)
        return None

    def refusals(self) -> Iterator[tuple[str, Json]]:
        """What was refused and lies aside: ``(name, entry)``, oldest first."""
        for name in sorted(os.listdir(self.refused)):
            try:
                with open(os.path.join(self.refused, name), encoding="utf-8") as file:
                    entry = json.load(file)
            except (OSError, ValueError):
                continue
            yield name, entry

    def corrupted(self) -> list[str]:
        """The paths of the files that were set aside as unreadable."""
        return [
            os.path.join(self.corrupt, name)
            for name in sorted(os.listdir(self.corrupt))
        ]

    # --- taking out ------------------------------------------------------------------

    @contextlib.contextmanager
    def delivering(self, deadline: float) -> Iterator[None]:
        """Be the one that sends, for the length of the block.

        :param deadline: on the monotonic clock
        :raises Busy: when another one still is by then
        """
        with self._lock("delivery", deadline):
            yield

    def settle(self, name: str, entry: Json, answer: Json) -> None:
        """Take an answered entry out of the queue.

        A refused one is set aside with its answer. The answer is kept for the process
        that put the entry in, unless that is this one.
        """
        if answer["status"] == "rejected":
            self._write(self.refused, name, {**entry, "answer": answer})
        if entry["owner"] != self._me:
            self._write(self.answers, name, answer)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(self.queue, name))
        self._forget_answers()

    def take_answer(self, name: str) -> Json | None:
        """The answer that another process got for an entry of ours, or ``None``."""
        path = os.path.join(self.answers, name)
        try:
            with open(path, encoding="utf-8") as handle:
                answer: Json = json.load(handle)
        except (OSError, ValueError):
            return None
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        return answer

    def again(self) -> int:
        """Put what was refused back into the queue, at its end; how many."""
        count = 0
        for name, entry in list(self.refusals()):
            self.add(entry["kind"], entry["key"], entry["request"])
            os.unlink(os.path.join(self.refused, name))
            count += 1
        return count

    def _forget_answers(self) -> None:
        for name in os.listdir(self.answers):
            path = os.path.join(self.answers, name)
            with contextlib.suppress(FileNotFoundError):
                if time.time() - os.stat(path).st_mtime > _FORGOTTEN:
                    os.unlink(path)

    # --- locks -----------------------------------------------------------------------

    @contextlib.contextmanager
    def _lock(self, name: str, deadline: float) -> Iterator[None]:
        path = os.path.join(self.folder, f"{name}.lock")
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            while True:
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() >= deadline:
                        raise Busy from None
                    # A lock with a time limit is not to be had otherwise.
                    time.sleep(_STEP)
            yield
        finally:
            os.close(handle)


def _digest(request: Json) -> str:
    return hashlib.sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()


def _sync(folder: str) -> None:
    """Have the names in a folder on disk too."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
