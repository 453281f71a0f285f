"""``gate_schema``: gates with what they demand, and stages with who moves there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .comparing import merged
from .schema import Entries, Entry, Field, Part, Schema

if TYPE_CHECKING:
    from ...policy import Parameter, RequirementKind
    from .reading import PolicyReader

_GATE_CODE = re.compile(r"[A-Z][A-Z0-9_]{0,15}")

#: Types of parameters that a field of a file calls otherwise.
_FIELD_TYPES = {"hours": "number"}


def requirements_part(kinds: Mapping[str, RequirementKind]) -> Part:
    """The requirements of a gate, with the parameters of the kinds there are.

    :param kinds: the kinds of requirements by code
    """
    parameters: dict[str, Parameter] = {
        parameter.name: parameter
        for kind in kinds.values()
        for parameter in kind.parameters
    }
    in_order = sorted(parameters.values(), key=lambda each: (each.sequence, each.name))

    def used(entry: Entry) -> set[str]:
        kind = kinds.get(entry["kind"])
        return set(kind.parameter_names) if kind else set()

    return Part(
        "requirements",
        {
            "name": Field("text", required=True),
            "sequence": Field(
                "whole", default=10, help="Order in which people read them."
            ),
            "active": Field("boolean", default=True, help="false: not demanded."),
            "kind": Field("choice", required=True, of="requirement_kinds"),
            **{parameter.name: _field(parameter) for parameter in in_order},
            "waivable": Field(
                "boolean",
                default=True,
                help="Whether an approved exception can cover it.",
            ),
            "accountable_persona": Field("code", required=True, of="personas"),
            "expertise_domain": Field("code", required=True, of="expertise_domains"),
        },
        shown=lambda entry: {"sequence", "waivable", *used(entry)},
        unused=lambda entry: parameters.keys() - used(entry),
    )


def _field(parameter: Parameter) -> Field:
    return Field(
        _FIELD_TYPES.get(parameter.type, parameter.type),
        default=parameter.default,
        of=parameter.of or "",
        least=parameter.least,
        help=parameter.help,
    )


def gates_part(kinds: Mapping[str, RequirementKind]) -> Part:
    """The gates, each with its requirements.

    :param kinds: the kinds of requirements by code
    """
    return Part(
        "gates",
        {
            "name": Field("text", required=True),
            "sequence": Field(
                "whole", default=10, help="The order of the gates: smaller comes first."
            ),
            "description": Field("text"),
            "requirements": Field("entries", entry=requirements_part(kinds)),
        },
        new_code=_GATE_CODE,
        code_rule="A gate code is a capital letter followed by up to 15 capitals, "
        "digits or underscores.",
        shown=lambda entry: {"sequence"},
        ordered=True,
    )


STAGES = Part(
    "stages",
    {
        "name": Field("text", required=True),
        "sequence": Field(
            "whole", default=10, help="The order of the stages: smaller comes first."
        ),
        "description": Field("text"),
        "gate": Field(
            "code",
            of="gates",
            help="Entering the stage needs this gate and the gates of all stages "
            "before.",
        ),
        "movers": Field(
            "codes", default=[], of="personas", help="Who may move a release there."
        ),
        "environment_category": Field(
            "choice",
            of="environment_categories",
            help="Where a release in this stage may be promoted to.",
        ),
        "release_status": Field(
            "choice", of="release_statuses", help="Empty: entering keeps the status."
        ),
        "is_closing": Field(
            "boolean", default=False, help="Releases there are closed."
        ),
        "pulls_back": Field(
            "boolean",
            default=True,
            help="A new revision sends a release back to the first stage.",
        ),
        "fold": Field("boolean", default=False, help="Folded on the board."),
        "rotting_threshold_days": Field(
            "whole", default=0, least=0, help="Cards older than this are marked."
        ),
    },
    shown=lambda entry: {"sequence", "gate", "movers", "pulls_back", "is_closing"},
    ordered=True,
)


def _check(
    reader: PolicyReader,
    found: Entries,
    present: Entries,
    schema: Schema,
    kinds: Mapping[str, RequirementKind],
) -> None:
    gates, stages = schema.parts
    wanted = merged(schema, present, found)
    for part in (gates, stages):
        _check_order(reader, part, found[part.name], present[part.name], wanted)
    requirements = gates.fields["requirements"].part
    for gate, entry in found["gates"].items():
        for code, requirement in entry["requirements"].items():
            at = ("gates", gate, "requirements", code)
            _check_parameters(reader, at, requirements, requirement, kinds)
    backward = set(_backward(wanted["gates"])) - set(_backward(present["gates"]))
    for gate, code, prior in sorted(backward):
        reader.at(
            ("gates", gate, "requirements", code, "prior_gate"),
            f"{prior} would not come before {gate}, which demands it.",
        )


def _check_parameters(
    reader: PolicyReader,
    path: tuple[str, ...],
    part: Part,
    requirement: Entry,
    kinds: Mapping[str, RequirementKind],
) -> None:
    """A requirement has what its kind needs, and nothing that its kind ignores."""
    kind = kinds[requirement["kind"]]
    for parameter in kind.parameters:
        if parameter.needed and not requirement[parameter.name]:
            reader.at((*path, parameter.name), parameter.needed)
    for name in sorted(part.unused(requirement)):
        if requirement[name] != part.fields[name].default:
            reader.at(
                (*path, name),
                f"A requirement of the kind {kind.code} has no {name}: nothing "
                "judges it. Leave it out.",
            )


def _check_order(
    reader: PolicyReader, part: Part, found: Entries, present: Entries, wanted: Entries
) -> None:
    """Two of one sequence would come in the order in which they were made."""
    for code, entry in found.items():
        if code in present and present[code]["sequence"] == entry["sequence"]:
            continue
        for other, theirs in wanted[part.name].items():
            if other != code and theirs["sequence"] == entry["sequence"]:
                reader.at(
                    (part.name, code, "sequence"),
                    f"{other} has the sequence {entry['sequence']} too, so their order "
                    "would be by accident.",
                )
                break


def _backward(gates: Entries) -> Iterator[tuple[str, str, str]]:
    """Requirements that demand a gate which does not come before their own."""
    for gate, entry in gates.items():
        for code, requirement in entry["requirements"].items():
            prior = gates.get(requirement.get("prior_gate"))
            if prior and prior["sequence"] >= entry["sequence"]:
                yield gate, code, requirement["prior_gate"]


def _notes(entries: Entries) -> Iterator[str]:
    for code, gate in entries["gates"].items():
        if not any(each["active"] for each in gate["requirements"].values()):
            yield (
                f"{code} would have no requirement in force: an empty gate is closed "
                "for every release."
            )


_HEAD = """\
Gates in the order of `sequence`, each with what it demands, and the stages of the board
with the gate they demand and the personas who move a release there.

A gate is passed when every requirement in force is met; a gate without any is closed.
Entering a stage needs the gates of it and of all stages before. A field that an entry
leaves out has its default; parameters that decide for the kind are always written."""


def gate_schema(kinds: Mapping[str, RequirementKind]) -> Schema:
    """The schema of gates and stages.

    :param kinds: the kinds of requirements by code
    """
    schema = Schema(
        "gate_schema",
        "Gates and stages",
        _HEAD,
        (gates_part(kinds), STAGES),
        notes=_notes,
    )

    def check(
        reader: PolicyReader, found: Entries, present: Entries, known: Mapping[str, Any]
    ) -> None:
        _check(reader, found, present, schema, kinds)

    return replace(schema, check=check)
