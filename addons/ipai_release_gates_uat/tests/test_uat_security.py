"""UAT invitations: who reads them, what nobody writes, and what stays secret."""

from odoo.exceptions import AccessError, UserError
from odoo.modules.neutralize import get_neutralization_queries

from odoo.addons.ipai_release_gates.tests.common import ROLES
from odoo.addons.ipai_release_gates.tests.security.secret_doors import SecretDoors

from .common import UatCase

MODELS = ("ipai.uat.invitation", "ipai.uat.criterion")
READERS = {"qa", "rm", "auditor", "governance"}
FORGED_CONTEXTS = (
    {"ipai_engine": True},
    {"ipai_system": True},
    {"install_mode": True},
    {"module": "ipai_release_gates_uat", "update": True, "noupdate": True},
)


class TestUatSecrets(SecretDoors, UatCase):
    SECRETS = {"ipai.uat.invitation": ("token_digest",)}
    PATHS = {
        "ipai.uat.criterion": ("invitation_id.token_digest",),
        "ipai.release": ("uat_invitation_ids.token_digest",),
    }

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.invite()
        cls.env.flush_all()


class TestUatRights(UatCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.users["nobody"] = cls.new_user("nobody")
        cls.users["portal"] = cls.new_user("portal", "base.group_portal")
        cls.invitation, _link = cls.invite()
        cls.records = {
            "ipai.uat.invitation": cls.invitation,
            "ipai.uat.criterion": cls.invitation.criterion_ids[:1],
        }
        cls.env.flush_all()

    def test_each_role_reads_what_the_table_says_and_no_other(self):
        for model in MODELS:
            for login, user in self.users.items():
                records = self.env[model].with_user(user)
                with self.subTest(model=model, login=login):
                    if login.rstrip("2") in READERS:
                        self.assertTrue(records.search([]))
                    else:
                        with self.assertRaises(AccessError):
                            records.search([])
                        with self.assertRaises(AccessError):
                            records.browse(self.records[model].id).read(["id"])

    def test_another_company_reads_nothing(self):
        company = self.env["res.company"].create({"name": "Elsewhere"})
        self.users["qa"].sudo().write(
            {"company_ids": [(6, 0, company.ids)], "company_id": company.id}
        )
        for model in MODELS:
            with self.subTest(model):
                self.assertFalse(self.env[model].with_user(self.qa).search([]))
                self.assertTrue(self.env[model].with_user(self.rm).search([]))

    def test_no_role_creates_changes_deletes_or_copies_one(self):
        everyone = [*self.users.values(), self.env.ref("base.user_admin")]
        for model, record in self.records.items():
            for user in everyone:
                mine = record.with_user(user)
                with self.subTest(model=model, login=user.login):
                    for attempt in (
                        lambda r=mine: r.write({"result": "passed"}),
                        lambda r=mine: r.create({"result": "passed"}),
                        mine.unlink,
                        mine.copy,
                    ):
                        with self.assertRaises(UserError):
                            attempt()

    def test_no_field_is_written_by_anybody_and_no_context_opens_one(self):
        for model, record in self.records.items():
            for name in sorted(set(record._fields) - {"id"}):
                for records in (
                    record.with_user(self.rm),
                    record.sudo(),
                    *(record.sudo().with_context(**each) for each in FORGED_CONTEXTS),
                ):
                    with (
                        self.subTest(model=model, field=name),
                        self.assertRaises(AccessError),
                    ):
                        records.write({name: False})
            # The system may: what was refused is a write that exists.
            record.sudo().system_write({"comment": "Seen"})
            self.assertEqual(record.comment, "Seen")

    def test_a_neutralised_copy_takes_no_answer(self):
        self.assertEqual(self.invitation.status, "open")
        for query in get_neutralization_queries(["ipai_release_gates_uat"]):
            self.env.cr.execute(query)
        self.env.invalidate_all()
        self.assertEqual(self.invitation.status, "revoked")

    def test_every_model_of_the_addon_is_in_these_tests(self):
        models = {
            name
            for name in self.registry
            if name.startswith("ipai.uat.")
            and not self.registry[name]._transient
            and not self.registry[name]._abstract
        }
        self.assertEqual(models, set(MODELS))
        self.assertEqual(len(ROLES), 7)
