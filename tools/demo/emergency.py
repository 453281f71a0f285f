"""Breaking the glass: an emergency passes, and owes a review for it."""

from datetime import timedelta

from .exceptions import (
    EXCEPTION,
    NOTES,
    approve,
    approve_refused,
    content,
    look,
    request,
    utc,
)

_FINDINGS = (
    "Customers were served within the hour; the release notes followed. From now on "
    "they are written with the change."
)


def emergency(play, release):
    """An emergency follows the rules of critical risk, and is reviewed afterwards."""
    play.record.chapter("An emergency, and its review")
    values = content(
        play,
        release,
        timedelta(hours=24),
        exception_type="emergency",
        risk_level="low",
        gates=["G3"],
        rationale="Payments fail in production and this release repairs them.",
        compensating_controls="The SRE watches the promotion and may roll it back.",
    )
    play.call_refused(
        "dev",
        "drafts an emergency of 3 days",
        "lives no longer than its risk allows",
        *(EXCEPTION, "create"),
        {**values, "expires_at": str(utc(values["expires_at"]) + timedelta(days=2))},
    )
    what = "requests an emergency of 24 hours for the whole of G3, of low risk"
    exception = request(play, "dev", what, values)
    told = look(play, exception)
    play.did("auditor", "reads its risk", told["risk_level"])
    play.expect(told["risk_level"] == "critical", "An emergency must be critical")
    play.move_refused("rm", release, "production", set(NOTES))
    approve(play, "rm", exception, "release_manager")
    told = approve(play, "sre", exception, "sre")
    play.expect(
        (told["status"], told["review_status"]) == ("active", "pending")
        and told["review_due_at"],
        "The emergency must be in force, and owe a review",
    )
    play.move("rm", release, "production")
    play.show_verdict(release)
    review(play, exception, release)


def review(play, exception, release):
    """A person who approved the emergency reviews it, and not the one who asked."""
    approve_refused(
        play,
        "sre",
        "approves it once more",
        *(exception, "sre", "nothing to decide"),
    )
    play.call_refused(
        "dev",
        "records the review of the emergency that dev requested",
        "is reviewed by",
        *(EXCEPTION, "action_complete_review", [exception], _FINDINGS),
    )
    due = look(play, exception)["review_due_at"]
    play.call(
        "sre",
        f"records the review, which is due by {due}",
        f"EX-{exception}: complete",
        *(EXCEPTION, "action_complete_review", [exception], _FINDINGS),
    )
    entries = play.told(release, "exception_reviewed")
    play.did(
        "auditor",
        "reads in the ledger which exceptions were reviewed",
        "\n".join(f"{body['exception']}: {body['findings']}" for body in entries),
    )
    play.expect(
        look(play, exception)["review_status"] == "complete"
        and [body["exception"] for body in entries] == [f"EX-{exception}"],
        "State and ledger must tell of the review",
    )
    play.record.finding("overdue_review")
    play.record.block(
        "A review that is overdue closes G3 for every open release of the project. It "
        "is due five days after the emergency took effect, so this run cannot wait for "
        "that; `test_exceptions.py` moves the clock there."
    )
