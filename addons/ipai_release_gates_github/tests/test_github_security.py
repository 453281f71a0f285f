"""Records about GitHub: who reads and writes them, and what stays secret."""

from odoo.exceptions import AccessError, UserError
from odoo.modules.neutralize import get_neutralization_queries

from odoo.addons.ipai_release_gates.tests.security.secret_doors import SecretDoors

from .common import ConnectedCase

OVERSIGHT = {"rm", "auditor", "governance"}
READERS = {
    "ipai.github.app": OVERSIGHT,
    "ipai.github.repository": OVERSIGHT,
    "ipai.github.environment": OVERSIGHT,
    "ipai.github.protection": OVERSIGHT | {"sre"},
    "ipai.github.check": OVERSIGHT | {"sre"},
}
CONFIGURATION = {
    "ipai.github.app",
    "ipai.github.repository",
    "ipai.github.environment",
}
GUARDED = set(READERS) - CONFIGURATION
CONSTRAINTS = {
    "ipai_github_app": {"client_id_format", "api_url_format", "key_variable_format"},
    "ipai_github_repository": {"name_format", "installation_format", "deadline_range"},
    "ipai_github_protection": {"delivery_unique", "source_ref_format", "answered"},
    "ipai_github_check": {"revision_gate_unique"},
}
#: index → whether it is unique
INDEXES = {
    "ipai_github_repository_project_unique": True,
    "ipai_github_environment_name_unique": True,
    "ipai_github_protection_open_requests": False,
}
FORGED_CONTEXTS = (
    {"ipai_engine": True},
    {"ipai_system": True},
    {"install_mode": True},
    {"module": "ipai_release_gates_github", "update": True, "noupdate": True},
)


class TestGithubSecrets(SecretDoors, ConnectedCase):
    SECRETS = {"ipai.github.app": ("private_key",)}
    PATHS = {
        "ipai.github.repository": ("app_id.private_key",),
        "ipai.github.environment": ("repository_id.app_id.private_key",),
    }

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        apps = cls.env["ipai.github.app"].search([])
        apps._write({"private_key": "-----BEGIN SECRET"})
        cls.env.flush_all()

    def test_a_neutralised_copy_has_no_key(self):
        keys = "SELECT FROM ipai_github_app WHERE private_key IS NOT NULL"
        self.env.cr.execute(keys)
        self.assertTrue(self.env.cr.rowcount)
        for query in get_neutralization_queries(["ipai_release_gates_github"]):
            self.env.cr.execute(query)
        self.env.cr.execute(keys)
        self.assertFalse(self.env.cr.rowcount)


class TestGithubRights(ConnectedCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.users["nobody"] = cls.new_user("nobody")
        cls.users["portal"] = cls.new_user("portal", "base.group_portal")
        cls.records = {model: cls.env[model].search([], limit=1) for model in READERS}

    def test_each_role_reads_what_the_table_says_and_nothing_else(self):
        for model, readers in READERS.items():
            self.assertTrue(self.records[model], model)
            for login, user in self.users.items():
                records = self.env[model].with_user(user)
                with self.subTest(model=model, login=login):
                    self.assertEqual(
                        records.has_access("read"), login.rstrip("2") in readers
                    )
                    if login.rstrip("2") in readers:
                        self.assertTrue(records.search([]))
                    else:
                        with self.assertRaises(AccessError):
                            records.search([])
                        with self.assertRaises(AccessError):
                            records.browse(self.records[model].id).read(["id"])

    def test_governance_alone_writes_the_configuration_and_nobody_the_rest(self):
        for model in READERS:
            for login, user in self.users.items():
                records = self.env[model].with_user(user)
                governs = model in CONFIGURATION and login == "governance"
                with self.subTest(model=model, login=login):
                    for operation in ("create", "write", "unlink"):
                        self.assertEqual(records.has_access(operation), governs)

    def test_another_company_reads_nothing(self):
        company = self.env["res.company"].create({"name": "Elsewhere"})
        self.rm.sudo().write(
            {"company_ids": [(6, 0, company.ids)], "company_id": company.id}
        )
        for model in READERS:
            with self.subTest(model):
                self.assertFalse(self.env[model].with_user(self.rm).search([]))
                self.assertTrue(self.env[model].with_user(self.auditor).search([]))

    def test_no_guarded_field_is_written_by_anybody_and_no_context_opens_one(self):
        for model in GUARDED:
            record = self.records[model]
            for name in sorted(set(record._fields) - {"id"}):
                for records in (
                    record.with_user(self.rm),
                    record.with_user(self.env.ref("base.user_admin")),
                    record.sudo(),
                    *(record.sudo().with_context(**each) for each in FORGED_CONTEXTS),
                ):
                    with (
                        self.subTest(model=model, field=name),
                        self.assertRaises(AccessError),
                    ):
                        records.write({name: False})
            for attempt in (record.sudo().unlink, record.sudo().copy):
                with self.assertRaises(UserError):
                    attempt()
            # The system may: what was refused is a write that exists.
            record.sudo().system_write({"problem": "Seen"})
            self.assertEqual(record.problem, "Seen")

    def test_every_model_of_the_addon_is_in_the_table(self):
        models = {
            name
            for name in self.registry
            if name.startswith("ipai.github.") and not self.registry[name]._abstract
        }
        self.assertEqual(models, set(READERS))

    def test_constraints_and_indexes_are_in_the_database(self):
        self.env.cr.execute(
            "SELECT conrelid::regclass::text, conname FROM pg_constraint"
            " WHERE convalidated AND conrelid::regclass::text LIKE 'ipai\\_github%'"
        )
        constraints = set(self.env.cr.fetchall())
        for table, names in CONSTRAINTS.items():
            for name in names:
                self.assertIn((table, f"{table}_{name}"), constraints)
        self.env.cr.execute(
            "SELECT c.relname, i.indisunique FROM pg_index i"
            " JOIN pg_class c ON c.oid = i.indexrelid"
            " WHERE i.indisvalid AND c.relname = ANY(%s)",
            [list(INDEXES)],
        )
        self.assertEqual(dict(self.env.cr.fetchall()), INDEXES)
