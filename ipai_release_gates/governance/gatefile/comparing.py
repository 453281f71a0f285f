"""What an import of a policy file would change, field by field."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ..document import Path
from .schema import Change, Entries, Part, Schema


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
            elif not about.derived:
                before = former[name] if former else about.default
                is_new = former is None
                if not _same(before, entry[name]) or (is_new and about.required):
                    yield Change(at, name, before, entry[name], is_new)
        yield from inner


def _same(before: Any, after: Any) -> bool:
    # JSON tells true from 1, which Python does not.
    return json.dumps(before, sort_keys=True) == json.dumps(after, sort_keys=True)
