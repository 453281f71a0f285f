"""What the tests of the HTTP API share: keys, and requests by real HTTP."""

import itertools
import json
from urllib.parse import urlencode

from odoo.tests import HttpCase
from odoo.tools import mute_logger

from .common import GateCase

API = "/ipai/v1"
JSON = "application/json"
NDJSON = "application/x-ndjson"
XML = "text/xml"
#: A JUnit report of one test that passed.
GREEN = b'<testsuite name="a"><testcase name="t"/></testsuite>'

_numbers = itertools.count(1)


class HttpGateCase(HttpCase, GateCase):
    """Requests to the HTTP API, as the users of :class:`GateCase`."""

    @classmethod
    def api_key(cls, user, scope="rpc", expires=None):
        """A new API key of a user, made by Odoo itself."""
        # Only the superuser makes a key without an end; it is still the user's own.
        own = cls.env["res.users.apikeys"].with_user(user).sudo()
        key = own._generate(scope, f"test {next(_numbers)}", expires)
        cls.env.flush_all()
        return key

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.keys = {login: cls.api_key(user) for login, user in cls.users.items()}

    def call(self, method, path, body=None, login="ci", mimetype=JSON, **headers):
        """An HTTP answer.

        :param body: bytes as they are, text as UTF-8, every other value as JSON
        :param login: whose key is sent; ``None`` sends none
        :param headers: more of them, ``_`` for ``-``; ``None`` takes one away
        """
        if body is not None and not isinstance(body, bytes):
            body = (body if isinstance(body, str) else json.dumps(body)).encode()
        sent = {"Content-Type": mimetype} if body is not None else {}
        if login:
            sent["Authorization"] = f"Bearer {self.keys[login]}"
        sent.update({name.replace("_", "-"): text for name, text in headers.items()})
        sent = {name: text for name, text in sent.items() if text is not None}
        with mute_logger("odoo.http"):
            return self.url_open(
                f"{API}{path}", data=body, headers=sent, method=method, timeout=60
            )

    def post(self, path, body, login="ci", **options):
        return self.call("POST", path, body, login, **options)

    def get(self, path, login="ci", **options):
        return self.call("GET", path, None, login, **options)

    def report_path(self, **more):
        """The path of a report about ``self.release``, with a key of its own.

        :param more: parameters to set; ``None`` takes one away
        """
        address = f"github_actions/{self.release.uuid}"
        query = {
            "format": "junit",
            "release": self.release.uuid,
            "source_ref": self.release.source_ref,
            "name": "unit_tests",
            "idempotency_key": f"{address}/report/{next(_numbers)}",
            **more,
        }
        known = {name: value for name, value in query.items() if value is not None}
        return f"/reports?{urlencode(known)}"

    def assertRefused(self, answer, status, code, field=None):
        """It is refused so, in the shape of every refusal; returns the detail."""
        self.assertEqual(answer.status_code, status, answer.text)
        self.assertEqual(answer.headers["Content-Type"].split(";")[0], JSON)
        said = answer.json()
        self.assertEqual(set(said), {"ingest_id", "status", "http_status", "detail"})
        self.assertEqual(said["status"], "error" if status == 500 else "rejected")
        self.assertEqual(said["http_status"], status)
        self.assertEqual(said["detail"]["code"], code)
        self.assertEqual(said["detail"].get("field"), field)
        self.assertTrue(said["detail"]["message"])
        return said["detail"]
