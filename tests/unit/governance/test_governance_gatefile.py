"""The gate policy as files: the same both ways, every problem with line and field."""

import copy

import pytest
import yaml
from gatefile_kit import (
    EVIDENCE,
    EXCEPTIONS,
    GATES,
    PRESENT,
    SCHEMAS,
    changes,
    edited,
    entry,
    line_of,
    problems,
    read,
    requirement,
    written,
)
from governance import InvalidDocument, gatefile
from hypothesis import given
from hypothesis import strategies as st

# --- there and back ------------------------------------------------------------------


def test_what_is_written_changes_nothing_and_is_written_the_same():
    text = written()
    assert changes(text) == []
    found = read(text) | {"definitions": PRESENT["definitions"]}
    assert written(found) == text


def test_any_yaml_reader_reads_it():
    loaded = yaml.safe_load(written())
    assert list(loaded["gates"]) == ["G1", "G2"]
    assert loaded["gates"]["G2"]["description"] == "First line: yes\n\nno, a second"
    assert loaded["gates"]["G1"]["requirements"]["log"]["freshness_hours"] == 12.5


texts = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1
).filter(str.strip)
numbers = st.floats(min_value=0, max_value=1e9, allow_nan=False)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**12), 10**12)
    | st.floats(-1e15, 1e15, allow_nan=False)
    | texts,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3)
    ),
    max_leaves=8,
)


@given(
    name=texts,
    description=st.none() | texts,
    check_name=st.none() | texts,
    match=st.none() | st.dictionaries(texts, json_values, max_size=3),
    freshness=numbers,
    sequence=st.integers(-(2**31) + 1, 2**31 - 1),
    flags=st.tuples(st.booleans(), st.booleans()),
    code=texts,
)
def test_whatever_a_database_holds_survives_the_way_there_and_back(
    name, description, check_name, match, freshness, sequence, flags, code
):
    present = copy.deepcopy(PRESENT)
    gate = present["gates"]["G1"]
    gate |= {"name": name, "description": description}
    gate["requirements"][f"{code}x"] = requirement("check", check_name=check_name)
    gate["requirements"][code] = requirement(
        "evidence",
        metadata_match=match,
        freshness_hours=freshness,
        sequence=sequence,
        active=flags[0],
        waivable=flags[1],
    )
    assert changes(written(present), present) == []


@pytest.mark.parametrize(
    "odd", ["\x85", "\u2028", "\r", "\r\n", "\t", "\ufeff", "\x1b"]
)
def test_ends_of_line_that_yaml_would_rewrite_survive(odd):
    present = copy.deepcopy(PRESENT)
    gate = present["gates"]["G1"]
    gate |= {"name": f"a{odd}b", "description": f"a{odd}\nb{odd}{odd}c\n  d"}
    assert changes(written(present), present) == []


# --- what a file changes -------------------------------------------------------------


def test_an_edit_is_a_change_of_that_field_only():
    text = edited("check_name: build", "check_name: compile")
    assert changes(text) == [
        ("gates.G1.requirements.build.check_name", "build", "compile")
    ]


def test_true_is_not_one():
    present = copy.deepcopy(PRESENT)
    present["gates"]["G1"]["requirements"]["log"]["metadata_match"] = {"ok": True}
    text = edited("ok: true", "ok: 1", present)
    assert changes(text, present) == [
        ("gates.G1.requirements.log.metadata_match", {"ok": True}, {"ok": 1})
    ]


def test_a_field_that_an_entry_leaves_out_has_its_default():
    text = edited("        freshness_hours: 12.5\n", "")
    field = "gates.G1.requirements.log.freshness_hours"
    assert changes(text) == [(field, 12.5, 0.0)]


def test_what_a_file_leaves_out_stays_as_it_is():
    assert changes("schema: gate_schema\nversion: 1\n") == []
    one = "schema: gate_schema\nversion: 1\ngates:\n  G1:\n    name: Builds\n"
    assert changes(one) == [("gates.G1.name", "Build", "Builds")]


def test_archive_takes_what_a_file_leaves_out_of_its_gates_out_of_force():
    one = (
        "schema: gate_schema\nversion: 1\narchive: true\n"
        "gates:\n  G1:\n    name: Build\n    requirements: {}\n"
    )
    assert changes(one) == [
        ("gates.G1.requirements.build.active", True, False),
        ("gates.G1.requirements.log.active", True, False),
    ]
    entries = gatefile.merged(GATES, PRESENT, read(one))
    assert list(GATES.notes(entries)) == [
        (
            "G1 would have no requirement in force: an empty gate is closed for every "
            "release."
        )
    ]


def test_a_new_gate_is_listed_with_all_that_it_has():
    text = edited(
        "stages:\n",
        "  G3:\n    name: Ship\n    sequence: 30\n    requirements:\n      g2:\n"
        "        name: G2 passed\n        kind: prior_gate\n        prior_gate: G2\n"
        "        accountable_persona: developer\n"
        "        expertise_domain: odoo.qa.automation\nstages:\n",
    )
    assert changes(text) == [
        ("gates.G3.name", None, "Ship"),
        ("gates.G3.sequence", 10, 30),
        ("gates.G3.requirements.g2.name", None, "G2 passed"),
        ("gates.G3.requirements.g2.kind", None, "prior_gate"),
        ("gates.G3.requirements.g2.prior_gate", None, "G2"),
        ("gates.G3.requirements.g2.accountable_persona", None, "developer"),
        ("gates.G3.requirements.g2.expertise_domain", None, "odoo.qa.automation"),
    ]


# --- what is refused -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "field", "message"),
    [
        ("kind: approval", "kind: aproval", "kind", "This must be one of"),
        ("_persona: qa_tester", "_persona: nobody", "approval_persona", "No persona"),
        ("prior_gate: G1", "prior_gate: G9", "prior_gate", "No gate G9."),
        ("prior_gate: G1", "prior_gate: G2", "prior_gate", "would not come before"),
        ("prior_gate: G1", "prior_gate:", "prior_gate", "An earlier gate needs"),
        ("min_count: 1", "min_count: 0", "min_count", "at least 1"),
        ("min_count: 1", "min_count: 1:30", "min_count", "in digits"),
        ("min_count: 1", "min_count: 0x1", "min_count", "in digits"),
        ("min_count: 1", "min_count: 9999999999", "min_count", "at most 2147483647"),
        ("min_count: 1", "min_count: one", "min_count", "whole number"),
        ("hours: 12.5", "hours: -1", "freshness_hours", "at least 0"),
        ("hours: 12.5", "hours: .inf", "freshness_hours", "in digits"),
        ("waivable: false", "waivable: maybe", "waivable", "true or false"),
        ("waivable: false", "waivable: null", "waivable", "must not be empty"),
        ("waivable: false", "wavable: false", "wavable", "No such field."),
        ("count: 1.5", "count: 2026-01-01", "count", "Text, a number"),
        (
            "name: Test\n    sequence: 20\n    d",
            "sequence: 20\n    d",
            "name",
            "required",
        ),
    ],
)
def test_a_wrong_value_is_reported_by_line_and_field(old, new, field, message):
    text = edited(old, new)
    ((path, (line, found)),) = problems(text).items()
    assert path.split(".")[-1] == field
    assert message in found
    if field != "name":
        assert line == text[: text.index(new)].count("\n") + 1


def test_gates_keep_an_order_that_is_nobodys_accident():
    text = edited("sequence: 10\n    requirements", "sequence: 20\n    requirements")
    found = problems(text)
    assert "G2 has the sequence 20 too" in found["gates.G1.sequence"][1]
    only = (
        "schema: gate_schema\nversion: 1\ngates:\n  G1: {name: Build, sequence: 30}\n"
    )
    assert problems(only)["gates.G2.requirements.g1.prior_gate"][0] == 3


def test_a_new_code_looks_like_a_code():
    text = edited("  G2:\n", "  g2:\n")
    assert "capital letter" in problems(text)["gates.g2"][1]
    text = edited("      signed:\n", "      Signed off:\n")
    field = "gates.G2.requirements.Signed off"
    assert problems(text)[field][0] == line_of(text, "Signed off:")


def test_what_the_program_decides_is_shown_and_not_changed():
    text = edited("limit: 30", "limit: 90")
    line, message = problems(text)["definitions.limit"]
    assert line == line_of(text, "limit: 90")
    assert "decided by the program" in message
    assert "definitions.more" in problems(edited("limit: 30", "limit: 30\n  more: 1"))
    assert "definitions.on" in problems(edited("'on': true", "'on': 1"))
    assert "definitions.limit" in problems(edited("  limit: 30\n", ""))
    assert changes(written().split("definitions:")[0]) == []


def test_a_schema_without_parts_changes_nothing_whatever_it_says():
    present = {"definitions": {"states": {"draft": ["requested"]}}}
    text = written(present, EXCEPTIONS)
    assert changes(text, present, EXCEPTIONS) == []
    for old, new, field in (
        ("- requested", "- active", "definitions.states.draft"),
        ("definitions:", "states: {}\ndefinitions:", "states"),
        ("definitions:", "archive: true\ndefinitions:", "archive"),
    ):
        assert list(problems(text.replace(old, new), present, EXCEPTIONS)) == [field]


def test_what_follows_from_other_records_is_shown_and_not_changed():
    present = {
        "evidence_types": {
            "build_log": entry(
                gatefile.evidence.TYPES, name="Log", asked_for_by=["G1/build_log"]
            )
        }
    }
    text = written(present, EVIDENCE)
    assert changes(text, present, EVIDENCE) == []
    field = "evidence_types.build_log.asked_for_by"
    assert field in problems(text.replace("G1/", "G2/"), present, EVIDENCE)
    left_out = text.replace("    asked_for_by:\n      - G1/build_log\n", "")
    assert left_out != text
    assert changes(left_out, present, EVIDENCE) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "The file is empty."),
        ("[]", "A mapping"),
        ("schema: other\nversion: 1", "This must be gate_schema"),
        ("schema: gate_schema\nversion: 2", "Only version 1"),
        ("schema: gate_schema\nversion: 1\nversion: 1", "there twice"),
        ("schema: gate_schema\nversion: 1\ngates: &a {}\nstages: *a", "aliases"),
        (
            "schema: gate_schema\nversion: 1\ngates: !!python/object:os.system {}",
            "Tags",
        ),
        ("a: " + "[" * 30 + "]" * 30, "nested too deeply"),
        ("#" * (512 * 1024 + 1), "larger than 512 KB"),
        ("schema: \xff".encode("latin-1"), "not UTF-8"),
        ("schema: [", "No YAML"),
    ],
)
def test_what_is_no_policy_file_is_refused(text, message):
    assert any(message in found for _line, found in problems(text).values())


@given(st.text(max_size=200) | st.binary(max_size=200))
def test_no_content_breaks_the_reader(content):
    try:
        read(content)
    except InvalidDocument as error:
        assert error.problems


def test_a_file_says_of_which_schema_it_is():
    assert gatefile.schema_of(written().encode(), "g.yaml", SCHEMAS) is GATES
    for text in ("version: 1", "schema: [x]", "schema: other", "[]"):
        with pytest.raises(InvalidDocument, match="line 1, schema"):
            gatefile.schema_of(text.encode(), "g.yaml", SCHEMAS)
