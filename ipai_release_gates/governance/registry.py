"""The expertise registry as YAML: written, read with line numbers, compared.

A file is the whole registry: what it leaves out would be deleted silently, so leaving
something out that is there is an error.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from .document import CODE, CODE_RULE, InvalidDocument, Path, Reader

#: The fields of an entry by name.
Entry = Mapping[str, Any]
#: Part → code → entry.
Registry = dict[str, dict[str, dict[str, Any]]]

#: Far more than any registry needs.
MAX_BYTES = Reader.max_bytes
#: What JSON leaves as it is and YAML does not take.
_UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")

#: part → its fields: name → (required, kind)
_PARTS: dict[str, dict[str, tuple[bool, str]]] = {
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
# Exported from Odoo; docs/reference/personas is generated: `python3 -m tools publish`.
# The expertise registry: personas, domains and who holds them, capabilities of agents.
# A capability maps to a domain first; the persona, if one is named, must hold it.
"""


class InvalidRegistry(InvalidDocument):
    """A registry that cannot be taken; ``problems`` says why."""


@dataclass(frozen=True)
class Change:
    """One field of one entry that an import would change; ``before`` None: new."""

    part: str
    code: str
    field: str
    before: object
    after: object
    is_new: bool = False

    @property
    def path(self) -> tuple[str, str]:
        """Where in the file: part and code."""
        return self.part, self.code


# --- writing -------------------------------------------------------------------------


def _quoted(text: str) -> str:
    quoted = json.dumps(text, ensure_ascii=False)
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", quoted)


def to_yaml(registry: Registry) -> str:
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


class _Reader(Reader):
    error = InvalidRegistry

    def entry(
        self, node: yaml.Node, path: Path, fields: Mapping[str, tuple[bool, str]]
    ) -> dict[str, Any]:
        nodes = self.mapping(node, path)
        for name in nodes.keys() - fields.keys():
            self.problem(nodes[name], (*path, name), "There is no such field.")
        values: dict[str, Any] = {}
        for name, (required, kind) in fields.items():
            if name in nodes:
                values[name] = getattr(self, kind)(nodes[name], (*path, name))
            else:
                values[name] = [] if kind == "codes" else None
                if required:
                    line = self.lines.get(path, 1)
                    self.problem(line, (*path, name), "This field is required.")
        return values

    def registry(self, root: yaml.Node) -> Registry:
        parts = self.mapping(root, ())
        version = parts.pop("version", None)
        if version is None or getattr(version, "value", None) != "1":
            self.problem(version or 1, ("version",), "Only version 1 can be read.")
        for name in parts.keys() - _PARTS.keys():
            self.problem(parts[name], (name,), "There is no such part.")
        found: Registry = {}
        for part, fields in _PARTS.items():
            if part not in parts:
                self.problem(1, (part,), "This part is missing.")
                found[part] = {}
                continue
            found[part] = {}
            for code, node in self.mapping(parts[part], (part,)).items():
                path = (part, code)
                if not CODE.fullmatch(code) or len(code) > 100:
                    self.problem(self.lines[path], path, CODE_RULE)
                found[part][code] = self.entry(node, path, fields)
        return found

    def compare(self, found: Registry, present: Registry) -> None:
        """Note what in a file does not fit together, or with what is there."""
        for part, entries in present.items():
            for code in sorted(entries.keys() - found[part].keys()):
                self.at(
                    (part,),
                    f"{code} is there and the file leaves it out: nothing is deleted "
                    "by an import.",
                )
        for code in found["personas"].keys() - present["personas"].keys():
            self.at(
                ("personas", code),
                "There is no such persona: make it from the template first.",
            )
        for code, domain in found["domains"].items():
            self.compare_domain(("domains", code), domain, found["personas"])
        for code, capability in found["capabilities"].items():
            self.compare_capability(
                ("capabilities", code), capability, found["domains"]
            )

    def compare_domain(
        self, path: Path, domain: Entry, personas: Mapping[str, Entry]
    ) -> None:
        if domain["primary"] and domain["primary"] not in personas:
            self.at((*path, "primary"), f"No persona {domain['primary']}.")
        for shared in domain["shared"]:
            if shared not in personas:
                self.at((*path, "shared"), f"No persona {shared}.")
            elif shared == domain["primary"]:
                self.at((*path, "shared"), f"{shared} is the primary already.")

    def compare_capability(
        self, path: Path, capability: Entry, domains: Mapping[str, Entry]
    ) -> None:
        domain, persona = domains.get(capability["domain"]), capability["persona"]
        if domain is None:
            self.at((*path, "domain"), f"No domain {capability['domain']}.")
        elif persona and persona not in (domain["primary"], *domain["shared"]):
            self.at(
                (*path, "persona"), f"{persona} does not hold {capability['domain']}."
            )


def read(content: bytes, file: str, present: Registry) -> Registry:
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
    reader.close()
    return found


def changes(present: Registry, wanted: Registry) -> list[Change]:
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
