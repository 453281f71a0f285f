"""A restore drill, and governance that makes it a condition of promotion."""

from .opening import PROJECT

DRILL = "ipai.recovery.drill"
REQUIREMENT = "ipai.gate.requirement"


def drill(play, other):
    """A backup counts as good only once its restore was validated.

    :param other: a release of the project whose G3 may demand a drill
    """
    play.record.chapter("A restore drill")
    production = play.one(
        "ipai.environment",
        [["project_id.name", "=", PROJECT], ["category", "=", "production"]],
        ["name"],
    )
    values = {
        "environment_id": production["id"],
        "drill_type": "backup_restore",
        "outcome": "success",
        "note": "The dump of last night, restored to a machine of its own.",
        "criterion_ids": [[0, 0, {"name": "Restored within an hour", "met": True}]],
    }
    play.call_refused(
        "sre",
        "records a restore drill as a success, not validated",
        "not validated is no success",
        *(DRILL, "create", values),
    )
    unmet = [[0, 0, {"name": "Restored within an hour", "met": False}]]
    play.call_refused(
        "sre",
        "records a success although a criterion was not met",
        "No success while this was not met",
        *(DRILL, "create"),
        {**values, "restore_validated": True, "criterion_ids": unmet},
    )
    recorded = play.call(
        "sre",
        "records a drill whose restore was validated",
        "success: Restored within an hour",
        *(DRILL, "create", {**values, "restore_validated": True}),
    )
    demanded(play, other, recorded)


def demanded(play, other, recorded):
    """Governance puts the requirement in force, and takes it out again."""
    governance = play.crew["governance"]
    (requirement,) = governance.read(
        REQUIREMENT,
        [
            *(["gate_id.code", "=", "G3"], ["code", "=", "restore_drill"]),
            ["active", "in", [True, False]],
        ],
        ["name", "active"],
    )
    try:
        switch(play, requirement, True)
        condition = found(play, other)
        play.expect(condition, "G3 must demand the drill")
        play.did("auditor", f"asks for it at {other.name}", condition["reason"])
        play.expect(
            condition["state"] == "met"
            and {"kind": "drill", "id": recorded} in condition["facts"],
            "The drill just recorded must meet the requirement",
        )
    finally:
        # Also when the run breaks off: policy is for every release of the database.
        switch(play, requirement, requirement["active"])
    play.expect(
        bool(found(play, other)) == requirement["active"],
        "G3 must demand what it did before",
    )


def switch(play, requirement, active):
    """Governance puts a requirement in force or takes it out."""
    play.call(
        "governance",
        f"puts “{requirement['name']}” {'in' if active else 'out of'} force for G3",
        "recorded in the governance chain",
        *(REQUIREMENT, "write", [requirement["id"]], {"active": active}),
    )


def found(play, release):
    """The condition of a release's G3, or nothing when it is not demanded."""
    (g3,) = (gate for gate in play.verdict(release) if gate["code"] == "G3")
    return next((c for c in g3["conditions"] if c["code"] == "restore_drill"), None)
