"""Reading YAML that people upload: bounded, plain, every problem with line and field.

No tag builds an object, no alias multiplies the text, no key counts twice, and depth
and length are known before anything is built.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

import yaml

#: Keys from the root of a file to a value in it.
Path = tuple[str, ...]

CODE = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)*")
CODE_RULE = "A code has lower-case letters, digits, _ and dots."


@dataclass(frozen=True)
class Problem:
    """What is wrong with a file, and where."""

    file: str
    line: int
    field: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}, {self.field or '—'}: {self.message}"


class InvalidDocument(Exception):
    """A file that cannot be taken; ``problems`` says why."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


def _line_of(place: yaml.Node | yaml.Event | int | None) -> int:
    if isinstance(place, int):
        return place
    mark = place and place.start_mark
    return mark.line + 1 if mark else 1


class Reader:
    """Reads one file and gathers what is wrong with it.

    A method that reads a node takes its path, a tuple of keys. The reader remembers
    the line of every key, so that a problem found later has its line too.

    :param str file: its name, for messages
    """

    error = InvalidDocument
    max_bytes = 256 * 1024
    max_events = 20_000
    max_depth = 6
    max_text = 4000

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []
        #: path → line
        self.lines: dict[Path, int] = {}

    # --- problems ---------------------------------------------------------------------

    def problem(
        self, node_or_line: yaml.Node | int | None, path: Path, message: str
    ) -> None:
        """Note a problem at a node or a line."""
        line = _line_of(node_or_line)
        self.problems.append(Problem(self.file, line, ".".join(path), message))

    def fail(self, line: int, path: Path, message: str) -> NoReturn:
        """Note a problem after which nothing can be read, and raise."""
        self.problem(line, path, message)
        raise self.error(self.problems)

    def line(self, *path: str) -> int:
        """The line of a key, or of the nearest one around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def at(self, path: Path, message: str) -> None:
        """Note a problem that was found after reading, by its path."""
        self.problem(self.line(*path), path, message)

    def close(self) -> None:
        """Raise when anything was wrong."""
        if self.problems:
            raise self.error(sorted(self.problems, key=lambda each: each.line))

    # --- reading ---------------------------------------------------------------------

    def parse(self, content: bytes) -> yaml.Node:
        """The root node of a document that is small, flat and without aliases.

        :raises InvalidDocument: for any other
        """
        if len(content) > self.max_bytes:
            self.fail(1, (), f"The file is larger than {self.max_bytes // 1024} KB.")
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = content[: error.start].count(b"\n") + 1
            self.fail(line, (), "The file is not UTF-8 text.")
        try:
            self._refuse_excess(text)
            root = yaml.compose(text, Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            self.fail(mark.line + 1 if mark else 1, (), f"No YAML: {error.problem}.")
        except yaml.reader.ReaderError as error:
            line = text[: error.position].count("\n") + 1
            self.fail(line, (), f"No YAML: {error.reason}.")
        if root is None:
            self.fail(1, (), "The file is empty.")
        return root

    def _refuse_excess(self, text: str) -> None:
        # Before anything is built: the events come one by one, without recursion.
        depth = 0
        for number, event in enumerate(yaml.parse(text, Loader=yaml.SafeLoader)):
            line = _line_of(event)
            if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
                self.fail(line, (), "Anchors and aliases are not taken.")
            if getattr(event, "tag", None):
                self.fail(line, (), "Tags are not taken.")
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            if depth > self.max_depth or number > self.max_events:
                self.fail(line, (), "The file is nested too deeply or too long.")

    def mapping(self, node: yaml.Node | None, path: Path) -> dict[str, yaml.Node]:
        """Keys and value nodes of a mapping; remembers the line of each key."""
        if not isinstance(node, yaml.MappingNode):
            self.problem(node, path, "A mapping (key: value) is expected here.")
            return {}
        found: dict[str, yaml.Node] = {}
        for key, value in node.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else None
            if name is None:
                self.problem(key, path, "A key must be a word.")
            elif name in found:
                self.problem(key, (*path, name), "This key is there twice.")
            else:
                found[name] = value
                at = (*path, name)
                self.lines[at] = _line_of(key)
        return found

    def text(self, node: yaml.Node, path: Path) -> str | None:
        """The text of a node, not empty; ``None`` after a problem."""
        if not isinstance(node, yaml.ScalarNode):
            self.problem(node, path, "Text is expected here.")
            return None
        if node.tag != "tag:yaml.org,2002:str":
            self.problem(node, path, "Text is expected here: put it in quotes.")
            return None
        if not node.value.strip():
            self.problem(node, path, "This must not be empty.")
            return None
        if len(node.value) > self.max_text or "\0" in node.value:
            self.problem(node, path, f"More than {self.max_text} characters.")
            return None
        return str(node.value)

    def code(self, node: yaml.Node, path: Path) -> str | None:
        """The code that a node is; ``None`` after a problem."""
        text = self.text(node, path)
        if text is not None and not CODE.fullmatch(text):
            self.problem(node, path, CODE_RULE)
            return None
        return text

    def codes(self, node: yaml.Node, path: Path) -> list[str]:
        """The codes in a list, each once and in order."""
        if not isinstance(node, yaml.SequenceNode):
            self.problem(node, path, "A list of codes is expected here.")
            return []
        found: list[str] = []
        for number, item in enumerate(node.value, start=1):
            code = self.code(item, (*path, str(number)))
            if code in found:
                self.problem(item, path, f"{code} is there twice.")
            elif code:
                found.append(code)
        return sorted(found)
