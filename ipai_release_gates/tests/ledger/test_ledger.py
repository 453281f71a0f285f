"""The ledger tells the whole story, in a chain that shows what was done to it."""

import json

from odoo.exceptions import AccessError
from odoo.tools import SQL, mute_logger

from ... import ledger
from ..common import ROLES, GateCase, sha


class TestLedger(GateCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.release = cls.open_release("told")
        cls.bring_to(cls.release, "production")

    def rows(self, release=None):
        """The chain as the database has it, in the fields of ``ledger.Entry``."""
        release = release or self.release
        self.env.flush_all()
        self.env.cr.execute(
            "SELECT sequence, kind, actor, occurred_at, subject, body, previous_hash,"
            " hash FROM ipai_ledger_entry WHERE release_id = %s ORDER BY sequence",
            [release.id],
        )
        names = [column.name for column in self.env.cr.description]
        rows = [dict(zip(names, row, strict=True)) for row in self.env.cr.fetchall()]
        return [
            {**row, "chain": release.uuid, "body": json.loads(row["body"])}
            for row in rows
        ]

    def faults(self, release=None):
        """What the verifier finds wrong with a chain."""
        release = release or self.release
        rows = self.rows(release)
        release.invalidate_recordset()
        head = (release.ledger_sequence, release.ledger_hash)
        return [(fault.code, fault.sequence) for fault in ledger.verify(rows, head)]

    def kinds(self, release=None):
        return [row["kind"] for row in self.rows(release)]

    # --- the chain -------------------------------------------------------------------

    def test_the_chain_of_a_whole_life_verifies(self):
        self.deploy(self.release, "failed")
        self.evidence(self.rm, self.release, "reference")
        self.pass_g4(self.release)
        self.move(self.release, "closed")
        rows = self.rows()
        self.assertEqual(self.faults(), [])
        self.assertEqual(
            [row["sequence"] for row in rows], list(range(1, len(rows) + 1))
        )
        self.assertEqual(rows[0]["previous_hash"], ledger.GENESIS)
        self.assertEqual(self.release.ledger_sequence, len(rows))
        self.assertEqual(self.release.ledger_hash, rows[-1]["hash"])

    def test_the_story_can_be_told_from_the_chain_alone(self):
        self.pass_g4(self.release)
        self.move(self.release, "closed")
        story = ledger.rebuild(self.rows(), ledger.CORE)
        self.assertEqual((story.project, story.name), ("acme/shop", "told"))
        self.assertEqual(story.stage, "closed")
        self.assertEqual(story.source_ref, self.release.source_ref)
        self.assertEqual(
            {code: gate.status for code, gate in story.gates.items()},
            dict.fromkeys(("G1", "G2", "G3", "G4"), "passed"),
        )
        self.assertEqual(
            [(m.origin, m.target, m.actor) for m in story.moves if m.allowed],
            [
                ("build", "qa_validation", "rm"),
                ("qa_validation", "staging_acceptance", "rm"),
                ("staging_acceptance", "production", "rm"),
                ("production", "closed", "rm"),
            ],
        )

    def test_two_releases_have_two_chains(self):
        other = self.open_release("other")
        before = self.rows()
        self.check(other, "lint")
        self.assertEqual(self.rows(), before)
        self.assertEqual(self.faults(other), [])

    def test_each_entry_moves_the_row_that_serialises_the_release(self):
        version = self.release.fact_version
        self.check(self.release, "lint")
        self.release.invalidate_recordset()
        self.assertGreater(self.release.fact_version, version)

    def test_recording_in_bulk_chains_every_fact(self):
        release = self.open_release("bulk")
        self.must_send(
            self.ci,
            *(
                self.ci_event(
                    "check_result", {"name": f"c{number}", "status": "pass"}, release
                )
                for number in range(20)
            ),
        )
        self.assertEqual(self.kinds(release), ["release_opened"] + ["check"] * 20)
        self.assertEqual(self.faults(release), [])

    # --- kinds -----------------------------------------------------------------------

    def added(self, happen, release=None):
        """The kinds of the entries that something adds, and the last body of each."""
        count = len(self.rows(release))
        happen()
        rows = self.rows(release)[count:]
        self.assertEqual(self.faults(release), [])
        return {row["kind"]: row["body"] for row in rows}

    def test_every_happening_has_its_kind(self):
        release = self.open_release("happenings")
        self.assertEqual(self.kinds(release), ["release_opened"])
        opened = self.rows(release)[0]
        self.assertEqual(opened["actor"], "ci")
        self.assertEqual(opened["body"]["authors"], ["dev@example.com"])
        self.assertEqual(opened["body"]["source_ref"], release.source_ref)

        added = self.added(lambda: self.check(release, "lint", "fail"), release)
        self.assertEqual(set(added), {"check", "gate_resolved"})
        self.assertEqual(
            (added["check"]["name"], added["check"]["status"]), ("lint", "fail")
        )
        failed = [
            (body["gate"], body["status"])
            for body in (row["body"] for row in self.rows(release)[2:])
        ]
        self.assertEqual(failed, [("G1", "failed"), ("G2", "failed")])
        self.assertIn("`lint`", added["gate_resolved"]["cause"])

        added = self.added(lambda: self.pass_g1(release), release)
        self.assertEqual(set(added), {"check", "evidence", "gate_resolved"})
        self.assertEqual(added["gate_resolved"]["gate"], "G1")
        self.assertEqual(added["gate_resolved"]["status"], "passed")

        added = self.added(lambda: self.check(release, "lint", "fail"), release)
        self.assertEqual(set(added), {"check", "gate_reopened", "gate_resolved"})
        self.assertIn("`lint`", added["gate_reopened"]["cause"])
        # No check may have failed for G2 either.
        self.assertEqual(added["gate_resolved"]["gate"], "G2")

        added = self.added(lambda: self.sign(self.qa, release, "G2"), release)
        self.assertEqual(set(added), {"approval"})
        self.assertEqual(added["approval"]["persona"], "qa_tester")

        added = self.added(
            lambda: self.plane(self.rm).request_move(release.uuid, "production"),
            release,
        )
        self.assertEqual(set(added), {"move_refused"})
        self.assertIn("G1:required_checks", added["move_refused"]["unmet"])

        self.check(release, "lint")
        added = self.added(lambda: self.move(release, "qa_validation"), release)
        self.assertEqual(set(added), {"move_allowed"})

        added = self.added(
            lambda: release.with_user(self.rm).write({"source_ref": sha("next")}),
            release,
        )
        self.assertEqual(
            set(added), {"revision_changed", "move_allowed", "gate_reopened"}
        )
        self.assertEqual(added["revision_changed"]["to"], sha("next"))

        release = self.open_release()
        self.pass_gates(release, "G1", "G2", "G3")
        added = self.added(lambda: self.deploy(release, external_id="d1"), release)
        self.assertEqual(set(added), {"deployment"})
        added = self.added(
            lambda: self.deploy(release, "rolled_back", external_id="d1"), release
        )
        self.assertEqual(set(added), {"rollback", "gate_resolved"})
        self.assertEqual(added["gate_resolved"]["gate"], "G4")
        self.assertEqual(added["gate_resolved"]["status"], "failed")

        incidents = self.env["ipai.incident"].with_user(self.sre)
        vals = {"release_id": release.id, "name": "Down"}
        added = self.added(lambda: incidents.create(vals), release)
        self.assertEqual(added["incident"]["status"], "open")
        incident = release.incident_ids
        added = self.added(
            lambda: incident.with_user(self.sre).action_resolve(), release
        )
        self.assertEqual(added["incident"]["status"], "resolved")

        added = self.added(lambda: release.with_user(self.rm).action_cancel(), release)
        self.assertEqual(set(added), {"release_cancelled"})
        self.assertEqual(added["release_cancelled"]["stage"], release.stage_id.code)

    def test_an_entry_names_who_did_it_and_what_it_is_about(self):
        answer = self.check(self.release, "lint")
        row = self.rows()[-1]
        self.assertEqual(row["actor"], "ci")
        self.assertEqual(
            row["subject"], f"ipai.check,{answer['detail']['created']['checks'][0]}"
        )
        entry = self.ledger(self.release)[-1]
        self.assertEqual(entry.actor_id, self.ci)
        self.assertEqual(row["occurred_at"], ledger.timestamp(self.env.cr.now()))

    def test_a_pending_event_is_in_the_ledger_as_its_senders(self):
        event = self.ci_event(
            "check_result",
            {"name": "lint", "status": "pass", "source_ref": sha("awaited")},
            project="acme/shop",
            source_ref=sha("awaited"),
        )
        self.send(self.ci, event)
        release = self.open_release("awaited", user=self.rm)
        actors = [(row["kind"], row["actor"]) for row in self.rows(release)]
        self.assertEqual(actors, [("release_opened", "rm"), ("check", "ci")])

    # --- refusals --------------------------------------------------------------------

    def test_a_refused_write_leaves_its_entry_to_both_ends_of_the_transaction(self):
        cr = self.env.cr
        release = self.open_release("refused")
        # Opening has its own to do after the commit.
        cr.flush()
        before = len(cr.postcommit._funcs), len(cr.postrollback._funcs)
        rows = self.rows()
        self.refused(release, "production")
        self.assertEqual(self.rows(), rows)
        after = len(cr.postcommit._funcs), len(cr.postrollback._funcs)
        self.assertEqual(after[0], before[0] + 1)
        self.assertGreaterEqual(after[1], before[1] + 1)
        self.assertIs(cr.postcommit._funcs[-1], cr.postrollback._funcs[-1])

    def test_the_recorder_of_refusals_survives_a_release_that_is_gone(self):
        # The release of this test was never committed, so the recorder's own
        # connection does not know it; it must end quietly and add nothing.
        release = self.open_release("rolled back")
        self.refused(release, "production")
        recorder = self.env.cr.postrollback._funcs[-1]
        logger = "odoo.addons.ipai_release_gates.models.release.release_move"
        with self.assertNoLogs(logger, "ERROR"):
            recorder()

    # --- refusing changes ------------------------------------------------------------

    def test_nobody_creates_changes_or_deletes_an_entry_through_the_orm(self):
        entry = self.ledger(self.release)[0]
        vals = {
            "release_id": self.release.id,
            "sequence": 999,
            "kind": "move_allowed",
            "actor_id": self.rm.id,
            "actor": "rm",
            "occurred_at": "2026-01-01T00:00:00.000000Z",
            "recorded_at": "2026-01-01",
            "subject": "x",
            "body": "{}",
            "previous_hash": "x",
            "hash": "y",
        }
        users = [*self.users.values(), self.env.ref("base.user_admin")]
        for entries in [*(entry.with_user(user) for user in users), entry.sudo()]:
            with self.subTest(user=entries.env.user.login):
                for attempt in (
                    lambda e=entries: e.create(vals),
                    lambda e=entries: e.write({"body": "{}"}),
                    lambda e=entries: e.unlink(),
                    lambda e=entries: e.with_context(_force_unlink=True).unlink(),
                    lambda e=entries: e.copy(),
                    lambda e=entries: e.with_context(ipai_engine=True).create(vals),
                ):
                    with self.assertRaises(AccessError):
                        attempt()
        self.assertEqual(self.faults(), [])

    def test_only_those_who_oversee_read_the_ledger(self):
        for login in ROLES:
            entries = self.env["ipai.ledger.entry"].with_user(self.users[login])
            with self.subTest(role=login):
                readable = entries.has_access("read")
                overseers = ("rm", "sre", "auditor", "governance")
                self.assertEqual(readable, login in overseers)

    # --- tampering -------------------------------------------------------------------

    def tampered(self, query, *params):
        """The faults after somebody with the database in hand ran a statement."""
        with self.undone():
            self.env.flush_all()
            # What the owner of the table can do where a superuser would set
            # session_replication_role.
            self.env.cr.execute("ALTER TABLE ipai_ledger_entry DISABLE TRIGGER USER")
            self.env.cr.execute(SQL(query, *params))
            self.assertTrue(self.env.cr.rowcount)
            self.env.invalidate_all()
            return self.faults()

    def test_without_the_triggers_tampering_is_found(self):
        where = SQL("WHERE release_id = %s AND sequence", self.release.id)
        last = len(self.rows())
        for faults, query, *params in (
            (
                [("changed", 3)],
                "UPDATE ipai_ledger_entry SET body = '{}' %s = 3",
                where,
            ),
            (
                [("changed", 3)],
                "UPDATE ipai_ledger_entry SET actor = 'qa2' %s = 3",
                where,
            ),
            (
                [("changed", 2)],
                "UPDATE ipai_ledger_entry SET occurred_at = %s %s = 2",
                "2020-01-01T00:00:00.000000Z",
                where,
            ),
            ([("missing", 2)], "DELETE FROM ipai_ledger_entry %s = 2", where),
            (
                [("missing", last)],
                "DELETE FROM ipai_ledger_entry %s = %s",
                where,
                last,
            ),
            (
                [("head", last)],
                "UPDATE ipai_release SET ledger_hash = %s WHERE id = %s",
                ledger.GENESIS[:-1] + "1",
                self.release.id,
            ),
        ):
            with self.subTest(query=query):
                self.assertEqual(self.tampered(query, *params), faults)
        self.assertEqual(self.faults(), [])

    def test_a_forged_entry_at_the_end_is_found_by_the_head(self):
        rows = self.rows()
        draft = ledger.Draft(
            self.release.uuid,
            "move_allowed",
            "rm",
            rows[-1]["occurred_at"],
            "x,1",
            {"from": "production", "to": "closed"},
        )
        (entry,) = ledger.extend(len(rows), rows[-1]["hash"], [draft], ledger.CORE)
        faults = self.tampered(
            "INSERT INTO ipai_ledger_entry (release_id, sequence, kind, actor_id,"
            " actor, occurred_at, recorded_at, subject, body, previous_hash, hash)"
            " VALUES (%s, %s, %s, %s, %s, %s, now(), %s, %s, %s, %s)",
            self.release.id,
            entry.sequence,
            entry.kind,
            self.rm.id,
            entry.actor,
            entry.occurred_at,
            entry.subject,
            ledger.canonical_json(entry.body).decode(),
            entry.previous_hash,
            entry.hash,
        )
        self.assertEqual(faults, [("head", entry.sequence)])

    def test_swapping_two_entries_is_found(self):
        with mute_logger("odoo.sql_db"):
            faults = self.tampered(
                "UPDATE ipai_ledger_entry a SET body = b.body, kind = b.kind,"
                " actor = b.actor, subject = b.subject, hash = b.hash,"
                " previous_hash = b.previous_hash FROM ipai_ledger_entry b"
                " WHERE a.release_id = %s AND b.release_id = %s"
                " AND a.sequence IN (2, 3) AND b.sequence = 5 - a.sequence",
                self.release.id,
                self.release.id,
            )
        self.assertEqual({code for code, _sequence in faults[:2]}, {"moved"})
