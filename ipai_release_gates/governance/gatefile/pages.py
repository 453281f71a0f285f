"""What the pages of ``docs/gates`` show of the policy, as Markdown tables."""


def table(header, rows):
    """A Markdown table.

    :param header: the names of the columns
    :param rows: their cells; what is empty stays empty
    """
    lines = [_row(header), _row("---" for _name in header)]
    return "\n".join(lines + [_row(map(_cell, row)) for row in rows])


def _row(cells):
    return f"| {' | '.join(cells)} |"


def _cell(value):
    if value is None or value is False:
        return ""
    if isinstance(value, bool):
        return "yes"
    return " ".join(str(value).split()).replace("|", "\\|")


def code(word):
    """A word as code; nothing for nothing."""
    return f"`{word}`" if word else ""


def codes(words):
    return ", ".join(map(code, words))


def requirements_table(gates):
    """Which event counts for which requirement of which gate."""
    return table(
        ("gate", "requirement", "kind", "counts when", "waivable", "accountable"),
        (
            (
                gate,
                code(name) + ("" if requirement["active"] else " (not in force)"),
                code(requirement["kind"]),
                counts(requirement),
                "yes" if requirement["waivable"] else "no",
                code(requirement["accountable_persona"]),
            )
            for gate, entry in gates.items()
            for name, requirement in entry["requirements"].items()
        ),
    )


def counts(requirement):
    """What makes a requirement met, and what brings that, as one sentence."""
    found = _SENTENCES[requirement["kind"]](requirement)
    if requirement["freshness_hours"]:
        found += f"; no older than {requirement['freshness_hours']:g} hours"
    return found


def _where(requirement, default="production"):
    return requirement["environment_category"] or default


def _check(requirement):
    name, where = requirement["check_name"], requirement["environment_category"]
    on = f" on {where}" if where else ""
    if not name:
        return (
            "the latest of each check that the project requires is `pass`: "
            "`checks` of `build_complete`, or `check_result`"
        )
    if name == "build":
        event = "`status` of `build_complete`, or `check_result`"
    elif name == "health_check":
        event = "`status` of `health_check`"
    else:
        event = "`checks` of `build_complete`, or `check_result`"
    return f"the latest `{name}`{on} is `pass`: {event}"


def _evidence(requirement):
    kind = requirement["evidence_type"]
    if not kind:
        return "every evidence requirement of this gate and those before is met"
    events = ["`evidence` or by hand"]
    if kind in ("build_log", "check_status"):
        events.insert(0, "`build_complete`")
    if kind == "health_check":
        events.insert(0, "`health_check`")
    found = f"`{kind}` is recorded: {', '.join(events)}"
    for key, value in sorted((requirement["metadata_match"] or {}).items()):
        words = value if isinstance(value, list) else [value]
        said = " or ".join(code(word) for word in map(str, words))
        found += f"; its metadata says `{key}` is {said}"
    return found


def _approval(requirement):
    persona = requirement["approval_persona"]
    number = requirement["min_count"]
    people = f"{number} people sign" if number > 1 else "somebody signs"
    found = f"{people} as `{persona}`: `gate_signoff` or by hand, never a service"
    if requirement["distinct_from_gate"]:
        found += f"; not the signatory of {requirement['distinct_from_gate']}"
    return found


def _deployment(requirement):
    where = _where(requirement)
    if requirement["deployment_aspect"] == "confirmed":
        return (
            f"the rest of the gate held before the deadline of the deployment to "
            f"{where}: the events that make it hold"
        )
    return f"the latest to {where} is `succeeded`: `deployment_event` or by hand"


def _drill(requirement):
    kind = (requirement["drill_type"] or "recovery").replace("_", " ")
    return f"the latest {kind} drill of {_where(requirement)} succeeded: by hand"


_SENTENCES = {
    "check": _check,
    "evidence": _evidence,
    "approval": _approval,
    "prior_gate": lambda r: f"{r['prior_gate']} is passed or bypassed: nothing is sent",
    "deployment": _deployment,
    "no_failed_check": lambda r: (
        "no latest check of this or an earlier gate is `fail`: every check there is"
    ),
    "no_open_incident": lambda r: (
        "no blocking incident of the project is open: `incident` or by hand"
    ),
    "no_freeze": lambda r: (
        f"no freeze holds {_where(r)}, and a change window is open "
        "where there is one: the calendar"
    ),
    "soak_time": lambda r: (
        f"the revision ran {r['soak_hours']:g} hours in "
        f"{_where(r, 'staging')}: `deployment_event` or by hand"
    ),
    "environment_controls": lambda r: (
        f"every control of {_where(r)} holds: "
        "`environment_event`, by hand, or the clock"
    ),
    "recovery_drill": _drill,
    "no_overdue_review": lambda r: "no post-event review is overdue: by hand",
}


def stages_table(stages):
    """The stages with what each demands and who moves there."""
    return table(
        ("stage", "code", "demands", "movers", "a new commit pulls it back"),
        (
            (
                entry["name"],
                code(name),
                entry["gate"],
                codes(entry["movers"]),
                "yes" if entry["pulls_back"] else "no",
            )
            for name, entry in stages.items()
        ),
    )


def exception_types_table(definition):
    """Types of exceptions and what each may cover."""
    return table(
        ("type", "may waive", "whole gates", "risk"),
        (
            (
                code(name),
                codes(about["waives"])
                if isinstance(about["waives"], list)
                else about["waives"],
                "yes" if about["covers_whole_gates"] else "no",
                about["risk"],
            )
            for name, about in definition["types"].items()
        ),
    )


def risks_table(definition):
    """What each level of risk asks of an exception."""
    return table(
        ("risk", "longest life", "approved by one each", "controls", "review within"),
        (
            (
                code(name),
                _time(about["longest_life_hours"]),
                codes(about["approved_by_one_each"]),
                "must be said" if about["compensating_controls_required"] else "",
                _time(about["review_within_hours"]),
            )
            for name, about in definition["risk_levels"].items()
        ),
    )


def states_table(definition):
    """The states of an exception and what may follow each."""
    return table(
        ("state", "may become"),
        ((code(n), codes(about["next"])) for n, about in definition["states"].items()),
    )


def not_waivable_table(gates):
    """The requirements that no exception covers."""
    return table(
        ("gate", "requirement"),
        (
            (gate, f"{code(name)} {requirement['name']}")
            for gate, entry in gates.items()
            for name, requirement in entry["requirements"].items()
            if not requirement["waivable"] and requirement["active"]
        ),
    )


def _time(hours):
    if hours is None:
        return ""
    return f"{hours // 24} days" if hours > 48 and hours % 24 == 0 else f"{hours} hours"
