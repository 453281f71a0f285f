"""Parts of the client for its unit tests."""

import sys
from pathlib import Path

CLIENT = Path(__file__).resolve().parents[3] / "client"
if str(CLIENT) not in sys.path:
    sys.path.insert(0, str(CLIENT))

from ipai_gates import parser
from ipai_gates import settings as room

SHA = "4f2c9ab0" * 5
KEY = "0123456789abcdef"


def arguments(*words):
    """A parsed command line."""
    return parser.build().parse_args(list(words))


def settings(**values):
    """Settings as the environment gives them."""
    given = {
        "url": "https://odoo.example.com",
        "key": KEY,
        "source_ref": SHA,
        "run": "1",
        "spool": "/nowhere",
        **values,
    }
    environ = {
        f"IPAI_GATES_{name.upper()}": value for name, value in given.items() if value
    }
    return room.read(arguments("flush"), environ)
