"""Requirement kinds about deployments: they ran, were confirmed, and soaked."""

from dataclasses import replace
from datetime import timedelta

import pytest
from policy import (
    DEPLOYMENT_CONFIRMED,
    MET,
    UNMET,
)
from policy_facts import (
    HOUR,
    NOW,
    OLD_REVISION,
    SECOND,
    assert_met,
    assert_unmet,
    deployment,
    judge,
    require,
    staged,
)

# --- deployment -------------------------------------------------------------------

DEPLOYED = require("deployment")
CONFIRMED = require("deployment", deployment_aspect=DEPLOYMENT_CONFIRMED)


def test_a_succeeded_production_deployment_meets_the_requirement():
    assert_met(
        judge(DEPLOYED, deployments=(deployment(1),)),
        "Revision 4f2c9ab runs in production",
        ("deployment", 1),
    )


@pytest.mark.parametrize(
    "other",
    [deployment(1, environment="staging"), deployment(1, revision=OLD_REVISION)],
    ids=["another environment", "an old revision"],
)
def test_a_deployment_of_something_else_does_not_count(other):
    assert_unmet(
        judge(DEPLOYED, deployments=(other,)),
        "Revision 4f2c9ab has not been deployed to production",
    )


def test_a_requirement_may_name_another_environment():
    staged = replace(DEPLOYED, environment="staging")
    assert_met(
        judge(staged, deployments=(deployment(1, environment="staging"),)),
        "Revision 4f2c9ab runs in staging",
        ("deployment", 1),
    )
    assert_unmet(
        judge(staged, deployments=(deployment(1),)),
        "Revision 4f2c9ab has not been deployed to staging",
    )


@pytest.mark.parametrize("requirement", [DEPLOYED, CONFIRMED])
def test_a_deployment_in_progress_is_neither_success_nor_failure(requirement):
    assert_unmet(
        judge(requirement, deployments=(deployment(1, "in_progress"),)),
        "The deployment to production is still in progress",
        ("deployment", 1),
    )


@pytest.mark.parametrize("requirement", [DEPLOYED, CONFIRMED])
@pytest.mark.parametrize("status", ["failed", "rolled_back"])
def test_an_unsuccessful_deployment_speaks_against_the_release(requirement, status):
    assert_unmet(
        judge(requirement, deployments=(deployment(1, status),)),
        f"The latest deployment of revision 4f2c9ab to production is `{status}`",
        ("deployment", 1),
        adverse=True,
    )


def test_the_latest_deployment_is_the_one_deployed_last():
    early, late = NOW - 9 * HOUR, NOW - HOUR
    assert_met(
        judge(
            DEPLOYED,
            deployments=(deployment(1, at=late), deployment(2, "failed", at=early)),
        ),
        "Revision 4f2c9ab runs in production",
        ("deployment", 1),
    )
    condition = judge(
        DEPLOYED,
        deployments=(deployment(1, at=early), deployment(2, "failed", at=late)),
    )
    assert (condition.state, condition.facts) == (UNMET, (("deployment", 2),))


def test_of_two_deployments_at_one_instant_the_one_recorded_last_counts():
    deployments = (deployment(2, "failed"), deployment(1))
    for given in (deployments, deployments[::-1]):
        assert judge(DEPLOYED, deployments=given).facts == (("deployment", 2),)


def test_before_the_deadline_confirmation_is_due_but_holds_nothing_up():
    pending = deployment(1, deadline=NOW)
    assert_met(
        judge(CONFIRMED, deployments=(pending,)),
        "Confirmation is due by 2026-03-02 12:00 UTC",
        ("deployment", 1),
    )


def test_past_the_deadline_an_unconfirmed_deployment_speaks_against_the_release():
    assert_unmet(
        judge(CONFIRMED, deployments=(deployment(1, deadline=NOW - SECOND),)),
        "Not confirmed by the deadline, 2026-03-02 11:59 UTC; deploy again or roll "
        "back",
        ("deployment", 1),
        adverse=True,
    )


def test_a_deployment_confirmed_in_time_stays_confirmed():
    deadline = NOW - 5 * HOUR
    for confirmed_at in (deadline, deadline - HOUR):
        timely = deployment(1, deadline=deadline, confirmed_at=confirmed_at)
        assert_met(
            judge(CONFIRMED, deployments=(timely,)),
            f"Confirmed on {confirmed_at:%Y-%m-%d %H:%M} UTC, in time",
            ("deployment", 1),
        )


def test_a_deployment_confirmed_too_late_is_not_confirmed():
    deadline = NOW - 5 * HOUR
    late = deployment(1, deadline=deadline, confirmed_at=deadline + SECOND)
    condition = judge(CONFIRMED, deployments=(late,))
    assert (condition.state, condition.adverse) == (UNMET, True)


def test_without_a_deadline_confirmation_cannot_be_late():
    assert_met(
        judge(CONFIRMED, deployments=(deployment(1),)),
        "No deadline is set for confirming the deployment",
        ("deployment", 1),
    )


def test_a_missed_deadline_does_not_undo_that_the_deployment_succeeded():
    missed = deployment(1, deadline=NOW - HOUR)
    assert judge(DEPLOYED, deployments=(missed,)).state == MET


# --- soak -------------------------------------------------------------------------

SOAK = require("soak_time", soak=timedelta(hours=24))


def test_a_revision_that_ran_long_enough_has_soaked():
    assert_met(
        judge(SOAK, deployments=(staged(1, hours=24),)),
        "Revision 4f2c9ab ran in staging for 24 hours or more",
        ("deployment", 1),
    )


def test_a_revision_still_soaking_says_until_when():
    assert_unmet(
        judge(SOAK, deployments=(staged(1, hours=23),)),
        "Revision 4f2c9ab must run in staging until 2026-03-02 13:00 UTC",
        ("deployment", 1),
    )


@pytest.mark.parametrize(
    "other",
    [
        staged(1, "failed", hours=99),
        staged(1, "in_progress", hours=99),
        staged(1, hours=99, environment="production"),
        staged(1, hours=99, revision=OLD_REVISION),
    ],
    ids=["failed", "in progress", "another environment", "an old revision"],
)
def test_only_a_succeeded_deployment_of_this_revision_soaks(other):
    assert_unmet(
        judge(SOAK, deployments=(other,)),
        "Revision 4f2c9ab has not run in staging yet",
    )


def test_deploying_again_starts_the_soak_again():
    deployments = (staged(2, hours=99), staged(1, hours=1))
    for given in (deployments, deployments[::-1]):
        assert judge(SOAK, deployments=given).facts == (("deployment", 1),)
        assert judge(SOAK, deployments=given).state == UNMET


def test_of_two_soaking_deployments_at_one_instant_the_one_recorded_last_counts():
    deployments = (staged(2, hours=30), staged(1, hours=30))
    for given in (deployments, deployments[::-1]):
        assert judge(SOAK, deployments=given).facts == (("deployment", 2),)


def test_a_deployment_told_of_late_soaks_from_when_it_was_told():
    backdated = staged(1, hours=99, recorded_at=NOW - HOUR)
    assert_unmet(
        judge(SOAK, deployments=(backdated,)),
        "Revision 4f2c9ab must run in staging until 2026-03-03 11:00 UTC",
        ("deployment", 1),
    )


def test_a_soak_may_be_asked_of_another_environment():
    elsewhere = replace(SOAK, environment="production", soak=HOUR)
    assert_met(
        judge(elsewhere, deployments=(deployment(1),)),
        "Revision 4f2c9ab ran in production for 1 hour or more",
        ("deployment", 1),
    )
    assert judge(elsewhere, deployments=(staged(1, hours=99),)).state == UNMET
