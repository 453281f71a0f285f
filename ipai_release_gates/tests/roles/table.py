"""The table of roles as data: what each role may read and do, and how to try it.

Plain Python without Odoo, for both layers of tests: each runs every action as a real
user of every role, on what ``material`` prepared. A role that is not among the
``allowed`` of an action must be refused.
"""

from .actions import LOGINS, PLANE, ROLES, Action, refusal_in
from .exceptions import EXCEPTIONS, exception_decision, exception_values
from .governing import CONFIGURATION, FOR_GOOD, GOVERNING, KEPT, TRIED_ELSEWHERE
from .operations import OPERATIONS
from .reading import DECIDER, READERS, READING
from .releases import FACTS, RELEASES

__all__ = [
    "CONFIGURATION",
    "DECIDER",
    "FOR_GOOD",
    "LOGINS",
    "PLANE",
    "READERS",
    "READING",
    "ROLES",
    "TRIED_ELSEWHERE",
    "WRITING",
    "Action",
    "exception_decision",
    "exception_values",
    "refusal_in",
]

WRITING = [*RELEASES, *FACTS, *EXCEPTIONS, *OPERATIONS, *GOVERNING, *KEPT]
