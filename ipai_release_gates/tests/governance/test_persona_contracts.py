"""What personas answer for: one template, kept versions, reviews, expertise."""

import json
from datetime import timedelta

from psycopg2 import errors

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import SQL, mute_logger

from ... import governance
from ..common import MODULE, ROLES
from ..ledger.test_governance_chain import GovernanceCase

SECTIONS = governance.FIELDS


class ContractCase(GovernanceCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.contracts = cls.env["ipai.persona.contract"].with_user(cls.governance)
        cls.contract = cls.personas["sre"].contract_id.with_user(cls.governance)

    def texts(self, **values):
        """What a complete contract says."""
        return {
            **{name: f"About {name}." for name in SECTIONS},
            "outcomes": "One.\nTwo.\nThree.",
            "change_note": "It was time.",
            **values,
        }

    def draft(self, contract=None, **values):
        """A draft of the next version."""
        contract = contract or self.contract
        draft = contract.browse(contract.action_new_version()["res_id"])
        draft.write({"change_note": "It was time.", **values})
        return draft

    def refused_by_database(self, error, query, *params):
        self.env.flush_all()
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaises(error) as caught,
            self.env.cr.savepoint(),
        ):
            self.env.cr.execute(SQL(query, *params))
        return caught.exception.diag


class TestContracts(ContractCase):
    # --- the template ----------------------------------------------------------------

    def test_a_fifth_persona_has_a_contract_of_the_same_template(self):
        group = self.env["res.groups"].create({"name": "Reviewers"})
        persona = (
            self.env["ipai.persona"]
            .with_user(self.governance)
            .create({"code": "reviewer", "name": "Reviewer", "group_id": group.id})
        )
        contract = self.contracts.create({"persona_id": persona.id, **self.texts()})
        contract.action_activate()
        self.assertEqual(persona.contract_id, contract)
        self.assertEqual(persona.mission, "About mission.")
        custom = self.env["ir.model.fields"].search_count(
            [("model", "=like", "ipai.persona%"), ("state", "=", "manual")]
        )
        self.assertFalse(custom)

    def test_the_template_has_ten_sections(self):
        self.assertEqual(len(governance.SECTIONS), 10)
        for name in SECTIONS:
            self.assertIn(name, self.contracts._fields)

    def test_a_contract_with_an_empty_section_does_not_come_into_force(self):
        for name in (*SECTIONS, "outcomes", "change_note", "governance_overlay"):
            for empty in (False, "  \n \t"):
                with self.subTest(section=name, empty=empty), self.undone():
                    draft = self.draft(decision_rights="Other.")
                    draft.write({name: empty})
                    label = governance.template.LABELS.get(name, "")
                    with self.assertRaisesRegex(UserError, label or "missing"):
                        draft.action_activate()
                    self.assertEqual(draft.state, "draft")
                    self.assertEqual(self.personas["sre"].contract_id, self.contract)

    def test_a_contract_names_three_to_five_outcomes(self):
        for count in (2, 6):
            draft = self.draft(outcomes="\n".join(f"{n}." for n in range(count)))
            with self.assertRaisesRegex(UserError, "3 to 5 primary outcomes"):
                draft.action_activate()
        draft.outcomes = "1.\n\n  \n2.\r\n3.\n4.\n5.\n"
        draft.action_activate()
        self.assertEqual(draft.state, "active")

    def test_the_database_keeps_what_is_incomplete_out_of_force(self):
        draft = self.draft(kpis=" ")
        activated = (
            "UPDATE ipai_persona_contract SET state = 'superseded', version_major = 9,"
            " version_minor = 0, activated_at = now(), activated_by_id = 1 %s"
            " WHERE id = %s"
        )
        for change, name in (
            ("", "complete_in_force"),
            (", kpis = NULL", "complete_in_force"),
            (", kpis = 'x', outcomes = E'1\\n2'", "outcomes_in_force"),
            (", kpis = 'x', version_major = 0", "activation_known"),
            (", kpis = 'x', activated_at = NULL", "activation_known"),
        ):
            if "version_major" in change or "activated_at" in change:
                query = (
                    "UPDATE ipai_persona_contract SET state = 'superseded'"
                    f"{change} WHERE id = %s"
                )
                diag = self.refused_by_database(errors.CheckViolation, query, draft.id)
            else:
                diag = self.refused_by_database(
                    errors.CheckViolation, activated, SQL(change), draft.id
                )
            self.assertEqual(diag.constraint_name, f"ipai_persona_contract_{name}")

    # --- versions --------------------------------------------------------------------

    def test_a_version_is_major_when_rights_or_prohibitions_change(self):
        for values, version, reason in (
            ({"mission": "Other."}, "1.1", "Minor"),
            ({"decision_rights": "Other."}, "2.0", "decision rights"),
            ({"prohibited_actions": "Other."}, "2.0", "prohibited actions"),
        ):
            with self.subTest(**values), self.undone():
                draft = self.draft(**values)
                self.assertEqual(draft.version, version)
                self.assertIn(reason, draft.version_reason)
                draft.action_activate()
                self.assertEqual(draft.version, version)

    def test_the_version_before_stays_readable_and_says_until_when(self):
        mission = self.contract.mission
        draft = self.draft(mission="Other.")
        self.assertEqual(draft.previous_id, self.contract)
        draft.action_activate()
        self.assertEqual(self.contract.state, "superseded")
        self.assertTrue(self.contract.superseded_at)
        self.assertEqual(draft.activated_by_id, self.governance)
        self.assertEqual(self.contract.with_user(self.dev).mission, mission)
        self.assertEqual(self.personas["sre"].mission, "Other.")
        self.assertEqual(draft.difference, f"Mission:\n-{mission}\n+Other.")

    def test_a_persona_is_found_by_the_contract_in_force(self):
        personas = self.env["ipai.persona"].with_user(self.dev)
        group = self.env["res.groups"].create({"name": "Reviewers"})
        bare = self.env["ipai.persona"].create(
            {"code": "reviewer", "name": "Reviewer", "group_id": group.id}
        )
        former, draft = self.contract, self.draft(mission="To keep watch.")
        sre = self.personas["sre"].with_user(self.dev)
        self.assertFalse(personas.search([("mission", "ilike", "keep watch")]))
        draft.action_activate()
        self.assertEqual(personas.search([("mission", "ilike", "keep watch")]), sre)
        self.assertEqual(personas.search([("contract_id", "=", draft.id)]), sre)
        self.assertFalse(personas.search([("contract_id", "=", former.id)]))
        self.assertEqual(personas.search([("contract_id", "=", False)]).sudo(), bare)

    def test_what_says_the_same_is_no_new_version(self):
        with self.assertRaisesRegex(UserError, "says the same"):
            self.draft().action_activate()

    def test_there_is_one_draft_at_a_time(self):
        draft = self.draft(mission="Other.")
        self.assertEqual(self.contract.action_new_version()["res_id"], draft.id)
        with mute_logger("odoo.sql_db"), self.assertRaises(errors.UniqueViolation):
            self.contracts.create({"persona_id": self.contract.persona_id.id})

    def test_the_next_draft_can_follow_at_once(self):
        draft = self.draft(mission="Other.")
        draft.action_activate()
        self.assertEqual(self.draft(draft, mission="Third.").version, "1.2")

    def test_a_draft_may_go(self):
        draft = self.draft()
        draft.unlink()
        self.assertFalse(draft.exists())

    def test_what_came_into_force_is_never_edited(self):
        for record in (self.contract, self.contract.sudo()):
            for name in sorted(record._writable):
                with self.subTest(field=name), self.assertRaises(AccessError):
                    record.write({name: record[name]})
            with self.assertRaises(AccessError):
                record.unlink()
        with self.assertRaises(AccessError):
            (self.draft() | self.contract).unlink()

    def test_the_database_keeps_what_came_into_force(self):
        draft = self.draft(mission="Other.")
        draft.action_activate()
        self.env.flush_all()
        for contract in (draft, self.contract):
            for query in (
                "UPDATE ipai_persona_contract SET mission = 'x' WHERE id = %s",
                "UPDATE ipai_persona_contract SET version_minor = 7 WHERE id = %s",
                "UPDATE ipai_persona_contract SET activated_at = NULL WHERE id = %s",
                "UPDATE ipai_persona_contract SET state = 'draft' WHERE id = %s",
                "DELETE FROM ipai_persona_contract WHERE id = %s",
            ):
                self.refused_by_database(
                    errors.InsufficientPrivilege, query, contract.id
                )
        for query in (
            "UPDATE ipai_persona_contract SET state = 'active' WHERE id = %s",
            "TRUNCATE ipai_persona_contract",
        ):
            params = [self.contract.id] if "%s" in query else []
            self.refused_by_database(errors.InsufficientPrivilege, query, *params)

    def test_only_governance_drafts_activates_and_reviews(self):
        draft = self.draft(mission="Other.")
        for login in set(ROLES) - {"governance"}:
            user = self.users[login]
            for attempt in (
                draft.with_user(user).action_activate,
                self.contract.with_user(user).action_reviewed,
                self.personas["qa_tester"].with_user(user).action_new_contract,
            ):
                with self.subTest(role=login), self.assertRaises(AccessError):
                    attempt()

    # --- the ledger ------------------------------------------------------------------

    def test_every_step_of_a_contract_is_in_the_governance_chain(self):
        made = self.added(lambda: self.draft(mission="Other."))
        self.assertEqual(made[0]["body"]["what"], "ipai.persona.contract sre/draft")
        self.assertIsNone(made[0]["body"]["before"])
        draft = self.personas["sre"].contract_ids.filtered(lambda c: c.state == "draft")
        former, active = self.added(draft.with_user(self.governance).action_activate)
        self.assertEqual(former["body"]["what"], "ipai.persona.contract sre/1.0")
        self.assertEqual(former["body"]["before"]["state"], "active")
        self.assertEqual(former["body"]["after"]["state"], "superseded")
        self.assertEqual(active["actor"], "governance")
        self.assertEqual(active["body"]["what"], "ipai.persona.contract sre/1.1")
        self.assertEqual(active["body"]["before"]["state"], "draft")
        self.assertEqual(active["body"]["after"]["state"], "active")
        reviewed = self.only(draft.with_user(self.governance).action_reviewed)
        self.assertEqual(reviewed["body"]["after"]["reviewed_by_id"], "governance")
        self.assertIn("Other.", json.dumps(made[-1]["body"]["after"]))

    # --- review ----------------------------------------------------------------------

    def activities(self):
        return self.env["mail.activity"].search(
            [
                ("res_model", "=", "ipai.persona"),
                ("res_id", "=", self.contract.persona_id.id),
            ]
        )

    def run_reviews(self, **delta):
        cron = self.env.ref(f"{MODULE}.ir_cron_contract_review")
        with self.scheduled(**delta):
            cron.method_direct_trigger()

    def test_a_review_is_asked_for_once_when_it_is_due(self):
        today = fields.Date.to_date(self.env.cr.now())
        self.assertEqual(self.contract.review_cadence, "monthly")
        self.assertLess(self.contract.next_review_on, today + timedelta(days=32))
        self.run_reviews(days=20)
        self.assertFalse(self.activities())
        for _again in range(2):
            self.run_reviews(days=32)
            asked = self.activities().filtered(lambda a: a.user_id == self.governance)
            self.assertEqual(len(asked), 1)
            self.assertEqual(asked.date_deadline, self.contract.next_review_on)

    def test_a_review_closes_what_was_asked_and_sets_the_next(self):
        self.run_reviews(days=32)
        self.assertTrue(self.activities())
        due = self.contract.next_review_on
        with self.later(days=32):
            self.contract.invalidate_recordset()
            self.assertTrue(self.contract.review_due)
            self.assertIn(
                self.contract, self.contracts.search([("review_due", "=", True)])
            )
            self.contract.action_reviewed()
            self.assertFalse(self.contract.review_due)
        self.assertFalse(self.activities())
        self.assertGreater(self.contract.next_review_on, due)
        self.assertEqual(self.contract.reviewed_by_id, self.governance)
        self.run_reviews(days=32)
        self.assertFalse(self.activities())

    def test_a_new_version_closes_what_was_asked(self):
        self.run_reviews(days=32)
        self.draft(mission="Other.").action_activate()
        self.assertFalse(self.activities())


class TestExpertise(ContractCase):
    def domain(self, code):
        return self.env["ipai.expertise.domain"].search([("code", "=", code)])

    def capability(self, **values):
        return (
            self.env["ipai.agent.capability"]
            .with_user(self.governance)
            .create({"code": "build.triage", "name": "Triage builds", **values})
        )

    def test_a_domain_has_one_primary(self):
        domain = self.domain("odoo.sre.backup_recovery")
        with mute_logger("odoo.sql_db"), self.assertRaises(errors.UniqueViolation):
            self.env["ipai.persona.expertise"].with_user(self.governance).create(
                {
                    "persona_id": self.personas["developer"].id,
                    "domain_id": domain.id,
                    "level": "primary",
                }
            )

    def test_a_persona_holds_a_domain_once(self):
        held = self.personas["sre"].expertise_ids[0]
        with mute_logger("odoo.sql_db"), self.assertRaises(errors.UniqueViolation):
            held.copy({"level": "shared"})

    def test_a_capability_without_a_domain_is_refused(self):
        with self.assertRaisesRegex(ValidationError, "no expertise domain"):
            self.capability(persona_id=self.personas["developer"].id)
        capability = self.capability(domain_id=self.domain("odoo.devx.ci_cd").id)
        self.refused_by_database(
            errors.NotNullViolation,
            "UPDATE ipai_agent_capability SET domain_id = NULL WHERE id = %s",
            capability.id,
        )

    def test_a_capability_maps_to_a_persona_that_holds_its_domain(self):
        domain = self.domain("odoo.devx.ci_cd")
        with self.assertRaises(ValidationError) as caught:
            self.capability(domain_id=domain.id, persona_id=self.personas["sre"].id)
        self.assertIn("does not hold odoo.devx.ci_cd", str(caught.exception))
        capability = self.capability(
            domain_id=domain.id, persona_id=self.personas["qa_tester"].id
        )
        with self.assertRaises(ValidationError):
            capability.domain_id = self.domain("odoo.sre.backup_recovery")

    def test_a_persona_keeps_a_domain_that_a_capability_needs(self):
        domain = self.domain("odoo.devx.ci_cd")
        qa = self.personas["qa_tester"]
        self.capability(domain_id=domain.id, persona_id=qa.id)
        held = qa.expertise_ids.filtered(lambda each: each.domain_id == domain)
        with self.assertRaises(ValidationError):
            held.with_user(self.governance).unlink()
        held = qa.expertise_ids.filtered(lambda each: each.domain_id == domain)
        with self.assertRaises(ValidationError):
            held.with_user(self.governance).domain_id = self.domain(
                "odoo.sre.backup_recovery"
            )


class TestCoverage(ContractCase):
    def gaps(self, user=None):
        """What the governance page shows as a gap: name → why."""
        self.env.flush_all()
        coverage = self.env["ipai.governance.coverage"].with_user(user or self.auditor)
        coverage.invalidate_model()
        action = self.env.ref(f"{MODULE}.ipai_governance_coverage_action")
        self.assertEqual(action.res_model, coverage._name)
        found = coverage.search([])
        shown = found.filtered("is_gap")
        self.assertEqual(shown, found[: len(shown)], "gaps stand on top")
        return {item.name: item.gap for item in shown}

    def test_what_the_addon_brings_has_no_gap(self):
        self.assertEqual(self.gaps(), {})
        items = self.env["ipai.governance.coverage"].search([])
        kinds = {kind: len(found) for kind, found in items.grouped("kind").items()}
        self.assertEqual(kinds.pop("contract"), 4)
        self.assertEqual(kinds.pop("domain"), 10)
        active = self.env["ipai.gate.requirement"].search_count([])
        self.assertEqual(kinds, {"condition": active})

    def test_a_condition_whose_domain_nobody_holds_is_a_gap(self):
        governance_env = self.env["ipai.expertise.domain"].with_user(self.governance)
        domain = governance_env.create({"code": "odoo.legal", "name": "Legal"})
        requirement = self.gates["G3"].requirement_ids[0].with_user(self.governance)
        requirement.expertise_domain_id = domain
        name = f"G3 {requirement.code}"
        self.assertEqual(
            self.gaps(), {"odoo.legal": "no_primary", name: "nobody_holds"}
        )
        self.env["ipai.persona.expertise"].with_user(self.governance).create(
            {
                "persona_id": self.personas["sre"].id,
                "domain_id": domain.id,
                "level": "primary",
            }
        )
        self.assertEqual(self.gaps(), {name: "persona_lacks"})

    def test_an_archived_persona_leaves_gaps(self):
        self.personas["sre"].with_user(self.governance).active = False
        gaps = self.gaps()
        self.assertEqual(gaps["odoo.sre.backup_recovery"], "no_primary")
        self.assertEqual(gaps["G4 health_checks"], "nobody_holds")
        self.assertEqual(gaps["G4 confirmed_in_time"], "nobody_holds")
        self.assertNotIn("sre", gaps)

    def test_a_persona_without_a_contract_is_a_gap(self):
        group = self.env["res.groups"].create({"name": "Reviewers"})
        persona = self.env["ipai.persona"].create(
            {"code": "reviewer", "name": "Reviewer", "group_id": group.id}
        )
        self.assertEqual(self.gaps(), {"reviewer": "no_contract"})
        item = self.env["ipai.governance.coverage"].search([("is_gap", "=", True)])
        opened = item.with_user(self.governance).action_open_source()
        self.assertEqual(
            (opened["res_model"], opened["res_id"]), ("ipai.persona", persona.id)
        )

    def test_it_is_computed_in_a_constant_number_of_queries(self):
        def count():
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.env["ipai.governance.coverage"].search([]).mapped("gap")
            return self.env.cr.sql_log_count - before

        count()
        few = count()
        domains = self.env["ipai.expertise.domain"]
        domains.create([{"code": f"odoo.n{n}", "name": str(n)} for n in range(40)])
        self.assertEqual(count(), few)
