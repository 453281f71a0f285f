"""The expertise registry as YAML: written, read with line numbers, compared.

A file is the whole registry: what it leaves out would be deleted silently, so leaving
something out that is there is an error.
"""

import json
import re
from dataclasses import dataclass

import yaml

#: Far more than any registry needs.
MAX_BYTES = 256 * 1024
_MAX_EVENTS = 20_000
_MAX_DEPTH = 6
_MAX_TEXT = 4000
_CODE = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)*")
#: What JSON leaves as it is and YAML does not take.
_UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")

#: part → its fields: name → (required, kind)
_PARTS = {
    "personas": {"name": (True, "text")},
    "domains": {
        "name": (True, "text"),
        "scope": (False, "text"),
        "primary": (False, "code"),
        "shared": (False, "codes"),
    },
    "capabilities": {
        "name": (True, "text"),
        "domain": (True, "code"),
        "persona": (False, "code"),
    },
}
_HEADER = """\
# Generated from the addon's records by `python3 -m tools publish`, or exported from Odoo.
# The expertise registry: personas, domains and who holds them, capabilities of agents.
# A capability maps to a domain first; the persona, if one is named, must hold it.
"""


@dataclass(frozen=True)
class Problem:
    """What is wrong with a file, and where."""

    file: str
    line: int
    field: str
    message: str

    def __str__(self):
        return f"{self.file}, line {self.line}, {self.field or '—'}: {self.message}"


class InvalidRegistry(Exception):
    """A file that cannot be taken; ``problems`` says why."""

    def __init__(self, problems):
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


@dataclass(frozen=True)
class Change:
    """One field of one entry that an import would change; ``before`` None: new."""

    part: str
    code: str
    field: str
    before: object
    after: object
    is_new: bool = False


# --- writing -------------------------------------------------------------------------


def _quoted(text):
    quoted = json.dumps(text, ensure_ascii=False)
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", quoted)


def to_yaml(registry):
    """A registry as text; the same registry always gives the same text.

    :param registry: dict ``{part: {code: {field: value}}}``
    """
    lines = [_HEADER + "version: 1"]
    for part, fields in _PARTS.items():
        entries = registry[part]
        lines.append(f"{part}:" if entries else f"{part}: {{}}")
        for code in sorted(entries):
            lines.append(f"  {code}:")
            for name, (_required, kind) in fields.items():
                value = entries[code].get(name)
                if not value:
                    continue
                if kind == "codes":
                    lines.append(f"    {name}:")
                    lines += [f"      - {each}" for each in sorted(value)]
                else:
                    shown = _quoted(value) if kind == "text" else value
                    lines.append(f"    {name}: {shown}")
    return "\n".join(lines) + "\n"


# --- reading -------------------------------------------------------------------------


class _Reader:
    def __init__(self, file):
        self.file = file
        self.problems = []
        #: path → line
        self.lines = {}

    def problem(self, node_or_line, path, message):
        line = node_or_line
        if isinstance(node_or_line, yaml.Node):
            line = node_or_line.start_mark.line + 1
        self.problems.append(Problem(self.file, line, ".".join(path), message))

    def fail(self, line, path, message):
        self.problem(line, path, message)
        raise InvalidRegistry(self.problems)

    def parse(self, content):
        """The root node of a document that is small, flat and without aliases."""
        if len(content) > MAX_BYTES:
            self.fail(1, (), f"The file is larger than {MAX_BYTES // 1024} KB.")
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = content[: error.start].count(b"\n") + 1
            self.fail(line, (), "The file is not UTF-8 text.")
        try:
            self._refuse_excess(text)
            return yaml.compose(text, Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            self.fail(mark.line + 1 if mark else 1, (), f"No YAML: {error.problem}.")
        except yaml.reader.ReaderError as error:
            line = text[: error.position].count("\n") + 1
            self.fail(line, (), f"No YAML: {error.reason}.")

    def _refuse_excess(self, text):
        # Before anything is built: the events come one by one, without recursion.
        depth = 0
        for number, event in enumerate(yaml.parse(text, Loader=yaml.SafeLoader)):
            line = event.start_mark.line + 1
            if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
                self.fail(line, (), "Anchors and aliases are not taken.")
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            if depth > _MAX_DEPTH or number > _MAX_EVENTS:
                self.fail(line, (), "The file is nested too deeply or too long.")

    def mapping(self, node, path):
        """Keys and value nodes of a mapping; remembers the line of each key."""
        if not isinstance(node, yaml.MappingNode):
            self.problem(node, path, "A mapping (key: value) is expected here.")
            return {}
        found = {}
        for key, value in node.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else None
            if name is None:
                self.problem(key, path, "A key must be a word.")
            elif name in found:
                self.problem(key, (*path, name), "This key is there twice.")
            else:
                found[name] = value
                self.lines[(*path, name)] = key.start_mark.line + 1
        return found

    def text(self, node, path):
        if not isinstance(node, yaml.ScalarNode):
            self.problem(node, path, "Text is expected here.")
            return None
        if node.tag != "tag:yaml.org,2002:str":
            self.problem(node, path, "Text is expected here: put it in quotes.")
            return None
        if not node.value.strip():
            self.problem(node, path, "This must not be empty.")
            return None
        if len(node.value) > _MAX_TEXT or "\0" in node.value:
            self.problem(node, path, f"More than {_MAX_TEXT} characters.")
            return None
        return node.value

    def code(self, node, path):
        text = self.text(node, path)
        if text is not None and not _CODE.fullmatch(text):
            self.problem(
                node, path, "A code has lower-case letters, digits, _ and dots."
            )
            return None
        return text

    def codes(self, node, path):
        if not isinstance(node, yaml.SequenceNode):
            self.problem(node, path, "A list of codes is expected here.")
            return []
        found = []
        for number, item in enumerate(node.value, start=1):
            code = self.code(item, (*path, str(number)))
            if code in found:
                self.problem(item, path, f"{code} is there twice.")
            elif code:
                found.append(code)
        return sorted(found)

    def entry(self, node, path, fields):
        nodes = self.mapping(node, path)
        for name in nodes.keys() - fields.keys():
            self.problem(nodes[name], (*path, name), "There is no such field.")
        values = {}
        for name, (required, kind) in fields.items():
            if name in nodes:
                values[name] = getattr(self, kind)(nodes[name], (*path, name))
            else:
                values[name] = [] if kind == "codes" else None
                if required:
                    line = self.lines.get(path, 1)
                    self.problem(line, (*path, name), "This field is required.")
        return values

    def registry(self, root):
        if root is None:
            self.fail(1, (), "The file is empty.")
        parts = self.mapping(root, ())
        version = parts.pop("version", None)
        if version is None or getattr(version, "value", None) != "1":
            self.problem(version or 1, ("version",), "Only version 1 can be read.")
        for name in parts.keys() - _PARTS.keys():
            self.problem(parts[name], (name,), "There is no such part.")
        found = {}
        for part, fields in _PARTS.items():
            if part not in parts:
                self.problem(1, (part,), "This part is missing.")
                found[part] = {}
                continue
            found[part] = {}
            for code, node in self.mapping(parts[part], (part,)).items():
                path = (part, code)
                if not _CODE.fullmatch(code) or len(code) > 100:
                    self.problem(
                        self.lines[path],
                        path,
                        "A code has lower-case letters, digits, _ and dots.",
                    )
                found[part][code] = self.entry(node, path, fields)
        return found

    def line(self, *path):
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def at(self, path, message):
        self.problem(self.line(*path), path, message)

    def compare(self, found, present):
        """What a file says that does not fit together or is not there."""
        for part, entries in present.items():
            for code in sorted(entries.keys() - found[part].keys()):
                self.at(
                    (part,),
                    f"{code} is there and the file leaves it out: nothing is deleted "
                    "by an import.",
                )
        personas, domains = found["personas"], found["domains"]
        for code in personas.keys() - present["personas"].keys():
            self.at(
                ("personas", code),
                "There is no such persona: make it from the template first.",
            )
        for code, domain in domains.items():
            path = ("domains", code)
            if domain["primary"] and domain["primary"] not in personas:
                self.at((*path, "primary"), f"No persona {domain['primary']}.")
            for shared in domain["shared"]:
                if shared not in personas:
                    self.at((*path, "shared"), f"No persona {shared}.")
                elif shared == domain["primary"]:
                    self.at((*path, "shared"), f"{shared} is the primary already.")
        for code, capability in found["capabilities"].items():
            path = ("capabilities", code)
            domain = domains.get(capability["domain"])
            if capability["domain"] and domain is None:
                self.at((*path, "domain"), f"No domain {capability['domain']}.")
            persona = capability["persona"]
            if persona and domain is not None:
                if persona != domain["primary"] and persona not in domain["shared"]:
                    self.at(
                        (*path, "persona"),
                        f"{persona} does not hold {capability['domain']}.",
                    )


def read(content, file, present):
    """Read a registry.

    :param bytes content: the file
    :param str file: its name, for messages
    :param present: the registry as it is, as for :func:`to_yaml`
    :returns: the registry the file describes
    :raises InvalidRegistry: with every problem that was found, by line
    """
    reader = _Reader(file)
    found = reader.registry(reader.parse(content))
    if not reader.problems:
        reader.compare(found, present)
    if reader.problems:
        raise InvalidRegistry(sorted(reader.problems, key=lambda each: each.line))
    return found


def changes(present, wanted):
    """What has to change for one registry to become another, field by field."""
    found = []
    for part, fields in _PARTS.items():
        for code in sorted(wanted[part]):
            before, after = present[part].get(code), wanted[part][code]
            for name in fields:
                former = (before or {}).get(name) or None
                value = after.get(name) or None
                if former != value:
                    found.append(
                        Change(part, code, name, former, value, is_new=before is None)
                    )
    return found
