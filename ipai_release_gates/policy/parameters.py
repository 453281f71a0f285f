"""Parameters that several kinds of requirements share."""

from .kind import Parameter

#: Where: a category of environments.
ENVIRONMENT = Parameter(
    "environment_category",
    "choice",
    of="environment_categories",
    attribute="environment",
    sequence=80,
)
IN_PRODUCTION = ENVIRONMENT.with_assumed("production")
IN_STAGING = ENVIRONMENT.with_assumed("staging")

#: The oldest that a deciding fact may be.
FRESHNESS = Parameter(
    "freshness_hours",
    "hours",
    attribute="freshness",
    default=0.0,
    least=0,
    help="Older facts do not count. 0: any age.",
    sequence=120,
)
