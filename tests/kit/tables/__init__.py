"""The tables of gates and stages, for all layers of tests.

They are written by hand in ``gates.yaml`` and ``stages.yaml``, independent of the data
of the addon. Plain Python: the unit tests, those inside Odoo and those of the servers
load the same files.
"""

from dataclasses import dataclass
from pathlib import Path

import yaml

FOLDER = Path(__file__).parent
#: Login of the demo data and of the tests → persona.
PERSONAS = {
    "dev": "developer",
    "qa": "qa_tester",
    "rm": "release_manager",
    "sre": "sre",
}


@dataclass(frozen=True)
class Gate:
    """A row of the gate table.

    :param guards: code of the stage behind it
    :param requirements: code → kind and parameters, named as in the policy room
    :param dormant: as ``requirements``, of those that are not in force
    :param fresh: codes of those that a release without facts meets
    :param also: code → what else, as ``gate:code``, is unmet when only that one is
    """

    code: str
    name: str
    guards: str
    requirements: dict
    dormant: dict
    fresh: frozenset
    also: dict

    @property
    def missing(self):
        """What a release without facts lacks, as a set of ``gate:code``."""
        return {f"{self.code}:{code}" for code in self.requirements.keys() - self.fresh}


@dataclass(frozen=True)
class Stage:
    """A row of the stage table.

    :param gates: codes of the gates that entering it needs, in order
    :param movers: codes of the personas who may move a release there
    :param environment: category that it promotes to, or nothing
    """

    code: str
    name: str
    gates: tuple
    movers: frozenset
    environment: str | None

    @property
    def logins(self):
        """The logins of those who may move a release there."""
        return {login for login, code in PERSONAS.items() if code in self.movers}


def _read(name):
    return yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))


def _gate(code, row):
    requirements = row["requirements"]
    fresh, also = set(), {}
    dormant = {
        name: requirements.pop(name)
        for name in [*requirements]
        if requirements[name].get("active") is False
    }
    for name, values in requirements.items():
        if values.pop("fresh", None) == "met":
            fresh.add(name)
        also[name] = values.pop("also", [])
    names = row["name"], row["guards"]
    return Gate(code, *names, requirements, dormant, frozenset(fresh), also)


#: code → row, in the order of the way of a release
GATES = {code: _gate(code, row) for code, row in _read("gates.yaml").items()}
STAGES = {
    code: Stage(
        code,
        row["name"],
        tuple(row["gates"]),
        frozenset(row["movers"]),
        row.get("environment"),
    )
    for code, row in _read("stages.yaml").items()
}


def without(gate, code):
    """What is unmet, as ``gate:code``, for a release that lacks one thing only."""
    return {f"{gate}:{code}", *GATES[gate].also[code]}
