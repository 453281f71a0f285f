"""Exceptions: two people answer for a gate that fails, until the clock says no more."""

import time
from datetime import datetime, timedelta

from . import opening, promotion, repository
from .build_integrity import build_event, check
from .play import Release
from .second_release import take_commit
from .validation import record_for_g2, sign

EXCEPTION = "ipai.exception"
#: Seconds that the exception lives whose end is waited for.
LIFE = 8
#: What one failing check leaves unmet.
FAILING = ("G1:required_checks", "G2:no_failed_check")
NOTES = ("G3:evidence_package", "G3:release_notes")


# --- what people do with exceptions --------------------------------------------------


def utc(text):
    """A time of the server, from either of its two spellings."""
    return datetime.fromisoformat(text.rstrip("Z"))


def clock(play, release):
    """The server's clock, from a verdict that it gives."""
    verdict = play.plane("auditor", "verdict", release.uuid)
    return utc(verdict["evaluated_at"])


def content(play, release, life, **values):
    """The values of an exception for a release.

    :param life: timedelta from now until it expires
    :param values: what differs from the usual; ``requirements`` as ``"G1:build_log"``,
        ``gates`` as codes
    """
    codes = values.pop("requirements", ())
    rows = [
        play.one(
            "ipai.gate.requirement",
            [["gate_id.code", "=", gate], ["code", "=", code]],
            ["gate_id"],
        )
        for gate, code in (each.split(":") for each in codes)
    ]
    gates = {row["gate_id"][0] for row in rows} | {
        play.one("ipai.gate", [["code", "=", code]], ["code"])["id"]
        for code in values.pop("gates", ())
    }
    expires_at = clock(play, release).replace(microsecond=0) + life
    return {
        "release_id": play.id_of(release),
        "expires_at": str(expires_at),
        "gate_ids": [[6, 0, sorted(gates)]],
        "requirement_ids": [[6, 0, [row["id"] for row in rows]]],
        "risk_statement": "A real defect may hide behind what is waived.",
        **values,
    }


def request(play, login, what, values):
    """Draft an exception and request it.

    :returns: its id
    """
    person = play.crew[login]
    drafted = person.call(EXCEPTION, "create", values)
    person.call(EXCEPTION, "action_request", [drafted])
    told = look(play, drafted)
    play.did(login, what, f"{told['display_name']}: {told['status']}")
    play.expect(told["status"] == "requested", "The exception must be requested")
    return drafted


def look(play, exception):
    """An exception, as the auditor reads it."""
    fields = ["display_name", "state", "status", "in_force", "expires_at", "risk_level"]
    fields += ["review_status", "review_due_at", "awaited_persona_ids"]
    return play.one(EXCEPTION, [["id", "=", exception]], fields)


def decision(play, exception, persona):
    """What is created to approve an exception as a persona."""
    row = play.one("ipai.persona", [["code", "=", persona]], ["name"])
    return {
        "exception_id": exception,
        "persona_id": row["id"],
        "decision": "approved",
        "rationale_text": "The risk is known, and what keeps it small was looked at.",
    }


def approve(play, login, exception, persona):
    """Approve an exception.

    :returns: the exception as it is then
    """
    play.crew[login].call("ipai.approval", "create", decision(play, exception, persona))
    told = look(play, exception)
    waits = "waits for another persona" if told["awaited_persona_ids"] else "in force"
    play.did(
        login, f"approves EX-{exception} as {persona}", f"{told['status']}, {waits}"
    )
    return told


def approve_refused(play, login, what, exception, persona, words):
    """Try to approve an exception, which must be refused."""
    play.call_refused(
        *(login, what, words, "ipai.approval", "create"),
        decision(play, exception, persona),
    )


# --- the chapters --------------------------------------------------------------------


def two_people(play, commit, name, build):
    """A check fails; only two independent people together let the release pass.

    :returns: the :class:`~.play.Release`, in staging by an exception
    """
    play.record.chapter("A gate fails, and two people answer for it")
    release = not_by_an_author(play, commit, name, build)
    exception = approved_by_two(play, release)
    play.move("dev", release, "qa_validation")
    record_for_g2(play, release, build)
    play.send("qa", "signs G2", sign(play, "qa", release, "G2", "qa_tester"))
    verdict = play.show_verdict(release, "staging")
    play.expect(
        verdict["eligible"]
        and {gate["status"] for gate in verdict["gates"]} == {"bypassed"},
        "The release must be eligible, and both gates bypassed, never plainly passed",
    )
    play.move("rm", release, "staging_acceptance")
    sealed(play, exception)
    return release


def report_failure(play, release, build):
    """CI reports a build that passed, and then a run in which the tests failed."""
    play.send("ci", "reports the build", build_event(play, release, build))
    play.send(
        "ci",
        "reports that `unit_tests` failed in a second run, as a flaky test does",
        play.crew.event(
            *("ci", release.uuid, "check_result"), check(release, "unit_tests", "fail")
        ),
    )
    play.expect(play.gates(release)["G1"] == "failed", "G1 must have failed")


def failing(play, release):
    """The exception that the developer asks for."""
    return content(
        play,
        release,
        timedelta(days=3),
        exception_type="evidence_waiver",
        risk_level="high",
        requirements=FAILING,
        rationale="One flaky test; it passed alone, and its repair is under way.",
    )


def not_by_an_author(play, commit, name, build):
    """An author does not decide, and what was asked for one commit ends with it.

    :returns: the release at the next commit, where the check fails as well
    """
    message = "Ask for a release that cannot pass (no change of content)"
    with repository.commit_on_top(message, "dev@example.com", "sre@example.com") as by:
        authored = opening.open_quietly(play, by, name)
    report_failure(play, authored, build)
    play.move_refused("dev", authored, "qa_validation", {FAILING[0]})
    values = failing(play, authored)
    play.call_refused(
        "dev",
        "drafts an exception of high risk that lives for 8 days",
        "lives no longer than its risk allows",
        *(EXCEPTION, "create"),
        {**values, "expires_at": str(utc(values["expires_at"]) + timedelta(days=5))},
    )
    drafted = play.crew["dev"].call(EXCEPTION, "create", values)
    play.did("dev", "drafts one that lives for 3 days", f"EX-{drafted}: draft")
    play.call_refused(
        "dev",
        "requests it without saying what keeps the risk small meanwhile",
        "Compensating controls",
        *(EXCEPTION, "action_request", [drafted]),
    )
    controls = {"compensating_controls": "The test runs by hand before promotion."}
    play.crew["dev"].call(EXCEPTION, "write", [drafted], controls)
    play.call(
        *("dev", "says it, and requests it", f"EX-{drafted}: requested"),
        *(EXCEPTION, "action_request", [drafted]),
    )
    approve_refused(
        play,
        "sre",
        "approves it, being a co-author of the commit",
        *(drafted, "sre", "is an author of revision"),
    )
    play.record.finding("exception_author")
    release = Release(authored.uuid, name, commit)
    take_commit(play, release)
    approve_refused(
        play,
        "rm",
        "approves it after the new commit",
        *(drafted, "release_manager", "was requested for revision"),
    )
    play.record.finding("exception_revision")
    play.call(
        *("dev", "withdraws it, as it is of no use any more", f"EX-{drafted}: closed"),
        *(EXCEPTION, "action_close", [drafted], "A new commit came."),
    )
    report_failure(play, release, build)
    return release


def approved_by_two(play, release):
    """High risk asks for a release manager and an SRE, neither of them the requester.

    :returns: the id of the exception, in force
    """
    values = {
        **failing(play, release),
        "compensating_controls": "The test runs by hand before promotion.",
    }
    exception = request(
        play, "dev", "requests the exception for the new commit", values
    )
    approve_refused(
        play,
        "dev",
        "approves the exception that dev requested",
        *(exception, "release_manager", "does not hold the persona"),
    )
    told = approve(play, "rm", exception, "release_manager")
    play.expect(
        told["status"] == "requested" and told["awaited_persona_ids"],
        "One of two must not be enough",
    )
    approve_refused(
        play,
        "rm",
        "approves it a second time, as the SRE",
        *(exception, "sre", "does not hold the persona"),
    )
    play.move_refused("dev", release, "qa_validation", {FAILING[0]})
    told = approve(play, "sre", exception, "sre")
    play.expect(told["in_force"], "The exception must be in force")
    gates = {gate["code"]: gate["status"] for gate in play.verdict(release)}
    play.expect(gates["G1"] == "bypassed", "G1 must be bypassed")
    return exception


def sealed(play, exception):
    """What was approved does not change, and a longer life needs a new request."""
    later = str(utc(look(play, exception)["expires_at"]) + timedelta(days=3))
    for login, words in (("dev", "cannot change"), ("rm", "whoever drafted it")):
        play.call_refused(
            *(login, "moves the expiry of the approved exception", words),
            *(EXCEPTION, "write", [exception], {"expires_at": later}),
        )
    play.record.finding("exception_sealed")
    why = "The repair takes longer."
    play.crew["rm"].call(EXCEPTION, "action_extend", [exception], later, why)
    extension = play.one(EXCEPTION, [["extension_of_id", "=", exception]], ["status"])
    play.did("rm", "asks for a longer one", f"EX-{extension['id']}: requested")
    approve_refused(
        play,
        "rm",
        "approves the extension that rm requested",
        *(extension["id"], "release_manager", "requested this exception"),
    )
    play.call(
        *("rm", "withdraws it", f"EX-{extension['id']}: closed"),
        *(EXCEPTION, "action_close", [extension["id"]], "The repair is done in time."),
    )


def expiry(play, release):
    """An exception ends at its instant, by the clock and by nothing else."""
    play.record.chapter("An exception expires")
    play.send("rm", "records the rollback plan", promotion.rollback_plan(play, release))
    play.send("rm", "signs G3", sign(play, "rm", release, "G3", "release_manager"))
    play.move_refused("rm", release, "production", set(NOTES))
    values = content(
        play,
        release,
        timedelta(seconds=LIFE),
        exception_type="evidence_waiver",
        requirements=NOTES,
        rationale="The release notes are being translated.",
    )
    what = f"requests an exception of low risk that lives for {LIFE} seconds"
    exception = request(play, "dev", what, values)
    told = approve(play, "rm", exception, "release_manager")
    play.expect(told["in_force"], "One release manager must be enough for low risk")
    await_expiry(play, release, utc(told["expires_at"]))
    play.move_refused("rm", release, "production", set(NOTES))
    told = look(play, exception)
    play.did(
        "auditor",
        "reads the exception",
        f"by the clock {told['status']}, on record still {told['state']}"
        if told["state"] == "active"
        else told["status"],
    )
    play.expect(told["status"] == "expired", "By the clock it must have expired")
    play.record.finding("exception_expiry")
    record_expiry(play, release, exception)


def await_expiry(play, release, expires_at):
    """Ask for the verdict until the server's clock has passed an instant.

    Each verdict on the way must agree with the clock that it was given by.
    """
    asked, verdict = 0, None
    while not verdict or utc(verdict["evaluated_at"]) < expires_at:
        if verdict:
            time.sleep(0.1)  # between two looks at the server's clock
        verdict = play.plane("auditor", "verdict", release.uuid)
        asked += 1
        (g3,) = (gate for gate in verdict["gates"] if gate["code"] == "G3")
        before = utc(verdict["evaluated_at"]) < expires_at
        if asked == 1:
            told = f"G3 {g3['status']}, eligible: {verdict['eligible']}"
            play.did("auditor", "asks for the verdict", told)
            play.expect(before, "The exception must be approved before it expires")
        play.expect(
            (verdict["eligible"], g3["status"] == "bypassed") == (before, before),
            f"The verdict of {verdict['evaluated_at']} must follow the clock; the "
            f"exception ends at {expires_at}",
        )
    play.did(
        "auditor",
        f"asks again and again until the server's clock has passed {expires_at}",
        f"{asked} verdicts, each as the clock had it; the last, of "
        f"{verdict['evaluated_at']}: G3 {g3['status']}, eligible: "
        f"{verdict['eligible']}",
    )


def record_expiry(play, release, exception):
    """The scheduled action puts on record what the clock has done."""
    (job,) = play.crew["admin"].read(
        "ir.cron", [["cron_name", "=", "Release Gates: record expired exceptions"]], []
    )
    play.call(
        "admin",
        "runs the scheduled action that records expired exceptions, before its time",
        "done",
        *("ir.cron", "method_direct_trigger", [job["id"]]),
    )
    told = look(play, exception)
    entries = play.told(release, "exception_expired")
    play.did(
        "auditor",
        "reads the exception and the ledger",
        f"state {told['state']}; the ledger tells that "
        f"{', '.join(body['exception'] for body in entries)} expired",
    )
    play.expect(
        told["state"] == "expired"
        and [body["exception"] for body in entries] == [f"EX-{exception}"],
        "State and ledger must tell that the exception expired",
    )
    later = str(clock(play, release).replace(microsecond=0) + timedelta(days=1))
    play.call_refused(
        "dev",
        "extends the expired exception",
        "what has ended is not revived",
        *(EXCEPTION, "action_extend", [exception], later, "Still being translated."),
    )
