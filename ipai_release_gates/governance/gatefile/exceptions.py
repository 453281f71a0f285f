"""``exception_schema``: how a gate may be passed for a time. All is the program's.

The limits are those of ``policy.risk`` and of the database's constraints, so that no
change of data can loosen them.
"""

from .schema import Schema

SCHEMA = Schema(
    "exception_schema",
    "Exceptions",
    """\
Types of exceptions with what each may cover, levels of risk with the longest life and
who approves, states with what may follow, deadlines. All of it is decided by the
program and told for information: an import cannot change it.""",
)
