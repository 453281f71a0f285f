"""The ingest contract in words, from the very readers and tables that hold it.

A reader that nobody described is an error, so that the contract and what is published
of it cannot part.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from . import answers, envelope, fields
from .authority import ROLES
from .kinds import ANY_GATE, CORE, RELEASE, Kinds

#: What the readers without parts of their own take.
_WORDS = {
    fields.string: "text",
    fields.text: f"text of at most {fields.MAX_TEXT} characters",
    fields.name: f"a name of at most {fields.MAX_NAME} characters: letters, digits, "
    "spaces and _ . : / -",
    fields.code: "a lower-case code",
    fields.gate_code: "the code of a gate",
    fields.project: "`owner/name`",
    fields.external_id: f"one line of at most {fields.MAX_NAME} characters",
    fields.boolean: "true or false",
    fields.commit: "a full commit SHA",
    fields.sha256: "a SHA-256 in hexadecimal digits",
    fields.url: "an http(s) address without credentials",
    fields.reference: "an http(s) address, a path or a digest",
    fields.email: "an e-mail address",
    fields.moment: "ISO 8601 with an offset",
    fields.idempotency_key: f"1 to {fields.MAX_KEY} visible characters, of the form "
    "`<source_system>/<release>/<event_type>/<sequence or hash>`",
    fields.filename: "a bare file name",
    fields.content: "strict base64 of at most "
    f"{fields.MAX_CONTENT_BYTES // 1024 // 1024} MiB",
    fields.release_id: "a uuid, a database id, or an object with `project` and `name`",
    fields.authors: f"a list of 1 to {fields.MAX_AUTHORS} e-mail addresses",
    fields.metadata: "an object of at most "
    f"{fields.MAX_METADATA_BYTES // 1024} KiB as JSON",
}

#: What each answer means. The keys are those of the table of answers.
_ANSWERS = {
    "missing_field": "a required field is not there; the field is named",
    "invalid_field": "a field cannot be read, or names what there is not; it is named",
    "identity_in_payload": "a sign-off names an approver: that is always the sender",
    "sha256_mismatch": "the content has another SHA-256 than was said",
    "not_json": "the body, or the line, is no JSON",
    "bad_request": "the request cannot be read",
    "unauthorized": "no API key, or one that is not good; a webhook's signature is not",
    "forbidden": "the sender may not send this type of event, or not for this gate",
    "not_found": "there is nothing at this address",
    "method_not_allowed": "the address takes another method; `Allow` names it",
    "idempotency_conflict": "the key was used for another payload",
    "release_closed": "the release is closed and takes no new revision",
    "unknown_release": "no release, or none the sender may know of, has this address",
    "too_large": "more than is taken; nothing of it was read",
    "unsupported_media_type": "the content type is not taken here",
    "unsupported_schema_version": "the schema version is not known",
    "rate_limited": "too many requests with this key; `Retry-After` says when",
}
_OUTCOMES = (
    (answers.accepted(1), "taken for the first time, also as history (`stale`)"),
    (answers.duplicate(2, 1), "the same key and payload again; the first result"),
    (answers.pending(1), "a known project, and a commit that no release has yet"),
    (answers.error(1), "our fault; it is kept and can be processed again"),
)


def words_of(reader: Any) -> str:
    """What a reader takes, in words.

    :raises KeyError: for a reader nobody described
    """
    try:
        return _WORDS[reader]
    except KeyError:
        if hasattr(reader, "words"):
            return "one of " + ", ".join(f"`{word}`" for word in reader.words)
        if hasattr(reader, "item"):
            most = f"a list of at most {reader.most}: each "
            return most + words_of(reader.item)
        if hasattr(reader, "required"):
            return "an object with " + ", ".join(
                [f"`{name}`" for name in reader.required]
                + [f"`{name}`?" for name in reader.optional]
            )
        if hasattr(reader, "types"):
            kinds = {dict: "an object", list: "a list"}
            return " or ".join(kinds[each] for each in reader.types)
        if hasattr(reader, "limit"):
            return f"one line of at most {reader.limit} characters"
        raise


def envelope_rows(kinds: Kinds = CORE) -> Iterator[tuple[str, bool, str]]:
    """The fields of the envelope: name, whether it must be there, what it takes."""
    taken = {**envelope.REQUIRED, **envelope.OPTIONAL}
    for name, reader in taken.items():
        if name == "schema_version":
            words = " or ".join(
                f"`{word}`" for word in sorted(envelope.SCHEMA_VERSIONS)
            )
        elif name == "event_type":
            words = "one of " + ", ".join(f"`{word}`" for word in kinds)
        elif name == "payload":
            words = "an object, by the type of the event"
        else:
            words = words_of(reader)
        yield name, name in envelope.REQUIRED, words


def payload_rows(kinds: Kinds = CORE) -> Iterator[tuple[str, str, bool, str]]:
    """The fields of every payload: event type, name, whether required, what it takes.

    ``source_ref`` is required unless the envelope has it, or the event speaks of no
    revision.
    """
    for event_type, kind in kinds.items():
        reader = kind.read
        for name, inner in {**reader.required, **reader.optional}.items():
            required = name in reader.required
            if name == "source_ref":
                required = kind.subject != RELEASE
            yield event_type, name, required, words_of(inner)


def sender_rows(kinds: Kinds = CORE) -> Iterator[tuple[str, list[tuple[str, bool]]]]:
    """Who may send each kind of event.

    Yields its code, and each role with whether it may name any gate.
    """
    for code, kind in kinds.items():
        senders = kind.senders
        if senders is None:
            senders = dict.fromkeys(ROLES, ANY_GATE)
        yield code, [(role, senders[role] is ANY_GATE) for role in sorted(senders)]


def answer_rows() -> Iterator[tuple[str, int, str, str]]:
    """The answers: status, HTTP status, code (of refusals), what it means."""
    if _ANSWERS.keys() != answers.HTTP_STATUS.keys():
        raise KeyError(sorted(_ANSWERS.keys() ^ answers.HTTP_STATUS.keys()))
    for answer, meaning in _OUTCOMES:
        code = answer["detail"].get("code", "")
        yield answer["status"], answer["http_status"], code, meaning
    for code, http_status in answers.HTTP_STATUS.items():
        yield "rejected", http_status, code, _ANSWERS[code]
