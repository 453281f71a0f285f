"""What the toy adds to the rules: plain Python, no Odoo."""

from .walkthrough import FACT, KIND, MODULE, Walkthrough
