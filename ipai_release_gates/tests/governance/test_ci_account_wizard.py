"""Governance makes and ends CI services, and gets at nobody else's key."""

import logging
from datetime import timedelta

from odoo import Command
from odoo.exceptions import AccessDenied, AccessError, UserError, ValidationError
from odoo.tests import Form
from odoo.tools import mute_logger

from ..common import MODULE, ROLES, GateCase


class TestCiOnboarding(GateCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.group = cls.env.ref(f"{MODULE}.group_ci_service")
        cls.Wizard = cls.env["ipai.ci.onboarding.wizard"].with_user(cls.governance)
        cls.Rotate = cls.env["ipai.ci.rotate.wizard"].with_user(cls.governance)
        cls.Account = cls.env["ipai.ci.account"].with_user(cls.governance)

    def onboard(self, login="ci-acme", wizard=None, **values):
        """Make a CI service.

        :returns: its user, and what the dialog is given
        """
        values = {"name": "CI of Acme", "login": login, **values}
        wizard = (wizard if wizard is not None else self.Wizard).create(values)
        shown = wizard.action_create_service()["context"]
        user = self.env["res.users"].search([("login", "=", login)])
        return user, shown

    def account(self, user):
        self.env.invalidate_all()
        return self.Account.browse(user.id)

    def key_of(self, user):
        """A key that a user has already."""
        keys = self.env["res.users.apikeys"].with_user(user).sudo()
        return keys._generate("rpc", "own", self.env.cr.now() + timedelta(days=1))

    def owner(self, key):
        """Whom a key is good for, over JSON-2."""
        self.env.flush_all()
        return self.env["res.users.apikeys"]._check_credentials(scope="rpc", key=key)

    def logs_in(self, user, secret):
        """Whether a secret logs a user in over XML-RPC."""
        try:
            with mute_logger("odoo.addons.base.models.res_users"):
                self.env["res.users"]._check_uid_passwd(user.id, secret)
        except AccessDenied:
            return False
        return True

    # --- making one ------------------------------------------------------------------

    def test_a_new_service_can_do_what_ci_does_and_nothing_else(self):
        user, shown = self.onboard(project_id=self.project.id)
        self.assertEqual(user.group_ids, self.group)
        self.assertEqual(user.all_group_ids, self.ci.all_group_ids)
        self.assertEqual(user.company_ids, self.project.company_id)
        self.assertFalse(user.email)
        self.assertEqual(self.owner(shown["default_key"]), user.id)
        self.assertTrue(self.logs_in(user, shown["default_key"]))
        release = self.open_release(user=user)
        self.assertTrue(release)

    def test_a_new_service_has_no_password(self):
        user, _shown = self.onboard()
        self.env.cr.execute("SELECT password FROM res_users WHERE id = %s", [user.id])
        self.assertEqual(self.env.cr.fetchone(), (None,))
        for password in ("", "ci-acme", "False", "None"):
            self.assertFalse(self.logs_in(user, password))

    def test_the_key_lives_as_long_as_asked_and_no_longer_than_the_group_says(self):
        self.assertEqual(self.group.api_key_duration, 365)
        user, _shown = self.onboard("ci-long", lifetime_days=365)
        until = self.account(user).key_until
        self.assertAlmostEqual(
            until, self.env.cr.now() + timedelta(days=365), delta=timedelta(minutes=5)
        )
        for days in (0, -1, 366):
            with self.assertRaisesRegex(ValidationError, "1 to 365"):
                self.onboard(f"ci-{days}", lifetime_days=days)
        # Less than what every employee may have.
        self.group.api_key_duration = 10
        self.assertEqual(self.Wizard.new({}).lifetime_days, 10)
        with self.assertRaisesRegex(ValidationError, "1 to 10"):
            self.onboard("ci-11", lifetime_days=11)

    def test_a_login_is_plain_and_free(self):
        self.new_user("MixedCase")
        self.new_user("gone").active = False
        for login in (
            "ci",
            "dev",
            "mixedcase",
            "gone",
            "dev@example.com",
            "CI-ACME",
            "a",
            "-ci",
            "ci acme",
            "ci\nacme",
            "c" * 65,
            "",
        ):
            with self.subTest(login), self.assertRaises(ValidationError):
                self.onboard(login)
        # An underscore is no wildcard.
        self.new_user("ciXacme")
        self.onboard("ci_acme")

    def test_a_name_is_needed(self):
        for name in (" ", "x" * 129):
            with self.assertRaises(ValidationError):
                self.onboard(name=name)

    def test_a_service_is_made_for_companies_of_its_maker_only(self):
        other = self.env["res.company"].create({"name": "Other"})
        with self.assertRaises(UserError):
            self.onboard(company_id=other.id)
        hidden = self.env["ipai.project"].create(
            {"name": "other/hidden", "company_id": other.id}
        )
        with self.assertRaises(UserError):
            self.onboard(project_id=hidden.id, company_id=self.env.company.id)

    def test_nothing_of_the_caller_enters_the_new_user(self):
        admin = self.env.ref("base.group_system")
        mine = self.env["ir.default"].with_user(self.governance)
        mine.set("res.users", "password", "secret", user_id=True)
        mine.set("res.users", "email", "dev@example.com", user_id=True)
        wizard = self.Wizard.with_context(
            default_group_ids=[Command.link(admin.id)],
            default_password="secret",
            default_role="group_system",
            default_company_ids=[],
            default_active=False,
            install_mode=True,
        )
        user, _shown = self.onboard(wizard=wizard)
        self.assertEqual(user.group_ids, self.group)
        self.assertFalse(user.has_group("base.group_system"))
        self.assertFalse(user.email)
        self.assertFalse(self.logs_in(user, "secret"))

    def test_the_wizard_takes_no_other_fields(self):
        for vals in ({"group_ids": [1]}, {"user_id": 1}, {"password": "x"}):
            with self.assertRaises(ValueError):
                self.Wizard.create({"name": "x", "login": "ci-x", **vals})

    def test_the_form_proposes_the_company_of_the_project(self):
        form = Form(self.Wizard)
        form.name, form.login = "CI", "ci-form"
        form.project_id = self.project
        wizard = form.save()
        self.assertEqual(wizard.company_id, self.project.company_id)
        self.assertEqual((wizard.lifetime_days, wizard.longest_lifetime), (90, 365))

    # --- who sees the key ------------------------------------------------------------

    def test_the_key_is_in_the_answer_and_nowhere_else(self):
        with self.assertLogs("odoo", level=logging.DEBUG) as logged:
            _user, shown = self.onboard(project_id=self.project.id)
        key = shown["default_key"]
        self.assertRegex(key, "^[0-9a-f]{40}$")
        self.assertNotIn(key, "\n".join(logged.output))
        self.env.flush_all()
        self.env.cr.execute(
            "SELECT table_name FROM information_schema.tables"
            " WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
            " AND (table_name LIKE 'ipai%' OR table_name LIKE 'res_users%'"
            " OR table_name IN ('mail_message', 'ir_logging', 'ir_attachment'))"
        )
        for (table,) in self.env.cr.fetchall():
            self.env.cr.execute(
                f'SELECT count(*) FROM "{table}" t WHERE t::text LIKE %s',
                [f"%{key}%"],
            )
            self.assertEqual(self.env.cr.fetchone(), (0,), table)
        for name in ("default_json2", "default_xml_rpc"):
            self.assertNotIn(key, shown[name])
            self.assertIn("IPAI_GATES_KEY", shown[name])
            self.assertIn(self.env.cr.dbname, shown[name])
            self.assertIn(self.env["ipai.release"].get_base_url(), shown[name])

    def test_the_dialog_shows_what_the_answer_holds(self):
        _user, shown = self.onboard()
        Show = self.env["ipai.ci.key.show"].with_user(self.governance)
        form = Form(Show.with_context(**shown))
        self.assertEqual(form.key, shown["default_key"])
        self.assertEqual(form.json2, shown["default_json2"])

    # --- who may ---------------------------------------------------------------------

    def test_every_other_role_is_refused(self):
        user, shown = self.onboard()
        admin = self.env.ref("base.user_admin")
        for other in [*(self.users[r] for r in ROLES if r != "governance"), admin]:
            with self.subTest(other.login):
                for model in ("ipai.ci.onboarding.wizard", "ipai.ci.rotate.wizard"):
                    with self.assertRaises(AccessError):
                        self.env[model].with_user(other).create(
                            {"name": "x", "login": "ci-x", "account_id": user.id}
                            if "rotate" not in model
                            else {"account_id": user.id}
                        )
                account = self.env["ipai.ci.account"].browse(user.id)
                for rights in (
                    account.with_user(other),
                    account.with_user(other).sudo(),
                ):
                    for action in (rights.action_rotate, rights.action_revoke):
                        with self.assertRaises(AccessError):
                            action()
                wizard = self.Wizard.create({"name": "x", "login": "ci-x"})
                for rights in (wizard.with_user(other), wizard.with_user(other).sudo()):
                    with self.assertRaises(AccessError):
                        rights.action_create_service()
        self.assertEqual(self.owner(shown["default_key"]), user.id)

    def test_a_wizard_of_another_governance_administrator_is_out_of_reach(self):
        wizard = self.Wizard.create({"name": "x", "login": "ci-x"})
        other = self.new_user("governance2", "group_governance_admin")
        with self.assertRaises(AccessError):
            wizard.with_user(other).action_create_service()
        with self.assertRaises(AccessError):
            wizard.with_user(other).read(["login"])

    def test_governance_and_auditors_read_accounts_and_nobody_writes_them(self):
        for login in ROLES:
            accounts = self.env["ipai.ci.account"].with_user(self.users[login])
            keys = self.env["ipai.ci.key"].with_user(self.users[login])
            with self.subTest(login):
                if login in ("governance", "auditor", "rm"):
                    self.assertIn(self.ci.id, accounts.search([]).ids)
                    keys.search([]).read()
                else:
                    for model in (accounts, keys):
                        with self.assertRaises(AccessError):
                            model.search([])
                account = accounts.browse(self.ci.id)
                for vals in (
                    {"login": "x"},
                    {"user_id": self.rm.id},
                    {"key_ids": [Command.create({"name": "x"})]},
                ):
                    with self.assertRaises(AccessError):
                        account.write(vals)
                with self.assertRaises(AccessError):
                    accounts.create({"user_id": self.rm.id})

    # --- keys of others --------------------------------------------------------------

    def _refused_account(self, user, key):
        account = self.account(user)
        for action in (account.action_rotate, account.action_revoke):
            with self.assertRaises(UserError):
                action()
        with self.assertRaises(UserError):
            self.Rotate.create({"account_id": user.id}).action_rotate()
        self.assertEqual(self.owner(key), user.id)

    def test_governance_gets_at_no_key_of_who_is_no_ci_service(self):
        for user in (self.rm, self.governance, self.env.ref("base.user_admin")):
            with self.subTest(user.login):
                self._refused_account(user, self.key_of(user))
                self.assertFalse(self.Account.search([("id", "=", user.id)]))

    def test_governance_gets_at_no_key_of_who_is_more_than_a_ci_service(self):
        for group in (f"{MODULE}.group_release_manager", "base.group_system"):
            user = self.new_user(f"both {group}", "group_ci_service", group)
            with self.subTest(group):
                self._refused_account(user, self.key_of(user))
                self.assertIn("other roles", self.account(user).obstacle)

    def test_governance_gets_at_no_key_of_another_company(self):
        other = self.env["res.company"].create({"name": "Other"})
        theirs = self.new_user(
            "ci-theirs",
            "group_ci_service",
            company_id=other.id,
            company_ids=[(6, 0, other.ids)],
        )
        self._refused_account(theirs, self.key_of(theirs))
        both = self.new_user(
            "ci-both",
            "group_ci_service",
            company_ids=[(6, 0, (other + self.env.company).ids)],
        )
        self._refused_account(both, self.key_of(both))

    # --- rotating and revoking -------------------------------------------------------

    def test_a_new_key_ends_the_former_ones(self):
        user, shown = self.onboard()
        former, another = shown["default_key"], self.key_of(user)
        self.assertTrue(self.logs_in(user, former))
        wizard = self.Rotate.create({"account_id": user.id, "lifetime_days": 30})
        new = wizard.action_rotate()["context"]["default_key"]
        for key in (former, another):
            self.assertFalse(self.owner(key))
            # Odoo remembers what was good: that is forgotten too.
            self.assertFalse(self.logs_in(user, key))
        self.assertEqual(self.owner(new), user.id)
        self.assertEqual(self.account(user).key_count, 1)

    def test_a_rotation_that_is_refused_leaves_the_keys(self):
        user, shown = self.onboard()
        with self.assertRaises(ValidationError):
            self.Rotate.create(
                {"account_id": user.id, "lifetime_days": 366}
            ).action_rotate()
        user.active = False
        with self.assertRaises(UserError):
            self.Rotate.create({"account_id": user.id}).action_rotate()
        user.active = True
        self.assertEqual(self.owner(shown["default_key"]), user.id)

    def test_revoked_keys_are_good_for_nothing(self):
        user, shown = self.onboard()
        other, others = self.onboard("ci-other")
        self.assertTrue(self.logs_in(user, shown["default_key"]))
        self.account(user).action_revoke()
        self.assertFalse(self.owner(shown["default_key"]))
        self.assertFalse(self.logs_in(user, shown["default_key"]))
        self.assertEqual(self.account(user).key_count, 0)
        self.assertEqual(self.owner(others["default_key"]), other.id)

    def test_an_archived_service_can_be_revoked(self):
        user, shown = self.onboard()
        user.active = False
        self.account(user).action_revoke()
        user.active = True
        self.assertFalse(self.owner(shown["default_key"]))

    # --- the list --------------------------------------------------------------------

    def test_the_list_tells_of_keys_and_of_the_last_event(self):
        user, _shown = self.onboard(lifetime_days=5)
        account = self.account(user)
        self.assertEqual((account.key_count, account.has_endless_key), (1, False))
        self.assertFalse(account.last_event_at)
        self.assertEqual(account.key_ids.expires_at, account.key_until)
        expiring = self.Account.search([("key_until", "<", "+14d")])
        self.assertIn(account, expiring)
        release = self.open_release()
        payload = {"name": "lint", "status": "pass"}
        self.must_send(user, self.ci_event("check_result", payload, release))
        self.assertEqual(self.account(user).last_event_at, self.env.cr.now())
        own = self.env["res.users.apikeys"].with_user(user).sudo()
        own._generate("rpc", "endless", None)
        account = self.account(user)
        self.assertEqual(
            (account.key_count, account.has_endless_key, account.key_until),
            (2, True, False),
        )
