"""Entries of the ledger, and how each is chained to the one before.

There is one chain per release, and one for governance. The first entry of a chain has
sequence 1 and follows ``GENESIS``; a hash is ``v1:`` and the SHA-256 of the previous
hash followed by the canonical text of the entry. A change of the format changes the
version: it becomes ``v2``.

What the body of each kind holds is stated in :mod:`.kinds`. A body may have further
keys, which are hashed like the others.
"""

from __future__ import annotations

import datetime
import hashlib
import re
from collections.abc import Container, Iterable
from dataclasses import dataclass
from typing import Any

from .canonical import canonical_json

VERSION = "v1"
GENESIS = f"{VERSION}:{'0' * 64}"

_HASH = re.compile(rf"{VERSION}:[0-9a-f]{{64}}")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z")


@dataclass(frozen=True)
class Draft:
    """An entry before it has a place in its chain.

    :param chain: uuid of the release, or ``governance``
    :param kind: code of a :class:`~.kinds.LedgerKind`
    :param actor: a user, an API key or a scheduled action
    :param occurred_at: UTC, as :func:`timestamp` writes it
    :param subject: the record the entry is about, as ``model,id``
    :param body: keys as the kind states them; JSON without floats
    """

    chain: str
    kind: str
    actor: str
    occurred_at: str
    subject: str
    body: dict[str, Any]


@dataclass(frozen=True)
class Entry:
    """A draft with its place: *sequence* from 1, *previous_hash*, *hash*."""

    chain: str
    sequence: int
    kind: str
    actor: str
    occurred_at: str
    subject: str
    body: dict[str, Any]
    previous_hash: str
    hash: str


def timestamp(moment: datetime.datetime) -> str:
    """Return *moment* as the ledger writes time: ``2026-01-31T09:30:00.000000Z``.

    :param datetime moment: aware, or naive and then in UTC, as Odoo keeps it.
    """
    if moment.tzinfo is not None:
        moment = moment.astimezone(datetime.timezone.utc).replace(tzinfo=None)
    return f"{moment.isoformat(timespec='microseconds')}Z"


def entry_canonical(
    *,
    chain: str,
    sequence: int,
    kind: str,
    actor: str,
    occurred_at: str,
    subject: str,
    body: dict[str, Any],
) -> str:
    """Return the text of an entry that its hash covers.

    :raise TypeError, ValueError: for a body that has no canonical form.
    """
    return canonical_json(
        {
            "chain": chain,
            "sequence": sequence,
            "kind": kind,
            "actor": actor,
            "occurred_at": occurred_at,
            "subject": subject,
            "body": body,
        }
    ).decode()


def entry_hash(previous: str, canonical: str) -> str:
    """Return the hash of an entry from the previous one's and its canonical text.

    *previous* has a fixed length, so where it ends is never in doubt.

    :raise ValueError: *previous* is not a hash of this version.
    """
    if not (isinstance(previous, str) and _HASH.fullmatch(previous)):
        raise ValueError(f"not a {VERSION} hash: {previous!r}")
    digest = hashlib.sha256((previous + canonical).encode()).hexdigest()
    return f"{VERSION}:{digest}"


def extend(
    head_sequence: int, head_hash: str, drafts: Iterable[Draft], kinds: Container[str]
) -> list[Entry]:
    """Return the entries that put *drafts*, in order, at the end of a chain.

    The new head is the last entry's sequence and hash.

    :param head_sequence: sequence of the last entry, 0 for a new chain
    :param head_hash: hash of the last entry, ``GENESIS`` for a new chain
    :param drafts: drafts of one chain; may be empty
    :param kinds: codes of the kinds that may be appended
    :raise ValueError: a head that cannot be, drafts of two chains, an unknown kind,
        a time in another form, text that cannot be stored
    :raise TypeError: a field or part of a body of a wrong type
    """
    if (head_sequence == 0) != (head_hash == GENESIS) or head_sequence < 0:
        raise ValueError(f"no chain has the head {head_sequence}, {head_hash!r}")
    drafts = list(drafts)
    entries: list[Entry] = []
    if len({draft.chain for draft in drafts}) > 1:
        raise ValueError("the drafts belong to more than one chain")
    for sequence, draft in enumerate(drafts, start=head_sequence + 1):
        _check_draft(draft, kinds)
        fields = {**vars(draft), "sequence": sequence}
        new_hash = entry_hash(head_hash, entry_canonical(**fields))
        entries.append(Entry(**fields, previous_hash=head_hash, hash=new_hash))
        head_hash = new_hash
    return entries


def _check_draft(draft: Draft, kinds: Container[str]) -> None:
    for field in ("chain", "kind", "actor", "occurred_at", "subject"):
        if not isinstance(getattr(draft, field), str):
            raise TypeError(f"{field} must be text")
    if not isinstance(draft.body, dict):
        raise TypeError("body must be a dict")
    if draft.kind not in kinds:
        raise ValueError(f"unknown kind of entry: {draft.kind!r}")
    if not _TIME.fullmatch(draft.occurred_at):
        raise ValueError(f"not a time as the ledger writes it: {draft.occurred_at!r}")
