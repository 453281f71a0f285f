"""Activities: the people who can act on a release or an exception are asked."""

from datetime import timedelta
from unittest.mock import patch

from odoo.exceptions import AccessError
from odoo.tests import tagged

from ...models.mixins import activity
from ..common import GateCase, sha


class ActivityCase(GateCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Those close to the project are asked before anybody else.
        team = cls.dev | cls.qa | cls.rm | cls.sre | cls.ci
        cls.project.member_ids = [(6, 0, team.ids)]

    def open_on(self, record, name):
        """The open activities of one of this addon's types on a record."""
        type_ = self.env.ref(f"ipai_release_gates.activity_type_{name}")
        return self.env["mail.activity"].search(
            [
                ("res_model", "=", record._name),
                ("res_id", "in", record.ids),
                ("activity_type_id", "=", type_.id),
            ]
        )

    def closed_on(self, record, name):
        activities = self.env["mail.activity"].with_context(active_test=False)
        type_ = self.env.ref(f"ipai_release_gates.activity_type_{name}")
        return activities.search(
            [
                ("res_model", "=", record._name),
                ("res_id", "=", record.id),
                ("activity_type_id", "=", type_.id),
                ("active", "=", False),
            ]
        )


@tagged("post_install", "-at_install")
class TestTurns(ActivityCase):
    def run_cron(self, name="activities"):
        with self.scheduled():
            self.env.ref(f"ipai_release_gates.ir_cron_{name}").method_direct_trigger()

    def turns(self, release):
        """The summaries by login, after the scheduled action has run."""
        self.run_cron()
        activities = self.open_on(release, "your_turn")
        self.assertEqual(len(activities), len(activities.user_id), "one for each")
        return {one.user_id.login: one.summary for one in activities}

    def assertTurns(self, release, *logins):
        turns = self.turns(release)
        self.assertEqual(set(turns), set(logins))
        for login in logins:
            self.assertTrue(release.with_user(self.users[login]).needs_me, login)
        return turns

    def test_each_persona_has_its_turn_while_the_release_goes_its_way(self):
        release = self.open_release()
        turns = self.assertTurns(release, "dev")
        self.assertIn("G1 waits for: ", turns["dev"])
        self.pass_g1(release)
        turns = self.assertTurns(release, "dev", "qa", "rm")
        self.assertIn(self.stages["qa_validation"].name, turns["qa"])
        self.move(release, "qa_validation")
        turns = self.assertTurns(release, "qa")
        self.assertIn("G2 waits for: ", turns["qa"])
        self.pass_g2(release)
        self.assertTurns(release, "rm")
        self.move(release, "staging_acceptance")
        turns = self.assertTurns(release, "rm")
        self.assertIn("G3 waits for: ", turns["rm"])
        self.pass_g3(release)
        turns = self.assertTurns(release, "rm")
        self.assertIn(self.stages["production"].name, turns["rm"])
        self.move(release, "production")
        turns = self.assertTurns(release, "sre")
        self.assertIn("G4 waits for: ", turns["sre"])
        self.pass_g4(release)
        movers = set(self.turns(release))
        self.assertTrue(movers)
        self.move(release, "closed", user=self.users[movers.pop()])
        self.assertTurns(release)

    def test_a_summary_follows_what_is_still_lacking(self):
        release = self.bring_to(self.open_release(), "qa_validation")
        before = self.turns(release)["qa"]
        self.assertIn("(+", before)
        for type_code in ("acceptance_criteria", "defect_register", "test_result"):
            self.evidence(self.qa, release, type_code, "G2")
        activities = self.open_on(release, "your_turn")
        after = self.turns(release)["qa"]
        requirement = self.env.ref("ipai_release_gates.requirement_g2_qa_signoff")
        self.assertEqual(after, f"G2 waits for: {requirement.name}")
        self.assertEqual(self.open_on(release, "your_turn"), activities)

    def test_looking_again_changes_nothing(self):
        release = self.open_release()
        self.turns(release)
        rows = self.snapshot("mail_activity", "mail_message")
        for _run in range(2):
            release._mark_activities_due()
            self.turns(release)
        self.assertEqual(self.snapshot("mail_activity", "mail_message"), rows)

    def test_a_second_one_by_mistake_is_closed(self):
        release = self.open_release()
        self.turns(release)
        twin = self.open_on(release, "your_turn").copy()
        release._mark_activities_due()
        self.turns(release)
        self.assertFalse(twin.active)

    def test_what_is_over_is_closed_and_says_why(self):
        release = self.bring_to(self.open_release(), "qa_validation")
        self.turns(release)
        (mine,) = self.open_on(release, "your_turn")
        self.pass_g2(release)
        self.turns(release)
        self.assertFalse(mine.active)
        self.assertIn(self.stages["qa_validation"].name, mine.feedback)

    def test_a_cancelled_release_waits_for_nobody(self):
        release = self.open_release()
        self.assertTurns(release, "dev")
        release.with_user(self.rm).action_cancel()
        self.assertTurns(release)
        closed = self.closed_on(release, "your_turn")
        self.assertEqual(closed.mapped("feedback"), ["The release was cancelled."])

    def test_an_archived_release_waits_for_nobody_until_it_is_back(self):
        release = self.open_release()
        self.assertTurns(release, "dev")
        release.with_user(self.rm).active = False
        self.assertEqual(self.turns(release), {})
        release.with_user(self.rm).active = True
        self.assertTurns(release, "dev")

    def test_an_author_is_not_asked_to_sign(self):
        author = self.new_user("author", "group_qa_tester", email="dev@example.com")
        self.project.member_ids += author
        release = self.bring_to(self.open_release(), "qa_validation")
        self.assertEqual(set(self.turns(release)), {"qa", "author"})
        for type_code in ("acceptance_criteria", "defect_register", "test_result"):
            self.evidence(self.qa, release, type_code, "G2")
        # Evidence they may record; only the signature is left.
        self.assertTurns(release, "qa")

    def test_who_signed_is_not_asked_for_the_second_signature(self):
        self.project.member_ids += self.qa2
        self.env.ref("ipai_release_gates.requirement_g2_qa_signoff").min_count = 2
        release = self.bring_to_signatures()
        self.assertEqual(set(self.turns(release)), {"qa", "qa2"})
        self.sign(self.qa, release, "G2")
        self.assertEqual(set(self.turns(release)), {"qa2"})

    def bring_to_signatures(self):
        release = self.bring_to(self.open_release(), "qa_validation")
        for type_code in ("acceptance_criteria", "defect_register", "test_result"):
            self.evidence(self.qa, release, type_code, "G2")
        return release

    def test_neither_service_nor_archived_accounts_are_asked(self):
        service = self.new_user("service", "group_developer", "group_ci_service")
        gone = self.new_user("gone", "group_developer")
        self.project.member_ids += service | gone
        gone.active = False
        self.assertTurns(self.open_release(), "dev")

    def test_who_cannot_read_the_release_is_not_asked(self):
        outsider = self.new_user("outsider", "group_developer")
        release = self.open_release()
        self.project.member_ids -= self.dev
        release.with_user(self.rm).user_id = outsider
        self.assertFalse(release.with_user(outsider).has_access("read"))
        self.assertEqual(self.turns(release), {})

    def test_holders_outside_the_project_are_asked_when_none_is_in_it(self):
        self.project.member_ids -= self.qa
        release = self.bring_to(self.open_release(), "qa_validation")
        people = self.env["res.users"].search(
            [("login", "in", list(self.turns(release)))]
        )
        self.assertTrue(people)
        for user in people:
            self.assertTrue(release.with_user(user).needs_me)

    def test_of_many_holders_some_are_asked_the_owner_first(self):
        users = [self.new_user(f"dev{n}", "group_developer") for n in range(7)]
        for user in users:
            self.project.member_ids += user
        release = self.open_release()
        release.with_user(self.rm).user_id = users[-1]
        asked = set(self.turns(release))
        self.assertEqual(len(asked), activity.AT_MOST)
        self.assertIn(users[-1].login, asked)

    def test_the_activity_of_g4_is_due_with_the_confirmation(self):
        release = self.bring_to(self.open_release(), "production")
        self.turns(release)
        self.deploy(release)
        self.assertTurns(release, "sre")
        (mine,) = self.open_on(release, "your_turn")
        due = release.deployment_ids.confirmation_due_at
        self.assertEqual(mine.date_deadline, due.date())
        self.assertNotEqual(due.date(), self.env.cr.now().date())

    def test_a_freeze_alone_is_nobodys_turn(self):
        release = self.bring_to(self.open_release(), "staging_acceptance")
        self.pass_g3(release)
        self.assertTurns(release, "rm")
        now = self.env.cr.now()
        self.env["ipai.freeze.window"].create(
            {
                "name": "Holidays",
                "starts_at": now - timedelta(days=1),
                "ends_at": now + timedelta(days=1),
                "project_ids": [(6, 0, self.project.ids)],
            }
        )
        self.assertEqual(self.unmet(release, "G3"), {"G3:no_freeze"})
        self.assertEqual(self.turns(release), {})

    def test_an_exception_that_opens_the_gate_turns_to_the_mover(self):
        release = self.bring_to_signatures()
        self.assertTurns(release, "qa")
        self.grant(release)
        self.assertTurns(release, "rm")

    def test_only_releases_whose_turn_may_have_changed_are_looked_at(self):
        release = self.open_release()
        self.assertTrue(release.activities_due)
        self.check(release, "something")
        self.turns(release)
        self.assertFalse(release.activities_due)
        self.check(release, "something_else")
        self.assertFalse(release.activities_due)
        self.pass_g1(release)
        self.assertTrue(release.activities_due)

    def test_a_change_starts_the_scheduled_action_at_once_and_once(self):
        cron = self.env.ref("ipai_release_gates.ir_cron_activities")
        release = self.open_release()
        self.turns(release)
        triggers = self.env["ir.cron.trigger"].search([("cron_id", "=", cron.id)])
        self.pass_g1(release)
        self.env.cr.flush()
        started = self.env["ir.cron.trigger"].search([("cron_id", "=", cron.id)])
        self.assertTrue(started - triggers)
        release.system_write({"user_id": self.rm.id})
        release.system_write({"user_id": self.dev.id})
        self.env.cr.flush()
        again = self.env["ir.cron.trigger"].search([("cron_id", "=", cron.id)])
        self.assertEqual(len(again - started), 1)

    def test_who_leaves_loses_their_turn_the_next_day_at_the_latest(self):
        release = self.open_release()
        self.assertTurns(release, "dev")
        successor = self.new_user("successor", "group_developer")
        self.project.member_ids = [(3, self.dev.id), (4, successor.id)]
        self.run_cron("all_activities")
        self.assertEqual(set(self.turns(release)), {"successor"})

    def test_nobody_else_marks_or_settles(self):
        release = self.open_release()
        self.turns(release)
        with self.assertRaises(AccessError):
            release.with_user(self.rm).write({"activities_due": True})
        with self.assertRaises(AccessError):
            release.with_user(self.rm)._look_after_activities()

    def test_a_release_that_fails_costs_no_other(self):
        bad, good = self.open_release(), self.open_release()
        Release = type(self.env["ipai.release"])
        turns = Release._turns

        def failing(releases):
            if bad.id in releases.ids:
                raise ValueError("not this one")
            return turns(releases)

        with (
            patch.object(Release, "_turns", failing),
            self.assertLogs(
                "odoo.addons.ipai_release_gates.models.mixins.scheduled", "ERROR"
            ),
        ):
            self.run_cron()
        self.assertTrue(bad.activities_due)
        self.assertFalse(good.activities_due)
        self.assertEqual(self.open_on(good, "your_turn").user_id, self.dev)

    def test_a_summary_is_in_the_language_of_who_reads_it(self):
        self.env["res.lang"]._activate_lang("de_DE")
        stage = self.stages["qa_validation"]
        stage.with_context(lang="de_DE").name = "Abnahme durch QA"
        self.rm.lang = "de_DE"
        release = self.open_release()
        self.pass_g1(release)
        self.assertIn("Abnahme durch QA", self.turns(release)["rm"])

    def test_nobody_is_mailed_about_their_turn(self):
        release = self.open_release()
        mails = self.env["mail.mail"].search_count([])
        self.assertTurns(release, "dev")
        self.assertEqual(self.env["mail.mail"].search_count([]), mails)


@tagged("post_install", "-at_install")
class TestExceptionActivities(ActivityCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.release = cls.bring_to(cls.open_release(), "qa_validation")

    def request(self, user=None, **values):
        exception = (
            self.env["ipai.exception"]
            .with_user(user or self.dev)
            .create(self.exception_values(self.release, **values))
        )
        exception.action_request()
        return exception.sudo()

    def decide(self, exception, user, persona, decision="approved"):
        self.env["ipai.approval"].with_user(user).create(
            {
                "exception_id": exception.id,
                "persona_id": self.personas[persona].id,
                "decision": decision,
                "rationale_text": "Looked into it.",
            }
        )

    def asked(self, exception, name="exception_decide"):
        return set(self.open_on(exception, name).user_id.mapped("login"))

    def high(self, **values):
        return self.request(
            risk_level="high", compensating_controls="Watched by hand.", **values
        )

    def test_a_draft_asks_nobody(self):
        draft = self.env["ipai.exception"].with_user(self.dev)
        draft = draft.create(self.exception_values(self.release))
        self.assertEqual(self.asked(draft), set())

    def test_a_request_asks_every_persona_that_must_approve(self):
        exception = self.high()
        self.assertEqual(self.asked(exception), {"rm", "sre"})
        self.decide(exception, self.rm, "release_manager")
        self.assertEqual(self.asked(exception), {"sre"})
        self.decide(exception, self.sre, "sre")
        self.assertEqual(exception.state, "active")
        self.assertEqual(self.asked(exception), set())
        self.assertEqual(len(self.closed_on(exception, "exception_decide")), 2)

    def test_who_requested_is_not_asked_to_decide(self):
        self.project.member_ids += self.rm2
        self.assertEqual(self.asked(self.request(user=self.rm)), {"rm2"})

    def test_a_rejection_asks_nobody_any_more(self):
        exception = self.high()
        self.decide(exception, self.rm, "release_manager", "rejected")
        self.assertEqual(exception.state, "rejected")
        self.assertEqual(self.asked(exception), set())

    def test_a_request_that_is_withdrawn_asks_nobody_any_more(self):
        exception = self.high()
        exception.with_user(self.dev).action_close("Not needed.")
        self.assertEqual(self.asked(exception), set())

    def test_a_request_that_nobody_decided_in_time_asks_nobody_any_more(self):
        exception = self.request()
        self.assertEqual(self.asked(exception), {"rm"})
        with self.later(hours=41):
            exception._reject_undecided()
        self.assertEqual(self.asked(exception), set())

    def test_a_request_for_a_former_revision_asks_nobody_any_more(self):
        exception = self.high()
        self.release._revise(sha("newer"), ["dev@example.com"])
        self.release._update_activities()
        self.assertEqual(self.asked(exception), set())

    def test_a_request_on_a_cancelled_release_asks_nobody_any_more(self):
        exception = self.high()
        self.release.with_user(self.rm).action_cancel()
        self.release._update_activities()
        self.assertEqual(self.asked(exception), set())

    def remind(self, **values):
        exception = self.grant(self.release, **values)
        self.assertEqual(self.asked(exception, "exception_expires"), set())
        with self.later(hours=33):
            exception._remind()
        self.assertEqual(self.asked(exception, "exception_expires"), {"dev"})
        return exception

    def test_a_reminder_ends_with_the_exception(self):
        for end in ("expire", "revoke", "close"):
            with self.subTest(end=end), self.undone():
                exception = self.remind()
                if end == "expire":
                    with self.later(hours=41):
                        exception._expire()
                elif end == "revoke":
                    exception.with_user(self.rm).action_revoke("Not needed.")
                else:
                    exception.with_user(self.dev).action_close("Not needed.")
                self.assertEqual(self.asked(exception, "exception_expires"), set())

    def test_a_reminder_ends_with_the_extension_and_is_back_without_it(self):
        exception = self.remind()
        extension = exception.with_user(self.dev).action_extend(
            self.env.cr.now() + timedelta(days=4), "Still ill."
        )
        self.assertEqual(self.asked(exception, "exception_expires"), set())
        self.assertEqual(self.asked(extension), {"rm"})
        self.decide(extension, self.rm, "release_manager", "rejected")
        self.assertEqual(self.asked(exception, "exception_expires"), {"dev"})

    def emergency(self, **values):
        return self.grant(
            self.release,
            "G2",
            exception_type="emergency",
            compensating_controls="Watched by hand.",
            **values,
        )

    def test_the_review_is_asked_of_one_who_may_give_it(self):
        exception = self.emergency()
        (mine,) = self.open_on(exception, "exception_review")
        self.assertNotEqual(mine.user_id, exception.recorded_by_id)
        self.assertEqual(mine.date_deadline, exception.review_due_at.date())
        with self.later(hours=41):
            exception._expire()
        self.assertTrue(mine.active)
        exception.with_user(mine.user_id).action_complete_review("A disk was full.")
        self.assertFalse(mine.active)
        self.assertEqual(mine.feedback, "A disk was full.")

    def test_an_approver_who_left_is_not_asked_for_the_review(self):
        exception = self.emergency()
        self.assertEqual(self.asked(exception, "exception_review"), {"rm"})
        self.rm.active = False
        exception._update_activities()
        self.assertEqual(self.asked(exception, "exception_review"), {"sre"})

    def test_an_overdue_review_is_asked_of_all_who_may_give_it(self):
        exception = self.emergency()
        with self.later(days=5, seconds=1):
            exception._chase_review()
        self.assertEqual(self.asked(exception, "exception_review"), {"rm", "sre"})
        for summary in self.open_on(exception, "exception_review").mapped("summary"):
            self.assertIn("overdue", summary)

    def test_an_overdue_review_is_not_asked_of_who_requested_the_exception(self):
        self.project.member_ids += self.rm2
        exception = self.emergency(user=self.rm2)
        with self.later(days=5, seconds=1):
            exception._chase_review()
        self.assertEqual(self.asked(exception, "exception_review"), {"rm", "sre"})
