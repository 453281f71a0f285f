"""What the tests of the HTTP API share: a release and requests about it."""

import hashlib
import hmac
import http.client
import json
from contextlib import contextmanager, suppress
from unittest.mock import patch
from urllib.parse import urlsplit

from psycopg2.errors import SerializationFailure

from odoo.tools import mute_logger

from ..http import API, HttpGateCase


class HttpApiCase(HttpGateCase):
    """What the tests of the HTTP API share: a release and requests about it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.release = cls.open_release("over http")

    def lint(self, status="pass", **envelope):
        payload = {"name": "lint", "status": status}
        return self.ci_event("check_result", payload, self.release, **envelope)

    def assertRefused_event(self, answer, status, code):
        self.assertEqual(answer.status_code, status, answer.text)
        self.assertEqual(answer.json()["detail"]["code"], code)
        self.assertTrue(answer.json()["ingest_id"])

    def signed(self, payload):
        """The headers of a delivery of GitHub."""
        body = json.dumps(payload).encode()
        mac = hmac.new(self.secret.encode(), body, hashlib.sha256).hexdigest()
        return {
            "X_GitHub_Event": "ping",
            "X_GitHub_Delivery": mac[:32],
            "X_Hub_Signature_256": f"sha256={mac}",
        }

    def status_without_requests_left(self, path):
        own = self.limit(1)
        method = "GET" if path.endswith("verdict") else "POST"
        statuses = [self.call(method, path, login=own).status_code for _ in range(2)]
        self.env["ipai.settings"].search([]).requests_per_minute = 0
        return statuses[1]

    def status_of_our_fault(self, method, path):
        def fail(*_args, **_named):
            raise RuntimeError("our fault")

        body = {} if method == "get" else {"body": {}}
        with patch.object(type(self.env["ir.http"]), "_dispatch", fail):
            return self.call(method.upper(), path, **body).status_code

    def raw(self, *pieces, **headers):
        """An answer to a request written by hand: ``pieces`` follow its headers."""
        host = urlsplit(self.base_url())
        sent = {
            "Authorization": f"Bearer {self.keys['ci']}",
            "Content-Type": "application/json",
            **{name.replace("_", "-"): text for name, text in headers.items()},
        }
        connection = http.client.HTTPConnection(host.hostname, host.port, timeout=60)
        self.addCleanup(connection.close)
        with self.allow_requests(), mute_logger("odoo.http"):
            connection.putrequest("POST", f"{API}/events")
            for name, text in self._with_test_cookie(sent).items():
                connection.putheader(name, text)
            connection.endheaders()
            # It may stop listening, as it should; the answer is there all the same.
            with suppress(BrokenPipeError, ConnectionResetError):
                for piece in pieces:
                    connection.send(piece)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())

    def _with_test_cookie(self, headers):
        cookies = "; ".join(f"{c.name}={c.value}" for c in self.opener.cookies)
        return {**headers, "Cookie": cookies} if cookies else headers

    def limit(self, per_minute):
        """Set the limit; the login of a key whose bucket is full."""
        self.env["ipai.settings"].search([]).requests_per_minute = per_minute
        # A bucket is emptied for good: the limit counts outside this transaction.
        self.keys["own"] = self.api_key(self.ci)
        return "own"

    @contextmanager
    def failing_once(self):
        """The first try to take events meets a conflict; gives what was tried."""
        process = type(self.env["ipai.control.plane"])._process
        tries = []

        def fail_once(plane, submissions):
            tries.append([submission.raw for submission in submissions])
            if len(tries) == 1:
                raise SerializationFailure()
            return process(plane, submissions)

        with (
            patch.object(type(self.env["ipai.control.plane"]), "_process", fail_once),
            patch("odoo.service.model.time.sleep"),
            patch("odoo.service.model.errorcodes.lookup", return_value="40001"),
        ):
            yield tries
