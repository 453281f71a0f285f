"""Releases that the attacks are about."""

import attacks
import pytest


@pytest.fixture
def failing(database):
    """The release of the demo whose build fails."""
    return database.id("ipai_release", name="2026.11.3")


@pytest.fixture
def stage(database):
    """Ids of the stages by code."""
    return dict(database.rows("SELECT code, id FROM ipai_release_stage"))


@pytest.fixture
def release(callers, request):
    return attacks.open_release(callers("json_2", "ci"), request.node.name)
