"""What a check finds, and where."""

from collections.abc import Iterator
from dataclasses import dataclass

#: Releases are held, let through or distinguished otherwise than the model says.
ERROR = "error"
#: It works, but not all of it can be meant.
WARNING = "warning"


@dataclass(frozen=True)
class Record:
    """A place in the model: a record, and what people call it."""

    model: str
    id: int
    name: str

    def __str__(self) -> str:
        return f"{self.model} {self.name}"

    @property
    def key(self) -> tuple[str, int]:
        """What places are sorted by."""
        return self.model, self.id


@dataclass(frozen=True)
class Line:
    """A place in a document: a file of the repository and a line, from 1."""

    file: str
    number: int

    def __str__(self) -> str:
        return f"{self.file}:{self.number}"

    @property
    def key(self) -> tuple[str, int]:
        """What places are sorted by."""
        return self.file, self.number


@dataclass(frozen=True)
class Finding:
    """A contradiction: what kind, how bad, where, what it is and the way out."""

    code: str
    severity: str
    place: Record | Line
    message: str
    way_out: str

    def __str__(self) -> str:
        return (
            f"{self.severity}: {self.place}: {self.message} {self.way_out}"
            f" [{self.code}]"
        )


#: What a check yields.
Findings = Iterator[Finding]
