"""The stage table: what each stage needs, and who may move a release there."""

from odoo.exceptions import AccessError, UserError

from ...errors import GateRefused
from ..common import (
    G1_MISSING,
    G2_MISSING,
    G3_MISSING,
    G4_MISSING,
    ROLES,
    STAGES,
    GateCase,
    sha,
)
from ..tables import tables

#: stage → the gates it needs and the users who may move a release there
STAGE_TABLE = {
    code: (list(stage.gates), stage.logins) for code, stage in tables.STAGES.items()
}
#: who has the right to write on releases at all; the others fail earlier
WRITERS = {"dev", "qa", "rm", "sre"}
MISSING = {code: gate.missing for code, gate in tables.GATES.items()}


class TestStageTable(GateCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.fresh = cls.open_release("fresh")
        # One release in each stage, with the gate of the next one passed.
        cls.ready = {}
        for number, stage in enumerate(STAGES[:-1], start=1):
            release = cls.bring_to(cls.open_release(f"in {stage}"), stage)
            cls.pass_gates(release, f"G{number}")
            cls.ready[stage] = release
        cls.closed = cls.bring_to(cls.open_release("in closed"), "closed")

    def _before(self, stage):
        """A release that may enter a stage, and the reason a move there needs."""
        if stage == "build":
            return self.ready["qa_validation"], "wrong scope"
        return self.ready[STAGES[STAGES.index(stage) - 1]], None

    # --- the table -------------------------------------------------------------------

    def test_the_stages_are_as_the_table_says(self):
        for stage, (gates, movers) in STAGE_TABLE.items():
            record = self.stages[stage]
            self.assertEqual(record._gates_to_enter().mapped("code"), gates)
            groups = record.persona_ids.group_id
            self.assertEqual(
                {login for login in ROLES if self.users[login].all_group_ids & groups},
                movers,
            )

    def test_every_role_may_move_by_write_where_the_table_says_and_nowhere_else(self):
        for stage, (_gates, movers) in STAGE_TABLE.items():
            release, reason = self._before(stage)
            vals = {"stage_id": self.stages[stage].id}
            if reason:
                vals["move_reason"] = reason
            for login in ROLES:
                with self.subTest(stage=stage, role=login), self.undone():
                    mine = release.with_user(self.users[login])
                    if login in movers:
                        mine.write(vals)
                        self.assertEqual(release.stage_id.code, stage)
                    elif login in WRITERS:
                        with self.assertRaises(GateRefused) as caught:
                            mine.write(vals)
                        data = caught.exception.context["refusal"]["releases"]
                        self.assertEqual(
                            self.named(*data, message=str(caught.exception)), {"mover"}
                        )
                    else:
                        with self.assertRaises(AccessError) as caught:
                            mine.write(vals)
                        self.assertNotIsInstance(caught.exception, GateRefused)

    def test_every_role_may_move_by_facade_where_the_table_says_and_nowhere_else(self):
        for stage, (_gates, movers) in STAGE_TABLE.items():
            release, reason = self._before(stage)
            former = release.stage_id.code
            for login in ROLES:
                with self.subTest(stage=stage, role=login), self.undone():
                    answer = self.plane(self.users[login]).request_move(
                        release.uuid, stage, reason
                    )
                    self.assertEqual(answer["moved"], login in movers)
                    self.assertEqual(answer["requested_stage"], stage)
                    self.assertEqual(answer["stage"], release.stage_id.code)
                    if login in movers:
                        self.assertEqual(release.stage_id.code, stage)
                        self.assertEqual(answer["reasons"], [])
                    else:
                        self.assertEqual(release.stage_id.code, former)
                        self.assertEqual(
                            self.named(answer, message=answer["message"]), {"mover"}
                        )

    def test_each_stage_needs_the_gates_of_the_table_and_names_what_is_unmet(self):
        for stage in STAGES[1:]:
            gates, _movers = STAGE_TABLE[stage]
            expected = set().union(*(MISSING[gate] for gate in gates))
            with self.subTest(stage=stage):
                self.assertEqual(self.refused(self.fresh, stage), expected)
                answer = self.plane(self.rm).request_move(self.fresh.uuid, stage)
                self.assertFalse(answer["moved"])
                self.assertEqual(
                    self.named(answer, message=answer["message"]), expected
                )
        self.assertEqual(self.fresh.stage_id.code, "build")

    def test_a_role_that_may_not_move_is_told_of_that_and_of_every_unmet_condition(
        self,
    ):
        found = self.refused(self.fresh, "production", self.dev)
        self.assertEqual(found, {"mover"} | G1_MISSING | G2_MISSING | G3_MISSING)

    def test_administrators_and_the_superuser_get_no_free_pass(self):
        admin = self.env.ref("base.user_admin")
        release = self.ready["build"]
        with self.assertRaises(AccessError):
            release.with_user(admin).write(
                {"stage_id": self.stages["qa_validation"].id}
            )
        for releases in (release, release.with_user(admin).sudo()):
            self.assertTrue(releases.env.su)
            with self.assertRaises(GateRefused):
                releases.write({"stage_id": self.stages["qa_validation"].id})
        self.assertEqual(release.stage_id.code, "build")

    def test_persona_of_two_groups_opens_only_what_one_of_them_opens(self):
        both = self.new_user("both", "group_developer", "group_sre")
        self.project.member_ids += both
        self.assertEqual(
            self.refused(self.ready["staging_acceptance"], "production", both),
            {"mover"},
        )

    def test_a_refused_persona_stays_refused_when_archived_ones_are_asked_for(self):
        # The client's context must not bring an archived persona back.
        self.env["ipai.persona"].search([("code", "=", "developer")]).active = False
        release = self.ready["build"].with_context(active_test=False)
        self.assertEqual(self.refused(release, "qa_validation", self.dev), {"mover"})
        plane = self.plane(self.dev).with_context(active_test=False)
        answer = plane.request_move(release.uuid, "qa_validation")
        self.assertFalse(answer["moved"])

    # --- forward ---------------------------------------------------------------------

    def test_skipping_from_build_to_production_names_all_of_g1_to_g3(self):
        found = self.refused(self.fresh, "production")
        self.assertEqual(found, G1_MISSING | G2_MISSING | G3_MISSING)

    def test_skipping_to_closed_names_all_of_g1_to_g4(self):
        found = self.refused(self.fresh, "closed")
        self.assertEqual(found, G1_MISSING | G2_MISSING | G3_MISSING | G4_MISSING)

    def test_skipping_is_possible_where_every_gate_between_is_passed(self):
        self.pass_gates(self.fresh, "G1", "G2", "G3")
        self.move(self.fresh, "production")
        self.assertEqual(self.fresh.stage_id.code, "production")

    def test_an_earlier_gate_that_closed_again_holds_a_later_move(self):
        release = self.ready["staging_acceptance"]
        self.check(release, "lint", "fail")
        found = self.refused(release, "production")
        self.assertEqual(
            found,
            {
                "G1:required_checks",
                "G2:no_failed_check",
                "G2:g1_passed",
                "G3:g2_passed",
            },
        )

    def test_a_move_into_the_stage_it_is_in_changes_nothing(self):
        release = self.ready["qa_validation"]
        before = self.snapshot("ipai_release", "ipai_ledger_entry")
        release.with_user(self.qa).write({"stage_id": release.stage_id.id})
        self.assertEqual(self.snapshot("ipai_release", "ipai_ledger_entry"), before)

    def test_an_allowed_move_is_in_the_ledger_with_both_stages(self):
        release = self.ready["build"]
        release.with_user(self.dev).write({"stage_id": self.stages["qa_validation"].id})
        entry = self.ledger(release, "move_allowed")[-1]
        self.assertIn('"from":"build"', entry.body)
        self.assertIn('"to":"qa_validation"', entry.body)
        self.assertEqual(entry.actor, "dev")

    def test_a_gate_without_requirements_opens_for_nobody(self):
        release = self.ready["build"]
        self.gates["G1"].requirement_ids.active = False
        found = self.refused(release, "qa_validation")
        self.assertEqual(found, {"G1:requirements"})

    def test_an_unknown_stage_is_an_error_and_no_move(self):
        with self.assertRaises(UserError):
            self.fresh.with_user(self.rm).write({"stage_id": False})
        with self.assertRaisesRegex(UserError, "stage: .*build, qa_validation"):
            self.plane(self.rm).request_move(self.fresh.uuid, "nowhere")
        with self.assertRaises(UserError):
            self.plane(self.rm).request_move(self.fresh.uuid, True)

    def test_a_release_can_be_named_in_every_way_of_the_contract(self):
        release = self.ready["build"]
        for address in (
            release.uuid,
            release.uuid.upper(),
            release.id,
            str(release.id),
            {"project": "acme/shop", "name": release.name},
        ):
            with self.undone():
                answer = self.plane(self.rm).request_move(address, "qa_validation")
                self.assertTrue(answer["moved"])
        for wrong in ("nope", 2**31 - 1, True, None, [], {"name": release.name}):
            with self.assertRaisesRegex(UserError, "release: "):
                self.plane(self.rm).request_move(wrong, "qa_validation")

    # --- backward --------------------------------------------------------------------

    def test_moving_back_needs_a_reason_from_whoever_may_move_there(self):
        release = self.ready["production"]
        for reason in (None, "", "   "):
            vals = {} if reason is None else {"move_reason": reason}
            found = self.refused(release, "staging_acceptance", **vals)
            self.assertEqual(found, {"reason"})
        answer = self.plane(self.rm).request_move(release.uuid, "build", " broken ")
        self.assertTrue(answer["moved"])
        self.assertEqual(release.move_reason, "broken")
        entry = self.ledger(release, "move_allowed")[-1]
        self.assertIn('"reason":"broken"', entry.body)

    def test_moving_back_needs_no_gate(self):
        release = self.ready["production"]
        self.check(release, "unit_tests", "fail")
        self.move(release, "qa_validation", reason="tests fail")
        self.assertEqual(release.stage_id.code, "qa_validation")

    def test_a_reason_without_a_move_is_refused(self):
        with self.assertRaises(UserError):
            self.fresh.with_user(self.rm).write({"move_reason": "because"})

    # --- create ----------------------------------------------------------------------

    def _values(self, stage, **vals):
        return {
            "name": f"new in {stage}",
            "project_id": self.project.id,
            "source_ref": sha(stage),
            "author_emails": "dev@example.com",
            "stage_id": self.stages[stage].id,
            **vals,
        }

    def test_creating_in_a_later_stage_meets_the_rule_of_that_stage(self):
        for stage in STAGES[1:]:
            gates, _movers = STAGE_TABLE[stage]
            with self.subTest(stage=stage), self.assertRaises(GateRefused) as caught:
                self.env["ipai.release"].with_user(self.rm).create(self._values(stage))
            data = caught.exception.context["refusal"]["releases"]
            self.assertEqual(
                self.named(*data, message=str(caught.exception)),
                set().union(*(MISSING[gate] for gate in gates)),
            )
        self.assertFalse(self.env["ipai.release"].search([("name", "like", "new in ")]))

    def test_a_default_stage_from_the_context_meets_the_rule_too(self):
        vals = self._values("production")
        stage = vals.pop("stage_id")
        releases = self.env["ipai.release"].with_user(self.rm)
        with self.assertRaises(GateRefused):
            releases.with_context(default_stage_id=stage).create(vals)

    def test_creating_in_the_first_stage_is_what_developers_and_managers_may(self):
        for login in ROLES:
            releases = self.env["ipai.release"].with_user(self.users[login])
            with self.subTest(role=login), self.undone():
                if login in ("dev", "rm"):
                    release = releases.create(self._values("build"))
                    self.assertEqual(release.stage_id.code, "build")
                    self.assertEqual(release.status, "draft")
                else:
                    with self.assertRaises(AccessError):
                        releases.create(self._values("build"))

    def test_one_refused_release_in_a_created_list_creates_none(self):
        vals_list = [self._values("build"), self._values("qa_validation")]
        with self.assertRaises(GateRefused):
            self.env["ipai.release"].with_user(self.rm).create(vals_list)
        self.assertFalse(self.env["ipai.release"].search([("name", "like", "new in ")]))

    # --- many at once ----------------------------------------------------------------

    def test_a_move_of_many_is_all_or_nothing_and_names_each_refused_one(self):
        releases = self.ready["build"] + self.fresh
        with self.assertRaises(GateRefused) as caught:
            releases.with_user(self.rm).write(
                {"stage_id": self.stages["qa_validation"].id}
            )
        data = caught.exception.context["refusal"]["releases"]
        self.assertEqual([refused["id"] for refused in data], self.fresh.ids)
        self.assertEqual(releases.stage_id.code, "build")
        self.pass_gates(self.fresh, "G1")
        releases.with_user(self.rm).write({"stage_id": self.stages["qa_validation"].id})
        self.assertEqual(releases.stage_id.code, "qa_validation")

    def test_an_edit_sent_with_a_refused_move_is_not_kept(self):
        name = self.fresh.name
        self.refused(self.fresh, "production", name="renamed")
        self.assertEqual(self.fresh.name, name)

    # --- closed ----------------------------------------------------------------------

    def test_a_closed_release_does_not_move_in_any_direction(self):
        self.assertFalse(self.closed.is_open)
        for stage in STAGES[:-1]:
            found = self.refused(self.closed, stage, move_reason="again")
            self.assertEqual(found, {"closed"})

    def test_a_cancelled_release_does_not_move_and_takes_no_revision(self):
        release = self.ready["build"]
        release.with_user(self.rm).action_cancel()
        self.assertEqual((release.status, release.is_open), ("cancelled", False))
        self.assertEqual(self.refused(release, "qa_validation"), {"closed"})
        with self.assertRaises(UserError):
            release.with_user(self.rm).write({"source_ref": sha("another")})

    def test_only_a_release_manager_cancels(self):
        for login in set(ROLES) - {"rm"}:
            with self.subTest(role=login), self.assertRaises(AccessError):
                self.fresh.with_user(self.users[login]).action_cancel()

    # --- statuses --------------------------------------------------------------------

    def test_a_release_is_draft_until_its_first_fact(self):
        self.assertEqual(self.fresh.status, "draft")
        self.check(self.fresh, "lint")
        self.assertEqual(self.fresh.status, "in_progress")

    def test_a_release_is_in_progress_until_production_makes_it_promoted(self):
        for stage in ("build", "qa_validation", "staging_acceptance"):
            self.assertEqual(self.ready[stage].status, "in_progress", stage)
        self.assertEqual(self.ready["production"].status, "promoted")
        self.assertEqual(self.closed.status, "promoted")

    def test_a_release_taken_back_from_production_is_promoted_no_more(self):
        for stage in ("staging_acceptance", "build"):
            with self.undone():
                self.move(self.ready["production"], stage, reason="broken")
                self.assertEqual(self.ready["production"].status, "in_progress", stage)
