"""The app, its key and the repositories of projects."""

import json

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from psycopg2 import IntegrityError

from odoo.exceptions import UserError, ValidationError
from odoo.tools import mute_logger

from odoo.addons.ipai_release_gates.tests.common import ROLES

from .common import GithubCase


class TestConfiguration(GithubCase):
    def test_the_key_is_read_by_nobody(self):
        secret = self.standin.pem.splitlines()[3]
        stored = self.app.private_key
        self.assertIn(secret, stored)
        users = [*self.users.values(), self.env.ref("base.user_admin")]
        for user in users:
            apps = self.env["ipai.github.app"].with_user(user)
            for attempt in (
                lambda apps=apps: apps.browse(self.app.id).read(["private_key"]),
                lambda apps=apps: apps.browse(self.app.id).private_key,
                lambda apps=apps: apps.search([("private_key", "like", secret)]),
                lambda apps=apps: apps.search([], order="private_key"),
                lambda apps=apps: apps.browse(self.app.id).export_data(["private_key"]),
                lambda apps=apps: apps._read_group([], ["private_key"]),
                lambda apps=apps: apps.browse(self.app.id).write({"private_key": "x"}),
            ):
                with self.subTest(user=user.login), self.assertRaises(UserError):
                    attempt()
            if apps.has_access("read"):
                told = json.dumps(apps.browse(self.app.id).read(), default=str)
                self.assertNotIn(secret, told)
                self.assertNotIn("private_key", apps.fields_get())
        entries = self.env["ipai.ledger.entry"].search([("release_id", "=", False)])
        bodies = " ".join(entries.mapped("body"))
        self.assertIn(self.app.key_fingerprint, bodies)
        self.assertNotIn(secret, bodies)

    def test_a_key_that_was_just_entered_is_not_answered_back(self):
        app = self.app.with_user(self.governance)
        [told] = app.web_save(
            {"private_key_pem": self.standin.pem},
            {"private_key_pem": {}, "key_fingerprint": {}},
        )
        self.assertFalse(told["private_key_pem"])
        self.assertEqual(told["key_fingerprint"], self.app.key_fingerprint)

    def test_an_empty_field_does_not_lose_the_key(self):
        self.app.with_user(self.governance).write({"private_key_pem": False})
        self.assertTrue(self.app.has_key)

    def test_the_token_is_in_no_log_and_in_no_record(self):
        protection, _run = self.request(self.ready())
        with self.assertLogs("odoo", "DEBUG") as logs:
            self.standin.installations[self.number].tokens.clear()
            self.answer(protection)
        tokens = self.standin.installations[self.number].tokens
        self.assertTrue(tokens)
        said = "\n".join(logs.output)
        for token in tokens:
            self.assertNotIn(token, said)
        self.assertNotIn("Bearer", said)
        self.assertNotIn(self.standin.pem.splitlines()[3], said)

    def test_what_is_no_key_of_an_app_is_refused(self):
        def pem(key, encryption=None):
            return key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                encryption or serialization.NoEncryption(),
            ).decode()

        small = rsa.generate_private_key(public_exponent=65537, key_size=1024)
        for wrong, words in (
            ("secret", "BEGIN"),
            ("-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END", "whole file"),
            (pem(small), "1024 bits"),
            (pem(ec.generate_private_key(ec.SECP256R1())), "no RSA key"),
            (
                pem(small, serialization.BestAvailableEncryption(b"x")),
                "locked",
            ),
        ):
            with self.assertRaisesRegex(ValidationError, words) as caught:
                self.app.with_user(self.governance).write({"private_key_pem": wrong})
            self.assertNotIn("abc", str(caught.exception))

    def test_the_key_may_be_in_the_environment_of_the_server(self):
        from unittest.mock import patch

        self.app.key_variable = "IPAI_GITHUB_KEY_TEST"
        self.assertIn("IPAI_GITHUB_KEY_TEST", self.app.obstacle)
        protection, _run = self.request(self.ready())
        self.answer(protection)
        self.assertIn("IPAI_GITHUB_KEY_TEST", protection.problem)
        escaped = self.standin.pem.replace("\n", "\\n")
        with patch.dict("os.environ", IPAI_GITHUB_KEY_TEST=escaped):
            self.app.invalidate_recordset()
            self.assertFalse(self.app.obstacle)
            self.answer(protection)
        self.assertEqual(protection.state, "approved")

    def test_a_company_does_not_sign_with_the_key_of_another(self):
        self.app.key_variable = "IPAI_GITHUB_KEY_TEST"
        company = self.env["res.company"].create({"name": "Elsewhere"})
        stranger = self.new_user(
            "stranger",
            "group_governance_admin",
            company_id=company.id,
            company_ids=[(6, 0, company.ids)],
        )
        apps = self.env["ipai.github.app"].with_user(stranger)
        values = {"name": "Theirs", "client_id": self.app.client_id}
        theirs = apps.create(values)
        refusal = "holds the key of another company"
        # Also while it is archived, the variable holds the key of that company's app.
        for self.app.active in (True, False):
            with self.assertRaisesRegex(ValidationError, refusal), self.cr.savepoint():
                theirs.key_variable = "IPAI_GITHUB_KEY_TEST"
        with self.assertRaisesRegex(ValidationError, refusal), self.cr.savepoint():
            apps.create({**values, "key_variable": "IPAI_GITHUB_KEY_TEST"})
        theirs.key_variable = "IPAI_GITHUB_KEY_THEIRS"
        # Within its company several apps may name it.
        self.app.copy({"name": "Second"}).key_variable = "IPAI_GITHUB_KEY_TEST"

    @mute_logger("odoo.sql_db")
    def test_no_other_variable_is_named(self):
        for name in ("PGPASSWORD", "IPAI_GITHUB_KEYS", "IPAI_GITHUB_KEY_a", "HOME"):
            with self.assertRaises(IntegrityError), self.cr.savepoint():
                self.app.key_variable = name
                self.env.flush_all()

    def test_a_missing_key_and_a_host_that_is_not_allowed_are_shown(self):
        app = self.env["ipai.github.app"].create(
            {"name": "New", "client_id": "Iv1.abc", "private_key_pem": False}
        )
        self.assertEqual(app.api_url, "https://api.github.com")
        self.assertIn("no private key", app.obstacle)
        app.private_key_pem = self.standin.pem
        self.assertIn("api.github.com", app.obstacle)
        self.env["ipai.outbound.host"].create({"name": "api.github.com"})
        app.invalidate_recordset()
        self.assertFalse(app.obstacle)

    def test_only_governance_configures(self):
        records = (self.app, self.repository, self.repository.environment_ids[0])
        for login in ROLES:
            for record in records:
                with self.subTest(login=login, model=record._name):
                    mine = record.with_user(self.users[login])
                    for operation in ("write", "create", "unlink"):
                        self.assertEqual(
                            mine.has_access(operation), login == "governance"
                        )

    def test_a_project_has_one_repository_in_use(self):
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaises(IntegrityError),
            self.cr.savepoint(),
        ):
            self.repository.copy({"project_id": self.project.id})

    def test_the_repository_is_that_of_the_project_with_two_environments(self):
        project = self.env["ipai.project"].create({"name": "acme/new"})
        repository = self.env["ipai.github.repository"].create(
            {"project_id": project.id, "app_id": self.app.id, "installation": "5"}
        )
        self.assertEqual(repository.name, "acme/new")
        self.assertEqual(
            sorted(repository.environment_ids.mapped("target")),
            ["production", "staging"],
        )
        self.assertEqual(repository.report_as, "checks")
        self.assertEqual(repository.answer_mode, "reject")
