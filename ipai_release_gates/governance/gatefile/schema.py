"""What a policy file is made of, and how it is read, compared and written.

A file holds *parts*: entries by code, each with fields. An entry is the whole of what
it speaks of: a field it leaves out has its default. Entries that a file leaves out stay
as they are, unless it says ``archive: true`` (decision 0027). ``definitions`` is what
the program itself decides; it is told, and cannot be changed by a file.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeGuard, TypeVar

import yaml

from ..document import CODE, CODE_RULE, Path, Reader

_Number = TypeVar("_Number", int, float)

#: The fields of an entry by name.
Entry = Mapping[str, Any]
#: Entries by their code.
Entries = Mapping[str, Any]
#: Looks for what does not fit together in a file.
Check = Callable[["PolicyReader", Entries, Entries, Mapping[str, Any]], None]

VERSION = 1
MAX_INTEGER = 2**31 - 1
#: YAML's own words for a whole number are more: 0x1f, 1:30 and 1_000 are refused.
_WHOLE = re.compile(r"[-+]?[0-9]{1,10}")
_NUMBER = re.compile(r"[-+]?[0-9]{1,16}(\.[0-9]{0,20})?([eE][-+]?[0-9]{1,3})?")
_TAG = "tag:yaml.org,2002:"


@dataclass(frozen=True)
class Field:
    """A field of an entry.

    :param kind: ``text``, ``whole`` (number), ``number``, ``boolean``, ``choice`` and
        ``code`` (one of what is known as :attr:`of`), ``codes`` (several), ``object``
        (any mapping), ``entries`` (entries of their own)
    :param default: its value where an entry leaves it out
    :param least: the smallest number
    :param told: told for information; a file cannot change it
    :param entry: for ``entries``: the :class:`Part` they are
    :param help: what it means
    """

    kind: str
    required: bool = False
    default: Any = None
    of: str = ""
    least: float | None = None
    told: bool = False
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


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        return super().increase_indent(flow, False)


def _text(dumper: _Dumper, value: str) -> yaml.ScalarNode:
    # Lines stay lines where a block can hold them. What does not print is escaped: the
    # other styles would read some of it back as an end of line.
    lines = value.split("\n")
    style = None
    if not all(line.isprintable() for line in lines):
        style = '"'
    elif len(lines) > 1 and value == value.strip():
        style = "|"
    return dumper.represent_scalar(f"{_TAG}str", value, style=style)


_Dumper.add_representer(str, _text)


# --- writing -------------------------------------------------------------------------


def to_yaml(schema: Schema, present: Entries, generated_by: str) -> str:
    """The entries and definitions as a file; the same always give the same text.

    :param present: dict ``{part: {code: {field: value}}, "definitions": {…}}``
    :param str generated_by: a sentence on where the file comes from
    """
    head = "\n".join(
        f"# {line}".rstrip() for line in (generated_by, *schema.head.splitlines())
    )
    lists = {
        part.name: {
            code: _written(part, entry) for code, entry in present[part.name].items()
        }
        for part in schema.parts
    }
    content = {"schema": schema.name, "version": VERSION}
    if schema.parts:
        content["archive"] = False
    content |= lists
    content["definitions"] = present.get("definitions", {})
    text = yaml.dump(
        content, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=84
    )
    return f"{head}\n{text}"


def _written(part: Part, entry: Entry) -> dict[str, Any]:
    always, unused = part.shown(entry), part.unused(entry)
    found: dict[str, Any] = {}
    for name, about in part.fields.items():
        if name in unused:
            continue
        value = entry[name]
        if about.kind == "entries":
            found[name] = {
                code: _written(about.part, inner) for code, inner in value.items()
            }
        elif about.required or name in always or value != about.default:
            whole = about.kind == "number" and value.is_integer()
            found[name] = int(value) if whole else value
    return found


# --- reading -------------------------------------------------------------------------


class PolicyReader(Reader):
    """Reads a policy file; ``known`` has the words that ``of`` of a field speaks of."""

    max_bytes = 512 * 1024
    max_events = 50_000
    max_depth = 24
    max_text = 20_000

    def __init__(self, file: str, known: Mapping[str, Collection[str]]) -> None:
        super().__init__(file)
        self.known = known

    # Each of these reads one kind of field.

    def whole(self, node: yaml.Node, path: Path, about: Field) -> int | None:
        value = self._scalar(node, path, ("int",), "A whole number is expected here.")
        if value is None:
            return None
        if not _WHOLE.fullmatch(value) or abs(int(value)) > MAX_INTEGER:
            self.problem(node, path, "A whole number of at most 2147483647, in digits.")
            return None
        return self._bounded(node, path, int(value), about)

    def number(self, node: yaml.Node, path: Path, about: Field) -> float | None:
        value = self._scalar(node, path, ("int", "float"), "A number is expected here.")
        if value is None:
            return None
        if not _NUMBER.fullmatch(value) or not math.isfinite(float(value)):
            self.problem(node, path, "A number in digits is expected here.")
            return None
        return self._bounded(node, path, float(value), about)

    def _bounded(
        self, node: yaml.Node, path: Path, value: _Number, about: Field
    ) -> _Number | None:
        if about.least is not None and value < about.least:
            self.problem(node, path, f"This must be at least {about.least:g}.")
            return None
        return value

    def boolean(self, node: yaml.Node, path: Path, about: Field | None) -> bool | None:
        value = self._scalar(node, path, ("bool",), "true or false is expected here.")
        return None if value is None else value.lower() in ("true", "yes", "on")

    def _scalar(
        self, node: yaml.Node, path: Path, tags: Iterable[str], message: str
    ) -> str | None:
        if isinstance(node, yaml.ScalarNode) and node.tag in {_TAG + t for t in tags}:
            return str(node.value)
        self.problem(node, path, message)
        return None

    def choice(self, node: yaml.Node, path: Path, about: Field) -> str | None:
        value = self.text(node, path)
        words = self.known[about.of]
        if value is not None and value not in words:
            self.problem(node, path, f"This must be one of {', '.join(sorted(words))}.")
        return value

    def reference(self, node: yaml.Node, path: Path, about: Field) -> str | None:
        value = self.text(node, path)
        if value is not None and value not in self.known[about.of]:
            self.problem(node, path, f"No {_singular(about.of)} {value}.")
        return value

    def references(self, node: yaml.Node, path: Path, about: Field) -> list[str]:
        if not isinstance(node, yaml.SequenceNode):
            self.problem(node, path, "A list of codes is expected here.")
            return []
        found = []
        for number, item in enumerate(node.value, start=1):
            value = self.reference(item, (*path, str(number)), about)
            if value in found:
                self.problem(item, path, f"{value} is there twice.")
            elif value:
                found.append(value)
        return sorted(found)

    def object(self, node: yaml.Node, path: Path, about: Field) -> Any:
        if not isinstance(node, yaml.MappingNode):
            self.problem(node, path, "A mapping (key: value) is expected here.")
            return None
        return self.value(node, path)

    def value(self, node: yaml.Node, path: Path) -> Any:
        """A node as JSON could hold it: nothing but its plain values."""
        if isinstance(node, yaml.MappingNode):
            inner = self.mapping(node, path)
            return {key: self.value(item, (*path, key)) for key, item in inner.items()}
        if isinstance(node, yaml.SequenceNode):
            return [
                self.value(item, (*path, str(number)))
                for number, item in enumerate(node.value, start=1)
            ]
        tag = node.tag.removeprefix(_TAG)
        if tag == "str" and len(node.value) <= self.max_text:
            return node.value
        if tag == "null":
            return None
        if tag == "bool":
            return node.value.lower() in ("true", "yes", "on")
        if tag == "int" and re.fullmatch(r"[-+]?[0-9]{1,40}", node.value):
            return int(node.value)
        if tag == "float" and _is_number(node.value):
            return float(node.value)
        self.problem(node, path, "Text, a number, true or false is expected here.")
        return None

    # --- a whole file ----------------------------------------------------------------

    def entry(
        self, node: yaml.Node, path: Path, part: Part, present: Entry | None
    ) -> dict[str, Any]:
        nodes = self.mapping(node, path)
        for name in nodes.keys() - part.fields.keys():
            self.problem(self.line(*path, name), (*path, name), "No such field.")
        values: dict[str, Any] = {}
        for name, about in part.fields.items():
            at = (*path, name)
            inner = nodes.get(name)
            if about.kind == "entries":
                former = (present or {}).get(name, {})
                values[name] = (
                    self.entries(inner, at, about.part, former) if inner else {}
                )
            elif about.told:
                values[name] = self._told(inner, at, about, present, name)
            elif inner is None:
                values[name] = about.default
                if about.required:
                    self.problem(self.line(*path), at, "This field is required.")
            elif inner.tag == f"{_TAG}null":
                values[name] = [] if about.kind == "codes" else None
                if about.required or about.kind in ("whole", "number", "boolean"):
                    self.problem(inner, at, "This must not be empty.")
            else:
                read = getattr(self, _READERS.get(about.kind, about.kind))
                values[name] = (
                    read(inner, at) if about.kind == "text" else read(inner, at, about)
                )
        return values

    def _told(
        self,
        node: yaml.Node | None,
        path: Path,
        about: Field,
        present: Entry | None,
        name: str,
    ) -> Any:
        """What is told for information; anything else than what is so is refused."""
        so = (present or {}).get(name, about.default)
        if node is not None and self.value(node, path) != so:
            self.problem(
                node,
                path,
                "This is told for information and follows from other records: leave it "
                "out, or as the export has it.",
            )
        return so

    def entries(
        self, node: yaml.Node, path: Path, part: Part, present: Entries
    ) -> dict[str, Any]:
        found = {}
        for code, inner in self.mapping(node, path).items():
            at = (*path, code)
            if code not in present and (
                not part.new_code.fullmatch(code) or len(code) > 100
            ):
                self.problem(self.line(*at), at, part.code_rule)
            found[code] = self.entry(inner, at, part, present.get(code))
        return found

    def file_of(
        self, schema: Schema, root: yaml.Node, present: Entries
    ) -> dict[str, Any]:
        parts = self.mapping(root, ())
        schema_node, version = parts.pop("schema", None), parts.pop("version", None)
        if getattr(schema_node, "value", None) != schema.name:
            self.at(("schema",), f"This must be {schema.name}, the schema of the file.")
        if getattr(version, "value", None) != str(VERSION):
            self.at(("version",), f"Only version {VERSION} can be read.")
        found: dict[str, Any] = {"archive": False}
        if schema.parts and "archive" in parts:
            node = parts.pop("archive")
            found["archive"] = bool(self.boolean(node, ("archive",), None))
        definitions = parts.pop("definitions", None)
        if definitions is not None:
            said = self.value(definitions, ("definitions",))
            self.compare_told(said, present.get("definitions", {}), ("definitions",))
        wanted = {part.name: part for part in schema.parts}
        for name in parts.keys() - wanted.keys():
            self.at((name,), "There is no such part.")
        for name, part in wanted.items():
            found[name] = (
                self.entries(parts[name], (name,), part, present[name])
                if name in parts
                else {}
            )
        return found

    def compare_told(self, said: Any, so: Any, path: Path) -> None:
        """Refuse every difference from what the program itself decides, by its path."""
        if isinstance(said, dict) and isinstance(so, dict):
            for key in said:
                if key in so:
                    self.compare_told(said[key], so[key], (*path, key))
                else:
                    self.at((*path, key), "There is no such definition.")
            for key in so.keys() - said.keys():
                self.at((*path, key), _FIXED)
        elif said != so or isinstance(said, bool) != isinstance(so, bool):
            self.at(path, _FIXED)


_READERS = {"code": "reference", "codes": "references"}
_FIXED = (
    "This is decided by the program and told for information: an import cannot change "
    "it, and leaves it as it is when the file leaves out definitions."
)


def _singular(words: str) -> str:
    return words.removesuffix("s").replace("_", " ")


def _is_number(text: str) -> bool:
    return bool(_NUMBER.fullmatch(text)) and math.isfinite(float(text))


def read(
    schema: Schema,
    content: bytes,
    file: str,
    present: Entries,
    known: Mapping[str, Iterable[str]],
) -> tuple[dict[str, Any], Callable[..., int]]:
    """Read a file of a schema.

    :param bytes content: the file
    :param str file: its name, for messages
    :param present: what is there, as :func:`to_yaml` takes it
    :param known: dict from what fields refer to (``of``) to the codes there are; codes
        of the file's own parts are added to it
    :returns: ``(found, line)``: the entries the file speaks of with ``archive``, and
        a function from the keys of a path to its line
    :raises InvalidDocument: with every problem that was found, by line
    """
    codes_of = {name: set(codes) for name, codes in known.items()}
    reader = PolicyReader(file, codes_of)
    root = reader.parse(content)
    for key, node in getattr(root, "value", ()) if _is_mapping(root) else ():
        part = key.value if isinstance(key, yaml.ScalarNode) else None
        if part in codes_of and _is_mapping(node):
            codes_of[part] |= {
                inner.value
                for inner, _value in node.value
                if isinstance(inner, yaml.ScalarNode)
            }
    found = reader.file_of(schema, root, present)
    if not reader.problems:
        schema.check(reader, found, present, codes_of)
    reader.close()
    return found, reader.line


def _is_mapping(node: yaml.Node | None) -> TypeGuard[yaml.MappingNode]:
    return isinstance(node, yaml.MappingNode)


# --- comparing -----------------------------------------------------------------------


def merged(schema: Schema, present: Entries, found: Entries) -> dict[str, Any]:
    """The entries as they would be after an import."""
    return {
        part.name: _merged(part, present[part.name], found[part.name], found["archive"])
        for part in schema.parts
    }


def _merged(
    part: Part, present: Entries, found: Entries, archive: bool
) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for code in [*present, *(code for code in found if code not in present)]:
        entry, former = found.get(code), present.get(code)
        if entry is None:
            assert former is not None
            result[code] = (
                {**former, "active": False}
                if archive and "active" in part.fields
                else former
            )
            continue
        result[code] = dict(entry)
        for name, about in part.fields.items():
            if about.kind == "entries":
                result[code][name] = _merged(
                    about.part, (former or {}).get(name, {}), entry[name], archive
                )
    return result


def changes(schema: Schema, present: Entries, found: Entries) -> list[Change]:
    """What an import changes, field by field, in the order of the file's parts."""
    wanted = merged(schema, present, found)
    return [
        change
        for part in schema.parts
        for change in _changes(
            part, (part.name,), present[part.name], wanted[part.name]
        )
    ]


def _changes(
    part: Part, path: Path, present: Entries, wanted: Entries
) -> Iterator[Change]:
    for code, entry in wanted.items():
        former, at = present.get(code), (*path, code)
        inner: list[Change] = []
        for name, about in part.fields.items():
            if about.kind == "entries":
                inner += _changes(
                    about.part, (*at, name), (former or {}).get(name, {}), entry[name]
                )
            elif not about.told:
                before = former[name] if former else about.default
                is_new = former is None
                if not _same(before, entry[name]) or (is_new and about.required):
                    yield Change(at, name, before, entry[name], is_new)
        yield from inner


def _same(before: Any, after: Any) -> bool:
    # JSON tells true from 1, which Python does not.
    return json.dumps(before, sort_keys=True) == json.dumps(after, sort_keys=True)
