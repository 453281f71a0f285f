"""What each role reads."""

from .actions import (
    AUDITOR,
    CI,
    DEV,
    EVERY_ROLE,
    GOVERNANCE,
    NOBODY,
    OPERATIONAL,
    OVERSIGHT,
    PLANE,
    QA,
    RM,
    Action,
    look,
    read,
)

#: model → the roles that read it
READERS = {
    "ipai.release": EVERY_ROLE,
    "ipai.release.gate": EVERY_ROLE,
    "ipai.revision": EVERY_ROLE,
    "ipai.check": EVERY_ROLE,
    "ipai.evidence": EVERY_ROLE - {CI},
    "ipai.approval": OPERATIONAL | {QA},
    "ipai.exception": OPERATIONAL | {DEV},
    "ipai.deployment": OPERATIONAL,
    "ipai.incident": OPERATIONAL,
    "ipai.incident.entry": OPERATIONAL,
    "ipai.environment": EVERY_ROLE,
    "ipai.environment.control": EVERY_ROLE,
    "ipai.control.check": OPERATIONAL,
    "ipai.environment.event": OPERATIONAL,
    "ipai.recovery.drill": OPERATIONAL,
    "ipai.recovery.drill.criterion": OPERATIONAL,
    "ipai.ingest.log": OPERATIONAL,
    "ipai.ledger.entry": OPERATIONAL,
    "ipai.ledger.verification": OPERATIONAL,
    "ipai.ledger.head": NOBODY,
    "ipai.project": EVERY_ROLE,
    "ipai.gate": EVERY_ROLE,
    "ipai.gate.requirement": EVERY_ROLE,
    "ipai.release.stage": EVERY_ROLE,
    "ipai.persona": EVERY_ROLE,
    "ipai.persona.contract": EVERY_ROLE,
    "ipai.persona.expertise": EVERY_ROLE,
    "ipai.agent.capability": EVERY_ROLE,
    "ipai.governance.coverage": EVERY_ROLE,
    "ipai.expertise.domain": EVERY_ROLE,
    "ipai.evidence.type": EVERY_ROLE,
    "ipai.freeze.window": EVERY_ROLE,
    "ipai.author.alias": OVERSIGHT,
    "ipai.settings": OVERSIGHT,
    "ipai.rate.limit": NOBODY,
    "ipai.kpi.target": EVERY_ROLE - {CI},
    "ipai.report.persona.kpi": EVERY_ROLE - {CI},
    "ipai.consistency.finding": frozenset({AUDITOR, GOVERNANCE}),
    "ipai.report.gate.summary": EVERY_ROLE,
    "ipai.report.promotion.eligibility": EVERY_ROLE,
    "ipai.report.evidence.completeness": EVERY_ROLE - {CI},
    "ipai.report.exception.status": OPERATIONAL | {DEV},
    "ipai.report.deployment.history": OPERATIONAL,
    "ipai.ci.account": OVERSIGHT,
    "ipai.ci.key": OVERSIGHT,
    "ipai.webhook.source": OPERATIONAL,
    "ipai.outbound.host": frozenset({AUDITOR, GOVERNANCE}),
    "ipai.webhook.endpoint": OVERSIGHT,
    "ipai.webhook.delivery": OVERSIGHT,
    "ipai.webhook.attempt": OVERSIGHT,
}
#: What these roles alone cannot make: an administrator of Odoo allows a host first.
#: There is nothing to find, but it is asked for.
ABSENT = frozenset(
    {
        "ipai.webhook.source",
        "ipai.outbound.host",
        "ipai.webhook.endpoint",
        "ipai.webhook.delivery",
        "ipai.webhook.attempt",
    }
)
READING = [
    Action(
        f"read {model}",
        "reads",
        readers,
        "everything",
        look(model) if model in ABSENT else read(model),
    )
    for model, readers in READERS.items()
]

#: what a developer reads of own projects, and everybody else of all
_OF_PROJECTS = {
    "ipai.release": ("id", "release"),
    "ipai.release.gate": ("release_id", "release"),
    "ipai.revision": ("release_id", "release"),
    "ipai.check": ("release_id", "release"),
    "ipai.evidence": ("release_id", "release"),
    "ipai.project": ("id", "project"),
    "ipai.environment": ("project_id", "project"),
    "ipai.environment.control": ("environment_id.project_id", "project"),
    "ipai.exception": ("release_id", "release"),
}


def _read_of(model, field, key):
    return lambda m: (
        model,
        "search_read",
        [[[field, "=", m[key]]], ["display_name"]],
        {"limit": 1},
    )


READING += [
    Action(
        f"read {model} of a project of others",
        "reads, of own projects",
        READERS[model] - {DEV},
        "foreign",
        _read_of(model, field, key),
    )
    for model, (field, key) in _OF_PROJECTS.items()
]
READING += [
    Action(
        "judge a release over the façade",
        "reads releases",
        EVERY_ROLE,
        "build",
        lambda m: (PLANE, "verdict", [m["uuid"], "production"], {}),
    ),
    Action(
        "read what others decided",
        "reads, own approvals",
        OVERSIGHT,
        "staging_signed",
        lambda m: (
            "ipai.approval",
            "search_read",
            [
                [["release_id", "=", m["release"]], ["persona_id.code", "=", DECIDER]],
                ["display_name"],
            ],
            {},
        ),
    ),
]
#: The persona of whose decisions nobody but those who govern reads.
DECIDER = RM
