"""A persona is made from the template without code, and nobody gains a right by it."""

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command

from ...wizards.new_persona import ABILITIES
from ..common import MODULE, ROLES
from .test_persona_contracts import ContractCase

EVERY = dict.fromkeys(ABILITIES, True)


class TestNewPersona(ContractCase):
    def wizard(self, user=None, context=None, **values):
        wizards = self.env["ipai.new.persona.wizard"].with_user(user or self.governance)
        return wizards.with_context(**(context or {})).create(
            {"name": "Security Reviewer", "code": "security_reviewer", **values}
        )

    def made(self, **values):
        self.wizard(**values).action_create_persona()
        return self.env["ipai.persona"].search([("code", "=", "security_reviewer")])

    def rights(self, group):
        rows = self.env["ir.model.access"].search([("group_id", "=", group.id)])
        operations = ("perm_read", "perm_write", "perm_create", "perm_unlink")
        return {
            row.model_id.model: tuple(row[name] for name in operations) for row in rows
        }

    def test_a_persona_is_made_with_its_group_expertise_and_a_draft(self):
        domain = self.env.ref(f"{MODULE}.domain_release_governance")
        wizard = self.wizard(mission="To look twice.", domain_ids=domain.ids)
        opened = wizard.action_create_persona()
        persona = self.env["ipai.persona"].search([("code", "=", "security_reviewer")])
        draft = self.env["ipai.persona.contract"].browse(opened["res_id"])
        self.assertEqual((draft.persona_id, draft.state), (persona, "draft"))
        self.assertEqual(draft.mission, "To look twice.")
        self.assertEqual(persona.expertise_ids.domain_id, domain)
        self.assertEqual(
            persona.group_id.implied_ids, self.env.ref(f"{MODULE}.group_auditor")
        )
        draft.with_user(self.governance).write(self.texts())
        draft.with_user(self.governance).action_activate()
        self.assertEqual(persona.contract_id, draft)

    def test_what_is_ticked_is_what_the_role_has_and_no_more(self):
        group = self.made(**EVERY).group_id
        found = self.rights(group)
        expected = {}
        for role, names in ABILITIES.values():
            theirs = self.rights(self.env.ref(f"{MODULE}.{role}"))
            expected.update({name: theirs[name] for name in names})
        self.assertEqual(found, expected)
        roles = {self.env.ref(f"{MODULE}.{group}") for group in ROLES.values()}
        self.assertEqual(
            roles & set(group.all_implied_ids),
            {self.env.ref(f"{MODULE}.group_auditor")},
        )

    def test_it_works_for_who_is_put_into_the_group(self):
        persona = self.made(may_record_evidence=True, may_decide=True)
        user = self.new_user("reviewer")
        self.governance_fails_to_join(persona.group_id)
        user.group_ids += persona.group_id
        release = self.open_release()
        evidence = self.env["ipai.evidence"].with_user(user)
        type_ = self.env["ipai.evidence.type"].search([("code", "=", "test_result")])
        evidence.create(
            {
                "release_id": release.id,
                "type_id": type_.id,
                "url": "https://ci.example.com/t",
            }
        )
        approval = {
            "release_id": release.id,
            "gate_id": self.gates["G2"].id,
            "decision": "approved",
        }
        approvals = self.env["ipai.approval"].with_user(user)
        # No requirement asks for the persona, and nobody signs as another.
        for code in ("security_reviewer", "qa_tester"):
            as_ = self.env["ipai.persona"].search([("code", "=", code)])
            with self.subTest(persona=code), self.assertRaises(UserError):
                approvals.create({**approval, "persona_id": as_.id})
        signed = self.gates["G2"].requirement_ids.filtered(
            lambda requirement: requirement.kind == "approval"
        )
        signed.copy({"code": "security", "approval_persona_id": persona.id})
        self.assertTrue(approvals.create({**approval, "persona_id": persona.id}))
        with self.assertRaises(UserError):
            release.with_user(user).write({"name": "mine"})

    def test_each_right_that_can_be_ticked_is_of_use(self):
        persona = self.made(**EVERY)
        user = self.new_user("reviewer")
        user.group_ids += persona.group_id
        release = self.open_release()
        self.stages["qa_validation"].persona_ids += persona
        self.pass_g1(release)
        release.with_user(user).write({"stage_id": self.stages["qa_validation"].id})
        self.assertEqual(release.stage_id, self.stages["qa_validation"])
        self.pass_g2(release)
        self.refused(release, "staging_acceptance", user)
        values = self.exception_values(release)
        self.assertTrue(self.env["ipai.exception"].with_user(user).create(values))
        staging = self.environments["staging"].id
        for model, vals in (
            ("ipai.incident", {"release_id": release.id, "name": "Slow"}),
            (
                "ipai.deployment",
                {
                    "release_id": release.id,
                    "environment_id": staging,
                    "external_id": "by hand",
                },
            ),
            (
                "ipai.environment.event",
                {"environment_id": staging, "event_type": "backup_complete"},
            ),
            (
                "ipai.recovery.drill",
                {
                    "environment_id": staging,
                    "drill_type": "failover",
                    "outcome": "failure",
                    "note": "It did not switch over.",
                    "criterion_ids": [Command.create({"name": "It switches over"})],
                },
            ),
        ):
            with self.subTest(model=model):
                self.assertTrue(self.env[model].with_user(user).create(vals))

    def governance_fails_to_join(self, group):
        me = self.governance
        with self.assertRaises(AccessError):
            me.with_user(me).write({"group_ids": [Command.link(group.id)]})
        with self.assertRaises(AccessError):
            group.with_user(me).write({"user_ids": [Command.link(me.id)]})

    def test_the_group_starts_without_members_whatever_the_caller_sends(self):
        me = self.governance
        defaults = self.env["ir.default"].with_user(me)
        defaults.set("res.groups", "user_ids", [me.id], user_id=True)
        before = me.all_group_ids
        context = {
            "default_user_ids": [Command.link(me.id)],
            "default_implied_by_ids": [
                Command.link(self.env.ref(f"{MODULE}.group_governance_admin").id)
            ],
            "default_implied_ids": [Command.link(self.env.ref("base.group_system").id)],
        }
        group = self.made(context=context, **EVERY).group_id
        self.assertFalse(group.all_user_ids)
        self.assertFalse(group.implied_by_ids)
        self.assertNotIn(self.env.ref("base.group_system"), group.all_implied_ids)
        self.env.invalidate_all()
        self.assertEqual(me.all_group_ids, before)

    def test_rights_of_services_and_of_governance_cannot_be_ticked(self):
        sources = {role for role, _names in ABILITIES.values()}
        self.assertFalse(sources & {"group_ci_service", "group_governance_admin"})
        theirs = self.rights(self.env.ref(f"{MODULE}.group_governance_admin"))
        models = {name for _role, names in ABILITIES.values() for name in names}
        for name, rights in self.rights(self.made(**EVERY).group_id).items():
            self.assertIn(name, models)
            self.assertTrue(any(rights))
        self.assertNotIn("ipai.gate", models)
        self.assertTrue(theirs["ipai.gate"][1])

    def test_no_group_of_services_or_of_governance_holds_a_persona(self):
        named = ("group_ci_service", "group_governance_admin")
        groups = [self.env.ref(f"{MODULE}.{name}") for name in named]
        groups.append(
            self.env["res.groups"].create(
                {"name": "Robots", "implied_ids": [Command.link(groups[0].id)]}
            )
        )
        groups.append(self.env.ref("base.group_portal"))
        for group in groups:
            with self.subTest(group=group.name), self.assertRaises(UserError):
                self.made(group_choice="existing", group_id=group.id)
        with self.assertRaises(UserError):
            self.made(group_choice="existing")

    def test_an_existing_group_keeps_its_rights(self):
        group = self.env["res.groups"].create(
            {
                "name": "Reviewers",
                "implied_ids": [Command.link(self.env.ref("base.group_user").id)],
            }
        )
        persona = self.made(group_choice="existing", group_id=group.id, **EVERY)
        self.assertEqual(persona.group_id, group)
        self.assertFalse(self.rights(group))

    def test_who_cannot_read_is_given_nothing_else(self):
        with self.assertRaises(UserError):
            self.made(may_read=False, may_decide=True)
        group = self.made(may_read=False).group_id
        self.assertEqual(group.implied_ids, self.env.ref("base.group_user"))

    def test_only_governance_makes_personas(self):
        mine = self.wizard()
        for login in set(ROLES) - {"governance"}:
            user = self.users[login]
            for attempt in (
                lambda u=user: self.wizard(u),
                mine.with_user(user).action_create_persona,
            ):
                with self.subTest(role=login), self.assertRaises(AccessError):
                    attempt()

    def test_the_rights_are_told_in_the_governance_chain(self):
        rows = self.added(lambda: self.made(may_decide=True))
        told = {row["body"]["what"]: row for row in rows}
        row = told["rights of ipai.persona security_reviewer"]
        self.assertEqual(row["actor"], "governance")
        self.assertIn("ipai.approval: read, create", row["body"]["after"]["rights"])
        self.assertIn("ipai.persona security_reviewer", told)
        self.assertIn("ipai.persona.contract security_reviewer/draft", told)
