"""Published files match the records, and the check names each that does not."""

import json

import jsonschema
import pytest
import yaml

from tools import databases, lint, publish
from tools.say import Stop

PAGE = """\
# Page

<!-- generated: stages -->

old

<!-- end of generated -->

By hand.
"""


def test_the_published_files_are_those_of_a_new_database():
    assert publish.drift(publish.generated(), publish.present()) == []


def test_another_record_is_drift_in_every_file_that_tells_of_it(monkeypatch, capsys):
    with databases.temporary(databases.template("all")) as changed:
        with databases.cursor(changed) as cr:
            cr.execute(
                "UPDATE ipai_gate_requirement SET check_name = 'compile'"
                " WHERE code = 'branch_build'"
            )
        monkeypatch.setattr(databases, "template", lambda name: changed)
        assert publish.publish(["--check"]) == 1
    said = capsys.readouterr().out
    assert "+        check_name: compile" in said
    for name in ("gate_schema.yaml", "ci_gate_mapping.md"):
        assert (
            f"docs/reference/gates/{name} is not what the records say: run python3 -m "
            "tools publish" in said
        )
    assert "docs/reference/personas/" not in said


def test_drift_is_named_by_file_and_line(monkeypatch, capsys):
    monkeypatch.setattr(
        publish, "generated", lambda: {"gates/a.md": "1\n2\n", "personas/b.md": "3\n"}
    )
    found = {"gates/a.md": "1\nold\n", "personas/c.md": "4\n"}
    monkeypatch.setattr(publish, "present", lambda: found)
    assert not publish.check()
    said = capsys.readouterr().out
    for line in (
        "docs/reference/gates/a.md",
        "-old",
        "+2",
        "+3",
        "-4",
        "tools publish",
    ):
        assert line in said
    for name in ("gates/a.md", "personas/b.md", "personas/c.md"):
        assert f"✗ docs/reference/{name} is not what the records say" in said
    assert lint.publish is publish, "make lint looks too"


def test_writing_leaves_what_the_records_say_and_nothing_else(tmp_path, monkeypatch):
    monkeypatch.setattr(publish, "DOCS", tmp_path)
    (tmp_path / "gates").mkdir()
    (tmp_path / "gates" / "old.yaml").write_text("x")
    (tmp_path / "other.md").write_text("not published")
    expected = {"gates/new.yaml": "1\n", "gates/schema/new.json": "{}\n"}
    monkeypatch.setattr(publish, "generated", lambda: expected)
    publish.write()
    assert publish.present() == expected
    assert (tmp_path / "other.md").read_text() == "not published"


# --- pages by hand around generated parts --------------------------------------------


def test_a_page_keeps_what_is_by_hand_and_shows_what_is_generated():
    found = publish.spliced({"gates/p.md": PAGE}, {"stages": "\n| new |\n"})
    assert found == {"gates/p.md": PAGE.replace("old", "| new |")}
    assert publish.spliced(found, {"stages": "| new |"}) == found


@pytest.mark.parametrize(
    ("page", "parts", "message"),
    [
        (PAGE, {}, "nothing is generated for the mark “stages”"),
        (PAGE, {"stages": "x", "more": "y"}, "no page shows more"),
        (PAGE.replace("<!-- end of generated -->", ""), {"stages": "x"}, "is open"),
        (PAGE.replace("stages -->", "two words -->"), {"stages": "x"}, "is open"),
    ],
)
def test_a_mark_without_its_part_or_its_end_is_named(page, parts, message):
    with pytest.raises(Stop, match=message):
        publish.spliced({"gates/p.md": page}, parts)


# --- what is published ---------------------------------------------------------------


def test_the_published_registry_is_yaml_that_anybody_reads():
    text = (publish.DOCS / "personas" / "expertise_registry.yaml").read_text()
    registry = yaml.safe_load(text)
    assert len(registry["domains"]) == 10
    assert set(registry["personas"]) == {
        "developer",
        "qa_tester",
        "release_manager",
        "sre",
    }
    for domain in registry["domains"].values():
        assert domain["primary"] in registry["personas"]


def test_every_policy_file_says_that_it_is_generated_and_keeps_its_json_schema():
    files = sorted((publish.DOCS / "gates").glob("*.yaml"))
    assert [path.stem for path in files] == [
        "environment_controls",
        "evidence_schema",
        "exception_schema",
        "gate_schema",
    ]
    for path in files:
        text = path.read_text()
        shape = json.loads((path.parent / "schema" / f"{path.stem}.json").read_text())
        head = f"# yaml-language-server: $schema=schema/{path.stem}.json"
        assert text.splitlines()[0] == head
        assert "Generated from the addon's records" in text.splitlines()[1]
        content = yaml.safe_load(text)
        jsonschema.Draft202012Validator.check_schema(shape)
        jsonschema.validate(content, shape)
        assert content["schema"] == path.stem


def test_the_published_gates_are_those_of_the_design():
    policy = yaml.safe_load((publish.DOCS / "gates" / "gate_schema.yaml").read_text())
    assert list(policy["gates"]) == ["G1", "G2", "G3", "G4"]
    demanded = {code: stage["gate"] for code, stage in policy["stages"].items()}
    assert demanded == {
        "build": None,
        "qa_validation": "G1",
        "staging_acceptance": "G2",
        "production": "G3",
        "closed": "G4",
    }
