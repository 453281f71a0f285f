"""What is done to policy and roles is told in a chain of its own."""

import hashlib
import json
from datetime import timedelta

from psycopg2 import errors

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tools import SQL, mute_logger

from odoo.addons.ipai_release_gates import ledger

from ..common import MODULE, GateCase


class GovernanceCase(GateCase):
    def chain(self):
        """The chain as the database has it, in the fields of ``ledger.Entry``."""
        self.env.flush_all()
        columns = (
            "sequence, kind, actor, occurred_at, subject, body, previous_hash, hash"
        )
        rows = self.env.execute_query(
            SQL(
                "SELECT %s FROM ipai_ledger_entry WHERE release_id IS NULL"
                " ORDER BY sequence",
                SQL(columns),
            )
        )
        names = columns.split(", ")
        return [
            {
                **dict(zip(names, row, strict=True)),
                "chain": "governance",
                "body": json.loads(row[5]),
            }
            for row in rows
        ]

    def added(self, happen):
        """The entries that something adds; the chain verifies with them."""
        before = self.chain()
        happen()
        after = self.chain()
        head = self.env["ipai.ledger.head"]._of_governance()
        self.assertEqual(ledger.verify(after, head), [])
        self.assertEqual(after[: len(before)], before)
        return after[len(before) :]

    def only(self, happen):
        """The one entry that something adds."""
        (row,) = self.added(happen)
        return row

    def versions(self, *releases):
        self.env.flush_all()
        self.env.invalidate_all()
        return [release.fact_version for release in releases]


class TestGovernanceChain(GovernanceCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.requirement = cls.gates["G1"].requirement_ids.filtered(
            lambda requirement: requirement.code == "build_log"
        )

    # --- the chain -------------------------------------------------------------------

    def test_a_change_of_the_settings_is_told_though_no_verdict_rests_on_it(self):
        settings = self.env.ref("ipai_release_gates.settings")
        former = settings.payload_retention_days
        release = self.open_release()
        before = self.versions(release)
        row = self.only(lambda: settings.write({"payload_retention_days": 9}))
        self.assertEqual(row["body"]["before"], {"payload_retention_days": former})
        self.assertEqual(row["body"]["after"], {"payload_retention_days": 9})
        self.assertEqual(self.versions(release), before)

    def test_what_the_addon_brings_is_in_the_chain(self):
        rows = self.chain()
        self.assertEqual(rows[0]["previous_hash"], ledger.GENESIS)
        told = {row["body"].get("what") for row in rows}
        for what in (
            "ipai.gate G1",
            "ipai.gate.requirement G1/build_log",
            "ipai.release.stage production",
            "ipai.persona sre",
            "ipai.evidence.type sbom",
            "ipai.expertise.domain odoo.qa.automation",
        ):
            self.assertIn(what, told)

    def test_a_change_is_told_with_what_was_before(self):
        row = self.only(
            lambda: self.requirement.with_user(self.governance).write(
                {"freshness_hours": 2.5, "waivable": False}
            )
        )
        self.assertEqual(row["kind"], "policy_changed")
        self.assertEqual(row["actor"], "governance")
        self.assertEqual(row["subject"], f"ipai.gate.requirement,{self.requirement.id}")
        self.assertEqual(
            row["body"],
            {
                "what": "ipai.gate.requirement G1/build_log",
                "before": {"freshness_hours": "0.0", "waivable": True},
                "after": {"freshness_hours": "2.5", "waivable": False},
            },
        )

    def test_only_fields_that_changed_are_told_and_no_entry_for_none(self):
        row = self.only(
            lambda: self.requirement.write({"code": "build_log", "sequence": 99})
        )
        self.assertEqual(set(row["body"]["after"]), {"sequence"})
        self.assertEqual(
            self.added(
                lambda: self.requirement.write({"code": "build_log", "sequence": 99})
            ),
            [],
        )

    def test_records_are_told_by_name(self):
        stage = self.stages["production"]
        row = self.only(
            lambda: stage.write(
                {
                    "persona_ids": [Command.link(self.personas["sre"].id)],
                    "gate_id": self.gates["G2"].id,
                }
            )
        )
        self.assertEqual(
            row["body"]["before"],
            {"gate_id": "G3", "persona_ids": ["release_manager"]},
        )
        self.assertEqual(
            row["body"]["after"],
            {"gate_id": "G2", "persona_ids": ["release_manager", "sre"]},
        )
        row = self.only(lambda: self.project.write({"member_ids": [(5,)]}))
        self.assertEqual(row["body"]["before"], {"member_ids": ["dev"]})
        self.assertEqual(row["body"]["after"], {"member_ids": []})

    def test_each_record_of_a_bulk_write_has_its_entry_in_a_fixed_number_of_queries(
        self,
    ):
        requirements = self.env["ipai.gate.requirement"].search([])
        counts = []
        for some, sequence in ((requirements[:2], 77), (requirements, 78)):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            added = self.added(
                lambda some=some, sequence=sequence: some.write({"sequence": sequence})
            )
            counts.append(self.env.cr.sql_log_count - before)
            self.assertEqual(len(added), len(some))
        self.assertLessEqual(counts[1] - counts[0], 2)

    def test_creation_and_deletion_are_told_for_every_kind_of_policy(self):
        now = self.env.cr.now()
        domain = self.env["ipai.expertise.domain"].search([], limit=1)
        mail = self.env.ref(f"{MODULE}.domain_sre_network_dns_mail")
        group = self.env["res.groups"].create({"name": "Observers"})
        for model, vals, name in (
            ("ipai.gate", {"code": "G9", "name": "Nine", "sequence": 90}, "G9"),
            (
                "ipai.gate.requirement",
                {
                    "gate_id": self.gates["G2"].id,
                    "code": "extra",
                    "name": "Extra",
                    "kind": "check",
                    "check_name": "extra",
                    "accountable_persona_id": self.personas["sre"].id,
                    "expertise_domain_id": domain.id,
                },
                "G2/extra",
            ),
            ("ipai.release.stage", {"code": "late", "name": "Late"}, "late"),
            ("ipai.project", {"name": "acme/new"}, "acme/new"),
            (
                "ipai.environment",
                {
                    "name": "spare",
                    "project_id": self.project.id,
                    "category": "staging",
                },
                "acme/shop/spare",
            ),
            (
                "ipai.freeze.window",
                {
                    "name": "Holidays",
                    "starts_at": now,
                    "ends_at": now + timedelta(days=1),
                    "project_ids": [(6, 0, self.project.ids)],
                },
                "Holidays",
            ),
            (
                "ipai.author.alias",
                {"email": "x@example.com", "user_id": self.dev.id},
                "x@example.com",
            ),
            ("ipai.evidence.type", {"code": "photo", "name": "Photo"}, "photo"),
            (
                "ipai.persona",
                {"code": "observer", "name": "Observer", "group_id": group.id},
                "observer",
            ),
            ("ipai.expertise.domain", {"code": "odoo.x", "name": "X"}, "odoo.x"),
            (
                "ipai.persona.expertise",
                {
                    "persona_id": self.personas["developer"].id,
                    "domain_id": mail.id,
                },
                "developer/odoo.sre.network_dns_mail",
            ),
            (
                "ipai.agent.capability",
                {"code": "look", "name": "Look", "domain_id": domain.id},
                "look",
            ),
            (
                "ipai.persona.contract",
                {"persona_id": self.personas["sre"].id, "mission": "To run it."},
                "sre/draft",
            ),
        ):
            with self.subTest(model=model):
                records = self.env[model].with_user(self.governance)
                found = []
                row = self.only(
                    lambda r=records, v=vals, f=found: f.append(r.create(v))
                )
                self.assertEqual(row["body"]["what"], f"{model} {name}")
                self.assertIsNone(row["body"]["before"])
                self.assertTrue(row["body"]["after"])
                self.assertEqual(row["subject"], f"{model},{found[0].id}")
                if model == "ipai.gate":
                    continue  # open releases are judged by it from now on
                rows = self.added(found[0].unlink)
                self.assertEqual(rows[-1]["body"]["what"], f"{model} {name}")
                self.assertIsNone(rows[-1]["body"]["after"])

    def test_deleting_a_gate_tells_of_its_requirements_too(self):
        gate = self.env["ipai.gate"].create(
            {"code": "G9", "name": "Nine", "sequence": 90}
        )
        self.requirement.copy({"gate_id": gate.id, "code": "nine", "active": False})
        told = [row["body"]["what"] for row in self.added(gate.unlink)]
        self.assertEqual(told, ["ipai.gate.requirement G9/nine", "ipai.gate G9"])

    def test_a_freeze_of_a_project_keeps_the_project(self):
        now = self.env.cr.now()
        project = self.env["ipai.project"].create({"name": "acme/frozen"})
        self.env["ipai.freeze.window"].create(
            {
                "name": "Holidays",
                "starts_at": now,
                "ends_at": now + timedelta(days=1),
                "project_ids": [(6, 0, project.ids)],
            }
        )
        refused = self.assertRaises(errors.RestrictViolation)
        with mute_logger("odoo.sql_db"), refused, self.env.cr.savepoint():
            project.unlink()
        self.assertTrue(project.exists())

    def test_a_chain_without_a_head_takes_no_entry(self):
        with self.undone():
            self.env.cr.execute("DELETE FROM ipai_ledger_head")
            with self.assertRaisesRegex(UserError, "lost its head"):
                self.requirement.write({"sequence": 98})

    def test_nobody_touches_the_head(self):
        head = self.env["ipai.ledger.head"].search([])
        self.assertEqual(len(head), 1)
        for user in (*self.users.values(), self.env.ref("base.user_admin")):
            mine = head.with_user(user)
            for attempt in (
                lambda h=mine: h.read(["hash"]),
                lambda h=mine: h.write({"sequence": 0}),
                lambda h=mine: h.unlink(),
                lambda h=mine: h.create({"chain": "x", "sequence": 0, "hash": "x"}),
            ):
                with self.assertRaises(AccessError):
                    attempt()
        for attempt in (
            lambda: head.write({"sequence": 0}),
            lambda: head.with_context(ipai_engine=True).write({"sequence": 0}),
            lambda: head.unlink(),
        ):
            with self.assertRaises(AccessError):
                attempt()

    # --- judging anew ----------------------------------------------------------------

    def test_what_can_change_a_verdict_has_open_releases_judged_anew(self):
        release = self.open_release()
        type_ = self.env["ipai.evidence.type"].search([("code", "=", "build_log")])
        for record, vals in (
            (type_, {"metadata_schema": '{"type": "object"}'}),
            (type_, {"active": False}),
            (self.personas["qa_tester"], {"active": False}),
            (self.requirement, {"active": False}),
        ):
            with self.subTest(vals=vals):
                (before,) = self.versions(release)
                record.with_user(self.governance).write(vals)
                self.assertGreater(self.versions(release)[0], before)

    def test_what_cannot_change_a_verdict_leaves_releases_alone(self):
        release = self.open_release()
        before = self.versions(release)
        self.personas["qa_tester"].write({"sequence": 99})
        self.env["ipai.expertise.domain"].search([], limit=1).write({"scope": "All."})
        self.assertEqual(self.versions(release), before)

    # --- companies and readers -------------------------------------------------------

    def governance_read_by(self, user):
        entries = self.env["ipai.ledger.entry"].with_user(user)
        return entries.search([("release_id", "=", False)]).sudo()

    def test_an_sre_reads_releases_and_nothing_of_governance(self):
        release = self.open_release()
        self.assertFalse(self.governance_read_by(self.sre))
        entries = self.env["ipai.ledger.entry"].with_user(self.sre)
        self.assertTrue(entries.search([("release_id", "=", release.id)]))
        for login in ("rm", "auditor", "governance"):
            self.assertTrue(self.governance_read_by(self.users[login]))

    def test_what_concerns_one_company_is_told_there_only(self):
        company = self.env["res.company"].create({"name": "Elsewhere"})
        project = self.env["ipai.project"].create(
            {"name": "secret/thing", "company_id": company.id}
        )
        self.env["ipai.environment"].create(
            {"name": "dev", "project_id": project.id, "category": "dev"}
        )
        now = self.env.cr.now()
        freeze = self.env["ipai.freeze.window"].create(
            {
                "name": "Both",
                "starts_at": now,
                "ends_at": now + timedelta(days=1),
                "project_ids": [(6, 0, (project + self.project).ids)],
            }
        )
        self.new_user(
            "spy",
            "group_qa_tester",
            company_id=company.id,
            company_ids=[(6, 0, company.ids)],
        )
        seen = self.governance_read_by(self.auditor)
        self.assertFalse(seen.filtered(lambda e: "secret/thing" in e.body))
        self.assertFalse(seen.filtered(lambda e: '"spy"' in e.body))
        told = seen.filtered(lambda e: e.subject == f"ipai.freeze.window,{freeze.id}")
        self.assertIn(f"ipai.project,{project.id}", told.body)
        self.auditor.company_ids += company
        entries = self.env["ipai.ledger.entry"].with_user(self.auditor)
        seen = entries.with_context(allowed_company_ids=company.ids).search(
            [("company_id", "=", company.id)]
        )
        bodies = " ".join(seen.sudo().mapped("body"))
        self.assertIn("secret/thing", bodies)
        self.assertIn('"spy"', bodies)

    def test_the_chain_can_be_searched_by_its_name(self):
        release = self.open_release()
        entries = self.env["ipai.ledger.entry"]
        found = entries.search([("chain", "=", "governance")])
        self.assertEqual(found, entries.search([("release_id", "=", False)]))
        self.assertEqual(set(found.mapped("chain")), {"governance"})
        found = entries.search([("chain", "=", release.uuid)])
        self.assertEqual(found.release_id, release)

    # --- what approvals say ----------------------------------------------------------

    def test_the_reasons_of_a_decision_are_in_the_ledger_as_their_digest(self):
        release = self.open_release()
        self.sign(self.qa, release, "G2", rationale_text="Tried it all")
        body = json.loads(self.ledger(release, "approval").body)
        self.assertNotIn("Tried it all", str(body))
        self.assertEqual(
            body["rationale_sha256"],
            hashlib.sha256(b"Tried it all").hexdigest(),
        )


class TestRoles(GovernanceCase):
    """Whoever is given or loses a role is in the chain, whatever the door."""

    def role(self, name):
        return self.env.ref(f"{MODULE}.group_{name}")

    def told(self, happen):
        """``(user, added, removed)`` of each role change, without the module's name."""
        rows = [row for row in self.added(happen) if row["kind"] == "role_changed"]
        return [
            (
                row["body"]["user"],
                [name.rpartition(".")[2] for name in row["body"]["added"]],
                [name.rpartition(".")[2] for name in row["body"]["removed"]],
            )
            for row in rows
        ]

    def test_a_user_created_with_a_role(self):
        row = self.only(lambda: self.new_user("new", "group_sre", "group_auditor"))
        user = self.env["res.users"].search([("login", "=", "new")])
        self.assertEqual(row["subject"], f"res.users,{user.id}")
        self.assertEqual(
            row["body"],
            {
                "user": "new",
                "added": [f"{MODULE}.group_auditor", f"{MODULE}.group_sre"],
                "removed": [],
            },
        )

    def test_roles_written_on_the_user(self):
        sre, qa = self.role("sre"), self.role("qa_tester")
        vals = {"group_ids": [Command.link(sre.id), Command.unlink(qa.id)]}
        self.assertEqual(
            self.told(lambda: self.qa.write(vals)),
            [("qa", ["group_sre"], ["group_qa_tester"])],
        )
        self.assertEqual(self.told(lambda: self.qa.write(vals)), [])

    def test_users_written_on_the_role(self):
        sre = self.role("sre")
        vals = {"user_ids": [Command.link(self.qa.id), Command.unlink(self.sre.id)]}
        self.assertEqual(
            sorted(self.told(lambda: sre.write(vals))),
            [("qa", ["group_sre"], []), ("sre", [], ["group_sre"])],
        )
        self.assertEqual(
            self.told(lambda: sre.write({"all_user_ids": [Command.link(self.rm.id)]})),
            [("rm", ["group_sre"], [])],
        )

    def test_a_group_that_comes_to_imply_a_role(self):
        sre = self.role("sre")
        staff = self.env["res.groups"].create({"name": "Staff"})
        person = self.new_user("person")
        self.assertEqual(
            self.told(lambda: person.write({"group_ids": [Command.link(staff.id)]})), []
        )
        for door in (
            lambda: staff.write({"implied_ids": [Command.link(sre.id)]}),
            lambda: sre.write({"implied_by_ids": [Command.link(staff.id)]}),
        ):
            self.assertEqual(self.told(door), [("person", ["group_sre"], [])])
            self.assertEqual(
                self.told(lambda: staff.write({"implied_ids": [(5,)]})),
                [("person", [], ["group_sre"])],
            )
        self.assertEqual(
            self.told(
                lambda: self.env["res.groups"].create(
                    {
                        "name": "More",
                        "implied_ids": [(6, 0, sre.ids)],
                        "user_ids": [(6, 0, person.ids)],
                    }
                )
            ),
            [("person", ["group_sre"], [])],
        )
        more = self.env["res.groups"].search([("name", "=", "More")])
        self.assertEqual(self.told(more.unlink), [("person", [], ["group_sre"])])

    def test_a_group_that_carries_a_persona_is_a_role(self):
        group = self.env["res.groups"].create({"name": "Observers"})
        self.env["ipai.persona"].create(
            {"code": "observer", "name": "Observer", "group_id": group.id}
        )
        vals = {"group_ids": [Command.link(group.id)]}
        self.assertEqual(
            self.told(lambda: self.qa.write(vals)),
            [("qa", [f"groups,{group.id}"], [])],
        )

    def test_an_archived_or_deleted_user_loses_the_roles(self):
        person = self.new_user("person", "group_sre")
        self.assertEqual(
            self.told(person.action_archive), [("person", [], ["group_sre"])]
        )
        self.assertEqual(
            self.told(person.action_unarchive), [("person", ["group_sre"], [])]
        )
        self.assertEqual(self.told(person.unlink), [("person", [], ["group_sre"])])

    def test_what_is_no_role_is_no_entry(self):
        multi = self.env.ref("base.group_multi_currency", False) or self.env[
            "res.groups"
        ].create({"name": "Other"})
        self.assertEqual(
            self.added(
                lambda: self.qa.write(
                    {"group_ids": [Command.link(multi.id)], "name": "Q"}
                )
            ),
            [],
        )


class TestIdentity(GovernanceCase):
    """Who people are is known by address: a change of it is judged at once."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.release = cls.open_release("mine")
        cls.foreign = cls.open_release("theirs", authors=["stranger@example.com"])
        cls.pass_gates(cls.release, "G1", "G2")

    def judged_anew(self, happen):
        """Which of the two releases something has judged anew."""
        before = self.versions(self.release, self.foreign)
        happen()
        after = self.versions(self.release, self.foreign)
        return tuple(a > b for a, b in zip(after, before, strict=True))

    def test_an_author_who_gets_another_address(self):
        self.assertEqual(
            self.judged_anew(lambda: self.dev.write({"email": "else@example.com"})),
            (True, False),
        )
        self.assertEqual(
            self.judged_anew(lambda: self.dev.partner_id.write({"email": False})),
            (True, False),
        )
        self.assertEqual(
            self.judged_anew(lambda: self.dev.write({"login": "other"})), (True, False)
        )

    def test_an_approver_who_becomes_an_author(self):
        self.assertEqual(self.status(self.release, "G2"), "passed")
        self.assertEqual(
            self.judged_anew(lambda: self.qa.write({"email": "dev@example.com"})),
            (True, False),
        )
        self.assertNotEqual(self.stored(self.release)["G2"], "passed")

    def test_a_stranger_who_becomes_known(self):
        self.assertEqual(
            self.judged_anew(
                lambda: self.qa2.write({"email": "Stranger <STRANGER@example.com>"})
            ),
            (False, True),
        )
        self.assertEqual(
            self.judged_anew(
                lambda: self.new_user("new", email="stranger@example.com")
            ),
            (False, True),
        )

    def test_people_no_release_knows_change_as_they_like(self):
        self.assertEqual(
            self.judged_anew(
                lambda: (
                    self.sre.write({"login": "x", "email": "x@example.com"}),
                    self.env["res.partner"].create({"name": "P", "email": "p@x.com"}),
                )
            ),
            (False, False),
        )
