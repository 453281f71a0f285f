"""What is published is what the records say, and whoever changes one hears of it."""

import yaml

from tools import lint, publish


def test_the_published_files_are_those_of_a_new_database():
    assert publish.drift(publish.generated(), publish.present()) == []


def test_drift_is_named_by_file_and_line(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(publish, "generated", lambda: {"a.md": "1\n2\n", "b.md": "3\n"})
    found = {"a.md": "1\nold\n", "c.md": "4\n"}
    monkeypatch.setattr(publish, "present", lambda: found)
    assert not publish.check()
    said = capsys.readouterr().out
    for line in ("docs/personas/a.md", "-old", "+2", "+3", "-4", "tools publish"):
        assert line in said
    assert lint.publish is publish, "make lint looks too"


def test_writing_leaves_what_the_records_say_and_nothing_else(tmp_path, monkeypatch):
    monkeypatch.setattr(publish, "PUBLISHED", tmp_path)
    monkeypatch.setattr(publish, "present", lambda: {"old.md": "x"})
    monkeypatch.setattr(publish, "generated", lambda: {"new.md": "1\n"})
    (tmp_path / "old.md").write_text("x")
    publish.write()
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "new.md": "1\n"
    }


def test_the_published_registry_is_yaml_that_anybody_reads():
    text = (publish.PUBLISHED / "expertise_registry.yaml").read_text()
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
