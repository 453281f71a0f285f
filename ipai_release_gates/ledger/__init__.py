"""Canonical JSON, the hash chain, its verifier and the story it tells. Plain Python:
no Odoo, no I/O, no clock."""

from .canonical import canonical_json
from .chain import (
    GENESIS,
    KINDS,
    Draft,
    Entry,
    entry_canonical,
    entry_hash,
    extend,
    timestamp,
)
from .story import Deployment, Move, Resolution, Revision, Story, rebuild
from .verify import Fault, verify

__all__ = [
    "GENESIS",
    "KINDS",
    "Deployment",
    "Draft",
    "Entry",
    "Fault",
    "Move",
    "Resolution",
    "Revision",
    "Story",
    "canonical_json",
    "entry_canonical",
    "entry_hash",
    "extend",
    "rebuild",
    "timestamp",
    "verify",
]
