"""G1: the build counts; what is malformed, forged or replayed does not."""

import base64
import copy
import hashlib
from datetime import datetime, timezone

from . import documents
from .opening import PROJECT


def build_event(play, release, build):
    """What CI reports of the build."""
    return play.crew.event(
        "ci",
        release.uuid,
        "build_complete",
        {
            "source_ref": release.commit.sha,
            "status": build.status,
            "checks": build.checks(),
            "log_url": f"https://ci.example.com/{PROJECT}/{release.commit.sha}/build.log",
            "sha256": hashlib.sha256(build.log).hexdigest(),
        },
    )


def g1(play, release, build):
    """The build passes G1; what is malformed, forged or replayed does not count."""
    play.record.chapter("G1 Build Integrity")
    crew = play.crew
    tests = build.tests
    play.did(
        "ci",
        f"builds revision {release.commit.short}: unit tests and linter",
        f"{tests.tests} tests, {tests.failures} failed, {tests.errors} errors, "
        f"{tests.skipped} skipped, in {build.seconds:.0f} s; lint: {build.lint}; "
        f"{build.changed_files} files differ from the commit",
    )
    play.record.finding("tree_and_commit")
    if build.status != "pass":
        end = build.log.decode(errors="replace")[-4000:]
        play.record.block(f"```text\n{end}\n```")
        for line in end.splitlines():
            play.record.tell(line)
    play.expect(build.status == "pass", "The build fails, so G1 cannot pass")
    event = build_event(play, release, build)
    play.send("ci", "reports the build, with checks from its JUnit file", event)
    play.record.finding("source_of_a_local_run")
    play.record.finding("build_check")
    replays(play, event)
    malformed(play, release)
    play.send_refused(
        "dev",
        "reports a green check in the name of GitHub Actions",
        crew.event(
            *(
                "dev",
                release.uuid,
                "check_result",
                check(release, "unit_tests", "pass"),
            ),
            source="github_actions",
        ),
        *(403, "forbidden", "source_system manual"),
    )
    files(play, release, build)
    play.expect(play.gates(release)["G1"] == "passed", "G1 must have passed")
    play.show_verdict(release, "staging")


def check(release, name, status=None):
    """The payload of a check."""
    payload = {"source_ref": release.commit.sha, "name": name}
    return {**payload, "status": status} if status else payload


def replays(play, event):
    """A retry is recognised; a key that is used for something else is refused."""
    retry = {**event, "emitted_at": datetime.now(timezone.utc).isoformat()}
    (answer,) = play.crew.ingest("ci", retry)
    play.did(
        "ci",
        "sends the same event again, as after a lost answer",
        f"{answer['status']} of event {answer['detail'].get('duplicate_of')}",
    )
    play.expect(answer["status"] == "duplicate", "A retry must be a duplicate")
    play.record.finding("what_a_retry_is")
    other = copy.deepcopy(event)
    other["payload"]["status"] = "fail"
    play.send_refused(
        *("ci", "uses its key for another payload", other),
        *(409, "idempotency_conflict"),
    )


def malformed(play, release):
    """What lacks a revision or a verdict is never completed by a guess."""
    for what, payload, code, words in (
        ("sends a check without a status", check(release, "e2e"), "missing_field",
         r"payload\.status"),
        ("sends a check for a short SHA",
         {**check(release, "e2e", "pass"), "source_ref": release.commit.short},
         "invalid_field", "full commit SHA"),
        ("sends a check without a revision", {"name": "e2e", "status": "pass"},
         "missing_field", "never guessed"),
    ):  # fmt: skip
        event = play.crew.event("ci", release.uuid, "check_result", payload)
        play.send_refused("ci", what, event, 400, code, words)


def files(play, release, build):
    """The files of the build; a wrong hash costs only the event that carries it."""
    junit = documents.file(
        release, "test_result", "unit-tests.xml", build.junit, tests=build.tests.tests
    )
    log = documents.file(release, "build_log", "build.log", build.log)
    events = [
        play.crew.event("ci", release.uuid, "evidence", payload, gate="G1")
        for payload in ({**junit, "sha256": "0" * 63 + "1"}, junit, log)
    ]
    wrong, *right = play.crew.ingest("ci", *events)
    play.check_refused(
        "ci",
        "sends the JUnit file with a SHA-256 that is not its own",
        wrong,
        *(400, "sha256_mismatch"),
    )
    play.did(
        "ci",
        f"sends the JUnit file ({len(build.junit)} bytes, SHA-256 {junit['sha256']}) "
        "and the build log in the same call",
        ", ".join(answer["status"] for answer in right),
    )
    play.expect(
        [answer["status"] for answer in right] == ["accepted"] * 2,
        "One bad event must not cost the others",
    )
    play.record.finding("log_reachable")
    play.expect(
        "test_evidence" in play.lacking(release, "G2"),
        "Evidence for G1 must not serve G2",
    )
    play.record.finding("evidence_and_gates")


def read_back(play, release, build):
    """The JUnit file that the database holds is the one that pytest wrote."""
    rows = play.crew["auditor"].read(
        "ipai.evidence",
        [["release_id.uuid", "=", release.uuid], ["filename", "=", "unit-tests.xml"]],
        ["content", "sha256"],
    )
    held = {base64.b64decode(row["content"]) for row in rows}
    digest = hashlib.sha256(build.junit).hexdigest()
    play.did(
        "auditor",
        "reads the JUnit file back from the database",
        f"{len(rows)} times evidence, SHA-256 {digest}, as pytest wrote it",
    )
    play.expect(
        held == {build.junit} and {row["sha256"] for row in rows} == {digest},
        "The database must hold the file that was sent",
    )
