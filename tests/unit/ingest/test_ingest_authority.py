"""Who may send which event, and where its system of record is."""

import itertools

import pytest
from ingest import EVENT_TYPES, ROLES, SOURCE_SYSTEMS, may_send

MAY = {
    "ci_service": {
        "revision",
        "build_complete",
        "check_result",
        "evidence",
        "deployment_event",
        "health_check",
        "incident",
        "environment_event",
    },
    "developer": {"revision", "build_complete", "check_result", "evidence"},
    "qa_tester": {"evidence"},
    "release_manager": {"revision", "evidence"},
    "sre": {
        "evidence",
        "deployment_event",
        "health_check",
        "incident",
        "environment_event",
    },
    "auditor": set(),
    "governance_admin": set(),
}
FACTS = [event_type for event_type in EVENT_TYPES if event_type != "gate_signoff"]
PEOPLE = sorted(ROLES - {"ci_service"})


def test_every_role_is_in_the_table():
    assert set(MAY) == ROLES


@pytest.mark.parametrize("role", sorted(MAY))
@pytest.mark.parametrize("event_type", FACTS)
def test_each_role_sends_its_types_and_no_other(role, event_type):
    reason = may_send(frozenset({role}), event_type, "manual", None, "health_check")
    assert (reason is None) == (event_type in MAY[role])
    if reason:
        assert event_type in reason


@pytest.mark.parametrize("role", PEOPLE)
@pytest.mark.parametrize("source", sorted(set(SOURCE_SYSTEMS) - {"manual"}))
def test_a_person_cannot_speak_for_a_system(role, source):
    for event_type in MAY[role]:
        reason = may_send(frozenset({role}), event_type, source, None, "health_check")
        assert "source_system" in reason
        assert source in reason


@pytest.mark.parametrize("source", SOURCE_SYSTEMS)
def test_a_service_account_speaks_for_every_system(source):
    for event_type in MAY["ci_service"]:
        assert may_send(frozenset({"ci_service"}), event_type, source, "G1") is None


@pytest.mark.parametrize("role", sorted(ROLES))
@pytest.mark.parametrize("source", SOURCE_SYSTEMS)
def test_a_sign_off_is_judged_where_it_is_recorded_not_by_role(role, source):
    assert may_send(frozenset({role}), "gate_signoff", source, "G2") is None


@pytest.mark.parametrize(
    ("gate", "allowed"), [("G4", True), (None, True), ("G1", False), ("G3", False)]
)
def test_operational_evidence_is_for_the_last_gate_or_none(gate, allowed):
    reason = may_send(
        frozenset({"sre"}), "evidence", "manual", gate, "monitoring_baseline"
    )
    assert (reason is None) == allowed
    if reason:
        assert gate in reason


@pytest.mark.parametrize("kind", ["acceptance_criteria", "test_result", None])
def test_what_is_not_operational_an_sre_proves_for_the_last_gate_only(kind):
    roles = frozenset({"sre"})
    assert may_send(roles, "evidence", "manual", "G4", kind) is None
    assert "name the gate" in may_send(roles, "evidence", "manual", None, kind)
    both = roles | {"qa_tester"}
    assert may_send(both, "evidence", "manual", None, kind) is None


def test_a_second_role_lifts_the_limit_of_the_first():
    roles = frozenset({"sre", "developer"})
    assert may_send(roles, "evidence", "manual", "G1") is None


@pytest.mark.parametrize("roles", [(), ("portal",), ("auditor", "governance_admin")])
@pytest.mark.parametrize("event_type", FACTS)
def test_without_a_sending_role_nothing_is_sent(roles, event_type):
    assert may_send(frozenset(roles), event_type, "manual", None)


def test_a_type_that_nobody_sends_is_refused_for_all_roles_together():
    assert may_send(ROLES, "party", "manual", None)


def test_a_further_role_of_a_person_never_takes_a_right_away():
    for size in (1, 2):
        for held in itertools.combinations(PEOPLE, size):
            for event_type, more in itertools.product(EVENT_TYPES, PEOPLE):
                if may_send(frozenset(held), event_type, "manual", "G1") is None:
                    wider = frozenset({*held, more})
                    assert may_send(wider, event_type, "manual", "G1") is None
