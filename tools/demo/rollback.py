"""The way back from production, and a deployment that nobody approved."""

import base64

from . import incidents, opening, operation

DEPLOYMENT = "ipai.deployment"
_DETAILS = ["status", "rollback_trigger", "rollback_outcome", "is_unauthorised"]


def deployment_of(play, release):
    """The deployment of a release, as the auditor reads it."""
    domain = [["external_id", "=", operation.reference(release)]]
    return play.one(DEPLOYMENT, domain, ["confirmed_at", *_DETAILS])


def roll_back(play, release, earlier):
    """A confirmed deployment is rolled back, with trigger, outcome and evidence.

    :param earlier: the release whose deployment runs again
    """
    play.record.chapter("Rollback")
    found = deployment_of(play, release)
    play.expect(
        found["status"] == "succeeded" and found["confirmed_at"],
        "The deployment must be confirmed before it is rolled back",
    )
    log = b"restore of the database dump: ok\ndeploy of the revision before: ok\n"
    evidence = {
        "content": base64.b64encode(log).decode(),
        "filename": "rollback.log",
        "note": "The log of the rollback.",
    }
    story = "incident", "Orders are answered slowly since the deployment", "restored"
    call = DEPLOYMENT, "action_roll_back", [found["id"]], *story
    play.call_refused(
        *("dev", "records a rollback", "not allowed|Only an SRE or a release manager"),
        *(*call, evidence),
    )
    play.call_refused(
        *("sre", "records the rollback without evidence", "needs evidence", *call, {})
    )
    again = deployment_of(play, earlier)["id"]
    play.call(
        *("sre", f"records the rollback to {operation.reference(earlier)}"),
        lambda kept: f"rolled back, evidence {kept}",
        *(*call, evidence, again),
    )
    row = play.one("ipai.release", [["uuid", "=", release.uuid]], ["status"])
    found = deployment_of(play, release)
    (told,) = play.told(release, "rollback")
    play.did(
        "auditor",
        "reads release, deployment and ledger",
        f"release {row['status']}; deployment {found['status']}, trigger "
        f"{told['trigger']}, outcome {told['outcome']}, runs again {told['restored']}, "
        f"evidence {', '.join(told['evidence'])}",
    )
    play.expect(
        (row["status"], found["status"]) == ("rolled_back", "rolled_back")
        and told["restored"] == operation.reference(earlier)
        and told["evidence"],
        "Release, deployment and ledger must tell of the rollback",
    )
    play.call_refused(
        *("sre", "records the rollback once more", "is rolled back already"),
        *(*call, evidence),
    )


def unapproved(play, commit, name, other):
    """Production is gated: refused beforehand, and called what it is afterwards.

    :param other: a release that the incident holds until it is resolved
    :returns: the :class:`~.play.Release` that nobody approved
    """
    play.record.chapter("A deployment that nobody approved")
    release = opening.open_quietly(play, commit, name)
    production = play.one(
        "ipai.environment",
        [["project_id.name", "=", opening.PROJECT], ["category", "=", "production"]],
        ["name"],
    )
    play.call_refused(
        "sre",
        "records a deployment to production by hand",
        "cannot be deployed to production:(.|\n)*G1: No successful",
        *(DEPLOYMENT, "create"),
        {
            "release_id": play.id_of(release),
            "environment_id": production["id"],
            "external_id": operation.reference(release),
            "status": "succeeded",
        },
    )
    play.expect(
        play.told(release, "deployment_refused"), "The ledger must tell of the refusal"
    )
    play.send_refused(
        "ci",
        "says that it is about to deploy to production",
        operation.deployment(play, release, "in_progress"),
        *(403, "forbidden", "cannot be deployed to production"),
    )
    answer = play.send(
        "ci",
        "deploys all the same, and reports that it succeeded",
        operation.deployment(play, release, "succeeded"),
    )
    found = deployment_of(play, release)
    incident = play.one(
        "ipai.incident", [["deployment_id", "=", found["id"]]], ["name", "severity"]
    )
    play.did(
        "auditor",
        "reads what was made of it",
        f"unauthorised: {found['is_unauthorised']}; incident of {incident['severity']}"
        f" severity: {incident['name']}",
    )
    play.expect(
        answer["detail"]["unauthorised"] and found["is_unauthorised"],
        "The deployment must be recorded as unauthorised",
    )
    play.record.finding("unauthorised_deployment")
    incidents.held(play, other, True)
    take_back(play, found["id"], incident["id"])
    incidents.held(play, other, False)
    return release


def take_back(play, deployment, incident):
    """The SRE takes the deployment back and resolves its incident."""
    play.call(
        "sre",
        "takes the deployment back",
        "rolled back",
        *(DEPLOYMENT, "action_roll_back", [deployment], "incident"),
        *("Nobody approved it.", "restored", {"note": "Deployed what ran before."}),
    )
    incidents.resolve(play, incident)
    incidents.review(
        play,
        incident,
        "The pipeline went on although it was refused.",
        "Nobody was affected; the pipeline now stops at a refusal.",
    )
