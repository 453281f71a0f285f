"""What the toy adds to the rules: plain Python, no Odoo."""

from .toyforge import PROVIDER
from .walkthrough import FACT, KIND, MODULE, Walkthrough
