"""A policy file as text: the same entries always give the same text."""

from __future__ import annotations

from typing import Any

import yaml

from .schema import TAG, VERSION, Entries, Entry, Part, Schema


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
    return dumper.represent_scalar(f"{TAG}str", value, style=style)


_Dumper.add_representer(str, _text)


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
