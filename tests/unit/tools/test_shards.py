"""Shards and lanes of ``make test``: balanced, complete, and honest about an end."""

import json
import xml.etree.ElementTree as ET

import pytest

from tools import shards, testing


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder of tests whose weights are 100, 90, … 10 s, and a table of them."""
    monkeypatch.setattr(shards, "TABLE", tmp_path / "weights.txt")
    monkeypatch.setattr(shards, "MEASURED", tmp_path / "weights.json")
    names = [f"test_{letter}.py" for letter in "abcdefghij"]
    rows = [f"{100 - 10 * place} {name}" for place, name in enumerate(names)]
    shards.TABLE.write_text("\n".join(["# seconds, name", *rows]))
    for name in names:
        room = tmp_path / "tests" / name[5]
        room.mkdir(parents=True)
        (room / name).write_text("def test_one():\n    pass\n")
    return tmp_path / "tests"


def test_shards_have_each_file_once_and_fill_the_lanes_up(folder):
    found = shards.split("server", [str(folder)])
    names = [f"server-{number}" for number in range(1, len(found) + 1)]
    assert [shard.name for shard in found] == names
    paths = [path for shard in found for path in shard.paths]
    assert sorted(paths) == sorted(map(str, folder.rglob("test_*.py")))
    assert max(shard.weight for shard in found) <= shards.LENGTH + 10
    lanes = shards.lanes_of(found, 2)
    assert sum(lanes) == 550
    assert max(lanes) - min(lanes) <= shards.SHORTEST


def test_what_is_short_or_chosen_by_options_is_one_shard(folder):
    few = [str(folder / "i/test_i.py"), str(folder / "j/test_j.py")]
    for paths, options in (
        (few, []),
        ([str(folder)], ["-k", "one"]),
        ([f"{folder / 'a/test_a.py'}::test_one", str(folder)], []),
    ):
        (only,) = shards.split("server", paths, options)
        assert only.name == "server"
        assert (list(only.paths), list(only.options)) == (paths, options)


def test_a_file_that_nobody_measured_weighs_by_its_tests(folder):
    path = folder / "test_new.py"
    path.write_text("def test_a(): ...\nclass A:\n    def test_b(self): ...\n")
    assert shards.weight(path, shards.table()) == 2 * shards.UNKNOWN


def test_what_was_measured_here_counts_more_than_the_table(folder):
    shards.MEASURED.write_text(json.dumps({"test_a.py": 7.5}))
    assert shards.table()["test_a.py"] == 7.5
    assert shards.table()["test_b.py"] == 90


def test_the_table_is_written_from_the_reports(folder, tmp_path):
    report = tmp_path / "report.xml"
    report.write_text(
        "<testsuites><testsuite>"
        "<testcase classname='tests.server.test_a' name='x' time='3.5'/>"
        "<testcase classname='tests.server.test_a' name='y' time='1.0'/>"
        "<testcase classname='odoo.tests.test_b.TestB' name='z' time='30'/>"
        "<testcase classname='tests.unit.test_c' name='q' time='0.1'/>"
        "</testsuite></testsuites>"
    )
    shards.remember([report])
    assert shards.table() | {"test_c.py": 0.1} == shards.table()
    shards.write_table()
    rows = [line for line in shards.TABLE.read_text().splitlines() if line[0] != "#"]
    assert rows == ["30 test_b.py", "4 test_a.py"]


def test_the_unit_tests_start_first_and_then_the_longest(folder):
    weights = {"a": 10, "b": 30, "c": 20}
    found = [
        shards.Shard("unit" if name == "a" else "server", name, (), (), weight)
        for name, weight in weights.items()
    ]
    assert [shard.name for shard in shards.in_order(found)] == ["a", "b", "c"]


@pytest.fixture
def lane(tmp_path, monkeypatch):
    """A function that runs the source of some test files, a shard each."""
    monkeypatch.setattr(testing, "PARTS", tmp_path)
    monkeypatch.setattr(testing, "REPORTS", tmp_path)

    def run(**sources):
        queue = []
        for name, source in sources.items():
            (tmp_path / f"test_{name}.py").write_text(source)
            paths = (str(tmp_path / f"test_{name}.py"),)
            queue.append(shards.Shard("unit", name, paths, ("-q",), 1))
        return testing.run_in_lanes(queue)

    return run


PASSES = "def test_one(): pass\ndef test_two(): pass\n"
FAILS = "def test_one(): assert False\n"
KILLED = "import os\ndef test_one(): os.kill(os.getpid(), 9)\n"


def test_all_lanes_count_and_a_killed_one_is_a_failure(lane, tmp_path, capsys):
    tally = lane(good=PASSES, bad=FAILS, killed=KILLED, fine=PASSES)
    assert (tally["passed"], tally["failed"]) == (4, 2)
    printed = capsys.readouterr().out
    assert "── killed tests" in printed and "exit code -9" in printed
    names = [path.stem for path in tmp_path.glob("*.xml")]
    assert sorted(names) == ["bad", "fine", "good"]


def test_the_reports_of_the_shards_are_joined_when_each_left_one(lane, tmp_path):
    lane(good=PASSES, fine=PASSES)
    testing.join("unit", ["good", "fine"])
    joined = ET.parse(tmp_path / "unit.xml")
    assert [each.get("name") for each in joined.iter("testsuite")] == ["good", "fine"]
    assert len(list(joined.iter("testcase"))) == 4
    testing.join("unit", ["good", "fine", "killed"])
    assert not (tmp_path / "unit.xml").exists()


def test_a_shard_with_a_deadline_is_urgent(tmp_path):
    calm, urgent = tmp_path / "test_calm.py", tmp_path / "test_urgent.py"
    calm.write_text(PASSES)
    urgent.write_text(f"import pytest\n@pytest.mark.deadline\n{PASSES}")
    for paths, expected in (((calm,), False), ((calm, urgent), True)):
        shard = shards.Shard("server", "x", tuple(map(str, paths)), (), 1)
        assert shard.is_urgent == expected


def test_an_option_may_leave_a_layer_without_tests_but_not_all_of_them(lane, tmp_path):
    (tmp_path / "test_a.py").write_text(PASSES)
    (tmp_path / "test_b.py").write_text(PASSES.replace("_one", "_three"))
    queue = [
        shards.Shard("unit", name, (str(tmp_path / f"test_{name}.py"),), ("-k", k), 1)
        for name, k in (("a", "one"), ("b", "one"))
    ]
    tally = testing.run_in_lanes(queue)
    assert (tally["passed"], tally["failed"]) == (1, 0)
    tally = testing.run_in_lanes(queue[1:])
    assert (tally["passed"], tally["failed"]) == (0, 1)
