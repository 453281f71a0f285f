"""Who records deployments, drills, incidents, events and controls."""

from .actions import (
    CI,
    NOBODY,
    OPERATIONAL,
    OVERSIGHT,
    RM,
    SRE,
    Action,
    create,
    do,
    numbers,
    send,
    write,
)


def _deployment(environment, status="succeeded"):
    return lambda m: {
        "release_id": m["release"],
        "environment_id": m["environment"][environment],
        "external_id": f"deploy-{next(numbers)}",
        "status": status,
    }


def _deployment_event(environment, status="succeeded"):
    return send(
        "deployment_event",
        lambda m: {
            "environment": environment,
            "status": status,
            "external_id": f"deploy-{next(numbers)}",
        },
    )


def _roll_back(m):
    evidence = {"note": "The shop answers again."}
    args = ["manual", "It was slow.", "restored", evidence]
    return ("ipai.deployment", "action_roll_back", [[m["deployment"]], *args], {})


_DEPLOYMENTS = "writes deployments (own)"
_DRILLS = "writes drills (own)"
_INCIDENTS = "writes incidents"
_EVENTS = "writes environment events"
_CONTROLS = "writes checks of controls"
_SREs = frozenset({SRE})
_REPORTERS = frozenset({SRE, CI})
OPERATIONS = [
    Action(name, cell, frozenset(allowed), kind, call, changes)
    for name, cell, allowed, kind, call, changes in [
        *(
            (f"{how} {name}", _DEPLOYMENTS, allowed, kind, door, "ipai_deployment")
            for name, environment, status, kind, approved in (
                ("a deployment to staging", "staging", "succeeded", "build", True),
                (
                    "an approved deployment to production",
                    "production",
                    "in_progress",
                    "staging_signed",
                    True,
                ),
                (
                    "an unapproved deployment to production",
                    "production",
                    "in_progress",
                    "build",
                    False,
                ),
            )
            for how, allowed, door in (
                (
                    "record",
                    _SREs if approved else NOBODY,
                    create("ipai.deployment", _deployment(environment, status)),
                ),
                (
                    "send",
                    _REPORTERS if approved else NOBODY,
                    _deployment_event(environment, status),
                ),
            )
        ),
        (
            "advance a deployment of the SRE",
            _DEPLOYMENTS,
            {SRE},
            "deployed_by_sre",
            write("ipai.deployment", "deployment", lambda m: {"status": "succeeded"}),
            "ipai_deployment",
        ),
        (
            "advance a deployment of CI",
            _DEPLOYMENTS,
            NOBODY,
            "deployed_by_ci",
            write("ipai.deployment", "deployment", lambda m: {"status": "rolled_back"}),
            "ipai_deployment",
        ),
        (
            "roll a deployment back",
            _DEPLOYMENTS,
            {SRE, RM},
            "deployed_by_ci",
            _roll_back,
            "ipai_deployment",
        ),
        (
            "send the health of an environment",
            "writes checks",
            _REPORTERS,
            "build",
            send(
                "health_check", lambda m: {"environment": "staging", "status": "pass"}
            ),
            "ipai_check",
        ),
        (
            "open an incident",
            _INCIDENTS,
            {SRE},
            "build",
            create(
                "ipai.incident", lambda m: {"release_id": m["release"], "name": "Down"}
            ),
            "ipai_incident",
        ),
        (
            "send an incident",
            _INCIDENTS,
            _REPORTERS,
            "build",
            send(
                "incident",
                lambda m: {
                    "external_id": f"INC-{next(numbers)}",
                    "severity": "low",
                    "status": "open",
                    "summary": "Down",
                    "detected_at": "2026-01-31T09:30:00Z",
                },
            ),
            "ipai_incident",
        ),
        (
            "tell how an incident ended",
            _INCIDENTS,
            {SRE},
            "incident",
            write("ipai.incident", "incident", lambda m: {"outcome": "Nothing lost."}),
            "ipai_incident",
        ),
        (
            "resolve an incident",
            _INCIDENTS,
            {SRE},
            "incident",
            do("ipai.incident", "incident", "action_resolve"),
            "ipai_incident",
        ),
        (
            "add to the timeline of an incident",
            _INCIDENTS,
            {SRE},
            "incident",
            create(
                "ipai.incident.entry",
                lambda m: {"incident_id": m["incident"], "text": "Restarted."},
            ),
            "ipai_incident_entry",
        ),
        (
            "complete the post-mortem of an incident",
            _INCIDENTS,
            {SRE},
            "incident_resolved",
            do("ipai.incident", "incident", "action_complete_postmortem"),
            "ipai_incident",
        ),
        (
            "record a drill",
            _DRILLS,
            {SRE},
            "build",
            create(
                "ipai.recovery.drill",
                lambda m: {
                    "environment_id": m["environment"]["production"],
                    "drill_type": "rollback",
                    "outcome": "success",
                    "note": "Rolled back and forth.",
                    "criterion_ids": [[0, 0, {"name": "It answers", "met": True}]],
                },
            ),
            "ipai_recovery_drill",
        ),
        (
            "record a check of a control",
            _CONTROLS,
            {SRE},
            "build",
            do("ipai.environment.control", "control", "record_check", "pass"),
            "ipai_environment_control",
        ),
        (
            "record an event of an environment",
            _EVENTS,
            {SRE},
            "build",
            create(
                "ipai.environment.event",
                lambda m: {
                    "environment_id": m["environment"]["staging"],
                    "event_type": "backup_complete",
                },
            ),
            "ipai_environment_event",
        ),
        (
            "send an event of an environment",
            _EVENTS,
            _REPORTERS,
            "build",
            send(
                "environment_event",
                lambda m: {"environment": "staging", "type": "backup_complete"},
            ),
            "ipai_environment_event",
        ),
        (
            "send the result of a control",
            _EVENTS,
            _REPORTERS,
            "build",
            send(
                "environment_event",
                lambda m: {
                    "environment": "staging",
                    "type": "masking_run",
                    "data": {"status": "pass"},
                },
            ),
            "ipai_environment_control",
        ),
        (
            "process an event again",
            "writes the log",
            {RM, SRE},
            "kept",
            do("ipai.ingest.log", "log", "action_reprocess"),
            "ipai_check",
        ),
        (
            "verify the ledger of a release",
            "reads everything",
            OPERATIONAL,
            "build",
            do("ipai.release", "release", "action_verify_ledger"),
            "ipai_ledger_verification",
        ),
        (
            "verify the governance chain",
            "reads everything",
            OVERSIGHT,
            "build",
            lambda m: ("ipai.ledger.entry", "action_verify_governance", [[]], {}),
            "ipai_ledger_verification",
        ),
    ]
]
