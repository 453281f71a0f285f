"""The consistency check: each planted contradiction is found, at its place."""

from dataclasses import replace

import pytest
from consistency import (
    ERROR,
    Domain,
    EvidenceType,
    Gate,
    Line,
    Model,
    Names,
    Persona,
    Project,
    Requirement,
    Stage,
    document_findings,
    model_findings,
)
from policy import KINDS, by_code


def requirement(id_, gate, code, kind, **values):
    values = {"accountable": "qa", "domain": "odoo.qa", **values}
    return Requirement(id_, gate, code, code.replace("_", " "), kind, **values)


SOUND = Model(
    gates=tuple(
        Gate(number, f"G{number}", f"Gate {number}", number * 10)
        for number in range(1, 5)
    ),
    requirements=(
        requirement(1, "G1", "build", "check", check_name="build"),
        requirement(2, "G1", "checks", "check"),
        requirement(3, "G2", "tests", "evidence", evidence_type="test_result"),
        requirement(4, "G2", "signed", "approval", persona="qa"),
        requirement(5, "G2", "g1", "prior_gate", prior_gate="G1"),
        requirement(
            6, "G3", "signed", "approval", persona="rm", distinct_from_gate="G2"
        ),
        requirement(
            7,
            "G4",
            "deployed",
            "deployment",
            environment="production",
            deployment_aspect="confirmed",
        ),
        requirement(
            8,
            "G4",
            "baseline",
            "evidence",
            evidence_type="baseline",
            metadata_match={"status": "normal"},
        ),
    ),
    stages=(
        Stage(1, "build", "Build", None, ("qa",), "dev"),
        Stage(2, "qa", "QA", "G1", ("qa",)),
        Stage(3, "staging", "Staging", "G2", ("rm",), "staging"),
        Stage(4, "production", "Production", "G3", ("rm",), "production"),
        Stage(5, "closed", "Closed", "G4", ("rm",), None, True),
    ),
    personas=(
        Persona(1, "qa", "QA Tester", "g_qa", people=frozenset("a")),
        Persona(2, "rm", "Release Manager", "g_rm", people=frozenset("b")),
        Persona(3, "gone", "Gone", "g_gone", active=False),
    ),
    evidence_types=(
        EvidenceType(1, "test_result", "Test result"),
        EvidenceType(
            2,
            "baseline",
            "Baseline",
            schema={"properties": {"status": {"enum": ["normal", "degraded"]}}},
        ),
        EvidenceType(3, "old", "Old", active=False),
    ),
    domains=(Domain(1, "odoo.qa", "QA"),),
    projects=(Project(1, "acme/shop", ("unit_tests", "lint"), 24.0),),
    holders={"odoo.qa": (("qa", "primary"), ("rm", "shared"))},
    kinds=by_code(KINDS),
)


def changed(kind, place, **values):
    """The sound model, where one record says something else."""
    records = tuple(
        replace(each, **values) if each.label == place else each
        for each in getattr(SOUND, kind)
    )
    assert records != getattr(SOUND, kind), f"no {place}"
    return replace(SOUND, **{kind: records})


def added(*requirements):
    return replace(SOUND, requirements=(*SOUND.requirements, *requirements))


def without(kind, *places):
    records = tuple(e for e in getattr(SOUND, kind) if e.label not in places)
    return replace(SOUND, **{kind: records})


SOAK = {"soak_hours": 24.0, "environment": "production"}

#: code → (the model with that contradiction planted, where it must be found)
PLANTED = {
    "kind_unknown": (
        added(requirement(9, "G2", "moon", "moon_phase")),
        "ipai.gate.requirement G2/moon",
    ),
    "domain_unheld": (
        added(requirement(9, "G2", "probed", "check", domain="odoo.none")),
        "ipai.gate.requirement G2/probed",
    ),
    "domain_primary": (
        replace(SOUND, holders={"odoo.qa": (("rm", "shared"), ("gone", "primary"))}),
        "ipai.expertise.domain odoo.qa",
    ),
    "persona_contract": (
        changed("personas", "rm", has_contract=False),
        "ipai.persona rm",
    ),
    "stage_gate_order": (
        replace(
            SOUND,
            stages=tuple(
                replace(each, gate={"G1": "G2", "G2": "G1"}.get(each.gate, each.gate))
                for each in SOUND.stages
            ),
        ),
        "ipai.release.stage staging",
    ),
    "stage_gate_twice": (
        changed("stages", "staging", gate="G1"),
        "ipai.release.stage staging",
    ),
    "gate_unused": (changed("stages", "production", gate="G2"), "ipai.gate G3"),
    "gate_empty": (without("requirements", "G3/signed"), "ipai.gate G3"),
    "first_stage_gate": (
        changed("stages", "build", gate="G1"),
        "ipai.release.stage build",
    ),
    "stage_without_gate": (
        changed("stages", "staging", gate=None),
        "ipai.release.stage staging",
    ),
    "closing_stage_missing": (
        changed("stages", "closed", is_closing=False),
        "ipai.release.stage closed",
    ),
    "closing_stage_twice": (
        changed("stages", "production", is_closing=True),
        "ipai.release.stage closed",
    ),
    "closing_stage_not_last": (
        replace(SOUND, stages=(*SOUND.stages[:3], *SOUND.stages[:2:-1])),
        "ipai.release.stage closed",
    ),
    "target_without_stage": (
        changed("stages", "staging", environment=None),
        "ipai.release.stage closed",
    ),
    "target_order": (
        changed("stages", "qa", environment="production"),
        "ipai.release.stage staging",
    ),
    "stage_without_mover": (
        changed("stages", "qa", movers=("gone",)),
        "ipai.release.stage qa",
    ),
    "deployment_before_promotion": (
        added(requirement(9, "G3", "d", "deployment", environment="production")),
        "ipai.gate.requirement G3/d",
    ),
    "closing_without_deployment": (
        without("requirements", "G4/deployed"),
        "ipai.gate G4",
    ),
    "prior_gate_order": (
        changed("requirements", "G2/g1", prior_gate="G2"),
        "ipai.gate.requirement G2/g1",
    ),
    "accountable_archived": (
        changed("requirements", "G1/checks", accountable="gone"),
        "ipai.gate.requirement G1/checks",
    ),
    "domain_unknown": (
        changed("requirements", "G1/checks", domain="odoo.magic"),
        "ipai.gate.requirement G1/checks",
    ),
    "approval_persona_archived": (
        changed("requirements", "G3/signed", persona="gone"),
        "ipai.gate.requirement G3/signed",
    ),
    "independence_of_nothing": (
        changed("requirements", "G3/signed", distinct_from_gate="G1"),
        "ipai.gate.requirement G3/signed",
    ),
    "evidence_type_archived": (
        changed("requirements", "G2/tests", evidence_type="old"),
        "ipai.gate.requirement G2/tests",
    ),
    "metadata_impossible": (
        changed("requirements", "G4/baseline", metadata_match={"status": ["fine"]}),
        "ipai.gate.requirement G4/baseline",
    ),
    "fresh_shorter_than_soak": (
        added(
            requirement(9, "G4", "soak", "soak_time", **SOAK | {"soak_hours": 2.0}),
            requirement(10, "G4", "health", "check", freshness_hours=1.0),
        ),
        "ipai.gate.requirement G4/health",
    ),
    "soak_past_deadline": (
        added(requirement(9, "G4", "soak", "soak_time", **SOAK)),
        "ipai.project acme/shop",
    ),
    "deployment_nowhere": (
        changed("requirements", "G4/deployed", environment=None),
        "ipai.gate.requirement G4/deployed",
    ),
    "required_checks_unasked": (
        without("requirements", "G1/checks"),
        "ipai.project acme/shop",
    ),
    "check_name_spelling": (
        changed("requirements", "G1/build", check_name="Unit-Tests"),
        "ipai.project acme/shop",
    ),
    "persona_cannot_sign": (
        changed("personas", "rm", may_sign=False),
        "ipai.persona rm",
    ),
    "persona_group_shared": (
        changed("personas", "rm", group="g_qa"),
        "ipai.persona rm",
    ),
    "persona_unheld": (
        changed("personas", "rm", people=frozenset()),
        "ipai.persona rm",
    ),
    "signatories_too_few": (
        changed("personas", "rm", people=frozenset("a")),
        "ipai.gate.requirement G3/signed",
    ),
    "code_twice": (
        replace(
            SOUND, personas=(*SOUND.personas, Persona(9, "QA", "Other", "g_other"))
        ),
        "ipai.persona QA",
    ),
    "name_twice": (changed("gates", "G2", name="gate  1"), "ipai.gate G2"),
}


def test_a_sound_model_has_no_contradiction():
    assert model_findings(SOUND) == []


@pytest.mark.parametrize("code", PLANTED)
def test_each_planted_contradiction_is_found_at_its_place(code):
    model, place = PLANTED[code]
    found = [each for each in model_findings(model) if each.code == code]
    assert [str(each.place) for each in found] == [place]
    assert found[0].message and found[0].way_out
    assert code in str(found[0]) and place in str(found[0])


def test_errors_come_first_and_each_finding_once():
    model = changed("stages", "production", gate=None)
    found = model_findings(model)
    severities = [each.severity for each in found]
    assert severities == sorted(severities) and len(set(found)) == len(found)


def test_a_model_that_nobody_works_in_yet_lacks_no_people():
    nobody = replace(
        SOUND,
        personas=tuple(replace(each, people=frozenset()) for each in SOUND.personas),
    )
    assert model_findings(nobody) == []


def test_a_gate_signed_by_two_of_one_persona_needs_two_people_more():
    enough = changed("personas", "rm", people=frozenset("bc"))
    two = tuple(
        replace(each, min_count=2) if each.label == "G3/signed" else each
        for each in SOUND.requirements
    )
    assert model_findings(replace(enough, requirements=two)) == []
    shared = changed("personas", "rm", people=frozenset("ab"))
    found = model_findings(replace(shared, requirements=two))
    assert [each.code for each in found] == ["signatories_too_few"]
    assert "3 people" in found[0].message and "2 could" in found[0].message


def test_an_archived_record_may_be_called_like_another():
    twin = Persona(9, "QA", "QA Tester", "g_other", active=False)
    assert model_findings(replace(SOUND, personas=(*SOUND.personas, twin))) == []


def test_metadata_is_possible_when_one_of_its_values_is():
    for match in ({"status": ["fine", "normal"]}, {"other": 1}):
        model = changed("requirements", "G4/baseline", metadata_match=match)
        assert model_findings(model) == []
    closed = changed(
        "evidence_types", "baseline", schema={"additionalProperties": False}
    )
    assert [each.code for each in model_findings(closed)] == ["metadata_impossible"]


# --- documents -----------------------------------------------------------------------

NAMES = Names(
    stages=(("Build", "", ("qa tester", "sre")), ("Closed", "G1", ("sre",))),
    event_types=frozenset({"evidence"}),
    models=frozenset({"ipai.release", "ipai.release.gate"}),
    members=frozenset({"ipai.release._move", "ipai.release.gate.g4_status"}),
    codes=frozenset({"test_evidence"}),
    menus=frozenset({"Release Gates", "Configuration", "Gates"}),
    logins=frozenset({"dev"}),
)
FILES = {
    "README.md": """# Title

| login   | who       |
| ------- | --------- |
| `dev`   | developer |
| `admin` | Odoo's    |

Why is in [decisions](docs/decisions/README.md), all in [docs](docs).
""",
    "docs/index.md": """| stage  | demands | movers         |
| ------ | ------- | -------------- |
| Build  |         | QA tester, SRE |
| Closed | G1      | SRE            |
""",
    "docs/reference/how-do-i-run-and-test-it.md": """| command    | what it does |
| ---------- | ------------ |
| `make run` | runs         |
""",
    "Makefile": "run: ## Start\nhelp: ## Show this\n",
    "docs/decisions/README.md": """# Decisions

| no. | decision |
| --- | --- |
| [0001](0001-one.md) | One thing |
""",
    "docs/decisions/0001-one.md": """# 0001 One thing

`ipai.release._move` is told as {"event_type": "evidence"}, under
*Release Gates → Configuration →
Gates*. [Elsewhere](https://example.com/no). `ipai.release.gate.g4_status` is shown by
`test_it_is_so` of `test_one`, and not by `test_evidence`.
""",
    "tests/test_one.py": "def test_it_is_so():\n",
}
ONE, README = "docs/decisions/0001-one.md", "README.md"
INDEX, COMMANDS = "docs/index.md", "docs/reference/how-do-i-run-and-test-it.md"

#: what is written in place of what, where, and what is found of it
WRONG = [
    (INDEX, "| Closed | G1 ", "| Closed | G2 ", "stage_table", Line(INDEX, 4)),
    (INDEX, "| Closed |", "| Shut   |", "stage_table", Line(INDEX, 4)),
    (INDEX, "QA tester, SRE", "SRE", "stage_table", Line(INDEX, 3)),
    (INDEX, "| Closed | G1      | SRE            |\n", "", "stage_table", None),
    (INDEX, "| stage ", "| phase ", "stage_table", Line(INDEX, 1)),
    (README, "`dev`  ", "`boss` ", "login_table", Line(README, 5)),
    (COMMANDS, "`make run`", "`make fun`", "command_table", Line(COMMANDS, 3)),
    ("Makefile", "help:", "lint: ## L\nhelp:", "command_table", Line("Makefile", 2)),
    (README, "(docs)", "(doc)", "link_broken", Line(README, 8)),
    (ONE, "One thing", "Another", "decision_title", None),
    (
        "docs/decisions/README.md",
        "| [0001](0001-one.md) | One thing |\n",
        "",
        "decision_unlisted",
        Line(ONE, 1),
    ),
    (ONE, "ipai.release.", "ipai.relase.", "model_unknown", Line(ONE, 3)),
    (ONE, "release._move", "release._mvoe", "member_unknown", Line(ONE, 3)),
    (ONE, "g4_status", "g5_status", "member_unknown", Line(ONE, 5)),
    (ONE, "`test_it_is_so`", "`test_it_is_not`", "test_unknown", Line(ONE, 6)),
    (ONE, "`test_one`", "`test_two`", "test_unknown", Line(ONE, 6)),
    (ONE, '"evidence"', '"evidenz"', "event_unknown", Line(ONE, 3)),
    (ONE, "→ Configuration", "→ Settings", "menu_unknown", Line(ONE, 4)),
]


def test_documents_that_say_what_is_so_have_no_finding():
    assert document_findings(FILES, NAMES) == []


@pytest.mark.parametrize(("file", "old", "new", "code", "place"), WRONG)
def test_a_document_that_says_otherwise_is_found_by_file_and_line(
    file, old, new, code, place
):
    assert old in FILES[file]
    files = {**FILES, file: FILES[file].replace(old, new, 1)}
    found = document_findings(files, NAMES)
    assert {each.code for each in found} == {code}
    assert {each.severity for each in found} == {ERROR}
    if place:
        assert place in [each.place for each in found]


def test_a_number_is_given_to_one_decision():
    twin = "docs/decisions/0001-two.md"
    found = document_findings({**FILES, twin: "# 0001 Two\n"}, NAMES)
    assert [(each.code, each.place) for each in found] == [
        ("decision_number", Line(twin, 1)),
        ("decision_unlisted", Line(twin, 1)),
    ]
