"""Separation of duties: authors and earlier signatories do not sign."""

from odoo.exceptions import AccessError, UserError

from ..common import GateCase, sha


class TestSeparationOfDuties(GateCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.release = cls.open_release("to be signed")

    def release_by(self, *authors):
        """A release whose revision has these authors."""
        return self.open_release(authors=list(authors))

    def refusal(self, user, release=None, gate="G2", persona=None, **more):
        """Why a signature is refused, over the façade and by ``create`` alike."""
        release = release or self.release
        persona = persona or {"G2": "qa_tester", "G3": "release_manager"}[gate]
        event = self.signoff_event(release, gate, persona, **more)
        answer = self.send(user, event)[0]
        self.assertEqual((answer["status"], answer["http_status"]), ("rejected", 403))
        self.assertEqual(answer["detail"]["code"], "forbidden")
        with self.assertRaises(AccessError):
            self.create_as(user, release, gate, persona)
        self.assertFalse(
            release.approval_ids.filtered_domain([("approver_id", "=", user.id)])
        )
        return answer["detail"]["message"]

    def create_as(self, user, release, gate, persona, **vals):
        return (
            self.env["ipai.approval"]
            .with_user(user)
            .create(
                {
                    "release_id": release.id,
                    "gate_id": self.gates[gate].id,
                    "persona_id": self.personas[persona].id,
                    "decision": "approved",
                    **vals,
                }
            )
        )

    # --- who may ---------------------------------------------------------------------

    def test_the_asked_persona_signs_and_the_authenticated_user_is_the_approver(self):
        answer = self.sign(self.qa, self.release, "G2", rationale_text="Tried it all")
        approval = self.release.approval_ids
        self.assertEqual(answer["detail"]["created"]["approvals"], approval.ids)
        self.assertEqual(approval.approver_id, self.qa)
        self.assertEqual(approval.recorded_by_id, self.qa)
        self.assertEqual(approval.revision_id, self.release.revision_id)
        self.assertFalse(approval.service_account)
        self.assertEqual(approval.rationale_text, "Tried it all")

    def test_a_decision_in_the_form_is_bound_like_one_over_the_facade(self):
        approval = self.create_as(self.qa, self.release, "G2", "qa_tester")
        self.assertEqual(approval.approver_id, self.qa)
        self.assertEqual(approval.revision_id, self.release.revision_id)
        self.assertEqual(approval.scope, "gate")
        self.assertNotIn("G2:qa_signoff", self.unmet(self.release))

    def test_who_does_not_hold_the_persona_cannot_sign(self):
        message = self.refusal(self.rm, persona="qa_tester")
        self.assertIn("does not hold the persona", message)
        self.refusal(self.qa, gate="G3", persona="release_manager")
        for login in ("dev", "sre", "auditor", "governance", "ci"):
            with self.subTest(role=login):
                self.refusal(self.users[login])

    def test_a_persona_the_gate_does_not_ask_for_cannot_sign_it(self):
        message = self.refusal(self.rm, gate="G2", persona="release_manager")
        self.assertIn("is not signed by", message)
        self.assertIn("QA", message)
        message = self.refusal(self.qa, gate="G1", persona="qa_tester")
        self.assertIn("no sign-off", message)

    def test_administrator_and_superuser_cannot_sign(self):
        admin = self.env.ref("base.user_admin")
        with self.assertRaises(AccessError):
            self.plane(admin).ingest(
                [self.signoff_event(self.release, "G2", "qa_tester")]
            )
        for user in (admin, self.env.ref("base.user_root")):
            with self.assertRaises(AccessError):
                self.create_as(user, self.release, "G2", "qa_tester")
        with self.assertRaises(AccessError):
            self.env["ipai.approval"].with_user(admin).sudo().create(
                {
                    "release_id": self.release.id,
                    "gate_id": self.gates["G2"].id,
                    "persona_id": self.personas["qa_tester"].id,
                    "decision": "approved",
                }
            )

    def test_a_service_account_cannot_sign_whatever_groups_it_holds(self):
        robot = self.new_user("robot", "group_ci_service", "group_qa_tester")
        message = self.refusal(robot)
        self.assertIn("service account", message)

    def test_a_signature_of_an_account_that_became_a_service_account_keeps_counting(
        self,
    ):
        # What counts is what the signatory was when signing.
        self.sign(self.qa, self.release, "G2")
        self.qa.group_ids += self.env.ref("ipai_release_gates.group_ci_service")
        self.assertNotIn("G2:qa_signoff", self.unmet(self.release))

    # --- authors ---------------------------------------------------------------------

    def test_an_author_known_by_email_cannot_sign(self):
        message = self.refusal(self.qa, self.release_by("QA@Example.com"))
        self.assertIn("is an author", message)

    def test_an_author_known_by_login_cannot_sign(self):
        user = self.new_user(
            "tester@git.example.com", "group_qa_tester", email="t@example.com"
        )
        message = self.refusal(user, self.release_by("tester@git.example.com"))
        self.assertIn("is an author", message)

    def test_an_author_known_by_alias_cannot_sign(self):
        self.env["ipai.author.alias"].create(
            {"email": " Quinn@Users.noreply.example.com ", "user_id": self.qa.id}
        )
        release = self.release_by("quinn@users.noreply.example.com")
        self.assertIn("is an author", self.refusal(self.qa, release))
        self.sign(self.qa2, release, "G2")
        self.assertNotIn("G2:qa_signoff", self.unmet(release))

    def test_every_author_and_committer_is_barred_not_only_the_first(self):
        release = self.release_by("dev@example.com", "qa@example.com", "rm@example.com")
        self.refusal(self.qa, release)
        self.refusal(self.rm, release, "G3")
        self.sign(self.qa2, release, "G2")
        self.sign(self.rm2, release, "G3")

    def test_an_author_who_opened_nothing_is_barred_and_the_opener_is_not(self):
        release = self.open_release("by manager", user=self.rm)
        self.sign(self.rm, release, "G3")
        self.assertNotIn("G3:rm_signoff", self.unmet(release))

    def test_a_developer_who_records_a_commit_by_hand_counts_as_its_author(self):
        both = self.new_user("both", "group_developer", "group_qa_tester")
        self.project.member_ids += both
        release = self.open_release("for somebody else", user=both)
        self.assertIn("is an author", self.refusal(both, release))
        self.sign(self.qa, release, "G2")

    def test_an_archived_account_of_an_author_is_still_known(self):
        self.new_user("gone").active = False
        release = self.release_by("gone@example.com")
        self.sign(self.qa, release, "G2")
        self.assertNotIn("G2:qa_signoff", self.unmet(release))

    def test_another_account_with_the_authors_email_is_the_author(self):
        twin = self.new_user("twin", "group_qa_tester", email="DEV@example.com")
        self.assertIn("is an author", self.refusal(twin, self.release))

    def test_an_account_whose_email_is_written_with_a_name_is_the_author_too(self):
        for number, email in enumerate(
            ("Dana <dev@example.com>", '"Dana, D." <DEV@example.com>')
        ):
            twin = self.new_user(f"twin{number}", "group_qa_tester", email=email)
            with self.subTest(email=email):
                self.assertIn("is an author", self.refusal(twin, self.release))

    def test_an_account_of_the_person_behind_an_alias_is_the_author_too(self):
        self.env["ipai.author.alias"].create(
            {"email": "dana@git.example.com", "user_id": self.dev.id}
        )
        twin = self.new_user("twin", "group_qa_tester", email="dev@example.com")
        self.refusal(twin, self.release_by("dana@git.example.com"))

    def test_an_author_stays_one_when_the_account_changes_its_email(self):
        release = self.release_by("qa@example.com")
        self.qa.email = "somebody-else@example.com"
        self.env.flush_all()
        # The address is nobody's any more; the account was known as the author's.
        self.env["ipai.author.alias"].create(
            {"email": "qa@example.com", "user_id": self.dev.id}
        )
        self.assertIn("is an author", self.refusal(self.qa, release))

    def test_an_author_nobody_knows_blocks_and_an_alias_unblocks(self):
        release = self.release_by("stranger@example.org")
        message = self.refusal(self.qa, release)
        self.assertIn("No user is known for author stranger@example.org", message)
        self.env["ipai.author.alias"].with_user(self.governance).create(
            {"email": "stranger@example.org", "user_id": self.dev.id}
        )
        self.sign(self.qa, release, "G2")
        self.assertNotIn("G2:qa_signoff", self.unmet(release))

    def test_an_author_who_becomes_unknown_closes_the_gate_again(self):
        alias = self.env["ipai.author.alias"].create(
            {"email": "stranger@example.org", "user_id": self.dev.id}
        )
        release = self.release_by("stranger@example.org")
        self.sign(self.qa, release, "G2")
        self.assertNotIn("G2:qa_signoff", self.unmet(release))
        alias.with_user(self.governance).unlink()
        self.assertIn("G2:qa_signoff", self.unmet(release))
        self.assertIn(
            "stranger@example.org", self.reason_of(release, "G2", "qa_signoff")
        )
        self.assertNotEqual(self.status(release, "G2"), "passed")

    def test_an_alias_that_makes_the_signatory_an_author_closes_the_gate(self):
        alias = self.env["ipai.author.alias"].create(
            {"email": "stranger@example.org", "user_id": self.dev.id}
        )
        release = self.release_by("stranger@example.org")
        self.sign(self.qa, release, "G2")
        alias.with_user(self.governance).user_id = self.qa
        self.assertIn("G2:qa_signoff", self.unmet(release))
        self.status(release, "G2")

    def test_a_release_without_authors_cannot_be_opened(self):
        for authors in ([], [""], ["nobody"], None, "dev@example.com"):
            with self.subTest(authors=authors), self.assertRaises(UserError):
                self.open_release(authors=authors)

    # --- one gate's signatory and another's ------------------------------------------

    def test_the_signatory_of_g2_cannot_sign_g3(self):
        both = self.new_user("both", "group_qa_tester", "group_release_manager")
        self.sign(both, self.release, "G2")
        answer = self.send(
            both, self.signoff_event(self.release, "G3", "release_manager")
        )[0]
        self.assertEqual(answer["http_status"], 403)
        self.assertIn("signed G2", answer["detail"]["message"])
        self.sign(self.rm, self.release, "G3")

    def test_the_signatory_of_g3_who_signs_g2_later_does_not_count_for_both(self):
        both = self.new_user("both", "group_qa_tester", "group_release_manager")
        self.sign(both, self.release, "G3")
        self.assertNotIn("G3:rm_signoff", self.unmet(self.release))
        self.sign(both, self.release, "G2")
        self.assertIn("G3:rm_signoff", self.unmet(self.release))
        self.assertIn("G2", self.reason_of(self.release, "G3", "rm_signoff"))

    def test_two_accounts_with_one_email_are_one_person(self):
        first = self.new_user("first", "group_qa_tester", email="p@example.com")
        self.sign(first, self.release, "G2")
        emails = ("P@example.com", " p@example.com ", "Pat <p@example.com>")
        for number, email in enumerate(emails):
            second = self.new_user(f"rm-{number}", "group_release_manager", email=email)
            with self.subTest(email=email):
                self.assertIn("signed G2", self.refusal(second, gate="G3"))

    def test_two_accounts_with_one_email_count_once(self):
        requirement = self.env.ref("ipai_release_gates.requirement_g2_qa_signoff")
        requirement.min_count = 2
        for login in ("one", "two"):
            user = self.new_user(login, "group_qa_tester", email="p@example.com")
            self.sign(user, self.release, "G2")
        self.assertIn("G2:qa_signoff", self.unmet(self.release))
        self.sign(self.qa, self.release, "G2")
        self.assertNotIn("G2:qa_signoff", self.unmet(self.release))

    def test_who_rejected_g2_may_not_be_taken_for_its_signatory(self):
        both = self.new_user("both", "group_qa_tester", "group_release_manager")
        self.sign(both, self.release, "G2", "rejected")
        self.sign(both, self.release, "G3")
        self.assertNotIn("G3:rm_signoff", self.unmet(self.release))

    def test_who_withdrew_a_signature_on_g2_may_sign_g3(self):
        both = self.new_user("both", "group_qa_tester", "group_release_manager")
        self.sign(both, self.release, "G2")
        self.sign(both, self.release, "G2", "rejected")
        self.sign(both, self.release, "G3")
        self.assertNotIn("G3:rm_signoff", self.unmet(self.release))

    # --- rejections ------------------------------------------------------------------

    def test_a_rejection_blocks_until_the_same_person_approves(self):
        for decision in ("rejected", "request_changes"):
            with self.subTest(decision=decision), self.undone():
                self.sign(self.qa, self.release, "G2", decision)
                self.sign(self.qa2, self.release, "G2")
                self.assertIn("G2:qa_signoff", self.unmet(self.release))
                self.assertEqual(self.status(self.release, "G2"), "failed")
                reason = self.reason_of(self.release, "G2", "qa_signoff")
                self.assertIn(f"`{decision}`", reason)
                self.sign(self.qa, self.release, "G2")
                self.assertNotIn("G2:qa_signoff", self.unmet(self.release))

    def test_a_later_rejection_takes_an_approval_back(self):
        self.sign(self.qa, self.release, "G2")
        self.sign(self.qa, self.release, "G2", "rejected")
        self.assertIn("G2:qa_signoff", self.unmet(self.release))
        older, newer = self.release.approval_ids.sorted("id")
        self.assertEqual((older.is_superseded, newer.is_superseded), (True, False))

    def test_a_new_revision_ends_a_rejection(self):
        self.sign(self.qa, self.release, "G2", "rejected")
        self.release.with_user(self.rm).write({"source_ref": sha("mended")})
        self.sign(self.qa2, self.release, "G2")
        self.assertNotIn("G2:qa_signoff", self.unmet(self.release))

    # --- forgery ---------------------------------------------------------------------

    def test_an_approver_in_the_values_is_refused(self):
        for forged in (
            {"approver_id": self.qa2.id},
            {"recorded_by_id": self.qa2.id},
            {"recorded_at": "2020-01-01"},
            {"revision_id": self.release.revision_id.id},
            {"service_account": False},
            {"source_system": "agent"},
            {"scope": "release"},
        ):
            with self.subTest(forged=forged), self.assertRaises(AccessError):
                self.create_as(self.qa, self.release, "G2", "qa_tester", **forged)

    def test_an_approver_in_the_context_is_ignored(self):
        approvals = self.env["ipai.approval"].with_user(self.qa)
        approval = approvals.with_context(
            default_approver_id=self.qa2.id,
            default_service_account=True,
            default_recorded_at="2020-01-01",
        ).create(
            {
                "release_id": self.release.id,
                "gate_id": self.gates["G2"].id,
                "persona_id": self.personas["qa_tester"].id,
                "decision": "approved",
            }
        )
        self.assertEqual(approval.approver_id, self.qa)
        self.assertFalse(approval.service_account)
        self.assertEqual(approval.recorded_at.year, self.env.cr.now().year)

    def test_an_event_that_names_an_approver_is_refused(self):
        for key in ("approver", "approver_id", "user_id", "on_behalf_of", "email"):
            event = self.signoff_event(
                self.release, "G2", "qa_tester", **{key: self.qa2.id}
            )
            answer = self.send(self.qa, event)[0]
            self.assertEqual(answer["detail"]["code"], "identity_in_payload")
            self.assertEqual(answer["http_status"], 400)
        self.assertFalse(self.release.approval_ids)

    def test_a_refused_signature_leaves_a_trace_in_the_ledger_of_the_release(self):
        hooks = self.env.cr.postcommit, self.env.cr.postrollback
        before = [len(hook._funcs) for hook in hooks]
        self.send(self.rm, self.signoff_event(self.release, "G2", "qa_tester"))
        after = [len(hook._funcs) for hook in hooks]
        self.assertEqual(after[0], before[0] + 1)
        self.assertGreater(after[1], before[1])
