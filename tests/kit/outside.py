"""The addon from outside: a running server, its interfaces, its database."""

import json
import urllib.error
import urllib.request
import xmlrpc.client
from dataclasses import dataclass, field

import psycopg2

from tools import odoo
from tools.server import Server

#: The logins of the demo data; the password of each is its login.
LOGINS = ("dev", "qa", "rm", "sre", "ci", "auditor", "governance", "admin")


class HttpError(Exception):
    """An answer other than 200 of the JSON-2 interface.

    :ivar status: the HTTP status
    :ivar body: the decoded answer: ``name`` (the exception), ``message``, ``arguments``
        …
    """

    def __init__(self, status, body):
        super().__init__(f"{status}: {body}")
        self.status = status
        self.body = body


@dataclass
class Site:
    """A server, the database it serves, and what to reach both with."""

    server: Server
    _keys: dict = field(default_factory=dict)
    _uids: dict = field(default_factory=dict)

    @property
    def url(self):
        """Its address."""
        return self.server.url

    @property
    def database(self):
        """The name of its database."""
        return self.server.database

    def connect(self):
        """A connection of psycopg2 to the database; the caller closes it."""
        return psycopg2.connect(dbname=self.database)

    def rpc(self, login):
        """A client for one of the demo logins."""
        return Rpc(self, login)

    def uid(self, login, password):
        """The id of a user; hashing a password is slow, so each is checked once.

        :raises PermissionError: when the password is not the user's
        """
        if (login, password) not in self._uids:
            common = xmlrpc.client.ServerProxy(f"{self.url}/xmlrpc/2/common")
            uid = common.authenticate(self.database, login, password, {})
            if not uid:
                raise PermissionError(f"{login} cannot log in")
            self._uids[login, password] = uid
        return self._uids[login, password]

    def api_key(self, login):
        """An API key of a demo login, made by Odoo itself on first use."""
        if not self._keys:
            log = odoo.script(
                "Making API keys", self.database, "make_api_keys", *LOGINS
            )
            line = next(
                li for li in log.read_text().splitlines() if li.startswith("API_KEYS ")
            )
            self._keys.update(json.loads(line.removeprefix("API_KEYS ")))
        return self._keys[login]


class Rpc:
    """One person, or one machine, at the remote interfaces of a site.

    Not to be shared between threads: its connection is kept open.
    """

    def __init__(self, site, login, password=None):
        self.site = site
        self.login = login
        self.password = password or login
        self.uid = site.uid(login, self.password)
        self._object = xmlrpc.client.ServerProxy(
            f"{site.url}/xmlrpc/2/object", allow_none=True
        )

    def execute_kw(self, model, method, args=(), kwargs=None):
        """Call a method over XML-RPC.

        :raises xmlrpc.client.Fault: with Odoo's message as ``faultString``
        """
        return self._object.execute_kw(
            self.site.database,
            self.uid,
            self.password,
            model,
            method,
            list(args),
            kwargs or {},
        )

    def json2(self, model, method, /, **arguments):
        """Call a method over JSON-2 with this user's API key; records go by ``ids``.

        :raises HttpError: for every answer but 200
        """
        request = urllib.request.Request(
            f"{self.site.url}/json/2/{model}/{method}",
            json.dumps(arguments).encode(),
            {
                "Content-Type": "application/json",
                "Authorization": f"bearer {self.site.api_key(self.login)}",
                "X-Odoo-Database": self.site.database,
            },
        )
        try:
            with urllib.request.urlopen(request) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            text = error.read().decode()
            try:
                body = json.loads(text)
            except ValueError:
                body = {"message": text}
            raise HttpError(error.code, body) from None
