"""Outbound calls: allowed hosts, checked addresses, answers and failures."""

import json
import socket
from unittest.mock import patch

from psycopg2 import IntegrityError

from odoo.exceptions import AccessError, ValidationError
from odoo.tools import mute_logger

from ...errors import OutboundFailed, OutboundRefused
from ...models.outbound.transport import OutboundAnswer
from ..common import ROLES
from ..receivers import OutboundCase, listening

LOGGER = "odoo.addons.ipai_release_gates.models.outbound.transport"


class TestHosts(OutboundCase):
    def test_a_host_is_allowed_by_an_administrator_of_odoo_only(self):
        host = self.allow("hooks.example.com")
        for login in ROLES:
            hosts = self.env["ipai.outbound.host"].with_user(self.users[login])
            with self.assertRaises(AccessError):
                hosts.create({"name": "other.example.com"})
            with self.assertRaises(AccessError):
                host.with_user(self.users[login]).write({"is_internal": True})
            with self.assertRaises(AccessError):
                host.with_user(self.users[login]).unlink()
            self.assertEqual(
                hosts.has_access("read"), login in ("governance", "auditor")
            )

    def test_a_host_is_kept_in_the_one_way_it_is_compared_in(self):
        for entered, kept in (
            (" Hooks.Example.COM. ", "hooks.example.com"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("[::1]", "::1"),
            ("2001:DB8:0::1", "2001:db8::1"),
        ):
            self.assertEqual(self.allow(entered).name, kept)

    def test_a_value_that_is_no_single_host_is_refused(self):
        for name in (
            "*.example.com",
            "https://example.com",
            "example.com/path",
            "example.com:8443",
            "user@example.com",
            "exa mple.com",
            "0x7f.0.0.1",
            "127.1",
            "2130706433",
            "",
            ".",
        ):
            with self.assertRaises(ValidationError, msg=name), self.cr.savepoint():
                self.allow(name)

    def test_only_this_machine_is_called_without_encryption(self):
        with self.assertRaisesRegex(ValidationError, "only this machine"):
            self.allow("example.com", is_internal=True, is_plain=True)
        self.assertTrue(self.allow("localhost", is_internal=True, is_plain=True))
        host = self.allow("127.0.0.1", is_internal=True, is_plain=True)
        with self.assertRaises(ValidationError):
            host.name = "example.com"

    @mute_logger("odoo.sql_db")
    def test_a_host_is_allowed_once_per_port(self):
        self.allow("example.com", port=8443)
        self.allow("example.com")
        with self.assertRaises(IntegrityError), self.cr.savepoint():
            self.allow("EXAMPLE.com", port=8443)

    def test_allowed_hosts_are_recorded_in_the_governance_chain(self):
        self.allow("hooks.example.com", purpose="Chat")
        entry = self.env["ipai.ledger.entry"].search(
            [("release_id", "=", False)], order="id desc", limit=1
        )
        body = json.loads(entry.body)
        self.assertEqual(body["what"], "ipai.outbound.host hooks.example.com")
        self.assertEqual(body["after"]["purpose"], "Chat")
        self.assertEqual(entry.actor, "admin2")


class TestTransport(OutboundCase):
    def setUp(self):
        super().setUp()
        self.transport = self.env["ipai.outbound.transport"].with_user(self.dev)

    def send(self, url, method="POST", **more):
        return self.transport._send(method, url, **more)

    def refusal(self, url):
        with self.assertRaises(OutboundRefused) as caught:
            self.send(url)
        return str(caught.exception)

    def resolving(self, *addresses):
        """Resolve names to these addresses, one after the other."""
        answers = list(addresses)

        def resolver(_host, port, **_more):
            found = answers.pop(0) if len(answers) > 1 else answers[0]
            return [(2, 1, 6, "", (address, port)) for address in found]

        return patch.object(socket, "getaddrinfo", resolver)

    def test_a_request_arrives_and_its_answer_is_returned(self):
        with listening((201, {"X-Some": "thing"}, b"made")) as server:
            self.allow_listener(server)
            answer = self.send(
                f"{server.url}/a/b?c=d", headers={"X-Key": "value"}, body=b"{}"
            )
            self.assertEqual((answer.status, answer.body), (201, b"made"))
            self.assertEqual(answer.headers["x-some"], "thing")
            self.assertGreater(answer.seconds, 0)
            [(method, path, headers, body)] = server.asked
        self.assertEqual((method, path, body), ("POST", "/a/b?c=d", b"{}"))
        self.assertEqual(headers["X-Key"], "value")
        self.assertEqual(headers["Host"], f"127.0.0.1:{server.server_port}")

    def test_a_host_that_is_not_allowed_is_not_called(self):
        with listening() as server:
            host = self.allow_listener(server)
            self.send(server.url)
            host.active = False
            self.assertIn("without encryption", self.refusal(server.url))
            self.assertEqual(len(server.asked), 1)
        message = self.refusal("https://example.com/hook")
        self.assertIn("example.com port 443 is not among the hosts", message)
        self.assertIn("Allowed Hosts", message)

    def test_a_host_is_allowed_at_its_port_and_for_its_name_only(self):
        self.allow("example.com")
        for url in (
            "https://example.com:8443/",
            "https://sub.example.com/",
            "https://example.com.evil.example/",
        ):
            self.assertIn("not among the hosts", self.refusal(url))
        self.assertIn("without encryption", self.refusal("http://example.com/"))

    def test_an_invalid_url_is_refused(self):
        self.allow("example.com")
        for url in (
            "ftp://example.com/",
            "file:///etc/passwd",
            "https://user:secret@example.com/",
            "https://example.com/#part",
            "https://example.com\\@127.0.0.1/",
            "https://example.com/ path",
            "https://example.com/\r\nX-Evil: 1",
            "https://exämple.com/",
            "//example.com/",
            "https:///path",
            "https://example.com:99999/",
            f"https://example.com/{'a' * 2000}",
        ):
            self.assertNotIn("secret", self.refusal(url))

    def test_a_name_with_an_address_of_the_internal_network_is_not_called(self):
        with listening() as server:
            self.allow("hooks.example.com", port=server.server_port)
            url = f"https://hooks.example.com:{server.server_port}/"
            for address in ("127.0.0.1", "10.1.2.3", "192.168.0.9", "fd12::1", "::1"):
                with self.resolving([address]):
                    message = self.refusal(url)
                self.assertIn(f"resolves to {address}", message)
                self.assertIn("internal network", message)
            # A good address does not outweigh a bad one.
            with self.resolving(["93.184.215.14", "127.0.0.1"]):
                self.assertIn("internal network", self.refusal(url))
            self.assertFalse(server.asked)

    def test_metadata_of_clouds_is_not_called_even_in_the_internal_network(self):
        self.allow("inside.example.com", is_internal=True)
        for address in ("169.254.169.254", "fe80::1", "::ffff:169.254.169.254"):
            with self.resolving([address]):
                message = self.refusal("https://inside.example.com/")
            self.assertIn("never called", message)

    def test_the_connection_uses_the_checked_address(self):
        """A name that resolves to another address a moment later has no effect."""
        with listening() as server:
            port = server.server_port
            self.allow("localhost", port=port, is_internal=True, is_plain=True)
            # The checked address, 127.0.0.2, has no server; a later one has.
            with (
                self.resolving(["127.0.0.2"], ["127.0.0.1"]),
                self.assertRaises(OutboundFailed),
            ):
                self.send(f"http://localhost:{port}/")
            self.assertFalse(server.asked)

    def test_a_redirect_is_returned_and_not_followed(self):
        with listening() as inner:
            answer = (302, {"Location": f"{inner.url}/inner"}, b"")
            with listening(answer) as server:
                self.allow_listener(server)
                self.allow_listener(inner)
                self.assertEqual(self.send(server.url).status, 302)
            self.assertFalse(inner.asked)

    def test_no_more_than_64_kib_of_an_answer_are_read(self):
        with listening((200, {}, b"x" * 300_000)) as server:
            self.allow_listener(server)
            self.assertEqual(len(self.send(server.url).body), 65536)

    def test_a_failure_is_described_without_the_data_sent(self):
        with listening() as server:
            self.allow_listener(server)
        with (
            self.assertLogs(LOGGER, "WARNING") as logs,
            self.assertRaises(OutboundFailed) as caught,
        ):
            self.send(
                f"{server.url}/hook?token=hidden1",
                headers={"Authorization": "hidden2"},
                body=b"hidden3",
            )
        self.assertIn("refused", str(caught.exception))
        self.assertNotIn("hidden", str(caught.exception) + "".join(logs.output))

    def test_pauses_grow_and_respect_retry_after(self):
        transport = self.transport
        pauses = [transport._retry_after(attempt) for attempt in range(1, 9)]
        self.assertEqual(pauses, sorted(pauses))
        self.assertTrue(4 <= pauses[0] <= 6, pauses)
        self.assertEqual(transport._retry_after(1000), 24 * 60 * 60)
        for asked, pause in (("100", 100), ("99999999999", 86400), ("soon", 0)):
            answer = OutboundAnswer(429, {"retry-after": asked})
            self.assertAlmostEqual(
                transport._retry_after(1, answer), pause or 5, delta=1
            )
