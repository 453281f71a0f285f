"""A server, and clients of its CI service."""

import events
import pytest
from client_bench import DONE
from clients import Client


@pytest.fixture(scope="session")
def own(start_site):
    """A server that tests may stop; ``server`` has it run again after each of them."""
    site = start_site()
    site.api_key("ci")
    return site


@pytest.fixture
def server(own):
    yield own.server
    if own.server.process.poll() is not None:
        own.server.start().wait()


@pytest.fixture
def client(own, tmp_path):
    """A client of the CI service, in a folder of its own."""
    return Client(
        tmp_path,
        own.url,
        own.api_key("ci"),
        {"project": events.PROJECT, "source_ref": events.commit(), "run": "run-1"},
    )


@pytest.fixture
def release(client):
    """A release of the client's own commit, which it speaks of from now on."""
    name = f"client-{events.commit()[:8]}"
    done = client("open", "--author", "dev@example.com", name=name)
    assert done.code == DONE, done.said
    client.settings["release"] = done.data["release"]["uuid"]
    return done.data["release"]
