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


def deploy(play, release):
    """CI deploys and asks the running server how it is."""
    crew = play.crew
    payload = {
        "source_ref": release.commit.sha,
        "environment": "production",
        "external_id": f"deploy-{release.name}",
    }
    play.send_refused(
        "dev",
        "reports a deployment of their own",
        crew.event(
            *("dev", release.uuid, "deployment_event"),
            {**payload, "status": "succeeded"},
        ),
        *(403, "forbidden", "Only"),
    )
    for status in ("in_progress", "succeeded"):
        event = crew.event(
            *("ci", release.uuid, "deployment_event"), {**payload, "status": status}
        )
        play.send("ci", f"reports the deployment to production: {status}", event)
    running = {"G4:health_checks", "G4:monitoring_baseline", "G4:fallback_timer"}
    play.move_refused("rm", release, "closed", running)
    play.record.finding("green_before_deployment")
    status, measured = documents.probe(crew.url)
    event = crew.event(
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


def watch(play, release):
    """The SRE's evidence; a degraded baseline does not pass for a normal one."""
    crew = play.crew
    address = {
        "source_ref": release.commit.sha,
        "url": f"https://monitoring.example.com/{PROJECT}",
    }

    def baseline(status):
        payload = {**address, "type": "monitoring_baseline", "metadata": status}
        return crew.event("sre", release.uuid, "evidence", payload, gate="G4")

    play.send_refused(
        "sre",
        "records a monitoring baseline that is “fine”",
        baseline({"status": "fine"}),
        *(400, "invalid_field", "status"),
    )
    play.send(
        *("sre", "records a monitoring baseline that is degraded"),
        baseline({"status": "degraded"}),
    )
    play.move_refused(
        *("sre", release, "closed"), {"G4:monitoring_baseline", "G4:fallback_timer"}
    )
    play.record.finding("fallback_timer")
    _, measured = documents.probe(crew.url)
    told = f"median {measured.get('median_ms')} ms, p95 {measured.get('p95_ms')} ms"
    play.send(
        *("sre", f"measures again and records a normal baseline: {told}"),
        baseline({"status": "normal", **measured}),
    )
    timer = {**address, "type": "fallback_timer", "metadata": {"minutes": 30}}
    play.send(
        "sre",
        "sets the fallback timer to 30 minutes",
        crew.event("sre", release.uuid, "evidence", timer, gate="G4"),
    )
