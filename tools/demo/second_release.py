"""The second release: it had passed G2, and then a new commit came."""

from . import repository
from .build_integrity import build_event, check
from .opening import open_quietly
from .play import Release
from .validation import G2, record_for_g2, sign

BUILD = {"branch_build", "required_checks", "build_log"}


def pass_g2(play, commit, name, build):
    """Bring a second release of the same commit through G2.

    The build's results are about this commit, so they hold for this release too.

    :returns: the :class:`Release`
    """
    play.record.chapter("A second release that had passed G2")
    release = open_quietly(play, commit, name)
    play.send("ci", "reports the build", build_event(play, release, build))
    play.move("dev", release, "qa_validation")
    record_for_g2(play, release, build)
    play.send("qa", "signs G2", sign(play, "qa", release, "G2", "qa_tester"))
    play.move("rm", release, "staging_acceptance")
    gates = play.gates(release)
    play.expect(
        (gates["G1"], gates["G2"]) == ("passed", "passed"), "G1 and G2 must have passed"
    )
    return release


def new_revision(play, release, build):
    """A new commit re-opens the gates, and nothing of the old one helps it."""
    play.record.chapter("A new commit, and back again")
    message = "Ask for a new revision (no change of content)"
    with repository.commit_on_top(message, "dev@example.com", "qa@example.com") as new:
        renewed = Release(release.uuid, release.name, new)
    take_commit(play, renewed)
    expect_reopened(play, renewed)
    late_results(play, release, renewed)
    play.send_refused(
        "qa",
        "signs G2 of the new commit, which names the tester as a co-author",
        sign(play, "qa", renewed, "G2", "qa_tester"),
        *(403, "forbidden", "is an author of revision"),
    )
    play.move_refused(
        *("dev", renewed, "qa_validation"), {f"G1:{code}" for code in BUILD}
    )
    take_commit(play, release)
    expect_reopened(play, release)
    play.record.finding("back_to_a_commit")
    event = build_event(play, release, build)
    play.send("ci", "reports a build of the first commit again", event)
    play.expect(
        play.lacking(release, "G2") == G2,
        "What was proved for G2 before must not count again",
    )
    play.show_verdict(release, "staging")


def take_commit(play, release):
    """Make a commit the release's revision; it is pulled back where it had advanced."""
    commit = release.commit
    event = play.crew.event(
        "ci",
        release.uuid,
        "revision",
        {"source_ref": commit.sha, "authors": list(commit.authors)},
    )
    made_by = ", ".join(commit.authors)
    answer = play.send("ci", f"brings commit {commit.short}, made by {made_by}", event)
    play.expect(
        answer["detail"]["changed"] and answer["detail"]["stage"] == "build",
        "The release must be back in Build",
    )


def expect_reopened(play, release):
    """Gates open again, stage pulled back, facts stale."""
    auditor = play.crew["auditor"]
    (row,) = auditor.read(
        "ipai.release",
        [["uuid", "=", release.uuid]],
        ["stage_id", "status", "move_reason"],
    )
    gates = play.gates(release)
    of_release = [["release_id.uuid", "=", release.uuid]]
    stale = {
        model: [
            fact["is_stale"] for fact in auditor.read(model, of_release, ["is_stale"])
        ]
        for model in ("ipai.approval", "ipai.evidence", "ipai.check")
    }
    told = ", ".join(f"{code} {status}" for code, status in gates.items())
    counted = ", ".join(
        f"{sum(facts)} of {len(facts)} {model.partition('.')[2]}s"
        for model, facts in stale.items()
    )
    play.did(
        "auditor",
        "looks at the release",
        f"stage {row['stage_id'][1]} ({row['move_reason']}); {told}; stale: {counted}",
    )
    play.expect(row["stage_id"][1] == "Build", "The release must be back in Build")
    play.expect("passed" not in gates.values(), "No gate may have stayed open")
    play.expect(
        all(all(facts) and facts for facts in stale.values()),
        "Every fact of the old revision must be stale",
    )


def late_results(play, old, new):
    """Results of the old commit that arrive now, good or bad, change nothing."""
    before = play.verdict(new), play.gates(new)
    for status in ("pass", "fail"):
        play.send(
            "ci",
            f"reports unit_tests `{status}` for {old.commit.short}, late",
            play.crew.event(
                "ci", old.uuid, "check_result", check(old, "unit_tests", status)
            ),
            stale=True,
        )
    play.send(
        "qa",
        f"signs G2 for {old.commit.short}, late",
        sign(play, "qa", old, "G2", "qa_tester"),
        stale=True,
    )
    after = play.verdict(new), play.gates(new)
    play.did(
        "auditor",
        "compares the verdict and the gates before and after",
        "the same" if after == before else "they differ",
    )
    play.record.finding("late_result")
    play.expect(after == before, "Results of an old revision must change nothing")
