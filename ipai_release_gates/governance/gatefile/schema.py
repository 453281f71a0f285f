"""What a policy file is made of; see also writing, reading and comparing.

A file holds *parts*: entries by code, each with fields. An entry is the whole of what
it speaks of: a field it leaves out has its default. Entries that a file leaves out stay
as they are, unless it says ``archive: true`` (decision 0027). ``definitions`` is what
the program itself decides; a file shows it and cannot change it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..document import CODE, CODE_RULE

if TYPE_CHECKING:
    from .reading import PolicyReader

#: The fields of an entry by name.
Entry = Mapping[str, Any]
#: Entries by their code.
Entries = Mapping[str, Any]
#: Looks for what does not fit together in a file.
Check = Callable[["PolicyReader", Entries, Entries, Mapping[str, Any]], None]

VERSION = 1
MAX_INTEGER = 2**31 - 1
#: The beginning of the tags of YAML's plain values.
TAG = "tag:yaml.org,2002:"


@dataclass(frozen=True)
class Field:
    """A field of an entry.

    :param kind: ``text``, ``whole`` (number), ``number``, ``boolean``, ``choice`` and
        ``code`` (one of what is known as :attr:`of`), ``codes`` (several), ``object``
        (any mapping), ``entries`` (entries of their own)
    :param default: its value where an entry leaves it out
    :param least: the smallest number
    :param derived: follows from other records; a file cannot change it
    :param entry: for ``entries``: the :class:`Part` they are
    :param help: what it means
    """

    kind: str
    required: bool = False
    default: Any = None
    of: str = ""
    least: float | None = None
    derived: bool = False
    entry: Part | None = None
    help: str = ""

    @property
    def part(self) -> Part:
        """The entries that a field of kind ``entries`` has."""
        assert self.entry is not None
        return self.entry


@dataclass(frozen=True)
class Part:
    """Entries of one sort.

    :param fields: :class:`Field` by name, in the order in which they are written
    :param new_code: what the code of a new entry must look like
    :param code_rule: the same as a sentence
    :param shown: of an entry, the fields that are written though they have the default
    :param unused: of an entry, the fields that mean nothing to it and are not written
    :param ordered: whether ``sequence`` gives the entries an order that decides
    """

    name: str
    fields: Mapping[str, Field]
    new_code: re.Pattern[str] = CODE
    code_rule: str = CODE_RULE
    shown: Callable[[Entry], Collection[str]] = lambda entry: ()
    unused: Callable[[Entry], Collection[str]] = lambda entry: ()
    ordered: bool = False


@dataclass(frozen=True)
class Schema:
    """One kind of file.

    :param head: what a file says of itself, without comment signs
    :param parts: what can be imported
    :param check: called with ``(reader, found, present, known)`` for what does not fit
        together
    :param notes: called with the entries as they would be, for what to look at twice
    """

    name: str
    title: str
    head: str
    parts: tuple[Part, ...] = ()
    check: Check = lambda reader, found, present, known: None
    notes: Callable[[Entries], Iterable[str]] = lambda entries: ()
    filename: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "filename", f"{self.name}.yaml")


@dataclass(frozen=True)
class Change:
    """One field that an import would change.

    :param path: where in the file: part, code, and so on to the entry
    """

    path: tuple[str, ...]
    field: str
    before: object
    after: object
    is_new: bool = False
