"""Entries of the ledger and how each is chained to the one before.

One chain per release, and one for governance. The first entry of a chain has
sequence 1 and follows ``GENESIS``; a hash is ``v1:`` and the SHA-256 of the previous
hash followed by the canonical text of the entry. The format and its version go
together: a change of either is ``v2``.

What the body of each kind holds (further keys are allowed, and hashed like the
rest):

============================  ====================================================
kind                          body
============================  ====================================================
``release_opened``            project, name, source_ref, authors, stage
``revision_changed``          from, to, authors; stage, if it was pulled back to one
``check``                     name, status, source_ref, gate, source_system, stale
``evidence``                  type, source_ref, gate, sha256, url, stale
``approval``                  gate, persona, decision, source_ref, stale,
                              rationale_sha256, exception
``exception_requested``       exception, state, type, risk, gates, expires_at
``exception_approved``        exception, state
``exception_rejected``        exception, state, reason
``exception_expired``         exception, state
``exception_revoked``         exception, state, reason
``exception_closed``          exception, state, reason
``exception_reviewed``        exception, state, findings
``exception_review_overdue``  exception, state
``gate_resolved``             gate, status, from, source_ref; cause, if it failed
``gate_reopened``             gate, from, status, source_ref, cause
``move_allowed``              from, to, reason, source_ref
``move_refused``              from, to, unmet (list of text)
``signoff_refused``           gate, persona, reason
``deployment``                environment, status, external_id, source_ref
``deployment_refused``        environment, source_ref, unmet (list of text)
``rollback``                  environment, external_id, rollback_of, source_ref
``incident``                  external_id, severity, status
``policy_changed``            what, before (null: created), after (null: deleted)
``role_changed``              user, added, removed
============================  ====================================================
"""

import datetime
import hashlib
import re
from dataclasses import dataclass

from .canonical import canonical_json

VERSION = "v1"
GENESIS = f"{VERSION}:{'0' * 64}"

KINDS = (
    "release_opened",
    "revision_changed",
    "check",
    "evidence",
    "approval",
    "exception_requested",
    "exception_approved",
    "exception_rejected",
    "exception_expired",
    "exception_revoked",
    "exception_closed",
    "exception_reviewed",
    "exception_review_overdue",
    "gate_resolved",
    "gate_reopened",
    "move_allowed",
    "move_refused",
    "signoff_refused",
    "deployment",
    "deployment_refused",
    "rollback",
    "incident",
    "policy_changed",
    "role_changed",
)

_HASH = re.compile(rf"{VERSION}:[0-9a-f]{{64}}")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z")


@dataclass(frozen=True)
class Draft:
    """What is to be recorded, before it has a place in its chain.

    :param str chain: which chain: the release's uuid, or ``governance``.
    :param str kind: one of ``KINDS``.
    :param str actor: who: a user, an API key, a scheduled action.
    :param str occurred_at: UTC, as :func:`timestamp` writes it.
    :param str subject: the record it is about, as ``model,id``.
    :param dict body: by the table above; JSON without floats.
    """

    chain: str
    kind: str
    actor: str
    occurred_at: str
    subject: str
    body: dict


@dataclass(frozen=True)
class Entry:
    """A draft with its place: *sequence* from 1, *previous_hash*, *hash*."""

    chain: str
    sequence: int
    kind: str
    actor: str
    occurred_at: str
    subject: str
    body: dict
    previous_hash: str
    hash: str


def timestamp(moment):
    """Return *moment* as the ledger writes time: ``2026-01-31T09:30:00.000000Z``.

    :param datetime moment: aware, or naive and then in UTC, as Odoo keeps it.
    """
    if moment.tzinfo is not None:
        moment = moment.astimezone(datetime.timezone.utc).replace(tzinfo=None)
    return f"{moment.isoformat(timespec='microseconds')}Z"


def entry_canonical(*, chain, sequence, kind, actor, occurred_at, subject, body):
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


def entry_hash(previous, canonical):
    """Return the hash of an entry from the previous one's and its canonical text.

    *previous* has a fixed length, so where it ends is never in doubt.

    :raise ValueError: *previous* is not a hash of this version.
    """
    if not (isinstance(previous, str) and _HASH.fullmatch(previous)):
        raise ValueError(f"not a {VERSION} hash: {previous!r}")
    digest = hashlib.sha256((previous + canonical).encode()).hexdigest()
    return f"{VERSION}:{digest}"


def extend(head_sequence, head_hash, drafts):
    """Return the entries that put *drafts*, in order, at the end of a chain.

    The new head is the last entry's sequence and hash.

    :param int head_sequence: sequence of the last entry, 0 for a new chain.
    :param str head_hash: hash of the last entry, ``GENESIS`` for a new chain.
    :param list drafts: :class:`Draft` of one chain; may be empty.
    :return: list of :class:`Entry`.
    :raise ValueError: a head that cannot be, drafts of two chains, an unknown kind,
        a time in another form, text that cannot be stored.
    :raise TypeError: a field or part of a body of a wrong type.
    """
    if (head_sequence == 0) != (head_hash == GENESIS) or head_sequence < 0:
        raise ValueError(f"no chain has the head {head_sequence}, {head_hash!r}")
    drafts, entries = list(drafts), []
    if len({draft.chain for draft in drafts}) > 1:
        raise ValueError("the drafts belong to more than one chain")
    for sequence, draft in enumerate(drafts, start=head_sequence + 1):
        _check_draft(draft)
        fields = {**vars(draft), "sequence": sequence}
        new_hash = entry_hash(head_hash, entry_canonical(**fields))
        entries.append(Entry(**fields, previous_hash=head_hash, hash=new_hash))
        head_hash = new_hash
    return entries


def _check_draft(draft):
    for field in ("chain", "kind", "actor", "occurred_at", "subject"):
        if not isinstance(getattr(draft, field), str):
            raise TypeError(f"{field} must be text")
    if not isinstance(draft.body, dict):
        raise TypeError("body must be a dict")
    if draft.kind not in KINDS:
        raise ValueError(f"unknown kind of entry: {draft.kind!r}")
    if not _TIME.fullmatch(draft.occurred_at):
        raise ValueError(f"not a time as the ledger writes it: {draft.occurred_at!r}")
