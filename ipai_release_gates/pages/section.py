"""A section of the dossier of a release."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Section:
    """A section between the conditions and the ledger.

    :param name: unique among the sections of a database
    :param template: the QWeb template that prints it; it finds the release in
        ``release`` and the data in ``section``
    :param order: sections with a smaller number come first
    :param model: the model whose records of the release it lists; see
        ``report.ipai_release_gates.dossier._section``
    :param data: instead of a model, the name of a method of the dossier that takes a
        release and returns the data; ``None`` prints that the reader may not see it
    """

    name: str
    template: str
    order: int
    model: str | None = None
    data: str | None = None
