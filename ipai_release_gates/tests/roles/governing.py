"""Who configures, and what nobody does."""

from .actions import GOVERNANCE, NOBODY, RM, Action, create, do, numbers, write
from .reading import ABSENT


def _number(text):
    return f"{text} {next(numbers)}"


#: model → values of a new record, and what is changed of one
CONFIGURATION = {
    "ipai.project": (
        lambda m: {"name": f"roles/new-{next(numbers)}"},
        lambda m: {"description": "Other."},
    ),
    "ipai.environment": (
        lambda m: {
            "name": _number("dev"),
            "project_id": m["project"],
            "category": "dev",
        },
        lambda m: {"keep": True, "keep_reason": "Needed."},
    ),
    "ipai.gate": (
        lambda m: {"code": f"X{next(numbers)}", "name": "Other gate"},
        lambda m: {"name": "Another gate"},
    ),
    "ipai.gate.requirement": (
        lambda m: {
            "gate_id": m["config"]["ipai.gate"],
            "code": f"new_{next(numbers)}",
            "name": "No freeze",
            "kind": "no_freeze",
            "accountable_persona_id": m["persona"][RM],
            "expertise_domain_id": m["domain"],
        },
        lambda m: {"waivable": False},
    ),
    "ipai.release.stage": (
        lambda m: {"code": f"new_{next(numbers)}", "name": "New", "sequence": 900},
        lambda m: {"name": "Newer"},
    ),
    "ipai.persona": (
        lambda m: {
            "code": f"new_{next(numbers)}",
            "name": "New",
            "group_id": m["group"],
        },
        lambda m: {"name": "Newer"},
    ),
    "ipai.expertise.domain": (
        lambda m: {"code": f"new.{next(numbers)}", "name": "New"},
        lambda m: {"name": "Newer"},
    ),
    "ipai.agent.capability": (
        lambda m: {
            "code": f"new.{next(numbers)}",
            "name": "New",
            "domain_id": m["domain"],
        },
        lambda m: {"name": "Newer"},
    ),
    "ipai.evidence.type": (
        lambda m: {"code": f"new_{next(numbers)}", "name": "New"},
        lambda m: {"description": "Other."},
    ),
    "ipai.freeze.window": (
        lambda m: {
            "name": _number("Freeze"),
            "starts_at": "2026-01-01 00:00:00",
            "ends_at": "2026-01-02 00:00:00",
        },
        lambda m: {"ends_at": "2026-01-03 00:00:00"},
    ),
    "ipai.author.alias": (
        lambda m: {
            "email": f"new-{next(numbers)}@example.com",
            "user_id": m["user"]["dev"],
        },
        lambda m: {"email": f"newer-{next(numbers)}@example.com"},
    ),
}
#: Versions, pairs, one target per KPI, findings: what takes more than a cell to try has
#: tests of its own, test_persona_contracts and test_kpis and test_consistency_page
#: and test_webhook_sources and test_webhook_access.
TRIED_ELSEWHERE = frozenset(
    {
        "ipai.persona.contract",
        "ipai.persona.expertise",
        "ipai.kpi.target",
        "ipai.consistency.finding",
        *ABSENT,
    }
)
_GOVERNS = frozenset({GOVERNANCE})
GOVERNING = [
    Action(
        f"{method} {model}",
        "writes personas, gates, requirements, stages, projects, environments, freezes",
        # A gate that releases were judged by stays.
        NOBODY if (model, method) == ("ipai.gate", "unlink") else _GOVERNS,
        "config",
        call,
        model.replace(".", "_"),
    )
    for model, (created, changed) in CONFIGURATION.items()
    for method, call in (
        ("create", create(model, created)),
        (
            "write",
            lambda m, model=model, changed=changed: (
                model,
                "write",
                [[m["config"][model]], changed(m)],
                {},
            ),
        ),
        (
            "unlink",
            lambda m, model=model: (model, "unlink", [[m["unused"][model]]], {}),
        ),
    )
]
GOVERNING += [
    Action(
        "write ipai.settings",
        "configuration",
        _GOVERNS,
        "config",
        write(
            "ipai.settings",
            "settings",
            lambda m: {"payload_retention_days": 200 + next(numbers)},
        ),
        "ipai_settings",
    ),
    Action(
        "make a CI service",
        "configuration",
        _GOVERNS,
        "config",
        create(
            "ipai.ci.onboarding.wizard",
            lambda m: {
                "name": "New CI",
                "login": f"ci-new-{next(numbers)}",
                "lifetime_days": 1,
            },
        ),
        "res_users",
        "action_create_service",
    ),
    Action(
        "give a CI service a new key",
        "configuration",
        _GOVERNS,
        "ci_account",
        create(
            "ipai.ci.rotate.wizard",
            lambda m: {"account_id": m["account"], "lifetime_days": 1},
        ),
        "res_users_apikeys",
        "action_rotate",
    ),
    Action(
        "revoke the keys of a CI service",
        "configuration",
        _GOVERNS,
        "ci_account",
        do("ipai.ci.account", "account", "action_revoke"),
        "res_users_apikeys",
    ),
]


#: model → what would falsify a record of it
FOR_GOOD = {
    "ipai.release": {"status": "promoted"},
    "ipai.release.gate": {"status": "passed"},
    "ipai.revision": {"author_emails": ["qa@example.com"]},
    "ipai.check": {"status": "pass"},
    "ipai.evidence": {"url": "https://example.com/other"},
    "ipai.approval": {"decision": "rejected"},
    "ipai.exception": {"state": "active"},
    "ipai.deployment": {"g4_status": "passed"},
    "ipai.incident": {"severity": "low"},
    "ipai.incident.entry": {"text": "Nothing happened."},
    "ipai.environment.control": {"status": "pass"},
    "ipai.control.check": {"status": "pass"},
    "ipai.environment.event": {"note": "Other."},
    "ipai.recovery.drill": {"outcome": "success"},
    "ipai.recovery.drill.criterion": {"met": True},
    "ipai.ingest.log": {"status": "accepted"},
    "ipai.ledger.entry": {"body": "{}"},
    "ipai.ledger.verification": {"result": "sound"},
    "ipai.ledger.head": {"sequence": 0},
}


def _of_all(model, method, *args):
    return lambda m: (model, method, [[m["some"][model]], *args], {})


KEPT = [
    Action(
        f"{method} {model}",
        "writes nothing",
        NOBODY,
        "everything",
        _of_all(model, method, *args),
        model.replace(".", "_"),
    )
    for model, falsified in FOR_GOOD.items()
    for method, args in (("write", [falsified]), ("unlink", []), ("copy", []))
]
KEPT += [
    Action(
        f"{method} ipai.settings",
        "writes nothing",
        NOBODY,
        "everything",
        call,
        "ipai_settings",
    )
    for method, call in (
        ("create", create("ipai.settings", lambda m: {"payload_retention_days": 1})),
        ("unlink", _of_all("ipai.settings", "unlink")),
        ("copy", _of_all("ipai.settings", "copy")),
    )
]
