"""Black-box tests: real servers on real databases, which end with the run."""

from contextlib import ExitStack

import attacks
import pytest
from outside import Site

from tools import databases, postgres
from tools.server import Server


@pytest.fixture(scope="session")
def postgresql():
    """A PostgreSQL server, which the environment of this process then names."""
    with postgres.running():
        yield


@pytest.fixture(scope="session")
def start_site(postgresql):
    """A function that starts a server on its own copy of the demo database.

    ``start_site(workers=2)`` has two processes, ``start_site(site.database)`` serves a
    database that is there already, ``arguments`` are more of Odoo's command line;
    ``jobs=True`` has it run the jobs of queue_job. It answers by then, and ends with
    the test run.
    """
    with ExitStack() as stack:

        def start(database=None, workers=0, arguments=(), jobs=False):
            if not database:
                template = databases.template("demo", bundles=True)
                database = stack.enter_context(databases.temporary(template))
            # What a scheduled action does meanwhile is nobody's attack.
            quiet = ("--max-cron-threads=0", *arguments)
            server = Server(database, workers=workers, arguments=quiet, jobs=jobs)
            return Site(stack.enter_context(server))

        yield start


@pytest.fixture(scope="session")
def site(start_site):
    """The server that most tests share."""
    return start_site()


@pytest.fixture
def rpc(site):
    """``rpc(login)``: a client for one of the demo logins."""
    return site.rpc


@pytest.fixture
def connection(site):
    """A connection of psycopg2 to the database of the shared server."""
    connection = site.connect()
    yield connection
    connection.close()


@pytest.fixture(scope="session")
def callers(site):
    """``callers(interface, login)``: a function that calls methods there."""
    return attacks.Callers(site)


@pytest.fixture
def database(connection):
    """Reads the database of the shared server, and tells whether it was changed."""
    return attacks.Database(connection)


@pytest.fixture(scope="session")
def people(callers):
    """``people(login, group, …, **values)``: a new person at the web client.

    Groups go by their names in the addon, such as ``developer``; the person's
    ``values`` are those of ``res.users``.
    """
    return attacks.People(callers)
