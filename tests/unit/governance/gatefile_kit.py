"""Policy files of a small policy, and what is wrong with edited ones."""

import pytest
from governance import InvalidDocument, gatefile
from governance.gatefile import gates
from policy import KINDS, by_code

BY_CODE = by_code(KINDS)
REQUIREMENT_KINDS = tuple(BY_CODE)
SCHEMAS = gatefile.schemas(BY_CODE)
GATES = SCHEMAS["gate_schema"]
GATES_PART = gates.gates_part(BY_CODE)
EVIDENCE = SCHEMAS["evidence_schema"]
EXCEPTIONS = SCHEMAS["exception_schema"]
KNOWN = {
    "requirement_kinds": REQUIREMENT_KINDS,
    "evidence_types": {"build_log"},
    "personas": {"developer", "qa_tester"},
    "expertise_domains": {"odoo.qa.automation"},
    "gates": {"G1", "G2"},
    "environment_categories": {"dev", "staging", "production"},
    "deployment_aspects": {"succeeded", "confirmed"},
    "drill_types": {"failover"},
    "release_statuses": {"promoted"},
}


def entry(part, **values):
    """An entry of a part with the defaults for what is not given."""
    return {name: each.default for name, each in part.fields.items()} | values


def requirement(kind, **values):
    return entry(
        GATES_PART.fields["requirements"].entry,
        name=f"Of kind {kind}",
        kind=kind,
        accountable_persona="developer",
        expertise_domain="odoo.qa.automation",
        **values,
    )


PRESENT = {
    "gates": {
        "G1": entry(
            GATES_PART,
            name="Build",
            requirements={
                "build": requirement("check", check_name="build"),
                "log": requirement(
                    "evidence",
                    evidence_type="build_log",
                    metadata_match={"status": ["a", "b"], "count": 1.5},
                    freshness_hours=12.5,
                ),
            },
        ),
        "G2": entry(
            GATES_PART,
            name="Test",
            sequence=20,
            description="First line: yes\n\nno, a second",
            requirements={
                "signed": requirement("approval", approval_persona="qa_tester"),
                "g1": requirement("prior_gate", prior_gate="G1", waivable=False),
                "old": requirement("no_freeze", active=False),
            },
        ),
    },
    "stages": {
        "build": entry(gates.STAGES, name="Build"),
        "test": entry(
            gates.STAGES,
            name="Test",
            sequence=20,
            gate="G2",
            movers=["developer", "qa_tester"],
        ),
    },
    "definitions": {"kinds": {"check": ["check_name"]}, "limit": 30, "on": True},
}


def written(present=PRESENT, schema=GATES):
    return gatefile.to_yaml(schema, present, "Exported.")


def read(text, present=PRESENT, schema=GATES):
    content = text if isinstance(text, bytes) else text.encode()
    return gatefile.read(schema, content, "g.yaml", present, KNOWN)[0]


def changes(text, present=PRESENT, schema=GATES):
    """What a file would change, as ``(path and field, before, after)``."""
    found = gatefile.changes(schema, present, read(text, present, schema))
    return [
        (".".join([*each.path, each.field]), each.before, each.after) for each in found
    ]


def problems(text, present=PRESENT, schema=GATES):
    """What is wrong with a file: line and message by field."""
    with pytest.raises(InvalidDocument) as caught:
        read(text, present, schema)
    assert all(str(p).startswith("g.yaml, line ") for p in caught.value.problems)
    return {each.field: (each.line, each.message) for each in caught.value.problems}


def edited(old, new, present=PRESENT):
    text = written(present)
    assert text.count(old) == 1, old
    return text.replace(old, new)


def line_of(text, part):
    return next(n for n, line in enumerate(text.splitlines(), 1) if part in line)
