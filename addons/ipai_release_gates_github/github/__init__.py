"""What is sent to GitHub and how its answers are read: no Odoo, no I/O, no clock."""

from .checks import CheckRun, check_run, commit_status, closing_run
from .jwt import KeyRefused, app_jwt, fingerprint, read_key
from .request import Invalid, Request, read_request, run_of
from .review import MAX_COMMENT, MAX_REPORTS, review_comment
from .text import clip, plain, units
from .tokens import Tokens

__all__ = [
    "MAX_COMMENT",
    "MAX_REPORTS",
    "CheckRun",
    "Invalid",
    "KeyRefused",
    "Request",
    "Tokens",
    "app_jwt",
    "check_run",
    "clip",
    "closing_run",
    "commit_status",
    "fingerprint",
    "plain",
    "read_key",
    "read_request",
    "review_comment",
    "run_of",
    "units",
]
