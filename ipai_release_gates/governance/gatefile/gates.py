"""``gate_schema``: gates with what they demand, and stages with who moves there."""

import re

from .schema import Field, Part, Schema, merged

#: Kind of requirement → the parameters that decide for it. The judges of ``policy``
#: read these and no others.
PARAMETERS = {
    "check": ("check_name", "environment_category", "freshness_hours"),
    "evidence": ("evidence_type", "metadata_match", "freshness_hours"),
    "approval": (
        "approval_persona",
        "min_count",
        "distinct_from_gate",
        "freshness_hours",
    ),
    "prior_gate": ("prior_gate",),
    "deployment": ("environment_category", "deployment_aspect"),
    "no_failed_check": (),
    "no_open_incident": (),
    "no_freeze": ("environment_category",),
    "soak_time": ("environment_category", "soak_hours"),
    "environment_controls": ("environment_category", "freshness_hours"),
    "recovery_drill": ("drill_type", "environment_category", "freshness_hours"),
    "no_overdue_review": (),
}

_GATE_CODE = re.compile(r"[A-Z][A-Z0-9_]{0,15}")

REQUIREMENTS = Part(
    "requirements",
    {
        "name": Field("text", required=True),
        "sequence": Field("whole", default=10, help="Order in which people read them."),
        "active": Field("boolean", default=True, help="false: not demanded."),
        "kind": Field("choice", required=True, of="requirement_kinds"),
        "check_name": Field(
            "text", help="Empty: every check that the project's policy requires."
        ),
        "evidence_type": Field(
            "code",
            of="evidence_types",
            help="Empty: the complete evidence package, that is every evidence "
            "requirement of this gate and of the gates before it.",
        ),
        "metadata_match": Field(
            "object",
            help="What the metadata of the evidence must say. A list of values means "
            "one of them.",
        ),
        "approval_persona": Field("code", of="personas", help="Who signs."),
        "min_count": Field(
            "whole", default=1, least=1, help="How many different people sign."
        ),
        "distinct_from_gate": Field(
            "code", of="gates", help="Whoever signed that gate cannot sign this one."
        ),
        "prior_gate": Field("code", of="gates"),
        "environment_category": Field("choice", of="environment_categories"),
        "deployment_aspect": Field(
            "choice", default="succeeded", of="deployment_aspects"
        ),
        "drill_type": Field("choice", of="drill_types", help="Empty: any."),
        "soak_hours": Field("number", default=0.0, least=0),
        "freshness_hours": Field(
            "number", default=0.0, least=0, help="Older facts do not count. 0: any age."
        ),
        "waivable": Field(
            "boolean", default=True, help="Whether an approved exception can cover it."
        ),
        "accountable_persona": Field("code", required=True, of="personas"),
        "expertise_domain": Field("code", required=True, of="expertise_domains"),
    },
    shown=lambda entry: {"sequence", "waivable", *PARAMETERS.get(entry["kind"], ())},
)

GATES = Part(
    "gates",
    {
        "name": Field("text", required=True),
        "sequence": Field(
            "whole", default=10, help="The order of the gates: smaller comes first."
        ),
        "description": Field("text"),
        "requirements": Field("entries", entry=REQUIREMENTS),
    },
    new_code=_GATE_CODE,
    code_rule="A gate code is a capital letter followed by up to 15 capitals, digits "
    "or underscores.",
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

_NEEDED = {
    "approval": ("approval_persona", "A sign-off needs its persona."),
    "prior_gate": ("prior_gate", "An earlier gate needs its gate."),
    "soak_time": ("soak_hours", "A soak needs its hours, more than 0."),
}


def _check(reader, found, present, known):
    wanted = merged(SCHEMA, present, found)
    for part in (GATES, STAGES):
        _check_order(reader, part, found[part.name], present[part.name], wanted)
    for gate, entry in found["gates"].items():
        for code, requirement in entry["requirements"].items():
            name, message = _NEEDED.get(requirement["kind"], (None, None))
            if name and not requirement[name]:
                reader.at(("gates", gate, "requirements", code, name), message)
    backward = set(_backward(wanted["gates"])) - set(_backward(present["gates"]))
    for gate, code, prior in sorted(backward):
        reader.at(
            ("gates", gate, "requirements", code, "prior_gate"),
            f"{prior} would not come before {gate}, which demands it.",
        )


def _check_order(reader, part, found, present, wanted):
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


def _backward(gates):
    """Requirements that demand a gate which does not come before their own."""
    for gate, entry in gates.items():
        for code, requirement in entry["requirements"].items():
            prior = gates.get(requirement["prior_gate"])
            if prior and prior["sequence"] >= entry["sequence"]:
                yield gate, code, requirement["prior_gate"]


def _notes(entries):
    for code, gate in entries["gates"].items():
        if not any(each["active"] for each in gate["requirements"].values()):
            yield (
                f"{code} would have no requirement in force: an empty gate is closed "
                "for every release."
            )


SCHEMA = Schema(
    "gate_schema",
    "Gates and stages",
    """\
Gates in the order of `sequence`, each with what it demands, and the stages of the board
with the gate they demand and the personas who move a release there.

A gate is passed when every requirement in force is met; a gate without any is closed.
Entering a stage needs the gates of it and of all stages before. A field that an entry
leaves out has its default; parameters that decide for the kind are always written.""",
    (GATES, STAGES),
    _check,
    _notes,
)
