"""Chains are verified on request and every night; what is wrong is found and named."""

from odoo.exceptions import AccessError
from odoo.tools import SQL, mute_logger

from ... import ledger
from ...models.release import (
    ledger_comparison,
    ledger_verification_nightly,
)
from ..common import ROLES, GateCase, sha

LOGGER = ledger_verification_nightly.__name__
COMPARISON_LOGGER = ledger_comparison.__name__


class VerificationCase(GateCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.release = cls.open_release("verified")
        cls.bring_to(cls.release, "staging_acceptance")
        cls.release.invalidate_recordset()
        cls.verifications = cls.env["ipai.ledger.verification"]

    def tamper(self, query, *params, table="ipai_ledger_entry"):
        """Run a statement as somebody with the database in hand."""
        self.env.flush_all()
        # What the owner of the table can do where a superuser would set
        # session_replication_role.
        self.env.cr.execute(
            SQL("ALTER TABLE %s DISABLE TRIGGER USER", SQL.identifier(table))
        )
        with mute_logger("odoo.sql_db"):
            self.env.cr.execute(SQL(query, *params))
        self.assertTrue(self.env.cr.rowcount)
        self.env.invalidate_all()

    def verify(self, release=None, user=None):
        """What the button on a release finds."""
        release = release or self.release
        answer = release.with_user(user or self.auditor).action_verify_ledger()
        latest = self.verifications.search([("release_id", "=", release.id)], limit=1)
        self.assertEqual(latest.user_id, user or self.auditor)
        if latest.result == "faulty":
            self.assertEqual(
                (answer["res_model"], answer["res_id"]), (latest._name, latest.id)
            )
        else:
            self.assertEqual(answer["tag"], "display_notification")
        return latest

    def faults(self, release=None):
        found = self.verify(release)
        faults = found.faults or []
        self.assertEqual(found.fault_count, len(faults))
        for fault in faults:
            self.assertIn(fault["message"], found.fault_text)
        return [(fault["code"], fault["sequence"]) for fault in faults]

    def messages(self, release=None):
        return self.verify(release).fault_text or ""


class TestVerification(VerificationCase):
    # --- sound -----------------------------------------------------------------------

    def test_a_sound_chain_says_how_many_entries_it_has(self):
        found = self.verify()
        self.assertEqual(found.result, "sound")
        self.assertEqual(found.entry_count, self.release.ledger_sequence)
        answer = self.release.with_user(self.rm).action_verify_ledger()
        self.assertIn(str(found.entry_count), answer["params"]["message"])

    def test_whatever_happens_to_a_release_its_chain_agrees_with_it(self):
        release = self.open_release("lived", authors=["dev@example.com"])
        same = self.open_release("same", source_ref=release.source_ref)
        same.with_user(self.rm).write(
            {"author_emails": "dev@example.com, rm2@example.com"}
        )
        late = self.open_release("late", source_ref=release.source_ref)
        self.assertIn("rm2@example.com", late.author_emails)
        self.check(late, "lint", "fail")
        self.bring_to(release, "production")
        deployment = self.deploy(release, "in_progress", external_id="d9")
        self.deploy(release, "succeeded", external_id="d9")
        self.assertEqual(deployment.status, "succeeded")
        incident = (
            self.env["ipai.incident"]
            .with_user(self.sre)
            .create({"release_id": release.id, "name": "Down"})
        )
        incident.action_resolve()
        self.move(release, "qa_validation", reason="Again")
        self.move(release, "production")
        late.with_user(self.rm).write({"source_ref": sha("other")})
        same.with_user(self.rm).action_cancel()
        self.pass_g4(release)
        self.move(release, "closed")
        for each in (release, same, late):
            with self.subTest(release=each.name):
                self.assertEqual(self.messages(each), "")

    def test_a_stage_that_was_given_another_code_is_no_fault(self):
        self.stages["staging_acceptance"].write({"code": "acceptance"})
        self.assertEqual(self.faults(), [])

    def test_a_chain_longer_than_a_chunk_is_read_whole(self):
        self.patch(ledger_comparison, "_CHUNK", 4)
        self.assertGreater(self.release.ledger_sequence, 12)
        self.assertEqual(self.verify().entry_count, self.release.ledger_sequence)
        self.assertEqual(self.faults(), [])

    # --- tampering -------------------------------------------------------------------

    def of(self, sequence):
        return SQL("release_id = %s AND sequence = %s", self.release.id, sequence)

    def test_a_changed_row_is_named(self):
        for change in (
            "body = '{}'",
            "body = ' ' || body",
            "body = 'no json'",
            "actor = 'qa2'",
            "kind = 'incident'",
            "subject = 'x,1'",
            "recorded_at = recorded_at - interval '1 day'",
        ):
            with self.subTest(change=change), self.undone():
                self.tamper(
                    "UPDATE ipai_ledger_entry SET %s WHERE %s", SQL(change), self.of(3)
                )
                self.assertEqual(self.faults(), [("changed", 3)])
                self.assertIn("Row 3 ", self.messages())

    def test_a_deleted_row_is_named(self):
        last = self.release.ledger_sequence
        for sequence in (1, 4, last):
            with self.subTest(sequence=sequence), self.undone():
                self.tamper("DELETE FROM ipai_ledger_entry WHERE %s", self.of(sequence))
                self.assertEqual(self.faults(), [("missing", sequence)])
                self.assertIn(f"Row {sequence} is missing", self.messages())

    def test_two_swapped_rows_are_named(self):
        with self.undone():
            self.tamper(
                "UPDATE ipai_ledger_entry a SET body = b.body, kind = b.kind,"
                " actor = b.actor, subject = b.subject, hash = b.hash,"
                " previous_hash = b.previous_hash FROM ipai_ledger_entry b"
                " WHERE a.release_id = %s AND b.release_id = a.release_id"
                " AND a.sequence IN (2, 3) AND b.sequence = 5 - a.sequence",
                self.release.id,
            )
            self.assertEqual(self.faults(), [("moved", 2), ("moved", 3)])

    def test_a_rewritten_tail_is_found_by_the_head(self):
        rows, _faults = self.verifications._read_chain(
            self.release.uuid, self.release.id
        )
        former = rows[-2]
        draft = ledger.Draft(
            **{
                name: rows[-1][name]
                for name in ("chain", "kind", "actor", "occurred_at", "subject")
            },
            body={**rows[-1]["body"], "reason": "as agreed"},
        )
        (entry,) = ledger.extend(
            former["sequence"], former["hash"], [draft], ledger.CORE
        )
        with self.undone():
            self.tamper(
                "UPDATE ipai_ledger_entry SET body = %s, hash = %s WHERE %s",
                ledger.canonical_json(entry.body).decode(),
                entry.hash,
                self.of(entry.sequence),
            )
            self.assertEqual(self.faults(), [("head", entry.sequence)])

    def test_a_release_changed_behind_the_ledger_is_noticed(self):
        production = self.stages["production"].id
        stranger = SQL("'[\"x@example.com\"]'::jsonb")
        for query, *params in (
            ("UPDATE ipai_release SET stage_id = %s", production),
            ("UPDATE ipai_release SET status = 'cancelled'",),
            ("UPDATE ipai_release SET source_ref = %s", sha("forged")),
            (
                "UPDATE ipai_revision SET source_ref = %s",
                sha("forged"),
            ),
            ("UPDATE ipai_revision SET author_emails = %s", stranger),
        ):
            column = "release_id" if "ipai_revision" in query else "id"
            with self.subTest(query=query), self.undone():
                self.env.flush_all()
                self.env.cr.execute(
                    SQL(
                        query + " WHERE %s = %s",
                        *params,
                        SQL.identifier(column),
                        self.release.id,
                    )
                )
                self.env.invalidate_all()
                self.assertEqual({code for code, _at in self.faults()}, {"record"})

    def test_a_fact_the_ledger_does_not_know_or_knows_otherwise_is_named(self):
        approval, check = self.release.approval_ids[0], self.release.check_ids[0]
        with self.undone():
            self.env.cr.execute(
                "INSERT INTO ipai_approval (release_id, revision_id, gate_id,"
                " persona_id, approver_id, scope, decision, source_system,"
                " recorded_by_id, recorded_at)"
                " SELECT release_id, revision_id, %s, %s, %s, scope, decision,"
                " source_system, %s, recorded_at FROM ipai_approval WHERE id = %s"
                " RETURNING id",
                [
                    self.gates["G3"].id,
                    self.personas["release_manager"].id,
                    self.rm.id,
                    self.rm.id,
                    approval.id,
                ],
            )
            (forged,) = self.env.cr.fetchone()
            self.assertIn(f"does not know ipai.approval,{forged}", self.messages())
        with self.undone():
            self.tamper(
                "UPDATE ipai_approval SET decision = 'rejected' WHERE id = %s",
                approval.id,
                table="ipai_approval",
            )
            self.assertIn(f"ipai.approval,{approval.id} is rejected", self.messages())
        with self.undone():
            self.tamper(
                "DELETE FROM ipai_approval WHERE id = %s",
                approval.id,
                table="ipai_approval",
            )
            self.assertIn(f"ipai.approval,{approval.id} is in", self.messages())
        with self.undone():
            self.tamper(
                "UPDATE ipai_check SET status = 'fail' WHERE id = %s",
                check.id,
                table="ipai_check",
            )
            self.assertIn(f"ipai.check,{check.id} is fail", self.messages())

    # --- governance ------------------------------------------------------------------

    def test_the_governance_chain_is_verified_by_those_who_read_it(self):
        for login in ROLES:
            entries = self.env["ipai.ledger.entry"].with_user(self.users[login])
            with self.subTest(role=login):
                if login in ("rm", "auditor", "governance"):
                    answer = entries.action_verify_governance()
                    self.assertEqual(answer["params"]["type"], "success")
                else:
                    with self.assertRaises(AccessError):
                        entries.action_verify_governance()

    def test_tampering_with_governance_is_named(self):
        with self.undone():
            self.tamper(
                "UPDATE ipai_ledger_entry SET body = '{}'"
                " WHERE release_id IS NULL AND sequence = 5"
            )
            answer = (
                self.env["ipai.ledger.entry"]
                .with_user(self.auditor)
                .action_verify_governance()
            )
            found = self.verifications.browse(answer["res_id"])
            self.assertEqual(
                found.fault_text, "Row 5 was changed after it was written."
            )
            found.with_user(self.auditor).read(["fault_text"])
            self.assertFalse(
                self.verifications.with_user(self.sre).search(
                    [("scope", "=", "governance")]
                )
            )
        with self.undone():
            self.tamper(
                "UPDATE ipai_ledger_head SET sequence = sequence - 1",
                table="ipai_ledger_head",
            )
            found = self.verifications.with_user(self.auditor)._verify_governance()
            self.assertEqual([f["code"] for f in found.faults], ["head"])

    # --- who may ---------------------------------------------------------------------

    def test_only_readers_of_the_ledger_verify_it(self):
        for login in ROLES:
            mine = self.release.with_user(self.users[login])
            with self.subTest(role=login):
                if login in ("rm", "sre", "auditor", "governance"):
                    self.assertTrue(mine.action_verify_ledger())
                else:
                    with self.assertRaises(AccessError):
                        mine.action_verify_ledger()

    def test_a_release_of_a_foreign_company_is_not_verified(self):
        self.project.company_id = self.env["res.company"].create({"name": "Elsewhere"})
        self.env.flush_all()
        self.env.invalidate_all()
        with self.assertRaises(AccessError):
            self.release.with_user(self.auditor).action_verify_ledger()

    def test_nobody_makes_changes_or_deletes_a_verification(self):
        found = self.verify()
        vals = {
            "scope": "all",
            "user_id": self.rm.id,
            "started_at": self.env.cr.now(),
            "result": "sound",
        }
        users = [*self.users.values(), self.env.ref("base.user_admin")]
        for mine in [*(found.with_user(user) for user in users), found.sudo()]:
            for attempt in (
                lambda m=mine: m.create(vals),
                lambda m=mine: m.write({"result": "sound"}),
                lambda m=mine: m.unlink(),
                lambda m=mine: m.copy(),
            ):
                with self.assertRaises(AccessError):
                    attempt()

    def test_verifying_moves_nothing(self):
        before = self.snapshot("ipai_release", "ipai_ledger_entry", "ipai_ledger_head")
        self.verify()
        self.verifications.with_user(self.rm)._verify_governance()
        after = self.snapshot("ipai_release", "ipai_ledger_entry", "ipai_ledger_head")
        self.assertEqual(after, before)


class TestNightlyVerification(VerificationCase):
    def night(self):
        """One run of the scheduled action; what it verified."""
        cron = self.env.ref("ipai_release_gates.ir_cron_verify_ledger")
        with self.enter_registry_test_mode():
            cron.method_direct_trigger()
        self.env.invalidate_all()
        return self.verifications.search([("scope", "=", "all")], limit=1)

    def alerts(self):
        return self.env["mail.message"].search(
            [("model", "=", "ipai.ledger.verification")]
        )

    def test_every_chain_is_verified_in_batches(self):
        self.patch(ledger_verification_nightly, "_BATCH", 2)
        for number in range(5):
            self.open_release(f"night {number}")
        archived = self.open_release("archived")
        archived.with_user(self.rm).action_archive()
        run = self.night()
        releases = self.env["ipai.release"].with_context(active_test=False)
        self.assertEqual(run.chain_count, releases.search_count([]) + 1)
        entries = self.env["ipai.ledger.entry"].search_count([])
        self.assertEqual(run.entry_count, entries)
        self.assertEqual((run.result, run.fault_count), ("sound", 0))
        self.assertTrue(run.finished_at)
        self.assertFalse(self.alerts())

    def test_a_run_that_was_cut_off_goes_on_where_it_stopped(self):
        others = self.env["ipai.release"]
        for number in range(3):
            others += self.open_release(f"night {number}")
        run = self.verifications._begin_run()
        run._verify_batch(others[0])
        seen = []
        inspect = type(self.verifications)._inspect_release

        def spy(records, release):
            seen.append(release.id)
            return inspect(records, release)

        self.patch(type(self.verifications), "_inspect_release", spy)
        self.assertEqual(self.night(), run)
        self.assertEqual(seen, others[1:].ids)
        self.assertEqual((run.chain_count, run.result), (4, "sound"))
        self.assertNotEqual(self.night(), run)

    def test_faults_are_told_once_to_auditors_and_governance_and_logged_each_night(
        self,
    ):
        other = self.open_release("other")
        self.tamper("DELETE FROM ipai_ledger_entry WHERE release_id = %s", other.id)
        self.tamper(
            "UPDATE ipai_ledger_entry SET body = '{}'"
            " WHERE release_id IS NULL AND sequence = 5"
        )
        with self.assertLogs(LOGGER, "ERROR") as logged:
            run = self.night()
        self.assertEqual((run.result, run.fault_count), ("faulty", 2))
        self.assertEqual(
            set(run.faulty_ids.mapped(lambda v: (v.scope, v.release_id.id))),
            {("governance", False), ("release", other.id)},
        )
        text = " ".join(logged.output)
        self.assertIn(other.uuid, text)
        self.assertIn("governance", text)
        told = self.alerts()
        self.assertEqual(len(told), 2)
        partners = told.notified_partner_ids
        self.assertIn(self.auditor.partner_id, partners)
        self.assertIn(self.governance.partner_id, partners)
        self.assertNotIn(self.rm.partner_id, partners)
        self.assertTrue(any("Row 5 was changed" in str(m.body) for m in told))

        with self.assertLogs(LOGGER, "ERROR"):
            again = self.night()
        self.assertEqual(again.fault_count, 2)
        self.assertEqual(self.alerts(), told)

        self.tamper(
            "UPDATE ipai_ledger_entry SET body = '{}'"
            " WHERE release_id IS NULL AND sequence = 6"
        )
        with self.assertLogs(LOGGER, "ERROR"):
            self.night()
        self.assertEqual(len(self.alerts()), 3)

    def test_whoever_cannot_see_the_company_is_not_told_of_its_release(self):
        company = self.env["res.company"].create({"name": "Elsewhere"})
        self.project.company_id = company
        local = self.new_user(
            "local",
            "group_auditor",
            company_id=company.id,
            company_ids=[(6, 0, company.ids)],
        )
        self.tamper(
            "DELETE FROM ipai_ledger_entry WHERE release_id = %s AND sequence = 2",
            self.release.id,
        )
        with self.assertLogs(LOGGER, "ERROR"):
            self.night()
        self.assertEqual(self.alerts().notified_partner_ids, local.partner_id)

    def test_a_chain_that_cannot_be_judged_holds_up_no_other(self):
        later = self.open_release("later")
        self.tamper(
            "UPDATE ipai_revision SET author_emails = '[1, \"x\"]' WHERE id = %s",
            self.release.revision_id.id,
            table="ipai_revision",
        )
        with (
            self.assertLogs(LOGGER, "ERROR"),
            self.assertLogs(COMPARISON_LOGGER, "ERROR"),
        ):
            run = self.night()
        self.assertEqual(run.last_release_id, later.id)
        self.assertEqual(run.faulty_ids.release_id, self.release)
        self.assertIn("cannot be judged", run.faulty_ids.fault_text)

    def test_entries_of_a_release_that_is_gone_are_found(self):
        self.env.cr.execute(
            "ALTER TABLE ipai_ledger_entry"
            " DROP CONSTRAINT ipai_ledger_entry_release_id_fkey"
        )
        other = self.open_release("other")
        gone = 10**9
        self.tamper(
            "UPDATE ipai_ledger_entry SET release_id = %s WHERE release_id = %s",
            gone,
            other.id,
        )
        with self.assertLogs(LOGGER, "ERROR"):
            run = self.night()
        told = run.faulty_ids.filtered(lambda v: v.scope == "governance")
        self.assertIn(f"ipai.release,{gone} is in the ledger", told.fault_text)

    def test_a_head_that_is_gone_is_a_fault(self):
        self.tamper("DELETE FROM ipai_ledger_head", table="ipai_ledger_head")
        with self.assertLogs(LOGGER, "ERROR"):
            run = self.night()
        self.assertEqual(run.faulty_ids.scope, "governance")
        self.assertIn("The head is at row 0", run.faulty_ids.fault_text)

    def test_the_run_takes_a_bounded_number_of_queries_per_chain(self):
        run = self.verifications._begin_run()
        releases = self.env["ipai.release"]
        for number in range(10):
            releases += self.open_release(f"night {number}")
        self.env.flush_all()
        before = self.env.cr.sql_log_count
        run._verify_batch(releases)
        self.assertLessEqual(self.env.cr.sql_log_count - before, 10 * 5 + 5)
