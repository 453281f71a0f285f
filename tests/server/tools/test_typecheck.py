"""The types of rooms and client: mypy finds a planted fault in the file it is in."""

import pytest

from tools import lint, typecheck, venv
from tools.locks import setting_up


@pytest.fixture(scope="module", autouse=True)
def mypy():
    """The linters; a make that never linted lacks them."""
    with setting_up():
        venv.ensure("lint")


def test_a_function_without_types_and_a_wrong_type_are_found(tmp_path):
    room = tmp_path / "planted"
    room.mkdir()
    (room / "__init__.py").write_text(
        '"""A room."""\n\n\ndef one(x):\n    return x\n\n\nY: int = "no"\n'
    )
    found = typecheck.problems({"ipai_release_gates/planted": room}, tmp_path / "types")
    assert len(found) == 2, found
    assert ":4: error: Function is missing" in found[0]
    assert ":8: error: Incompatible types" in found[1]


def test_every_room_whose_types_are_complete_has_no_problem(tmp_path):
    rooms = typecheck.rooms()
    assert {"client", "ipai_release_gates/policy"} <= rooms.keys()
    done = {name: rooms[name] for name in rooms.keys() - typecheck.PENDING}
    assert not done or typecheck.problems(done, tmp_path / "types") == []
    assert typecheck.check in lint.CHECKS
