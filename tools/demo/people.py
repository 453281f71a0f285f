"""The people and machines of a release, each with a connection of their own."""

import itertools
import time
import xmlrpc.client
from datetime import datetime, timezone

#: login → what that person is called in the narration
PEOPLE = {
    "ci": "CI",
    "dev": "developer",
    "qa": "QA tester",
    "rm": "release manager",
    "sre": "SRE",
    "governance": "governance",
    "auditor": "auditor",
    "admin": "administrator",
}
#: Who speaks through which source; a person always by hand.
_SOURCES = {"ci": "agent"}
_SECONDS = 60


class _Transport(xmlrpc.client.Transport):
    """Gives up on a server that takes a connection and then says nothing."""

    def __init__(self, seconds):
        super().__init__()
        self._seconds = seconds

    def make_connection(self, host):
        connection = super().make_connection(host)
        connection.timeout = self._seconds
        return connection


def _proxy(url, path, seconds=_SECONDS):
    return xmlrpc.client.ServerProxy(
        f"{url}/xmlrpc/2/{path}", transport=_Transport(seconds), allow_none=True
    )


def authenticate(url, database, login, seconds=_SECONDS):
    """The user id behind a demo login, whose password is the login; or nothing."""
    return _proxy(url, "common", seconds).authenticate(database, login, login, {})


def server_version(url):
    """The version of Odoo that answers."""
    return _proxy(url, "common").version()["server_version"]


class Person:
    """One of the demo logins at the remote interface of a server."""

    def __init__(self, url, database, login):
        self.login = login
        self.name = PEOPLE[login]
        self._database = database
        self._uid = authenticate(url, database, login)
        if not self._uid:
            raise PermissionError(f"{login} cannot log in to {database}")
        self._object = _proxy(url, "object")

    def call(self, model, method, *args, **kwargs):
        """Call a method of a model over XML-RPC.

        :raises xmlrpc.client.Fault: with Odoo's message as ``faultString``
        """
        return self._object.execute_kw(
            self._database, self._uid, self.login, model, method, args, kwargs
        )

    def read(self, model, domain, fields, order="id"):
        """The records of a model that this person may see."""
        return self.call(model, "search_read", domain, fields, order=order)


class Crew:
    """Everybody who takes part, at one server."""

    def __init__(self, url, database):
        self.url = url
        self._database = database
        self._people = {}
        self._numbers = itertools.count(1)
        # Keys are for good: two runs on one release must not share any.
        self._run = f"{time.time_ns():x}"

    def __getitem__(self, login):
        if login not in self._people:
            self._people[login] = Person(self.url, self._database, login)
        return self._people[login]

    def event(self, login, release, event_type, payload, gate=None, source=None):
        """An envelope as that person would send it, with a fresh key.

        :param release: uuid of the release
        :param source: source system; by default the one the person speaks through
        """
        source = source or _SOURCES.get(login, "manual")
        number = f"{self._run}-{next(self._numbers)}"
        event = {
            "schema_version": "v1.0",
            "idempotency_key": f"{source}/{release}/{event_type}/{number}",
            "event_type": event_type,
            "source_system": source,
            "release_id": release,
            "payload": payload,
            "emitted_at": datetime.now(timezone.utc).isoformat(),
        }
        return {**event, "gate_code": gate} if gate else event

    def ingest(self, login, *events):
        """Send events in one call; their answers, in order."""
        return self[login].call("ipai.control.plane", "ingest", list(events))
