"""The expertise registry as YAML: the same both ways, every problem with its line."""

import copy

import pytest
from governance import InvalidRegistry, changes, read, to_yaml
from governance.registry import MAX_BYTES
from hypothesis import given
from hypothesis import strategies as st

PRESENT = {
    "personas": {"dev": {"name": "Developer"}, "qa": {"name": "Tester: “QA”"}},
    "domains": {
        "x.build": {"name": "Build", "scope": "All", "primary": "dev", "shared": []},
        "x.test": {"name": "Test", "scope": None, "primary": "qa", "shared": ["dev"]},
    },
    "capabilities": {"triage": {"name": "T", "domain": "x.build", "persona": "dev"}},
}


def problems(text, present=PRESENT):
    """What is wrong with a file, as ``(line, field)``."""
    content = text if isinstance(text, bytes) else text.encode()
    with pytest.raises(InvalidRegistry) as caught:
        read(content, "r.yaml", present)
    assert all(str(p).startswith("r.yaml, line ") for p in caught.value.problems)
    return [(problem.line, problem.field) for problem in caught.value.problems]


def line_of(text, part):
    """The number of the first line that contains a text."""
    return next(n for n, line in enumerate(text.splitlines(), 1) if part in line)


def test_what_is_written_reads_the_same():
    text = to_yaml(PRESENT)
    found = read(text.encode(), "r.yaml", PRESENT)
    assert changes(PRESENT, found) == []
    assert to_yaml(found) == text


printable = (
    st.text(min_size=1, max_size=40)
    .filter(
        lambda text: text.strip() and not any("\ud800" <= c <= "\udfff" for c in text)
    )
    .filter(lambda text: "\0" not in text)
)


@given(name=printable, scope=printable)
def test_any_text_survives_the_way_there_and_back(name, scope):
    present = copy.deepcopy(PRESENT)
    present["domains"]["x.build"].update(name=name, scope=scope)
    found = read(to_yaml(present).encode(), "r.yaml", present)
    assert changes(present, found) == []


def test_an_edit_is_a_change_of_that_field_only():
    text = to_yaml(PRESENT).replace('"Build"', '"Builds"')
    (change,) = changes(PRESENT, read(text.encode(), "r.yaml", PRESENT))
    assert (change.code, change.field) == ("x.build", "name")
    assert (change.before, change.after, change.is_new) == ("Build", "Builds", False)


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ('name: "Build"', "name: 12", "domains.x.build.name"),
        ('name: "Build"', 'name: ""', "domains.x.build.name"),
        ('name: "Build"', "name: [a]", "domains.x.build.name"),
        ('name: "Build"', 'colour: "red"', "domains.x.build.colour"),
        ("primary: qa", "primary: nobody", "domains.x.test.primary"),
        ("primary: qa", "primary: Q A", "domains.x.test.primary"),
        ("primary: qa", "primary: dev", "domains.x.test.shared"),
        ("      - dev", "      - ghost", "domains.x.test.shared"),
        ("shared:\n      - dev", "shared: dev", "domains.x.test.shared"),
        ("    domain: x.build", '    persona: "dev"', "capabilities.triage.persona"),
        ("domain: x.build", "domain: x.none", "capabilities.triage.domain"),
        ("persona: dev", "persona: qa", "capabilities.triage.persona"),
        ("version: 1", "version: 2", "version"),
        ("  x.test:", "  x.build:", "domains.x.build"),
        ("  x.test:", "  X Test:", "domains.X Test"),
        ("  dev:", "  devs:", "personas"),
    ],
)
def test_a_problem_is_named_by_line_and_field(old, new, field):
    good = to_yaml(PRESENT)
    assert old in good
    bad = good.replace(old, new, 1)
    found = problems(bad)
    assert field in [name for _line, name in found]
    if field not in ("personas",):
        near = line_of(good, old.splitlines()[0])
        assert any(name == field and abs(line - near) <= 1 for line, name in found)


def test_a_capability_without_a_domain_is_refused():
    text = to_yaml(PRESENT).replace("    domain: x.build\n", "")
    assert problems(text) == [(line_of(text, "triage:"), "capabilities.triage.domain")]


def test_nothing_is_left_out_silently():
    text = to_yaml(PRESENT)
    cut = text[: text.index("  x.test:")] + text[text.index("capabilities:") :]
    assert (line_of(cut, "domains:"), "domains") in problems(cut)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "- a\n",
        "version: 1\npersonas: [\n",
        "a: &x [1]\nb: *x\n",
        "version: !!python/object/apply:os.system ['true']\n",
        "x: " + "[" * 5000,
        "x: [" + "a," * 30_000 + "]",
        b"\xff\xfe\x00",
        "version: 1\n\x00",
        "a: 1\n---\nb: 2\n",
    ],
)
def test_what_is_no_registry_is_refused(text):
    assert problems(text)


def test_a_file_that_is_too_large_is_not_parsed():
    assert problems(b"#" * (MAX_BYTES + 1)) == [(1, "")]


def test_the_line_of_a_syntax_error_is_named():
    text = to_yaml(PRESENT)
    bad = text.replace('scope: "All"', 'scope: "All')
    assert problems(bad)[0][0] >= line_of(text, 'scope: "All"')
    bad = text.replace("  x.build:", "\t x.build:")
    assert problems(bad)[0][0] == line_of(text, "  x.build:")
