"""Kinds of requirements in policy files, JSON Schema and published pages."""

import copy
import json

import jsonschema
import pytest
import yaml
from gatefile_kit import (
    BY_CODE,
    EVIDENCE,
    GATES,
    GATES_PART,
    KNOWN,
    PRESENT,
    REQUIREMENT_KINDS,
    edited,
    entry,
    problems,
    requirement,
    written,
)
from governance import gatefile
from governance.gatefile import gates, pages
from policy import KINDS

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
