"""Webhook access: who may create, read and change endpoints and deliveries."""

import json

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form

from ...errors import OutboundRefused
from ..common import ROLES
from .webhook_case import READERS, URL, WebhookCase


class TestWebhookAccess(WebhookCase):
    def test_only_governance_creates_endpoints(self):
        for login in ROLES:
            user = self.users[login]
            endpoints = self.env["ipai.webhook.endpoint"].with_user(user)
            if login == "governance":
                endpoints.create({"name": "Mine", "url": URL})
                continue
            with self.assertRaises(AccessError):
                endpoints.create({"name": f"Of {login}", "url": URL})
            mine = self.endpoint.with_user(user)
            for attempt in (
                lambda r=mine: r.write({"active": False}),
                lambda r=mine: r.write({"url": URL}),
                mine.action_rotate_secret,
                mine.action_send_test,
                mine.unlink,
            ):
                with self.assertRaises(AccessError):
                    attempt()

    def test_only_overseeing_roles_read_endpoints_and_deliveries(self):
        self.one_delivery()
        for login in ROLES:
            for model in ("endpoint", "delivery"):
                records = self.env[f"ipai.webhook.{model}"].with_user(self.users[login])
                self.assertEqual(
                    records.has_access("read"), login in READERS, (login, model)
                )
        company = self.env["res.company"].create({"name": "Elsewhere"})
        stranger = self.new_user(
            "stranger",
            "group_governance_admin",
            company_id=company.id,
            company_ids=[(6, 0, company.ids)],
        )
        for model in ("endpoint", "delivery", "attempt"):
            mine = self.env[f"ipai.webhook.{model}"].with_user(stranger)
            self.assertFalse(mine.search([]), model)

    def test_governance_reads_the_url_and_others_the_host_only(self):
        # The URL of a chat is a secret: its owner can post there in our name.
        url = "https://hooks.example.com/services/T0/secret"
        self.endpoint.with_user(self.governance).url = url
        self.assertEqual(self.endpoint.with_user(self.governance).url, url)
        for login in READERS:
            if login == "governance":
                continue
            mine = self.endpoint.with_user(self.users[login])
            self.assertEqual(mine.place, "https://hooks.example.com:443/…")
            self.assertNotIn("url", mine.read()[0])
            for attempt in (
                lambda r=mine: r.read(["url"]),
                lambda r=mine: r.search([("url", "=like", "https://%")]),
                lambda r=mine: r.search([], order="url"),
                lambda r=mine: r.export_data(["url"]),
            ):
                # UserError: users without the right to export are refused earlier.
                with self.subTest(login), self.assertRaises(UserError):
                    attempt()
            self.assertNotIn('name="url"', str(mine.get_view(view_type="form")["arch"]))

    def test_an_endpoint_on_a_host_that_is_not_allowed_is_refused(self):
        for url, words in (
            ("https://evil.example.com/", "Allowed Hosts"),
            ("http://hooks.example.com/", "https"),
            ("https://u:p@hooks.example.com/", "user name"),
            ("ftp://hooks.example.com/", "https://"),
        ):
            with self.assertRaisesRegex(OutboundRefused, words), self.cr.savepoint():
                self.make_endpoint("Evil", url=url)
            with self.assertRaisesRegex(OutboundRefused, words), self.cr.savepoint():
                self.endpoint.with_user(self.governance).url = url

    def test_an_endpoint_names_projects_of_its_company_only(self):
        company = self.env["res.company"].create({"name": "Elsewhere"})
        other = self.env["ipai.project"].create(
            {"name": "acme/other", "company_id": company.id}
        )
        with self.assertRaisesRegex(ValidationError, "another company"):
            self.endpoint.project_ids = [(4, other.id)]

    def test_no_user_can_read_the_secret(self):
        secret = self.endpoint.secret
        self.assertTrue(secret.startswith("whsec_"))
        everyone = [*(self.users[login] for login in ROLES), self.admin]
        everyone.append(self.env.ref("base.user_admin"))
        for user in everyone:
            mine = self.endpoint.with_user(user)
            for name in ("secret", "former_secret"):
                for attempt in (
                    lambda r=mine, n=name: r.read([n]),
                    lambda r=mine, n=name: r.search([(n, "=like", "whsec_a%")]),
                    lambda r=mine, n=name: r.search([], order=n),
                    lambda r=mine, n=name: r._read_group([], [n]),
                    lambda r=mine, n=name: r.export_data([n]),
                    lambda r=mine, n=name: r.write({n: "whsec_AAAA"}),
                ):
                    self.refused_to_all(attempt)
                self.assertNotIn(name, mine.fields_get())
        for table in ("ipai_ledger_entry", "ipai_webhook_delivery", "mail_message"):
            for text in self.snapshot(table)[table]:
                self.assertNotIn(secret, text)

    def test_the_ledger_records_endpoints_without_their_secrets(self):
        def last():
            chain = [("release_id", "=", False)]
            entries = self.env["ipai.ledger.entry"].search(chain, order="id")
            return json.loads(entries[-1].body)

        endpoint = self.make_endpoint("Told", secret=False)
        self.assertEqual(last()["what"], "ipai.webhook.endpoint Told")
        self.assertIn("https://hooks.example.com:443/…", last()["after"]["url"])
        self.assertNotIn("hidden", json.dumps(last()))
        endpoint.with_user(self.governance).action_rotate_secret()
        self.assertEqual(last()["after"], {"secret": "***"})
        former = last()
        endpoint.with_user(self.governance).action_rotate_secret()
        self.assertEqual(last()["before"], {"secret": "***"} if former else None)

    def test_the_secret_is_shown_once_and_stored_in_no_wizard(self):
        action = self.endpoint.with_user(self.governance).action_rotate_secret()
        shown = self.env[action["res_model"]].with_user(self.governance)
        form = Form(shown.with_context(**action["context"]))
        self.assertEqual(form.secret, self.endpoint.secret)
        self.assertTrue(shown._abstract)

    def test_no_user_writes_deliveries(self):
        delivery = self.one_delivery()
        everyone = [self.users[login] for login in ROLES] + [self.admin]
        for user in everyone:
            mine = delivery.with_user(user)
            for attempt in (
                lambda r=mine: r.write({"status": "delivered"}),
                lambda r=mine: r.write({"payload": "{}"}),
                lambda r=mine: r.sudo().write({"payload": "{}"}),
                lambda r=mine: r.sudo().create({"event": "test"}),
                lambda r=mine: r.sudo().unlink(),
                lambda r=mine: r.sudo().copy(),
            ):
                with self.assertRaises(AccessError):
                    attempt()

    def test_context_defaults_set_no_guarded_field_of_an_endpoint(self):
        endpoints = self.env["ipai.webhook.endpoint"].with_user(self.governance)
        endpoint = endpoints.with_context(
            default_secret="whsec_AAAA", default_switched_off_at="2000-01-01"
        ).create({"name": "Plain", "url": URL})
        self.assertFalse(endpoint.sudo().secret)
        self.assertFalse(endpoint.switched_off_at)
