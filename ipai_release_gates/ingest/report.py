"""The result of an uploaded file of any format; the refusal of an unreadable one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from . import fields
from .errors import Rejected

MAX_SHOWN = 128
_GZIP, _ZIP = b"\x1f\x8b", b"PK\x03\x04"


def unreadable(message: str, code: str = "invalid_field") -> Rejected:
    """The refusal of a report that cannot be read.

    :param str message: what is wrong with it, a sentence.
    :param str code: ``too_large`` or ``invalid_field``.
    :return: :class:`Rejected`
    """
    return Rejected(code, message)


@dataclass(frozen=True)
class Report:
    """The result of a report as a check has it.

    :param str status: of the check: ``pass``, ``fail``, ``warning`` or ``skipped``
    :param dict metadata: counts, and who made it; small
    :param str evidence_type: what kind of evidence the file is
    """

    status: str
    metadata: dict[str, Any]
    evidence_type: str


def bounded(data: bytes, max_bytes: int) -> None:
    """Refuse what is not bytes, is too much, or was compressed.

    :raise TypeError: *data* is not bytes
    :raise Rejected: it has more than *max_bytes*, or is an archive
    """
    if not isinstance(data, bytes):
        raise TypeError(f"data must be bytes, not {type(data).__name__}")
    if len(data) > max_bytes:
        message = f"The report has {len(data)} bytes; at most {max_bytes} are read."
        raise unreadable(message, "too_large")
    if data.startswith((_GZIP, _ZIP)):
        raise unreadable("The report is compressed: send it as the tool wrote it.")


class Document:
    """A JSON report, read by path; every fault names where it is."""

    def __init__(self, value: Any, at: Iterable[Any] = ()) -> None:
        self.value = value
        self.at = tuple(at)

    def fault(self, message: str) -> Rejected:
        """The :class:`Rejected` about this value."""
        return unreadable(f"{fields.path_of(self.at) or 'The report'}: {message}")

    def get(self, key: str, kind: type) -> Document | None:
        """The value below a key, a :class:`Document`; None if absent or null.

        :param type kind: ``dict``, ``list``, ``str``, ``int`` or ``bool``
        :raise Rejected: when it is of another kind
        """
        value = self.value.get(key)
        if value is None:
            return None
        return Document(value, (*self.at, key)).of(kind)

    def plain(self, key: str, kind: type, default: Any = None) -> Any:
        """The bare value below a key, as in :meth:`get`."""
        found = self.get(key, kind)
        return default if found is None else found.value

    def each(self, key: str, kind: type = dict) -> Iterator[Document]:
        """The items of the list below a key, none if it is absent."""
        found = self.get(key, list)
        if found is None:
            return
        for position, item in enumerate(found.value):
            yield Document(item, (*found.at, position)).of(kind)

    def of(self, kind: type) -> Document:
        """This, if it is of a kind.

        :raise Rejected: when it is not
        """
        right = isinstance(self.value, kind)
        if not right or (kind is int and isinstance(self.value, bool)):
            wanted = "a whole number" if kind is int else fields.kind_of(kind())
            raise self.fault(f"Must be {wanted}, not {fields.kind_of(self.value)}.")
        return self


def shown(text: str | None) -> str | None:
    """Foreign text as metadata can hold it: printable, short."""
    if text is None:
        return None
    text = "".join(char if char.isprintable() else " " for char in text[:1000])
    return text.encode("utf-8", "replace").decode().strip()[:MAX_SHOWN] or None
