"""Readers of untrusted values, and the combinators that make records of them.

A reader is a function ``value -> normalised value`` that raises :class:`Invalid`.
What the combinators build carries what it takes as attributes, for ``describe``.
It is never given ``None``: a record treats ``None`` as an absent field. Every other
value of the wrong type is an error, ``False`` included (XML-RPC clients send it for
a missing value, but a fact whose value was lost must not pass for one that never
had it).

Lengths are in characters unless a name says bytes.
"""

import base64
import binascii
import datetime
import json
import math
import re
from urllib.parse import urlsplit
from xmlrpc.client import Binary, DateTime

MAX_NAME = 128
MAX_KEY = 255
MAX_TEXT = 10_000
MAX_URL = 2048
MAX_EMAIL = 254
MAX_AUTHORS = 100
MAX_CONTENT_BYTES = 10 * 1024 * 1024
MAX_METADATA_BYTES = 64 * 1024
MAX_METADATA_DEPTH = 20
MAX_PROBLEMS = 100
MAX_ID = 2**31 - 1

_NAME = re.compile(r"[A-Za-z0-9_.:/ \-]+")
_CODE = re.compile(r"[a-z][a-z0-9_]{0,63}")
_GATE_CODE = re.compile(r"[A-Z][A-Z0-9_]{0,15}")
_PROJECT = re.compile(r"[A-Za-z0-9_.\-]+(/[A-Za-z0-9_.\-]+)+")
_COMMIT = re.compile(r"[0-9a-fA-F]{40}|[0-9a-fA-F]{64}")
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_RECORD_ID = re.compile(r"[1-9][0-9]{0,9}")
_KEY = re.compile(r"[!-~]+")
_EMAIL = re.compile(r"[^@\s,;<>\"]+@[^@\s,;<>\"]+")
_ACTIVE_SCHEME = re.compile(r"\s*(javascript|vbscript|data|file)\s*:", re.IGNORECASE)
_MOMENT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([0-9]{2}:[0-9]{2})(:[0-9]{2})?"
    r"(?:[.,]([0-9]{1,9}))?([Zz]|[+-][0-9]{2}(?::?[0-9]{2})?)"
)

_KINDS = (
    (bool, "a boolean"),
    (int, "a number"),
    (float, "a number"),
    (str, "text"),
    ((list, tuple), "a list"),
    (dict, "an object"),
    ((bytes, bytearray), "binary data"),
    (Binary, "an XML-RPC base64 value"),
    (DateTime, "an XML-RPC dateTime value"),
    ((datetime.datetime, datetime.date), "a date object"),
    (type(None), "null"),
)


class Invalid(Exception):
    """One or more faults in a value.

    :param str message: a sentence a person can act on.
    :param tuple at: where, relative to the value read: keys and list positions.
    :param str code: the machine's word for it.

    ``problems`` holds ``(at, message, code)`` triples; :meth:`of` builds one
    exception from many.
    """

    def __init__(self, message, at=(), code="invalid_field"):
        super().__init__(message)
        self.problems = [(tuple(at), message, code)]

    @classmethod
    def of(cls, problems):
        """Return one exception that carries all *problems*, which is not empty."""
        error = cls(problems[0][1])
        error.problems = list(problems)
        return error

    def under(self, step):
        """Return the problems as seen from one level further out."""
        return [((step, *at), message, code) for at, message, code in self.problems]


def kind_of(value):
    """Return what *value* is, in words: ``"a list"``."""
    for types, words in _KINDS:
        if isinstance(value, types):
            return words
    return f"a {type(value).__name__} object"


def show(value):
    """Return *value* as short, printable ASCII for use in a message."""
    if not isinstance(value, str):
        return kind_of(value)
    return ascii(value) if len(value) <= 64 else f"{value[:64]!a}…"


def path_of(at):
    """Return the dotted path of *at*: ``payload.checks[2].status``."""
    path = ""
    for step in at:
        if isinstance(step, int) and not isinstance(step, bool):
            path += f"[{step}]"
            continue
        word = step if isinstance(step, str) else show(step)
        if not (word and word.isascii() and word.isprintable() and len(word) <= 64):
            word = show(word)
        path += f".{word}" if path else word
    return path


def described(**schema):
    """Say in JSON Schema what a reader takes, at the reader itself.

    The HTTP API is described from it. What a schema cannot say (that a date exists,
    that two fields agree) the reader still checks.
    """

    def mark(read):
        read.schema = schema
        return read

    return mark


def whole(pattern):
    """The JSON Schema pattern of a compiled one that must match a whole text."""
    return f"^(?:{pattern.pattern})$"


# -- leaf readers -------------------------------------------------------------


@described(type="string")
def string(value):
    """Read text that PostgreSQL can store: no NUL, no lone surrogate."""
    if not isinstance(value, str):
        raise Invalid(f"Must be text, not {kind_of(value)}.")
    if "\x00" in value:
        raise Invalid("Must not contain a NUL character.")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise Invalid("Must be valid Unicode (lone surrogate found).") from None
    return value


def is_uuid(value):
    """Whether *value* is the text of a uuid in its usual form."""
    return isinstance(value, str) and bool(_UUID.fullmatch(value))


@described(type="string", minLength=1, maxLength=MAX_TEXT)
def text(value):
    """Read free text of at most ``MAX_TEXT`` characters, not blank."""
    value = string(value)
    if len(value) > MAX_TEXT:
        raise Invalid(f"Must have at most {MAX_TEXT} characters, has {len(value)}.")
    if not value.strip():
        raise Invalid("Must not be empty.")
    return value


def line(limit):
    """Return a reader of one stripped printable line of 1 to *limit* characters."""

    @described(type="string", minLength=1, maxLength=limit)
    def read(value):
        value = string(value).strip()
        if not value:
            raise Invalid("Must not be empty.")
        if len(value) > limit:
            raise Invalid(f"Must have at most {limit} characters, has {len(value)}.")
        if not value.isprintable():
            raise Invalid("Must be one line without control characters.")
        return value

    read.limit = limit
    return read


def _matching(pattern, limit, rule):
    one_line = line(limit)

    @described(type="string", maxLength=limit, pattern=whole(pattern))
    def read(value):
        value = one_line(value)
        if not pattern.fullmatch(value):
            raise Invalid(f"Must be {rule}, not {show(value)}.")
        return value

    return read


name = _matching(_NAME, MAX_NAME, "letters, digits, spaces and _ . : / - only")
code = _matching(_CODE, 64, "a lower-case code such as release_manager")
gate_code = _matching(_GATE_CODE, 16, "a gate code such as G1")
project = _matching(_PROJECT, 255, "a repository as owner/name")
external_id = line(MAX_NAME)


def one_of(*words):
    """Return a reader that takes exactly the given words."""

    @described(enum=list(words))
    def read(value):
        if string(value) not in words:
            raise Invalid(f"Must be one of {', '.join(words)}, not {show(value)}.")
        return value

    read.words = words
    return read


@described(type="boolean")
def boolean(value):
    """Read true or false, nothing that merely resembles them."""
    if not isinstance(value, bool):
        raise Invalid(f"Must be true or false, not {kind_of(value)}.")
    return value


@described(type="string", pattern=whole(_COMMIT), examples=["4f2c9ab0" * 5])
def commit(value):
    """Read a full commit SHA (SHA-1 or SHA-256), lower-cased."""
    if not _COMMIT.fullmatch(string(value)):
        raise Invalid(
            "Must be the full commit SHA, 40 or 64 hexadecimal digits (no short"
            f" SHA, no branch or tag name), not {show(value)}."
        )
    if not value.strip("0"):
        raise Invalid("Must be a commit; all zeros is how git says there is none.")
    return value.lower()


@described(type="string", pattern=whole(_SHA256))
def sha256(value):
    """Read a hexadecimal SHA-256, lower-cased."""
    if not _SHA256.fullmatch(string(value)):
        raise Invalid("Must be a SHA-256 in 64 hexadecimal digits.")
    return value.lower()


@described(type="string", format="uri", maxLength=MAX_URL, pattern="^https?://")
def url(value):
    """Read an ``http(s)`` address with a host and without credentials."""
    value = string(value)
    if len(value) > MAX_URL:
        raise Invalid(f"Must have at most {MAX_URL} characters, has {len(value)}.")
    if not value.isprintable() or re.search(r"[\s\\]", value):
        raise Invalid("Must be a URL without spaces, backslashes, control characters.")
    try:
        parts = urlsplit(value)
        host = parts.hostname
        parts.port  # noqa: B018  raises ValueError when it is not a port number
    except ValueError:
        raise Invalid("Must be a well-formed URL.") from None
    if parts.scheme not in ("http", "https") or not host:
        raise Invalid("Must be an http or https URL with a host.")
    if "@" in parts.netloc:
        raise Invalid("Must not carry credentials in the URL.")
    return value


@described(type="string", minLength=1, maxLength=MAX_URL)
def reference(value):
    """Read where an artifact is: an ``http(s)`` URL, a path, an image digest.

    What looks like a URL must be a safe one, because people will click on it.
    """
    value = line(MAX_URL)(value)
    if "://" in value:
        return url(value)
    if _ACTIVE_SCHEME.match(value):
        raise Invalid("Must be an http or https URL, a path or a digest.")
    return value


@described(type="string", maxLength=MAX_EMAIL, pattern=whole(_EMAIL))
def email(value):
    """Read an e-mail address, stripped and lower-cased.

    As loose as what git writes into commits (``bot[bot]@users.noreply.github.com``,
    ``root@localhost``): an author who cannot be resolved to a user must arrive here
    and block, rather than be impossible to name.
    """
    value = line(MAX_EMAIL)(value)
    if not _EMAIL.fullmatch(value):
        raise Invalid(f"Must be an e-mail address, not {show(value)}.")
    return value.lower()


@described(type="string", format="date-time")
def moment(value):
    """Read an ISO 8601 date and time with offset; return it aware, in UTC.

    Takes ``Z`` and nine fractional digits (cut to microseconds) on every Python;
    ``datetime.fromisoformat`` alone takes them only since 3.11.
    """
    if isinstance(value, (DateTime, datetime.date)):
        raise Invalid(
            f"Must be text in ISO 8601 with an offset, not {kind_of(value)},"
            " which has no offset one could trust."
        )
    match = _MOMENT.fullmatch(string(value))
    if not match:
        raise Invalid(
            "Must be ISO 8601 with an offset such as 2026-01-31T09:30:00Z,"
            f" not {show(value)}."
        )
    day, minute, second, fraction, offset = match.groups()
    if offset in "Zz":
        offset = "+00:00"
    else:
        digits = offset[1:].replace(":", "").ljust(4, "0")
        offset = f"{offset[0]}{digits[:2]}:{digits[2:]}"
    fraction = (fraction or "").ljust(6, "0")[:6]
    try:
        return datetime.datetime.fromisoformat(
            f"{day}T{minute}{second or ':00'}.{fraction}{offset}"
        ).astimezone(datetime.timezone.utc)
    except (ValueError, OverflowError):
        raise Invalid(f"Must be a date and time that exists: {show(value)}.") from None


@described(type="string", minLength=1, maxLength=MAX_KEY, pattern=whole(_KEY))
def idempotency_key(value):
    """Read a key of 1 to ``MAX_KEY`` visible ASCII characters."""
    value = string(value)
    if not 1 <= len(value) <= MAX_KEY:
        raise Invalid(f"Must have 1 to {MAX_KEY} characters, has {len(value)}.")
    if not _KEY.fullmatch(value):
        raise Invalid("Must be printable ASCII without spaces.")
    return value


@described(type="string", minLength=1, maxLength=255)
def filename(value):
    """Read a bare file name, never a path."""
    value = string(value)
    if value != value.strip() or not value or value in (".", ".."):
        raise Invalid("Must be a file name without spaces around it.")
    if len(value.encode()) > 255 or not value.isprintable():
        raise Invalid("Must be a printable file name of at most 255 bytes.")
    if "/" in value or "\\" in value:
        raise Invalid("Must be a bare file name, not a path.")
    return value


@described(type="string", contentEncoding="base64", minLength=4)
def content(value):
    """Read strict base64; return the bytes, 1 to ``MAX_CONTENT_BYTES`` of them.

    The size is known from the encoded length, so too much is never decoded.
    """
    if not isinstance(value, str):
        raise Invalid(f"Must be base64 as text, not {kind_of(value)}.")
    size = len(value) // 4 * 3 - value[-2:].count("=")
    if size > MAX_CONTENT_BYTES:
        raise Invalid(
            f"Must decode to at most {MAX_CONTENT_BYTES} bytes, is {size};"
            " store the file elsewhere and send its url and sha256.",
            code="too_large",
        )
    try:
        data = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        data = None
    # Encoding again also catches stray trailing bits, which b64decode lets pass.
    if data is None or base64.b64encode(data).decode() != value:
        raise Invalid("Must be strict base64, padded and without line breaks.")
    if not data:
        raise Invalid("Must not be empty.")
    return data


def release_id(value):
    """Read a uuid (returned lower-case), a database id (returned as int), or
    ``{"project", "name"}`` (returned as such a dict)."""
    if isinstance(value, dict):
        return _RELEASE_BY_NAME(value)
    if isinstance(value, int) and not isinstance(value, bool):
        if not 1 <= value <= MAX_ID:
            raise Invalid("Must be a database id above 0.")
        return value
    if isinstance(value, str):
        if _UUID.fullmatch(value):
            return value.lower()
        if _RECORD_ID.fullmatch(value) and int(value) <= MAX_ID:
            return int(value)
    raise Invalid(
        "Must be a release's uuid, its database id, or an object with project and"
        f" name, not {show(value)}."
    )


# -- free-form values ---------------------------------------------------------


class _FreeForm:
    """One walk over a free-form value: copies it, counts it, notes what is wrong."""

    def __init__(self):
        self.problems = []
        self.size = 0

    def read(self, value, at=(), depth=1):
        self.size += 1
        if isinstance(value, str):
            self.size += len(value)
        # Checked on the way, so that a huge value is not walked to its end.
        if self.size > MAX_METADATA_BYTES:
            raise Invalid(f"Must have at most {MAX_METADATA_BYTES} bytes as JSON.")
        if not isinstance(value, (dict, list)):
            return self.scalar(value, at)
        if depth > MAX_METADATA_DEPTH:
            self.note(at, f"Must be nested at most {MAX_METADATA_DEPTH} deep.")
            return None
        if isinstance(value, list):
            return [
                self.read(item, (*at, position), depth + 1)
                for position, item in enumerate(value)
            ]
        copy = {}
        for key, item in value.items():
            if self.text(key, at) is not None:
                self.size += len(key)
                copy[key] = self.read(item, (*at, key), depth + 1)
        return copy

    def scalar(self, value, at):
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, int):
            if not -(2**63) <= value < 2**63:
                self.note(at, "Must be a whole number of at most 64 bits.")
            return value
        if isinstance(value, float):
            if not math.isfinite(value):
                self.note(at, "Must be a finite number.")
            return value
        return self.text(value, at)

    def text(self, value, at):
        try:
            return string(value)
        except Invalid as error:
            if isinstance(value, str):
                self.problems += [((*at, *sub), m, c) for sub, m, c in error.problems]
            else:
                self.note(at, f"Must be a JSON value, not {kind_of(value)}.")
        return None

    def note(self, at, message):
        self.problems.append((at, message, "invalid_field"))


def free_form(*types):
    """Return a reader of JSON values of the given outermost *types*.

    Bounded in depth (``MAX_METADATA_DEPTH``) and size (``MAX_METADATA_BYTES`` of
    JSON); the result is a copy.
    """

    names = {dict: "object", list: "array"}

    @described(
        type=[names[kind] for kind in types],
        description=f"At most {MAX_METADATA_BYTES} bytes as JSON, nested at most"
        f" {MAX_METADATA_DEPTH} deep.",
    )
    def read(value):
        if not isinstance(value, types):
            wanted = " or ".join(kind_of(kind()) for kind in types)
            raise Invalid(f"Must be {wanted}, not {kind_of(value)}.")
        walk = _FreeForm()
        copy = walk.read(value)
        if walk.problems:
            raise Invalid.of(walk.problems[:MAX_PROBLEMS])
        size = len(json.dumps(copy, ensure_ascii=False, separators=(",", ":")).encode())
        if size > MAX_METADATA_BYTES:
            raise Invalid(
                f"Must have at most {MAX_METADATA_BYTES} bytes as JSON, has {size}."
            )
        return copy

    read.types = types
    return read


metadata = free_form(dict)


# -- combinators --------------------------------------------------------------


def read_record(value, required, optional, *, what="this object", refused=()):
    """Read a dict field by field.

    :param dict value: what was sent.
    :param dict required: name to reader; an absent one is a ``missing_field``.
    :param dict optional: name to reader.
    :param str what: how messages call the object.
    :param refused: a dict from key (lower-case) to ``(message, code)`` for unknown
        keys that deserve more than "unknown".
    :return: ``(values, problems)``; *values* holds what was present and good.
    """
    values, problems = {}, []
    for key, read in {**required, **optional}.items():
        sent = value.get(key)
        if sent is None:
            if key in required:
                problems.append(((key,), "This field is required.", "missing_field"))
            continue
        try:
            values[key] = read(sent)
        except Invalid as error:
            problems += error.under(key)
    refused, unknown = dict(refused), 0
    allowed = ", ".join(sorted({**required, **optional}))
    for key in value:
        if isinstance(key, str) and (key in required or key in optional):
            continue
        label = key if isinstance(key, str) else show(key)
        word = label.lower().replace("-", "_")
        if word in refused:
            problems.append(((label,), *refused[word]))
        elif unknown <= MAX_PROBLEMS:
            unknown += 1
            message = f"Is not a field of {what}; its fields are {allowed}."
            problems.append(((label,), message, "invalid_field"))
    return values, problems


def record(required, optional=None, *, what, refused=(), rule=None):
    """Return a reader of an object with exactly these fields.

    *rule* is called with the dict sent and the values read so far, whether or not
    single fields were wrong, and may change the values or raise :class:`Invalid`.
    """
    optional = optional or {}

    @described(**schema_of(required, optional))
    def read(value):
        if not isinstance(value, dict):
            raise Invalid(f"Must be an object, not {kind_of(value)}.")
        values, problems = read_record(
            value, required, optional, what=what, refused=refused
        )
        if rule:
            try:
                rule(value, values)
            except Invalid as error:
                problems += error.problems
        if problems:
            raise Invalid.of(problems)
        return values

    read.required, read.optional = required, optional
    return read


def schema_of(required, optional):
    """The JSON Schema of an object with exactly these fields."""
    return {
        "type": "object",
        "required": sorted(required),
        "properties": {
            key: read.schema for key, read in {**required, **optional}.items()
        },
        "additionalProperties": False,
    }


def list_of(read_item, *, least=0, most, unique=None):
    """Return a reader of a list of *least* to *most* items.

    *unique* names a key by which no two items may agree: of two checks of one name,
    the second would silently hide the first.
    """

    @described(type="array", minItems=least, maxItems=most, items=read_item.schema)
    def read(value):
        if not isinstance(value, list):
            raise Invalid(f"Must be a list, not {kind_of(value)}.")
        if not least <= len(value) <= most:
            raise Invalid(f"Must have {least} to {most} items, has {len(value)}.")
        items, problems, seen = [], [], set()
        for position, sent in enumerate(value):
            try:
                item = read_item(sent)
            except Invalid as error:
                problems += error.under(position)
                continue
            items.append(item)
            if unique and item[unique] in seen:
                at = (position, unique)
                problems.append((at, "Must not be there twice.", "invalid_field"))
            elif unique:
                seen.add(item[unique])
        if problems:
            raise Invalid.of(problems)
        return items

    read.item, read.least, read.most = read_item, least, most
    return read


_emails = list_of(email, least=1, most=MAX_AUTHORS)


@described(**_emails.schema)
def authors(value):
    """Read 1 to ``MAX_AUTHORS`` e-mail addresses; return them without repeats."""
    return list(dict.fromkeys(_emails(value)))


_RELEASE_BY_NAME = record(
    {"project": project, "name": line(MAX_KEY)}, what="a release's address"
)
release_id.schema = {
    "anyOf": [
        {"type": "string", "pattern": whole(_UUID), "description": "its uuid"},
        {"type": "integer", "minimum": 1, "maximum": MAX_ID},
        {"type": "string", "pattern": "^[1-9][0-9]{0,8}$"},
        _RELEASE_BY_NAME.schema,
    ]
}
