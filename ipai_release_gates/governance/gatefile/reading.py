"""Reading a policy file: every problem with its line and field."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, TypeGuard, TypeVar

import yaml

from ..document import Path, Reader
from .schema import (
    MAX_INTEGER,
    TAG,
    VERSION,
    Entries,
    Entry,
    Field,
    Part,
    Schema,
)

_Number = TypeVar("_Number", int, float)

#: YAML's own words for a whole number are more: 0x1f, 1:30 and 1_000 are refused.
_WHOLE = re.compile(r"[-+]?[0-9]{1,10}")
_NUMBER = re.compile(r"[-+]?[0-9]{1,16}(\.[0-9]{0,20})?([eE][-+]?[0-9]{1,3})?")


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
        if isinstance(node, yaml.ScalarNode) and node.tag in {TAG + t for t in tags}:
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
        tag = node.tag.removeprefix(TAG)
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
            elif about.derived:
                values[name] = self._derived(inner, at, about, present, name)
            elif inner is None:
                values[name] = about.default
                if about.required:
                    self.problem(self.line(*path), at, "This field is required.")
            elif inner.tag == f"{TAG}null":
                values[name] = [] if about.kind == "codes" else None
                if about.required or about.kind in ("whole", "number", "boolean"):
                    self.problem(inner, at, "This must not be empty.")
            else:
                read = getattr(self, _READERS.get(about.kind, about.kind))
                values[name] = (
                    read(inner, at) if about.kind == "text" else read(inner, at, about)
                )
        return values

    def _derived(
        self,
        node: yaml.Node | None,
        path: Path,
        about: Field,
        present: Entry | None,
        name: str,
    ) -> Any:
        """The value that follows from other records; a file cannot state another."""
        actual = (present or {}).get(name, about.default)
        if node is not None and self.value(node, path) != actual:
            self.problem(
                node,
                path,
                "This is told for information and follows from other records: leave it "
                "out, or as the export has it.",
            )
        return actual

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
            stated = self.value(definitions, ("definitions",))
            self.compare_definitions(
                stated, present.get("definitions", {}), ("definitions",)
            )
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

    def compare_definitions(self, stated: Any, actual: Any, path: Path) -> None:
        """Refuse every difference from what the program itself decides, by its path."""
        if isinstance(stated, dict) and isinstance(actual, dict):
            for key in stated:
                if key in actual:
                    self.compare_definitions(stated[key], actual[key], (*path, key))
                else:
                    self.at((*path, key), "There is no such definition.")
            for key in actual.keys() - stated.keys():
                self.at((*path, key), _FIXED)
        elif stated != actual or isinstance(stated, bool) != isinstance(actual, bool):
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
