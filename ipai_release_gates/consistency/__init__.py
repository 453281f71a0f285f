"""Contradictions in the governance model and in the documents that describe it.

Plain Python: no Odoo, no I/O, no clock. Values go in, findings come out."""

from .documents import Names, document_findings
from .finding import ERROR, WARNING, Finding, Line, Record
from .model import model_findings
from .values import (
    Domain,
    EvidenceType,
    Gate,
    Model,
    Persona,
    Project,
    Requirement,
    Stage,
)

__all__ = [
    "ERROR",
    "WARNING",
    "Domain",
    "EvidenceType",
    "Finding",
    "Gate",
    "Line",
    "Model",
    "Names",
    "Persona",
    "Project",
    "Record",
    "Requirement",
    "Stage",
    "document_findings",
    "model_findings",
]
