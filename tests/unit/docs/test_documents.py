"""The documents: hooks are listed, what they cite exists, the README is short."""

import ast
import re
from pathlib import Path

import pytest

from tools import addons, typecheck

ROOT = Path(__file__).resolve().parents[3]
ARCHITECTURE = (ROOT / "ARCHITECTURE.md").read_text()
DOCUMENTS = sorted(
    path
    for path in (
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/**/*.md"),
        *ROOT.glob("client/*.md"),
    )
    # A report that a run wrote.
    if path.name != "dry-run.md"
)
_LISTED = re.compile(r"^\| `((?:ipai|report)\.[\w.]+)` \| ", re.MULTILINE)
#: A path of the repository in backquotes: it has a slash, or a known ending.
_PATH = re.compile(r"`([\w./-]+(?:/|\.py|\.md|\.yaml|\.xml|\.js))`")


def _model_of(tree):
    """The model that a class extends or defines, by ``_name`` or ``_inherit``."""
    for name in ("_name", "_inherit"):
        for node in tree.body:
            if (
                isinstance(node, ast.Assign)
                and getattr(node.targets[0], "id", "") == name
                and isinstance(node.value, ast.Constant)
            ):
                return node.value.value
    return None


def hooks_of(source):
    """Methods whose docstring has a paragraph ``Hook:``, as ``model.method``."""
    return {
        f"{_model_of(each)}.{method.name}"
        for each in ast.parse(source).body
        if isinstance(each, ast.ClassDef)
        for method in each.body
        if isinstance(method, ast.FunctionDef)
        and re.search(r"^\s*Hook: ", ast.get_docstring(method) or "", re.MULTILINE)
    }


def hooks_in_code():
    return {
        hook
        for addon in addons.every()
        for path in addon.folder.rglob("*.py")
        if "tests" not in path.parts
        for hook in hooks_of(path.read_text())
    }


def test_every_hook_is_in_the_index_and_no_other():
    listed = set(_LISTED.findall(ARCHITECTURE))
    assert listed == hooks_in_code()


def test_a_hook_is_found_by_its_docstring():
    source = (
        'class A:\n    _inherit = "ipai.a"\n\n    def _kinds(self):\n'
        '        """Kinds.\n\n        Hook: add yours.\n        """\n\n'
        '    def other(self):\n        """No hook."""\n'
    )
    assert hooks_of(source) == {"ipai.a._kinds"}


def test_the_readme_is_one_screen():
    assert len((ROOT / "README.md").read_text().splitlines()) <= 60


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_what_a_document_cites_exists(path):
    text = path.read_text()
    text = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    missing = []
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", text):
        if not (path.parent / target).exists():
            missing.append(target)
    assert not missing


def test_the_paths_of_the_architecture_exist():
    """Paths are of the repository, of the core, or of a room of its models."""
    text = re.sub(r"```.*?```", "", ARCHITECTURE, flags=re.DOTALL)
    core = ROOT / "ipai_release_gates"
    places = (ROOT, core, core / "models" / "release", core / "models")
    missing = [
        found
        for found in _PATH.findall(text)
        if "<" not in found and not any((place / found).exists() for place in places)
    ]
    assert not missing


def test_the_architecture_names_the_rooms_whose_types_are_checked():
    sentence = re.search(r"Plain rooms \(([^)]*)\)", ARCHITECTURE)[1]
    named = set(re.findall(r"`(\w+)`", sentence))
    rooms = {
        room.removeprefix("ipai_release_gates/")
        for room in typecheck.rooms()
        if room.startswith("ipai_release_gates/")
    }
    assert named == rooms


def test_every_decision_states_status_and_date():
    for path in sorted((ROOT / "docs/decisions").glob("0*.md")):
        assert re.search(
            r"^Status: \w[^,\n]*, \d{4}-\d\d-\d\d\.$", path.read_text(), re.MULTILINE
        ), path.name


def test_every_decision_that_is_cited_exists():
    known = {path.name[:4] for path in (ROOT / "docs/decisions").glob("0*.md")}
    cited = set()
    for addon in addons.every():
        for path in addon.folder.rglob("*.py"):
            cited |= set(re.findall(r"[Dd]ecision (\d{4})", path.read_text()))
    assert cited and cited <= known


def test_every_document_that_the_code_cites_exists():
    names = {path.name for path in ROOT.rglob("*.md") if ".run" not in path.parts}
    cited = set()
    for folder in ("tests", "tools", "ipai_release_gates", "addons", "client"):
        for path in (ROOT / folder).rglob("*.py"):
            if path.name != Path(__file__).name:
                cited |= set(
                    re.findall(r"``(\w+\.md)``|\b(domain\.md)\b", path.read_text())
                )
    assert {name for pair in cited for name in pair if name} <= names
