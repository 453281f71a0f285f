"""``evidence_schema``: types of evidence, and what a piece of evidence consists of."""

from .schema import Field, Part, Schema

TYPES = Part(
    "evidence_types",
    {
        "name": Field("text", required=True),
        "sequence": Field("whole", default=10, help="Order in lists."),
        "active": Field("boolean", default=True, help="false: not recorded any more."),
        "description": Field("text"),
        "metadata_schema": Field(
            "object",
            help="JSON Schema (2020-12) that the metadata must satisfy, without $ref "
            "and patterns. Empty: anything goes.",
        ),
        "asked_for_by": Field(
            "codes",
            default=[],
            derived=True,
            help="Requirements in force that ask for it, as gate/requirement.",
        ),
    },
    shown=lambda entry: {"sequence", "metadata_schema", "asked_for_by"},
)

SCHEMA = Schema(
    "evidence_schema",
    "Evidence types",
    """\
Types of evidence. `asked_for_by` is told for information: it follows from the gates.
`definitions` tells the fields of a piece of evidence and what is checked when one is
recorded; it is decided by the program.""",
    (TYPES,),
)
