"""Reading a foreign payload: each value by its path, each fault by its name."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import Any, TypeVar, overload

from .. import fields
from ..fields import Invalid
from . import AdapterError

_DELIVERY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:\-]{0,99}")
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_.:/ \-]+")
# How GitLab and Ruby write times: 2016-08-12 15:26:29 UTC, 2021-04-28 21:50:00 +0200
_RUBY_MOMENT = re.compile(r"([0-9-]{10} [0-9:]{8}) (?:(UTC)|([+-][0-9]{4}))")
_MAX_SHOWN = 255

#: Checks that the policy itself asks for by name. What a job is called decides who
#: may speak for them: only what an adapter knows to be the build or a health check.
RESERVED_CHECKS = frozenset({"build", "health_check"})


T = TypeVar("T")
#: What an adapter makes of a payload: envelopes, or the reason why there are none.
Found = list[dict[str, Any]] | str


class Payload:
    """A webhook's payload, read by dotted paths.

    :param value: what the transport decoded
    :raise AdapterError: when it is no object
    """

    def __init__(self, value: object) -> None:
        if not isinstance(value, dict):
            kind = fields.kind_of(value)
            raise AdapterError("payload", f"Must be an object, not {kind}.")
        self._value: dict[Any, Any] = value

    @overload
    def get(self, path: str) -> str | None: ...

    @overload
    def get(self, path: str, reader: Callable[[Any], T]) -> T | None: ...

    def get(self, path: str, reader: Callable[[Any], Any] = fields.string) -> Any:
        """The value at a path as the reader gives it; None if absent or null.

        :param str path: keys, and positions in lists: ``builds.0.name``
        :raise AdapterError: when it, or what it lies in, is of another kind
        """
        value: Any = self._value
        walked: list[Any] = []
        for step in path.split("."):
            if isinstance(value, list) and step.isdecimal():
                walked.append(int(step))
                value = value[int(step)]
                continue
            if value is None:
                return None
            if not isinstance(value, dict):
                kind = fields.kind_of(value)
                at = fields.path_of(walked)
                raise AdapterError(at, f"Must be an object, not {kind}.")
            walked.append(step)
            value = value.get(step)
        if value is None:
            return None
        try:
            return reader(value)
        except Invalid as error:
            inner, message, _code = error.problems[0]
            raise AdapterError(fields.path_of((*walked, *inner)), message) from None

    @overload
    def must(self, path: str) -> str: ...

    @overload
    def must(self, path: str, reader: Callable[[Any], T]) -> T: ...

    def must(self, path: str, reader: Callable[[Any], Any] = fields.string) -> Any:
        """The value at a path; it must be there.

        :raise AdapterError: when it is not, or not of its kind
        """
        value = self.get(path, reader)
        if value is None:
            raise AdapterError(_shown(path), "This field is required.")
        return value

    def known(self, path: str, reader: Callable[[Any], T]) -> T | None:
        """The value at a path if it is there and well formed, else None.

        Only for what decides nothing.
        """
        try:
            return self.get(path, reader)
        except AdapterError:
            return None


def _shown(path: str) -> str:
    steps = path.split(".")
    return fields.path_of(int(s) if s.isdecimal() else s for s in steps)


def text(value: object) -> str:
    """Read text to be looked up in a table or shown: cut, not refused."""
    return fields.string(value)[:_MAX_SHOWN]


def number(value: object) -> int:
    """Read a database id of the sender."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 2**63:
        raise Invalid(f"Must be a whole number above 0, not {fields.show(value)}.")
    return value


def moment(value: object) -> str:
    """Read a time; return it in ISO 8601, as an envelope takes it."""
    value = fields.string(value)
    ruby = _RUBY_MOMENT.fullmatch(value)
    if ruby:
        value = f"{ruby[1]}{'Z' if ruby[2] else ruby[3]}"
    return fields.moment(value).isoformat()


def check_name(raw: str, prefix: str = "") -> str:
    """Return the name of a check for the name that its sender uses.

    Names of checks are narrower than those of jobs. Two jobs must never share a
    check, or the one that passes hides the one that fails: a name that had to be
    changed carries a part of the original's digest.

    :param str raw: ``test (3.11)``
    :param str prefix: ``workflow/``
    :return: ``test 3.11:55ad4e2f``
    """
    whole = f"{prefix}{raw}"
    name = " ".join(_NOT_IN_NAMES.sub(" ", whole).split())
    if whole == name and 0 < len(name) <= fields.MAX_NAME:
        return name
    digest = hashlib.sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{name[: fields.MAX_NAME - 9].strip()}:{digest}"


def metadata(**values: Any) -> dict[str, Any]:
    """Metadata of a check: what is known, short."""
    return {key: value for key, value in values.items() if value is not None}


class Writer:
    """Writes the envelopes of one delivery.

    :param str system: the envelope's source system
    :param str delivery: the id under which the sender repeats this delivery
    :param str project: ``owner/name``
    :raise AdapterError: for an id that no key could hold
    """

    def __init__(self, system: str, delivery: object, project: str) -> None:
        if not isinstance(delivery, str) or not _DELIVERY.fullmatch(delivery):
            message = f"Must be the delivery's id, not {fields.show(delivery)}."
            raise AdapterError("delivery", message)
        self._system, self._delivery, self._project = system, delivery, project

    def envelope(
        self, event_type: str, source_ref: str, emitted_at: str, payload: dict[str, Any]
    ) -> dict[str, Any]:
        """One envelope, addressed by project and commit.

        :param str emitted_at: by the sender's clock
        """
        project = self._project
        key = f"{self._system}/{project}/{event_type}/{self._delivery}"
        if len(key) > fields.MAX_KEY:
            digest = hashlib.sha256(project.encode()).hexdigest()
            key = f"{self._system}/{digest}/{event_type}/{self._delivery}"
        return {
            "schema_version": "v1.0",
            "idempotency_key": key,
            "event_type": event_type,
            "source_system": self._system,
            "project": project,
            "source_ref": source_ref,
            "payload": {key: v for key, v in payload.items() if v is not None},
            "emitted_at": emitted_at,
        }
