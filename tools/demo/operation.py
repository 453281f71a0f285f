"""G4: deployed, healthy, watched, closed."""

from . import documents
from .opening import PROJECT

G4 = {
    "production_deployment",
    "health_checks",
    "monitoring_baseline",
    "fallback_timer",
    "confirmed_in_time",
}


def g4(play, release):
    """Deployed, healthy, watched: then it is closed, and stays closed."""
    play.record.chapter("G4 Post-Deploy Operational Confirmation")
    play.move_refused("rm", release, "closed", {f"G4:{code}" for code in G4})
    deploy(play, release)
    watch(play, release)
    play.expect(play.gates(release)["G4"] == "passed", "G4 must have passed")
    play.move_refused("qa", release, "closed", {"mover"})
    play.move("sre", release, "closed")
    play.record.finding("status_when_closed")
    play.expect(
        play.gates(release) == dict.fromkeys(("G1", "G2", "G3", "G4"), "passed"),
        "All four gates must have passed",
    )
    play.move_refused("rm", release, "build", {"closed", "reason"})
    play.send_refused(
        "ci",
        "brings a new commit to the closed release",
        play.crew.event(
            *("ci", release.uuid, "revision"),
            {"source_ref": "c0ffee" * 6 + "c0ff", "authors": ["dev@example.com"]},
        ),
        *(409, "release_closed", "open a new release"),
    )


def deployment(play, release, status):
    """A deployment of a release to production, as an event."""
    payload = {
        "source_ref": release.commit.sha,
        "environment": "production",
        "external_id": reference(release),
        "status": status,
    }
    return play.crew.event("ci", release.uuid, "deployment_event", payload)


def reference(release):
    """What the deployment of a release is called."""
    return f"deploy-{release.name}"


def deploy(play, release):
    """CI deploys and asks the running server how it is."""
    crew = play.crew
    event = deployment(play, release, "succeeded")
    play.send_refused(
        "dev",
        "reports a deployment of their own",
        crew.event("dev", release.uuid, "deployment_event", event["payload"]),
        *(403, "forbidden", "Only"),
    )
    report_deployment(play, release)
    running = {"G4:health_checks", "G4:monitoring_baseline", "G4:fallback_timer"}
    play.move_refused("rm", release, "closed", running)
    play.record.finding("green_before_deployment")
    report_health(play, release)


def report_deployment(play, release):
    """CI brings a release to production and reports it."""
    for status in ("in_progress", "succeeded"):
        play.send(
            "ci",
            f"reports the deployment to production: {status}",
            deployment(play, release, status),
        )


def report_health(play, release):
    """CI asks the running server for its health and reports it."""
    status, measured = documents.probe(play.crew.url)
    event = play.crew.event(
        *("ci", release.uuid, "health_check"),
        {
            "source_ref": release.commit.sha,
            "environment": "production",
            "status": status,
            "metadata": measured,
        },
        source="monitoring",
    )
    told = ", ".join(f"{key} {value}" for key, value in measured.items())
    play.send("ci", f"asks the server for its health and reports it: {told}", event)
    play.expect(status == "pass", "The server must be healthy")


def of_monitoring(play, release, kind, metadata):
    """Evidence that the SRE points to in monitoring, as an event."""
    payload = {
        "source_ref": release.commit.sha,
        "url": f"https://monitoring.example.com/{PROJECT}",
        "type": kind,
        "metadata": metadata,
    }
    return play.crew.event("sre", release.uuid, "evidence", payload, gate="G4")


def watch(play, release):
    """The SRE's evidence; a degraded baseline does not pass for a normal one."""
    play.send_refused(
        "sre",
        "records a monitoring baseline that is “fine”",
        of_monitoring(play, release, "monitoring_baseline", {"status": "fine"}),
        *(400, "invalid_field", "status"),
    )
    play.send(
        "sre",
        "records a monitoring baseline that is degraded",
        of_monitoring(play, release, "monitoring_baseline", {"status": "degraded"}),
    )
    play.move_refused(
        *("sre", release, "closed"), {"G4:monitoring_baseline", "G4:fallback_timer"}
    )
    play.record.finding("fallback_timer")
    report_normal(play, release, "measures again and records a normal baseline")


def report_normal(play, release, what):
    """The SRE records a normal baseline, as measured, and the fallback timer."""
    _, measured = documents.probe(play.crew.url)
    told = f"median {measured.get('median_ms')} ms, p95 {measured.get('p95_ms')} ms"
    normal = {"status": "normal", **measured}
    play.send(
        "sre",
        f"{what}: {told}",
        of_monitoring(play, release, "monitoring_baseline", normal),
    )
    play.send(
        "sre",
        "sets the fallback timer to 30 minutes",
        of_monitoring(play, release, "fallback_timer", {"minutes": 30}),
    )
