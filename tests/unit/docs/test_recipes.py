"""The recipes: every file and hook that they name is there, in the toy or the core."""

import ast
import re
from pathlib import Path

import pytest
import toy

from tools import addons

ROOT = Path(__file__).resolve().parents[3]
TEXT = (ROOT / "docs/architecture/recipes.md").read_text()
#: The sections that are recipes, by title.
RECIPES = dict(re.findall(r"^## (A .*)\n((?:(?!^## ).*\n)*)", TEXT, re.MULTILINE))
_FILE = re.compile(r"`((?:\w+/)+\w+(?:\.\w+)+)`|`((?:\w+/)+)`")
_HOOK = re.compile(r"`((?:\w+\.)+\w+)\.(_\w+)\(\)`")


def cited_files(text):
    """The paths that a text has in backquotes."""
    return {first or second for first, second in _FILE.findall(text)}


def overridden(folder):
    """The methods that the models of an addon extend, as pairs of model and method."""
    found = set()
    for path in (folder / "models").rglob("*.py"):
        for each in ast.parse(path.read_text()).body:
            if not isinstance(each, ast.ClassDef):
                continue
            models = [
                node.value.value
                for node in each.body
                if isinstance(node, ast.Assign)
                and node.targets[0].id in ("_name", "_inherit")
                and isinstance(node.value, ast.Constant)
            ]
            methods = {m.name for m in each.body if isinstance(m, ast.FunctionDef)}
            found |= {(model, method) for model in models for method in methods}
    return found


def defined():
    """The methods of the models of the core, as pairs of model and method."""
    core = addons.core().folder
    text = "\n".join(
        path.read_text()
        for room in ("models", "reports")
        for path in (core / room).rglob("*.py")
    )
    found = set()
    for model, body in re.findall(
        r'^    _(?:name|inherit) = "([\w.]+)"\n((?:(?!^class ).*\n)*)',
        text,
        re.MULTILINE,
    ):
        found |= {
            (model, name) for name in re.findall(r"^    def (_\w+)", body, re.MULTILINE)
        }
    return found


def test_there_are_four_recipes():
    assert list(RECIPES) == [
        "A requirement kind",
        "A fact",
        "A provider",
        "A report",
    ]


@pytest.mark.parametrize("title", RECIPES)
def test_the_files_of_a_recipe_exist(title):
    places = (toy.FOLDER, ROOT, addons.core().folder)
    cited = cited_files(RECIPES[title])
    assert any((toy.FOLDER / each).is_file() for each in cited)
    missing = [
        each for each in cited if not any((place / each).exists() for place in places)
    ]
    assert not missing


@pytest.mark.parametrize("title", RECIPES)
def test_the_hooks_of_a_recipe_exist_and_the_toy_extends_them(title):
    hooks = set(_HOOK.findall(RECIPES[title]))
    assert hooks
    assert hooks <= defined()
    # A panel needs a component; the toy has none.
    assert hooks - overridden(toy.FOLDER) <= {("ipai.control.room", "_panels")}


def test_every_file_of_the_toy_belongs_to_a_recipe():
    cited = cited_files(TEXT)
    frame = {"__manifest__.py"}
    there = {
        path.relative_to(toy.FOLDER).as_posix()
        for path in toy.FOLDER.rglob("*")
        if path.is_file()
        and path.name != "__init__.py"
        and "__pycache__" not in path.parts
    }
    assert there - frame <= cited


def test_the_toy_touches_nothing_outside_of_itself():
    """No file of the core or of a satellite names it."""
    for addon in addons.every():
        for path in addon.folder.rglob("*.py"):
            assert toy.NAME not in path.read_text(), path
