"""An incident: it holds the project's promotions until it is over, and is reviewed."""

from datetime import datetime, timezone

from . import operation

INCIDENT = "ipai.incident"
HELD = "no_open_incident"


def opened(play, release, other):
    """Monitoring finds something wrong with what was deployed.

    :param release: the release that was deployed to production
    :param other: a release whose promotion is held by it
    :returns: the id of the incident
    """
    play.record.chapter("An incident in production")
    operation.report_deployment(play, release)
    operation.report_health(play, release)
    operation.report_normal(play, release, "records a normal baseline")
    play.expect(play.gates(release)["G4"] == "passed", "G4 must have passed")
    play.expect(HELD not in play.lacking(other, "G3"), "Nothing may be open before")
    payload = {
        "external_id": f"INC-{release.name}",
        "summary": "Orders are answered slowly since the deployment",
        "severity": "high",
        "status": "open",
        "detected_at": datetime.now(timezone.utc).isoformat(),
        "deployment": operation.reference(release),
    }
    play.send(
        "ci",
        "opens an incident on the confirmed deployment, as monitoring found it",
        play.crew.event("ci", release.uuid, "incident", payload, source="monitoring"),
    )
    incident = play.one(
        INCIDENT, [["external_id", "=", payload["external_id"]]], ["deployment_id"]
    )
    play.expect(incident["deployment_id"], "The incident must name its deployment")
    held(play, other, True)
    timeline(play, incident["id"])
    return incident["id"]


def held(play, other, by_incident):
    """Whether an open incident holds G3 of another release of the project."""
    (g3,) = (gate for gate in play.verdict(other) if gate["code"] == "G3")
    (condition,) = (each for each in g3["conditions"] if each["code"] == HELD)
    play.did("auditor", f"asks what holds G3 of {other.name}", condition["reason"])
    play.expect(
        condition["state"] == ("unmet" if by_incident else "met"),
        "An incident must hold every release of the project while it is open",
    )


def timeline(play, incident):
    """What people add to the timeline stays as they wrote it."""
    for kind, text in (
        ("note", "The pool of database connections is used up."),
        ("communication", "Shop support knows; customers see a notice."),
        ("action", "Rolling back to the deployment before."),
    ):
        added = play.call(
            *("sre", f"adds to the timeline ({kind})", text),
            *("ipai.incident.entry", "create"),
            {"incident_id": incident, "kind": kind, "text": text},
        )
    play.call_refused(
        "sre",
        "rewrites an entry of the timeline",
        "never changed",
        *("ipai.incident.entry", "write", [added], {"text": "All was well."}),
    )


def resolved(play, incident, other):
    """The incident is over; its post-mortem needs a cause and an outcome."""
    play.record.chapter("The incident is resolved and reviewed")
    play.call_refused(
        "sre",
        "completes the post-mortem of the open incident",
        "is not resolved yet",
        *(INCIDENT, "action_complete_postmortem", [incident]),
    )
    resolve(play, incident)
    held(play, other, False)
    play.call_refused(
        "sre",
        "completes the post-mortem without saying what the cause was",
        "Tell the root cause and the outcome",
        *(INCIDENT, "action_complete_postmortem", [incident]),
    )
    review(
        play,
        incident,
        "A query without an index held its connection for seconds.",
        "Orders took up to a minute; none was lost.",
    )
    entries = play.crew["auditor"].read(
        "ipai.incident.entry", [["incident_id", "=", incident]], ["kind"]
    )
    kinds = [entry["kind"] for entry in entries]
    play.did("auditor", "reads the timeline", ", ".join(kinds))
    play.expect(
        kinds == ["detected", "note", "communication", "action", "resolved", "review"],
        "The timeline must tell the whole story in order",
    )


def resolve(play, incident):
    """The SRE resolves an incident, whose post-mortem is then still pending."""
    play.call(
        *("sre", "resolves the incident", "resolved; the post-mortem is pending"),
        *(INCIDENT, "action_resolve", [incident]),
    )
    expect_postmortem(play, incident, "pending")


def review(play, incident, root_cause, outcome):
    """The SRE tells cause and outcome, and completes the post-mortem."""
    told = {
        "root_cause": root_cause,
        "outcome": outcome,
        "recovery_actions": "Rolled back to the deployment before.",
    }
    play.call(
        *("sre", "tells the root cause, the recovery and the outcome", root_cause),
        *(INCIDENT, "write", [incident], told),
    )
    play.call(
        *("sre", "completes the post-mortem", "complete"),
        *(INCIDENT, "action_complete_postmortem", [incident]),
    )
    expect_postmortem(play, incident, "complete")


def expect_postmortem(play, incident, status):
    """What state the post-mortem of a resolved incident must have."""
    row = play.one(INCIDENT, [["id", "=", incident]], ["status", "postmortem_status"])
    play.expect(
        (row["status"], row["postmortem_status"]) == ("resolved", status),
        f"The incident must be resolved and its post-mortem {status}",
    )
