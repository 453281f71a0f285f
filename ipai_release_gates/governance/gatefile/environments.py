"""``environment_controls``: which controls each category of environment has."""

from .schema import Schema

SCHEMA = Schema(
    "environment_controls",
    "Environment controls",
    """\
Categories of environments, the controls each must have, and how each is checked.
All of it is decided by the program and told for information: an import cannot change
it. Whether controls hold a gate is a requirement of kind environment_controls in
gate_schema.yaml.""",
)
