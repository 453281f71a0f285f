"""Find what was changed in a chain after it was written."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .chain import GENESIS, Entry, entry_canonical, entry_hash

_TYPES = {"sequence": int, "body": dict}
_FIELDS: dict[str, type] = {
    field.name: _TYPES.get(field.name, str) for field in dataclasses.fields(Entry)
}
_CONTENT = tuple(name for name in _FIELDS if name not in ("previous_hash", "hash"))
# Tracing altered rows back is quadratic in their number; they stay "changed" where it
# would take more hashes than this, or reach further into a gap.
_MAX_TRACED = 50_000
_MAX_GAP = 200


class Malformed(ValueError):
    """A row that cannot be read as an entry; the message continues "Row 4 ..."."""


@dataclass(frozen=True)
class Fault:
    """One thing wrong with a chain.

    ``code`` is ``changed`` (content or hash altered), ``moved`` (content intact, but
    it was written at another place), ``missing``, ``duplicate``, ``broken_link``
    (intact, but follows another row than the one before it), ``foreign`` (of another
    chain), ``head`` (the chain ends elsewhere than its head says) or ``malformed``.
    ``sequence`` is the row's, the first one's of missing rows, None if unreadable.
    """

    code: str
    sequence: int | None
    message: str


def as_entry(row: Entry | Mapping[str, Any]) -> Entry:
    """Return *row*, an :class:`Entry` or a mapping with its fields, as an entry.

    :raise Malformed: a field is missing or of a wrong type.
    """
    if isinstance(row, Entry):
        row = vars(row)
    if not isinstance(row, Mapping):
        raise Malformed("is not an entry")
    for name, kind in _FIELDS.items():
        value = row.get(name)
        if not isinstance(value, kind) or isinstance(value, bool):
            raise Malformed(f"has no proper {name}")
    if row["sequence"] < 1:
        raise Malformed("has a sequence below 1")
    return Entry(**{name: row[name] for name in _FIELDS})


def verify(
    rows: Iterable[Entry | Mapping[str, Any]], head: tuple[int, str] | None = None
) -> list[Fault]:
    """Return what is wrong with one whole chain; an empty list when it is sound.

    Without *head*, rows cut off the end leave no trace; who holds a copy of the head
    (the release row, a signed pack) also notices a chain rewritten from some row on.

    :param rows: every row of the chain, in any order: :class:`Entry` or mappings.
    :param head: ``(sequence, hash)`` of the last row, ``(0, GENESIS)`` for none.
    :return: list of :class:`Fault` by sequence.
    """
    found, unreadable, faults = _read(rows)
    chain = _common_chain(found)
    previous: str | None = GENESIS
    expected = 1
    altered: list[Entry] = []
    gaps: set[int] = set()
    for sequence in sorted(found.keys() | unreadable):
        if sequence > expected:
            faults.append(_missing(expected, sequence - 1))
            gaps.update(range(expected, min(sequence, expected + _MAX_GAP)))
            previous = None
        expected = sequence + 1
        if sequence not in found:
            previous = None
            continue
        entry = _choose(found[sequence], previous)
        if len(found[sequence]) > 1:
            message = f"Row {sequence} is there {len(found[sequence])} times."
            faults.append(Fault("duplicate", sequence, message))
        if entry.chain != chain:
            message = f"Row {sequence} says it is of chain {entry.chain}, not {chain}."
            faults.append(Fault("foreign", sequence, message))
        if not _intact(entry):
            altered.append(entry)
            # What follows an altered row proves nothing more.
            previous = None
        else:
            if previous not in (None, entry.previous_hash):
                faults.append(_broken_link(sequence))
            previous = entry.hash
    faults += _altered(altered, gaps)
    if head is not None:
        faults += _head_faults(head, expected - 1, previous)
    return sorted(faults, key=lambda fault: (fault.sequence or 0, fault.code))


def _read(
    rows: Iterable[Entry | Mapping[str, Any]],
) -> tuple[dict[int, list[Entry]], set[int], list[Fault]]:
    """Return entries by sequence, the sequences of unreadable rows, and faults."""
    found: dict[int, list[Entry]] = {}
    unreadable: set[int] = set()
    faults: list[Fault] = []
    for row in rows:
        try:
            entry = as_entry(row)
        except Malformed as error:
            sequence = row.get("sequence") if isinstance(row, Mapping) else None
            if not isinstance(sequence, int) or isinstance(sequence, bool):
                sequence = None
            elif sequence >= 1:
                unreadable.add(sequence)
            place = "(unnumbered)" if sequence is None else sequence
            faults.append(Fault("malformed", sequence, f"Row {place} {error}."))
            continue
        found.setdefault(entry.sequence, []).append(entry)
    return found, unreadable, faults


def _common_chain(found: Mapping[int, list[Entry]]) -> str | None:
    """Return the chain that most rows name, so that the odd one out gets the blame."""
    names = Counter(entry.chain for entries in found.values() for entry in entries)
    return max(sorted(names), key=lambda name: names[name], default=None)


def _choose(entries: list[Entry], previous: str | None) -> Entry:
    """Return which of several rows of one sequence is most likely the true one."""
    return max(entries, key=lambda e: (_intact(e), e.previous_hash == previous))


def _intact(entry: Entry, **changes: Any) -> bool:
    """Return whether the entry's hash covers its content, with *changes* made."""
    content = {name: getattr(entry, name) for name in _CONTENT} | changes
    try:
        return entry_hash(entry.previous_hash, entry_canonical(**content)) == entry.hash
    except (TypeError, ValueError):
        return False


def _altered(entries: list[Entry], gaps: set[int]) -> Iterator[Fault]:
    """Tell rows that were moved from rows that were changed."""
    places = {entry.sequence for entry in entries} | gaps
    if len(entries) * len(places) > _MAX_TRACED:
        places = set()
    for entry in entries:
        origin = next((at for at in places if _intact(entry, sequence=at)), None)
        if origin is None:
            message = f"Row {entry.sequence} was changed after it was written."
            yield Fault("changed", entry.sequence, message)
        else:
            message = f"Row {entry.sequence} was written as row {origin}."
            yield Fault("moved", entry.sequence, message)


def _missing(first: int, last: int) -> Fault:
    rows = f"Row {first} is" if first == last else f"Rows {first} to {last} are"
    return Fault("missing", first, f"{rows} missing.")


def _broken_link(sequence: int) -> Fault:
    message = (
        f"Row {sequence} does not follow the row {sequence - 1} that is there now;"
        " that one was put in the place of another."
        if sequence > 1
        else "Row 1 does not begin a chain; rows before it are gone."
    )
    return Fault("broken_link", sequence, message)


def _head_faults(
    head: tuple[int, str], last: int, last_hash: str | None
) -> Iterator[Fault]:
    sequence, head_hash = head
    if sequence > last:
        yield _missing(last + 1, sequence)
    elif sequence < last:
        message = f"The head is at row {sequence}, but there are rows up to {last}."
        yield Fault("head", last, message)
    elif last_hash is not None and last_hash != head_hash:
        message = f"Row {last} is not the one that the head names."
        yield Fault("head", last, message)
