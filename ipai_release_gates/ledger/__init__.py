"""Canonical JSON, the hash chain, its verifier and the story of a release.

Plain Python: no Odoo, no I/O, no clock.
"""

from .canonical import canonical_json
from .chain import (
    GENESIS,
    Draft,
    Entry,
    entry_canonical,
    entry_hash,
    extend,
    timestamp,
)
from .kinds import CORE, KINDS, LedgerKind
from .story import Deployment, Move, Resolution, Revision, Story, When, rebuild
from .verify import Fault, as_entry, verify

__all__ = [
    "CORE",
    "GENESIS",
    "KINDS",
    "Deployment",
    "Draft",
    "Entry",
    "Fault",
    "LedgerKind",
    "Move",
    "Resolution",
    "Revision",
    "Story",
    "When",
    "as_entry",
    "canonical_json",
    "entry_canonical",
    "entry_hash",
    "extend",
    "rebuild",
    "timestamp",
    "verify",
]
