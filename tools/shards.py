"""Shards: the files of a layer in parts, a few long ones and some short ones.

How long a file takes is known from the last whole run here (``.run/weights.json``), or
from the table in ``tests/weights.txt``; else its tests are counted. Files go by their
names, which are unique, so that one that moves keeps its weight.
"""

import json
import math
import re
import xml.etree.ElementTree as ET
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from .paths import ROOT, RUN

TABLE = ROOT / "tests" / "weights.txt"
MEASURED = RUN / "weights.json"
#: Seconds that a shard takes at most, unless one file takes longer: its own server and
#: database should not count.
LENGTH = 240
#: Seconds that the last shards take at least, which fill the lanes up at the end.
SHORTEST = 50
#: Seconds of one test in a file that nobody has measured.
UNKNOWN = 0.5
#: Seconds from which the committed table lists a file.
LISTED = 2


@dataclass(frozen=True)
class Shard:
    """A part of a layer, which one pytest runs.

    :param name: the layer, with a number where the layer has several shards
    :param weight: seconds that it probably takes
    """

    layer: str
    name: str
    paths: tuple
    options: tuple
    weight: float

    @property
    def is_urgent(self):
        """Whether a test in it measures how soon something happens."""
        found = files(path.split("::")[0] for path in self.paths)
        return any("mark.deadline" in path.read_text() for path in found)


def table(measured=True):
    """The weights that are known: file name → seconds.

    :param measured: whether those of the last whole run here count too
    """
    known = {}
    if TABLE.exists():
        for line in TABLE.read_text().splitlines():
            if line and not line.startswith("#"):
                seconds, name = line.split()
                known[name] = float(seconds)
    if measured and MEASURED.exists():
        known |= json.loads(MEASURED.read_text())
    return known


def weight(path, known):
    """Seconds that a test file probably takes.

    :param known: see :func:`table`
    """
    if path.name in known:
        return known[path.name]
    tests = re.findall(r"^ *(?:async )?def test_", path.read_text(), re.MULTILINE)
    return max(1, len(tests)) * UNKNOWN


def files(paths):
    """The test files that paths name, folders included."""
    found = []
    for path in map(Path, paths):
        found += sorted(path.rglob("test_*.py")) if path.is_dir() else [path]
    return found


def _sizes(total):
    """The seconds of the shards of a layer: long ones first, short ones at last."""
    sizes = []
    while total > 2 * SHORTEST:
        sizes.append(LENGTH if total > 2 * LENGTH else total / 2)
        total -= sizes[-1]
    return [*sizes, total]


def split(layer, paths, options=()):
    """The shards of a layer.

    Options such as ``-k`` may leave a file without a test, and a path may name one test
    in a file: then all of it is one shard.

    :return: list of :class:`Shard`
    """
    if options or any("::" in path for path in paths) or layer == "unit":
        return [Shard(layer, layer, tuple(paths), tuple(options), SHORTEST)]
    known = table()
    weighed = {path: weight(path, known) for path in files(paths)}
    sizes = _sizes(sum(weighed.values()))
    if len(sizes) == 1:
        return [Shard(layer, layer, tuple(paths), (), sum(weighed.values()))]
    bins = [[] for _ in sizes]
    loads = [0.0] * len(sizes)
    # The longest first, each to where most of the size is left.
    for path in sorted(weighed, key=lambda path: (-weighed[path], path.name)):
        left = [size - load for size, load in zip(sizes, loads, strict=True)]
        emptiest = left.index(max(left))
        bins[emptiest].append(str(path))
        loads[emptiest] += weighed[path]
    return [
        Shard(layer, f"{layer}-{place}", tuple(sorted(chosen)), (), load)
        for place, (chosen, load) in enumerate(zip(bins, loads, strict=True), 1)
        if chosen
    ]


def in_order(shards):
    """Shards in the order in which lanes take them: the longest first.

    The unit tests go before all: they need no database, so that templates can be made
    meanwhile.
    """
    return sorted(shards, key=lambda each: (each.layer != "unit", -each.weight))


def lanes_of(shards, lanes):
    """How long each lane probably takes, when each takes the next shard once free."""
    loads = [0.0] * lanes
    for shard in in_order(shards):
        loads[loads.index(min(loads))] += shard.weight
    return [math.ceil(load) for load in loads]


def measured(reports):
    """Seconds per test file, by name, from JUnit files."""
    seconds = Counter()
    for report in reports:
        for case in ET.parse(report).iter("testcase"):
            words = (case.get("classname") or "").split(".")
            name = next((word for word in words if word.startswith("test_")), None)
            if name:
                seconds[f"{name}.py"] += float(case.get("time") or 0)
    return {name: round(value, 1) for name, value in seconds.items()}


def remember(reports):
    """Keep what a whole run measured, for the next one."""
    MEASURED.write_text(json.dumps(measured(reports), indent=1, sort_keys=True))


def write_table():
    """Write the committed table from what the last whole run measured."""
    known = json.loads(MEASURED.read_text())
    lines = [
        "# Seconds that a test file takes, for tools/shards.py to share the work out:",
        "# python3 -m tools weights writes it from the last whole run.",
    ]
    for name, seconds in sorted(known.items(), key=lambda item: (-item[1], item[0])):
        if seconds >= LISTED:
            lines.append(f"{seconds:.0f} {name}")
    TABLE.write_text("\n".join(lines) + "\n")
