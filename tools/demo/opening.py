"""A release is opened, and tried to be moved before anything is proved."""

from .play import Release

PROJECT = "acme/odoo"

#: How the record tells of a move that goes around the façade.
WROTE = "writes the stage"


def free_name(crew, name):
    """A name that no release of the project has yet: HEAD-1234567, HEAD-1234567.2, …"""
    known = crew["auditor"].read(
        "ipai.release", [["name", "=like", f"{name}%"]], ["name"]
    )
    taken = {row["name"] for row in known}
    number = 1
    while (numbered := name if number == 1 else f"{name}.{number}") in taken:
        number += 1
    return numbered


def opening(commit, name):
    """What ``open_release`` is sent."""
    return {
        "project": PROJECT,
        "name": name,
        "source_ref": commit.sha,
        "environment_target": "production",
        "authors": list(commit.authors),
    }


def open_release(play, commit):
    """CI opens the release; a wrong project and a short SHA are refused.

    :returns: the :class:`Release`
    """
    play.record.chapter("A release is opened")
    name = free_name(play.crew, f"HEAD-{commit.short}")
    values = opening(commit, name)
    play.call_refused(
        "ci",
        "opens a release of a project that Odoo does not know",
        "acme/unheard-of.*is unknown",
        *(
            "ipai.control.plane",
            "open_release",
            {**values, "project": "acme/unheard-of"},
        ),
    )
    play.call_refused(
        "ci",
        f"opens a release of {PROJECT} by a short SHA",
        "Must be the full commit SHA",
        *("ipai.control.plane", "open_release", {**values, "source_ref": commit.short}),
    )
    release = open_quietly(play, commit, name)
    again = play.plane("ci", "open_release", values)
    play.did(
        "ci",
        "opens it again, as a job that is run twice would",
        f"the same release, created: {again['created']}",
    )
    play.expect(
        (again["uuid"], again["created"]) == (release.uuid, False),
        "It must be the same release",
    )
    play.record.finding("opened_twice")
    return release


def open_quietly(play, commit, name):
    """CI opens a release, without a wrong turn.

    :returns: the :class:`Release`
    """
    opened = play.plane("ci", "open_release", opening(commit, name))
    play.did(
        "ci",
        f"opens {name} for revision {commit.sha}, made by {', '.join(commit.authors)}",
        f"created, in stage {opened['stage']}, uuid {opened['uuid']}",
    )
    play.expect(opened["created"] and opened["stage"] == "build", "It must be created")
    return Release(opened["uuid"], name, commit)


def too_early(play, release):
    """Nothing is proved yet, and no door opens."""
    play.record.chapter("Too early")
    nothing = {"G1:branch_build", "G1:required_checks", "G1:build_log"}
    play.move_refused("dev", release, "qa_validation", nothing)
    (row,) = play.crew["rm"].read(
        "ipai.release", [["uuid", "=", release.uuid]], ["stage_id"]
    )
    (stage,) = play.crew["rm"].read(
        "ipai.release.stage", [["code", "=", "qa_validation"]], ["name"]
    )
    play.call_refused(
        "rm",
        f"{WROTE} {stage['name']} past the façade",
        "cannot move to QA Validation:(.|\n)*G1:",
        *("ipai.release", "write", [row["id"]], {"stage_id": stage["id"]}),
    )
    play.call_refused(
        "rm",
        "writes the status “promoted” by hand",
        "set by the engine",
        *("ipai.release", "write", [row["id"]], {"status": "promoted"}),
    )
