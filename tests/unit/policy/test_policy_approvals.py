"""Requirement kinds ``approval`` and ``prior_gate``."""

from dataclasses import replace

import pytest
from policy import (
    MET,
    UNMET,
    Gate,
)
from policy_facts import (
    HOUR,
    LOOKALIKE,
    NOW,
    OLD_REVISION,
    SECOND,
    SIGN_OFF,
    UNIT_TESTS,
    approval,
    assert_met,
    assert_unmet,
    chain,
    check,
    grant,
    judge,
    second,
    verdict_on,
)

# --- approval ---------------------------------------------------------------------

NO_SIGN_OFF = "No valid sign-off by a qa tester for revision 4f2c9ab"


def test_a_sign_off_by_the_persona_meets_the_requirement():
    assert_met(
        judge(SIGN_OFF, approvals=(approval(1, "quinn"),)),
        "Signed off by a qa tester for revision 4f2c9ab",
        ("approval", 1),
    )


def test_a_missing_sign_off_names_the_persona():
    assert_unmet(judge(SIGN_OFF), NO_SIGN_OFF)


@pytest.mark.parametrize(
    "other",
    [
        approval(1, "quinn", persona="release_manager"),
        approval(1, "quinn", gate="G3"),
        approval(1, "quinn", revision=OLD_REVISION),
        approval(1, "quinn", revision=LOOKALIKE),
    ],
    ids=["another persona", "another gate", "an old revision", "a similar revision"],
)
def test_a_sign_off_of_something_else_does_not_count(other):
    assert_unmet(judge(SIGN_OFF, approvals=(other,)), NO_SIGN_OFF)


def test_an_author_of_the_revision_cannot_sign():
    assert_unmet(
        judge(SIGN_OFF, authors={"dev", "quinn"}, approvals=(approval(1, "quinn"),)),
        f"{NO_SIGN_OFF} (an author of the revision cannot sign)",
    )


def test_somebody_elses_sign_off_counts_beside_the_authors():
    approvals = (approval(1, "dev"), approval(2, "quinn"))
    condition = judge(SIGN_OFF, authors={"dev"}, approvals=approvals)
    assert (condition.state, condition.facts) == (MET, (("approval", 2),))


def test_an_author_nobody_can_place_blocks_every_sign_off():
    assert_unmet(
        judge(
            SIGN_OFF,
            authors={"dev"},
            unresolved_authors={"zoe@example.com", "who@example.com"},
            approvals=(approval(1, "quinn"),),
        ),
        "Independence cannot be shown: no user is known for author who@example.com, "
        "zoe@example.com; a governance administrator must map the address to a user",
    )


def test_a_service_account_cannot_sign():
    assert_unmet(
        judge(SIGN_OFF, approvals=(approval(1, "ci", service_account=True),)),
        f"{NO_SIGN_OFF} (a service account cannot sign)",
    )


def test_a_sign_off_is_fresh_up_to_and_including_its_limit():
    fresh = replace(SIGN_OFF, freshness=HOUR)
    assert judge(fresh, approvals=(approval(1, "quinn"),)).state == MET
    assert_unmet(
        judge(fresh, approvals=(approval(1, "quinn", at=NOW - HOUR - SECOND),)),
        f"{NO_SIGN_OFF} (a sign-off was recorded 2026-03-02 10:59 UTC, older than the "
        "1 hour allowed; record it again)",
    )


@pytest.mark.parametrize("decision", ["rejected", "request_changes"])
def test_a_decision_against_speaks_against_the_release(decision):
    assert_unmet(
        judge(SIGN_OFF, approvals=(approval(1, "quinn", decision),)),
        f"A qa tester decided `{decision}`; that person must approve, or a new "
        "revision must come",
        ("approval", 1),
        adverse=True,
    )


def test_another_persons_approval_does_not_outvote_a_rejection():
    for approvals in (
        (approval(1, "quinn", "rejected"), approval(2, "quentin")),
        (approval(1, "quentin"), approval(2, "quinn", "rejected")),
    ):
        condition = judge(SIGN_OFF, approvals=approvals)
        assert (condition.state, condition.adverse) == (UNMET, True)


def test_every_rejection_is_among_the_deciding_facts_and_the_latest_is_told():
    assert_unmet(
        judge(
            SIGN_OFF,
            approvals=(
                approval(2, "quentin", "request_changes"),
                approval(1, "quinn", "rejected"),
            ),
        ),
        "A qa tester decided `request_changes`; that person must approve, or a new "
        "revision must come",
        ("approval", 1),
        ("approval", 2),
        adverse=True,
    )


def test_the_same_persons_later_approval_supersedes_the_rejection():
    decisions = (approval(1, "quinn", "rejected"), approval(2, "quinn"))
    for approvals in (decisions, decisions[::-1]):
        assert_met(
            judge(SIGN_OFF, approvals=approvals),
            "Signed off by a qa tester for revision 4f2c9ab",
            ("approval", 2),
        )


def test_the_same_persons_later_rejection_supersedes_the_approval():
    decisions = (approval(1, "quinn"), approval(2, "quinn", "rejected"))
    for approvals in (decisions, decisions[::-1]):
        condition = judge(SIGN_OFF, approvals=approvals)
        assert (condition.state, condition.facts) == (UNMET, (("approval", 2),))


def test_a_decision_on_another_gate_supersedes_nothing():
    approvals = (approval(1, "quinn", "rejected"), approval(2, "quinn", gate="G3"))
    assert judge(SIGN_OFF, approvals=approvals).state == UNMET
    approvals = (approval(1, "quinn"), approval(2, "quinn", "rejected", gate="G3"))
    assert judge(SIGN_OFF, approvals=approvals).state == MET


def test_a_rejection_of_an_old_revision_is_history():
    approvals = (
        approval(1, "quinn", "rejected", revision=OLD_REVISION),
        approval(2, "quentin"),
    )
    assert judge(SIGN_OFF, approvals=approvals).state == MET


def test_a_late_decision_on_an_old_revision_supersedes_nothing():
    approvals = (
        approval(1, "quinn"),
        approval(2, "quinn", "rejected", revision=OLD_REVISION),
    )
    assert judge(SIGN_OFF, approvals=approvals).facts == (("approval", 1),)


def test_an_old_rejection_does_not_wear_off():
    fresh = replace(SIGN_OFF, freshness=HOUR)
    approvals = (
        approval(1, "quinn", "rejected", at=NOW - 99 * HOUR),
        approval(2, "quentin"),
    )
    assert judge(fresh, approvals=approvals).state == UNMET


def test_an_authors_rejection_still_counts():
    approvals = (approval(1, "dev", "rejected"), approval(2, "quinn"))
    assert judge(SIGN_OFF, authors={"dev"}, approvals=approvals).adverse


def test_another_personas_rejection_does_not_decide_for_this_persona():
    approvals = (
        approval(1, "rita", "rejected", persona="release_manager"),
        approval(2, "quinn"),
    )
    assert judge(SIGN_OFF, approvals=approvals).state == MET


TWO_SIGN_OFFS = replace(SIGN_OFF, min_count=2)


def test_two_sign_offs_need_two_people():
    assert_met(
        judge(TWO_SIGN_OFFS, approvals=(approval(1, "quinn"), approval(2, "quentin"))),
        "Signed off by a qa tester for revision 4f2c9ab",
        ("approval", 1),
        ("approval", 2),
    )


def test_one_person_counts_once_however_often_they_approve():
    assert_unmet(
        judge(TWO_SIGN_OFFS, approvals=(approval(1, "quinn"), approval(2, "quinn"))),
        "1 of 2 sign-offs by a qa tester for revision 4f2c9ab",
        ("approval", 2),
    )


def test_one_person_in_two_personas_counts_for_the_latest_only():
    gate = verdict_on(
        SIGN_OFF,
        replace(SIGN_OFF, code="rm", persona="release_manager"),
        approvals=(
            approval(1, "quinn"),
            approval(2, "quinn", persona="release_manager"),
        ),
    )
    assert [c.state for c in gate.conditions] == [UNMET, MET]


def test_the_refusal_lists_each_reason_against_a_sign_off_once():
    assert_unmet(
        judge(
            replace(TWO_SIGN_OFFS, freshness=2 * HOUR),
            authors={"ann", "abe"},
            approvals=(
                approval(1, "ann"),
                approval(2, "abe"),
                approval(3, "ci", service_account=True),
                approval(4, "quinn"),
                approval(5, "quentin", at=NOW - 3 * HOUR),
            ),
        ),
        "1 of 2 sign-offs by a qa tester for revision 4f2c9ab (an author of the "
        "revision cannot sign; a service account cannot sign; a sign-off was recorded "
        "2026-03-02 09:00 UTC, older than the 2 hours allowed; record it again)",
        ("approval", 4),
    )


@pytest.mark.parametrize("count", [0, -1])
def test_a_sign_off_requirement_never_asks_for_nobody(count):
    assert_unmet(judge(replace(SIGN_OFF, min_count=count)), NO_SIGN_OFF)


DISTINCT = replace(SIGN_OFF, distinct_from_gate="G1")


def test_the_signatory_of_the_named_gate_cannot_sign_this_one():
    approvals = (approval(1, "rita", gate="G1", persona="sre"), approval(2, "rita"))
    assert_unmet(
        judge(DISTINCT, approvals=approvals),
        f"{NO_SIGN_OFF} (the signatory of G1 cannot also sign G2)",
    )


def test_somebody_else_than_the_signatory_of_the_named_gate_can_sign():
    approvals = (approval(1, "rita", gate="G1"), approval(2, "quinn"))
    assert judge(DISTINCT, approvals=approvals).facts == (("approval", 2),)


def test_whoever_signed_a_third_gate_can_sign():
    approvals = (approval(1, "quinn", gate="G3"), approval(2, "quinn"))
    assert judge(DISTINCT, approvals=approvals).state == MET


def test_whoever_signed_the_named_gate_for_an_old_revision_can_sign():
    approvals = (
        approval(1, "quinn", gate="G1", revision=OLD_REVISION),
        approval(2, "quinn"),
    )
    assert judge(DISTINCT, approvals=approvals).state == MET


def test_whoever_rejected_the_named_gate_is_not_its_signatory():
    approvals = (approval(1, "quinn", "rejected", gate="G1"), approval(2, "quinn"))
    assert judge(DISTINCT, approvals=approvals).state == MET


def test_without_a_named_gate_one_person_may_sign_several_gates():
    approvals = (approval(1, "quinn", gate="G1"), approval(2, "quinn"))
    assert judge(SIGN_OFF, approvals=approvals).state == MET


# --- prior gate -------------------------------------------------------------------


def test_a_passed_gate_before_meets_the_requirement():
    assert_met(second(chain(UNIT_TESTS), checks=(check(1),)), "G1 passed")


def test_a_bypassed_gate_before_meets_the_requirement_and_says_so():
    condition = second(chain(UNIT_TESTS), grants=(grant(1, "G1"),))
    assert_met(condition, "G1 is bypassed by an exception")


def test_a_closed_gate_before_is_named_with_its_status():
    assert_unmet(second(chain(UNIT_TESTS)), "G1 One is pending")
    assert_unmet(
        second(chain(UNIT_TESTS), checks=(check(1, "skipped"),)),
        "G1 One is in progress",
    )
    assert_unmet(
        second(chain(UNIT_TESTS), checks=(check(1, "fail"),)), "G1 One is failed"
    )


@pytest.mark.parametrize("code", ["G2", "G3", "GX"])
def test_only_a_gate_before_can_be_demanded(code):
    gates = [*chain(UNIT_TESTS, prior=code), Gate("G3", "Three", 30, (UNIT_TESTS,))]
    assert_unmet(
        second(gates, checks=(check(1),)),
        f"G2 demands {code}, which is not a gate before it",
    )
