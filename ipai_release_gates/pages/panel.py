"""A panel of the control room."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

#: Where a panel stands: in the narrow column, in the wide one, in the row below them,
#: or at the end of the page.
ASIDE, MAIN, ROW, END = "aside", "main", "row", "end"


@dataclass(frozen=True)
class Asked:
    """What a panel's data method is called with.

    :param scope: the filters of the user, see ``control_room_scope.Scope``
    :param held: the personas that the user holds
    :param stages: all stages in order
    :param targets: the targets of figures
    """

    scope: Any
    held: Any
    stages: Any
    targets: Any


@dataclass(frozen=True)
class Panel:
    """A panel of the control room.

    :param key: unique among the panels of a database, and the key of its data
    :param component: its name in the JavaScript registry ``ipai_control_room``
    :param data: the name of a method of ``ipai.control.room`` that takes :class:`Asked`
        and returns JSON values; ``None``, and the panel is not shown
    :param place: :data:`ASIDE`, :data:`MAIN`, :data:`ROW` or :data:`END`
    :param order: panels of one place with a smaller number come first
    """

    key: str
    component: str
    data: str
    place: str
    order: int
