"""The gate policy as files: the same both ways, every problem with line and field."""

import copy
import json

import jsonschema
import pytest
import yaml
from governance import InvalidDocument, gatefile
from governance.gatefile import gates, pages
from hypothesis import given
from hypothesis import strategies as st
from policy import KINDS, by_code

BY_CODE = by_code(KINDS)
REQUIREMENT_KINDS = tuple(BY_CODE)
SCHEMAS = gatefile.schemas(BY_CODE)
GATES = SCHEMAS["gate_schema"]
GATES_PART = gates.gates_part(BY_CODE)
EVIDENCE = SCHEMAS["evidence_schema"]
EXCEPTIONS = SCHEMAS["exception_schema"]
KNOWN = {
    "requirement_kinds": REQUIREMENT_KINDS,
    "evidence_types": {"build_log"},
    "personas": {"developer", "qa_tester"},
    "expertise_domains": {"odoo.qa.automation"},
    "gates": {"G1", "G2"},
    "environment_categories": {"dev", "staging", "production"},
    "deployment_aspects": {"succeeded", "confirmed"},
    "drill_types": {"failover"},
    "release_statuses": {"promoted"},
}


def entry(part, **values):
    """An entry of a part with the defaults for what is not given."""
    return {name: each.default for name, each in part.fields.items()} | values


def requirement(kind, **values):
    return entry(
        GATES_PART.fields["requirements"].entry,
        name=f"Of kind {kind}",
        kind=kind,
        accountable_persona="developer",
        expertise_domain="odoo.qa.automation",
        **values,
    )


PRESENT = {
    "gates": {
        "G1": entry(
            GATES_PART,
            name="Build",
            requirements={
                "build": requirement("check", check_name="build"),
                "log": requirement(
                    "evidence",
                    evidence_type="build_log",
                    metadata_match={"status": ["a", "b"], "count": 1.5},
                    freshness_hours=12.5,
                ),
            },
        ),
        "G2": entry(
            GATES_PART,
            name="Test",
            sequence=20,
            description="First line: yes\n\nno, a second",
            requirements={
                "signed": requirement("approval", approval_persona="qa_tester"),
                "g1": requirement("prior_gate", prior_gate="G1", waivable=False),
                "old": requirement("no_freeze", active=False),
            },
        ),
    },
    "stages": {
        "build": entry(gates.STAGES, name="Build"),
        "test": entry(
            gates.STAGES,
            name="Test",
            sequence=20,
            gate="G2",
            movers=["developer", "qa_tester"],
        ),
    },
    "definitions": {"kinds": {"check": ["check_name"]}, "limit": 30, "on": True},
}


def written(present=PRESENT, schema=GATES):
    return gatefile.to_yaml(schema, present, "Exported.")


def read(text, present=PRESENT, schema=GATES):
    content = text if isinstance(text, bytes) else text.encode()
    return gatefile.read(schema, content, "g.yaml", present, KNOWN)[0]


def changes(text, present=PRESENT, schema=GATES):
    """What a file would change, as ``(path and field, before, after)``."""
    found = gatefile.changes(schema, present, read(text, present, schema))
    return [
        (".".join([*each.path, each.field]), each.before, each.after) for each in found
    ]


def problems(text, present=PRESENT, schema=GATES):
    """What is wrong with a file: line and message by field."""
    with pytest.raises(InvalidDocument) as caught:
        read(text, present, schema)
    assert all(str(p).startswith("g.yaml, line ") for p in caught.value.problems)
    return {each.field: (each.line, each.message) for each in caught.value.problems}


def edited(old, new, present=PRESENT):
    text = written(present)
    assert text.count(old) == 1, old
    return text.replace(old, new)


def line_of(text, part):
    return next(n for n, line in enumerate(text.splitlines(), 1) if part in line)


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


def test_a_new_gate_is_told_with_all_that_it_has():
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
def test_a_wrong_value_is_told_by_line_and_field(old, new, field, message):
    text = edited(old, new)
    ((path, (line, told)),) = problems(text).items()
    assert path.split(".")[-1] == field
    assert message in told
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


def test_what_the_program_decides_is_told_and_not_changed():
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


def test_what_follows_from_other_records_is_told_and_not_changed():
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
    assert any(message in told for _line, told in problems(text).values())


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


# --- the tables ----------------------------------------------------------------------


def test_every_kind_of_requirement_has_its_parameters():
    fields = GATES_PART.fields["requirements"].entry.fields
    for kind in KINDS:
        assert set(kind.parameter_names) <= fields.keys()
        example = requirement(kind.code)
        written_fields = gates.requirements_part(BY_CODE).shown(example)
        assert set(kind.parameter_names) <= written_fields


def test_a_parameter_that_the_kind_does_not_have_is_neither_written_nor_read():
    """A freshness on “No failed check” is judged by nothing."""
    present = copy.deepcopy(PRESENT)
    stored = requirement("no_failed_check", freshness_hours=24.0)
    present["gates"]["G1"]["requirements"]["red"] = stored
    assert "freshness_hours: 24" not in written(present)
    assert "24" not in pages.counts(stored, BY_CODE)
    text = edited("check_name: build", "check_name: build\n        soak_hours: 5")
    (found,) = problems(text).items()
    assert found[0] == "gates.G1.requirements.build.soak_hours"
    assert "A requirement of the kind check has no soak_hours" in found[1][1]


def test_a_requirement_of_a_kind_that_is_not_installed_is_written_and_never_met():
    foreign = requirement("moon_phase")
    assert "never" in pages.counts(foreign, BY_CODE)
    present = copy.deepcopy(PRESENT)
    present["gates"]["G1"]["requirements"]["moon"] = foreign
    assert "kind: moon_phase" in written(present)


@pytest.mark.parametrize("schema", [GATES, EVIDENCE])
def test_the_json_schema_takes_what_is_written_and_refuses_what_is_misspelt(schema):
    shape = gatefile.json_schema(schema, KNOWN)
    validator = jsonschema.Draft202012Validator(shape)
    validator.check_schema(shape)
    assert json.dumps(shape)
    present = PRESENT
    if schema is EVIDENCE:
        present = {"evidence_types": {"log": entry(gatefile.evidence.TYPES, name="L")}}
    text = written(present, schema)
    assert list(validator.iter_errors(yaml.safe_load(text))) == []
    assert list(validator.iter_errors(yaml.safe_load(text.replace("name:", "nme:"))))


# --- what pages show -----------------------------------------------------------------


@pytest.mark.parametrize("kind", REQUIREMENT_KINDS)
def test_a_page_says_of_every_kind_what_makes_it_met(kind):
    values = {"prior_gate": "G1", "approval_persona": "qa_tester", "soak_hours": 3.0}
    sentence = pages.counts(requirement(kind, **values), BY_CODE)
    assert len(sentence) > 20
    assert "None" not in sentence


@pytest.mark.parametrize(
    ("kind", "values", "part"),
    [
        ("check", {"check_name": "build"}, "`build` is `pass`: `status` of `build_co"),
        ("check", {"check_name": "lint"}, "`lint` is `pass`: `checks` of `build_comp"),
        ("check", {}, "each check that the project requires"),
        (
            "check",
            {"check_name": "health_check", "environment_category": "production"},
            "`health_check` on production is `pass`: `status` of `health_check`",
        ),
        (
            "evidence",
            {"evidence_type": "build_log", "metadata_match": {"a": [1, "b"]}},
            "`build_complete`, `evidence` or by hand; its metadata says `a` is `1` or",
        ),
        ("evidence", {}, "every evidence requirement of this gate and those before"),
        (
            "approval",
            {
                "approval_persona": "sre",
                "min_count": 2,
                "distinct_from_gate": "G2",
                "freshness_hours": 24.0,
            },
            (
                "2 people sign as `sre`: `gate_signoff` or by hand, never a service; "
                "not the signatory of G2; no older than 24 hours"
            ),
        ),
        ("deployment", {"deployment_aspect": "confirmed"}, "before the deadline"),
        ("deployment", {"environment_category": "staging"}, "latest to staging is"),
        ("soak_time", {"soak_hours": 1.5}, "ran 1.5 hours in staging"),
        ("recovery_drill", {"drill_type": "failover"}, "latest failover drill of"),
    ],
)
def test_a_page_says_which_event_counts(kind, values, part):
    assert part in pages.counts(requirement(kind, **values), BY_CODE)


def test_a_table_holds_any_text_in_its_cells():
    text = pages.table(("a", "b"), [("x|y\nz", None), (False, True)])
    assert text.splitlines()[2:] == ["| x\\|y z |  |", "|  | yes |"]


def test_a_requirement_that_is_not_in_force_or_cannot_be_waived_says_so():
    text = pages.requirements_table(PRESENT["gates"], BY_CODE)
    assert "| G2 | `old` (not in force) | `no_freeze` |" in text
    assert "| G2 | `g1` | `prior_gate` | G1 is passed or bypassed: nothing is" in text
    assert pages.not_waivable_table(PRESENT["gates"]).splitlines()[2:] == [
        "| G2 | `g1` Of kind prior_gate |"
    ]
