"""A stand-in for GitHub; plain Python, for the tests inside and outside of Odoo."""

from .github import Standin
from .parts import signature

__all__ = ["Standin", "signature"]
