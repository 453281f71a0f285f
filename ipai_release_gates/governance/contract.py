"""A persona contract: its published form, its versions, what differs between two."""

import difflib
from collections.abc import Mapping
from typing import Any

from .template import FIELDS, GENERATED, LABELS, MAJOR, SECTIONS, points

#: What a difference is made from, in this order.
_COMPARED = (*FIELDS, "outcomes", "governance_overlay", "review_cadence")
_LABELS = {
    **LABELS,
    "outcomes": "Primary outcomes",
    "governance_overlay": "Governance overlay",
    "review_cadence": "Review cadence",
}
_CADENCE = {"monthly": "every month", "quarterly": "every quarter"}


def next_version(
    former: Mapping[str, Any] | None, values: Mapping[str, Any]
) -> tuple[int, int, tuple[str, ...]]:
    """How the next version of a contract is numbered, and why.

    :param former: dict of the version in force with ``major`` and ``minor`` and text
        by field, or ``None`` for the first
    :param values: dict of text by field
    :returns: ``(major, minor, the labels of the fields that make it major)``
    """
    if former is None:
        return 1, 0, ()
    changed = tuple(
        LABELS[name]
        for name in MAJOR
        if points(former.get(name)) != points(values.get(name))
    )
    if changed:
        return former["major"] + 1, 0, changed
    return former["major"], former["minor"] + 1, ()


def difference(former: Mapping[str, Any] | None, values: Mapping[str, Any]) -> str:
    """What changed from one version to another, section by section.

    :param former: dict of text by field; ``None`` gives no difference
    :returns: text with a line per point, ``-`` taken out and ``+`` put in; empty when
        nothing changed
    """
    if former is None:
        return ""
    lines: list[str] = []
    for name in _COMPARED:
        changed = difflib.unified_diff(
            points(former.get(name)), points(values.get(name)), lineterm="", n=0
        )
        # The two lines that name files, and those that count lines, say nothing here.
        shown = [line for line in list(changed)[2:] if not line.startswith("@@")]
        if shown:
            lines += [f"{_LABELS[name]}:", *shown, ""]
    return "\n".join(lines).rstrip()


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")


def to_markdown(values: Mapping[str, Any]) -> str:
    """A contract as it is published.

    :param values: dict of text by field, with ``code``, ``name``, ``version`` and
        ``domains``, a list of ``(code, level)``
    """
    lines = [
        GENERATED,
        "",
        f"# {_escaped(values['name'])}",
        "",
        (
            f"Contract of the persona `{values['code']}`, version {values['version']}, "
            f"reviewed {_CADENCE[values['review_cadence']]}."
        ),
        "",
        f"The [governance overlay]({values['governance_overlay']}) applies.",
        "",
        "## Primary outcomes",
        "",
        *(f"- {_escaped(each)}" for each in points(values["outcomes"])),
        "",
    ]
    for number, section in enumerate(SECTIONS, start=1):
        lines += [f"## {number}. {section.title}", ""]
        for name, label in section.fields:
            if len(section.fields) > 1:
                lines += [f"### {label}", ""]
            lines += [*(f"- {_escaped(each)}" for each in points(values[name])), ""]
    lines += ["## Expertise", ""]
    lines += [f"- `{code}` ({level})" for code, level in values["domains"]]
    return "\n".join(lines) + "\n"
