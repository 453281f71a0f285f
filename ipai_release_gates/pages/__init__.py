"""What the control room and the dossier consist of; addons bring parts of their own."""

from .panel import ASIDE, END, MAIN, ROW, Asked, Panel
from .section import Section

__all__ = ["ASIDE", "END", "MAIN", "ROW", "Asked", "Panel", "Section"]
