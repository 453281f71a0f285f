"""Who reads what: the table of security.md, projects, companies, and nobody else."""

from datetime import timedelta

from odoo.exceptions import AccessError, ValidationError

from ..common import ROLES, GateCase, sha
from .readers import (
    CONFIGURATION,
    CREATORS,
    OF_A_PROJECT,
    OF_A_RELEASE,
    OF_OPERATIONS,
    READERS,
    WRITERS,
)


class TestRecordRules(GateCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["res.users.apikeys"].with_user(cls.ci)._generate(
            "rpc", "CI", cls.env.cr.now() + timedelta(days=1)
        )
        cls.release = cls._lived(cls.open_release("ours"))
        cls.company = cls.env["res.company"].create({"name": "Elsewhere"})
        cls.other_project = cls.env["ipai.project"].create({"name": "acme/other"})
        cls.env["ipai.environment"].create(
            {
                "name": "production",
                "project_id": cls.other_project.id,
                "category": "production",
            }
        )
        cls.other = cls._lived(cls.open_release("theirs", project="acme/other"))
        cls.env["ipai.author.alias"].create(
            {"email": "alias@example.com", "user_id": cls.dev.id}
        )
        now = cls.env.cr.now()
        cls.env["ipai.freeze.window"].create(
            {"name": "Past", "starts_at": now - timedelta(2), "ends_at": now}
        )
        domain = cls.env["ipai.expertise.domain"].search([], limit=1)
        cls.env["ipai.agent.capability"].create(
            {"code": "look", "name": "Look", "domain_id": domain.id}
        )
        cls.contradict()
        cls.webhook_source()
        cls.env.cr.execute("INSERT INTO ipai_rate_limit VALUES (-3, now())")
        cls.webhook()
        cls.env.flush_all()

    @classmethod
    def open_release(cls, name=None, user=None, **values):
        project = values.setdefault("project", "acme/shop")
        return super().open_release(name, user, **{**values, "project": project})

    @classmethod
    def _lived(cls, release):
        """A release with a record of every kind."""
        cls.pass_gates(release, "G1", "G2")
        cls.pass_gates(release, "G3")
        cls.deploy(release)
        cls.grant(
            release, user=cls.rm2, risk_level="high", compensating_controls="Watched."
        )
        environment = release.project_id.environment_ids.filtered(
            lambda environment: environment.category == "production"
        )
        controls = environment.control_ids.filtered(lambda c: c.kind != "lifetime")
        controls.with_user(cls.sre).record_check("pass")
        cls.env["ipai.recovery.drill"].with_user(cls.sre).create(
            {
                "environment_id": environment.id,
                "drill_type": "failover",
                "outcome": "failure",
                "note": "It did not switch over.",
                "criterion_ids": [(0, 0, {"name": "It switches over"})],
            }
        )
        cls.env["ipai.incident"].with_user(cls.sre).create(
            {"release_id": release.id, "name": "Down"}
        )
        release.with_user(cls.auditor).action_verify_ledger()
        return release

    def found(self, model, user, **context):
        """What a user finds of a model."""
        records = self.env[model].with_user(user).with_context(**context)
        return records.search([])

    def release_of(self, records):
        records = records.sudo()
        return records if records._name == "ipai.release" else records.release_id

    # --- the table -------------------------------------------------------------------

    def test_each_role_reads_the_models_of_the_security_table_and_no_other(self):
        for model, readers in READERS.items():
            for login in ROLES:
                records = self.env[model].with_user(self.users[login])
                with self.subTest(model=model, role=login):
                    self.assertEqual(records.has_access("read"), login in readers)
                    if login in readers:
                        self.assertTrue(records.search([]))
                    else:
                        with self.assertRaises(AccessError):
                            records.search([])
                        with self.assertRaises(AccessError):
                            self.env[model].search([], limit=1).with_user(
                                self.users[login]
                            ).read()

    def test_each_role_creates_and_writes_what_the_security_table_lets_it(self):
        for model in READERS:
            for login in ROLES:
                records = self.env[model].with_user(self.users[login])
                governs = model in CONFIGURATION and login == "governance"
                with self.subTest(model=model, role=login):
                    self.assertEqual(
                        records.has_access("create"),
                        governs or login in CREATORS.get(model, ()),
                    )
                    self.assertEqual(
                        records.has_access("write"),
                        governs or login in WRITERS.get(model, ()),
                    )
                    self.assertEqual(records.has_access("unlink"), governs)

    def test_every_model_of_the_addon_is_in_the_table(self):
        models = {
            model
            for model in self.registry
            if model.startswith("ipai.")
            and not self.registry[model]._abstract
            and not self.registry[model]._transient
        }
        self.assertEqual(models, set(READERS))

    def test_those_who_oversee_read_every_release_and_what_belongs_to_it(self):
        for login in ("rm", "auditor", "governance", "sre"):
            for model in OF_A_RELEASE:
                if login == "sre" and model == "ipai.approval":
                    continue
                with self.subTest(role=login, model=model):
                    found = self.release_of(self.found(model, self.users[login]))
                    self.assertLessEqual(self.release + self.other, found)

    # --- nobody else -----------------------------------------------------------------

    def test_other_users_portal_and_public_see_nothing(self):
        for group in ("base.group_user", "base.group_portal", "base.group_public"):
            user = self.new_user(f"nobody {group}", group)
            for model in READERS:
                record = self.env[model].search([], limit=1).with_user(user)
                with self.subTest(group=group, model=model):
                    for operation in ("read", "write", "create", "unlink"):
                        self.assertFalse(record.browse().has_access(operation))
                    with self.assertRaises(AccessError):
                        record.search([])
                    with self.assertRaises(AccessError):
                        record.read()

    def test_an_administrator_without_a_role_sees_nothing(self):
        admin = self.env.ref("base.user_admin")
        for model in OF_A_RELEASE:
            with self.subTest(model=model), self.assertRaises(AccessError):
                self.env[model].with_user(admin).search([])

    # --- projects --------------------------------------------------------------------

    def test_a_developer_sees_own_projects_only(self):
        for model in OF_A_PROJECT:
            found = self.found(model, self.dev)
            with self.subTest(model=model):
                self.assertTrue(found)
                if model == "ipai.project":
                    self.assertEqual(found, self.project)
                elif model == "ipai.environment":
                    self.assertEqual(found.project_id, self.project)
                else:
                    self.assertEqual(self.release_of(found), self.release)
                hidden = self.env[model].search([]) - found.sudo()
                self.assertTrue(hidden)
                with self.assertRaises(AccessError):
                    hidden[0].with_user(self.dev).read(["display_name"])

    def test_a_developer_records_on_own_projects_only(self):
        checks = self.env["ipai.check"].with_user(self.dev)
        vals = {"release_id": self.other.id, "name": "lint", "status": "pass"}
        with self.assertRaises(AccessError):
            checks.create(vals)
        type_ = self.env["ipai.evidence.type"].search([("code", "=", "test_result")])
        with self.assertRaises(AccessError):
            self.env["ipai.evidence"].with_user(self.dev).create(
                {"release_id": self.other.id, "type_id": type_.id}
            )
        with self.assertRaises(AccessError):
            self.env["ipai.release"].with_user(self.dev).create(
                {
                    "name": "new",
                    "project_id": self.other_project.id,
                    "source_ref": sha("new"),
                    "author_emails": "dev@example.com",
                }
            )
        with self.assertRaises(AccessError):
            self.other.with_user(self.dev).write({"name": "mine"})

    def test_a_developer_reaches_no_other_project_over_the_facade(self):
        plane = self.plane(self.dev)
        for address in (self.other.id, self.other.uuid):
            with self.assertRaisesRegex(ValidationError, "unknown"):
                plane.verdict(address)
            with self.assertRaisesRegex(ValidationError, "unknown"):
                plane.request_move(address, "build")
        event = self.event("evidence", {"type": "reference"}, self.other)
        event["payload"]["url"] = "https://example.com"
        answer = self.send(self.dev, event)[0]
        self.assertEqual(answer["detail"]["code"], "unknown_release")

    def test_a_developer_who_joins_a_project_sees_it(self):
        self.other_project.member_ids = self.dev
        self.assertIn(self.other, self.found("ipai.release", self.dev))

    def test_a_developer_with_another_role_sees_what_that_role_sees(self):
        self.dev.group_ids += self.env.ref("ipai_release_gates.group_qa_tester")
        self.assertIn(self.other, self.found("ipai.release", self.dev))

    def test_a_developer_sees_own_references_that_hang_on_nothing(self):
        type_ = self.env["ipai.evidence.type"].search([("code", "=", "reference")])
        vals = {"type_id": type_.id, "url": "https://example.com"}
        evidence = self.env["ipai.evidence"]
        mine = evidence.with_user(self.dev).create(vals)
        theirs = evidence.with_user(self.qa).create(vals)
        found = self.found("ipai.evidence", self.dev)
        self.assertIn(mine, found)
        self.assertNotIn(theirs, found)

    # --- approvals -------------------------------------------------------------------

    def test_a_qa_tester_sees_own_approvals_only(self):
        self.sign(self.qa2, self.release, "G2")
        for user in (self.qa, self.qa2):
            found = self.found("ipai.approval", user)
            self.assertTrue(found)
            self.assertEqual(found.approver_id, user)
        everything = self.env["ipai.approval"].search([])
        self.assertEqual(self.found("ipai.approval", self.rm), everything)
        mine = self.release.with_user(self.qa2)
        self.assertEqual(mine.approval_ids.approver_id, self.qa2)

    # --- companies -------------------------------------------------------------------

    def test_records_follow_the_company_of_their_project(self):
        self.other_project.company_id = self.company
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertEqual(self.other.company_id, self.company)
        for login in ("rm", "sre", "auditor", "governance", "qa", "ci"):
            for model in OF_A_RELEASE:
                if login not in READERS[model] or model == "ipai.ingest.log":
                    continue
                with self.subTest(role=login, model=model):
                    found = self.found(model, self.users[login])
                    self.assertEqual(self.release_of(found), self.release)
            self.assertNotIn(
                self.other_project, self.found("ipai.project", self.users[login])
            )
            self.assertNotIn(
                self.other_project,
                self.found("ipai.environment", self.users[login]).sudo().project_id,
            )

    def test_operations_follow_the_company_of_their_project(self):
        self.other_project.company_id = self.company
        self.env.flush_all()
        self.env.invalidate_all()
        for model, path in OF_OPERATIONS.items():
            theirs = self.env[model].search([(path, "=", self.other_project.id)])
            self.assertTrue(theirs, model)
            for login in READERS[model] - {"dev"}:
                with self.subTest(role=login, model=model):
                    self.assertFalse(theirs & self.found(model, self.users[login]))
                    with self.assertRaises(AccessError):
                        theirs[0].with_user(self.users[login]).read(["display_name"])

    def test_nobody_decides_or_operates_in_a_foreign_company(self):
        exception = (
            self.env["ipai.exception"]
            .with_user(self.rm2)
            .create(self.exception_values(self.other))
        )
        exception.action_request()
        environment = self.other_project.environment_ids
        control = environment.control_ids.filtered(lambda c: c.kind != "lifetime")[0]
        self.other_project.company_id = self.company
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.snapshot("ipai_exception", "ipai_approval", "ipai_incident")
        decision = {
            "exception_id": exception.id,
            "persona_id": self.personas["release_manager"].id,
            "decision": "approved",
        }
        drill = {"environment_id": environment.id, "outcome": "failure", "note": "x"}
        event = {"environment_id": environment.id, "event_type": "alert_fired"}
        incident = self.other.incident_ids
        entry = {"incident_id": incident.id, "text": "x"}
        deployment = self.other.deployment_ids
        back = ("manual", "x", "restored", {"note": "x"})
        rm, sre = self.rm, self.sre

        def create(model, user, vals):
            return self.env[model].with_user(user).create(vals)

        for attempt in (
            lambda: create("ipai.approval", rm, decision),
            lambda: exception.with_user(rm).action_revoke("x"),
            lambda: exception.with_user(rm).action_close("x"),
            lambda: create("ipai.exception", rm, self.exception_values(self.other)),
            lambda: create("ipai.recovery.drill", sre, drill),
            lambda: create("ipai.environment.event", sre, event),
            lambda: create("ipai.incident.entry", sre, entry),
            lambda: incident.with_user(sre).action_resolve(),
            lambda: incident.with_user(sre).write({"outcome": "x"}),
            lambda: control.with_user(sre).record_check("pass"),
            lambda: deployment.with_user(sre).write({"status": "failed"}),
            lambda: deployment.with_user(rm).action_roll_back(*back),
        ):
            with self.assertRaises(AccessError):
                attempt()
        after = self.snapshot("ipai_exception", "ipai_approval", "ipai_incident")
        self.assertEqual(after, before)

    def test_an_event_is_seen_in_the_company_of_its_release(self):
        self.other_project.company_id = self.company
        self.ci.company_ids += self.company
        payload = {"name": "lint", "status": "pass"}
        answer = self.must_send(
            self.ci, self.ci_event("check_result", payload, self.other)
        )[0]
        log = self.env["ipai.ingest.log"].browse(answer["ingest_id"])
        self.env.flush_all()
        self.assertNotIn(log, self.found("ipai.ingest.log", self.rm))
        self.rm.company_ids += self.company
        self.assertIn(log, self.found("ipai.ingest.log", self.rm))

    def test_a_user_of_both_companies_sees_both_or_what_is_switched_on(self):
        self.other_project.company_id = self.company
        self.rm.company_ids += self.company
        ours, theirs = self.env.company, self.company
        for companies, expected in (
            (ours + theirs, self.release + self.other),
            (ours, self.release),
            (theirs, self.other),
        ):
            found = self.found(
                "ipai.release", self.rm, allowed_company_ids=companies.ids
            )
            self.assertEqual(found & (self.release + self.other), expected)

    def test_a_context_does_not_open_a_foreign_company(self):
        self.other_project.company_id = self.company
        with self.assertRaises(AccessError):
            self.found("ipai.release", self.rm, allowed_company_ids=self.company.ids)

    def test_a_foreign_company_is_out_of_reach_of_the_facade_too(self):
        self.other_project.company_id = self.company
        with self.assertRaisesRegex(ValidationError, "unknown"):
            self.plane(self.rm).verdict(self.other.uuid)
        with self.assertRaisesRegex(ValidationError, "unknown"):
            self.open_release("new", user=self.rm, project="acme/other")
        payload = {"name": "lint", "status": "pass"}
        event = self.ci_event("check_result", payload, self.other)
        answer = self.send(self.ci, event)[0]
        self.assertEqual(answer["detail"]["code"], "unknown_release")
