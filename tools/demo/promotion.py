"""G3: the release manager answers for the promotion."""

from . import documents
from .validation import sign

G3 = {"evidence_package", "rollback_plan", "release_notes", "rm_signoff"}


def g3(play, release):
    """The release manager answers for the promotion, and QA cannot do it for them."""
    play.record.chapter("G3 Promotion Readiness")
    play.move_refused("rm", release, "production", {f"G3:{code}" for code in G3})
    play.record.finding("evidence_package")
    play.send("rm", "records the rollback plan", rollback_plan(play, release))
    notes = documents.file(
        *(release, "release_notes", "release-notes.md"),
        documents.release_notes(release),
    )
    play.send(
        "rm",
        "records the release notes, from git's history",
        play.crew.event("rm", release.uuid, "evidence", notes, gate="G3"),
    )
    play.record.finding("who_plans_rollback")
    play.send_refused(
        "qa",
        "signs G3 as a release manager, having signed G2",
        sign(play, "qa", release, "G3", "release_manager"),
        *(403, "forbidden", "does not hold the persona"),
    )
    play.send_refused(
        "ci",
        "signs G3, so that the pipeline goes on by itself",
        sign(play, "ci", release, "G3", "release_manager"),
        *(403, "forbidden", "service account|does not hold the persona"),
    )
    play.move_refused("rm", release, "production", {"G3:rm_signoff"})
    play.send("rm", "signs G3", sign(play, "rm", release, "G3", "release_manager"))
    play.move_refused("dev", release, "production", {"mover"})
    play.move("rm", release, "production")
    play.show_verdict(release)


def rollback_plan(play, release):
    """When to go back, and how, as an event."""
    plan = documents.file(
        release, "rollback_plan", "rollback.md", documents.rollback_plan(release)
    )
    return play.crew.event("rm", release.uuid, "evidence", plan, gate="G3")
