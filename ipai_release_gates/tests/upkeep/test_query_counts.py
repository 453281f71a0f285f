"""Query counts, which do not depend on the number of facts.

The limits are those of the contract, with the measured counts beside them. Queries are
counted as by ``assertQueryCount``: all fields flushed before and after, the precommit
hooks included (they write the chatter), record caches empty, registry caches warm.
"""

import logging
from contextlib import contextmanager
from datetime import timedelta

from odoo.tools import SQL

from ..common import STAGES, GateCase, sha

_logger = logging.getLogger(__name__)

RELEASES = 80
FEW, MANY = 10, 5000


class TestQueryCounts(GateCase):
    @contextmanager
    def at_most(self, limit, what):
        with self.counted() as counted:
            yield counted
        _logger.info("%s: %d queries, at most %d", what, counted[0], limit)
        self.assertLessEqual(counted[0], limit, what)

    @contextmanager
    def counted(self):
        """Yield a list that gets the number of queries at the end."""
        self.env.flush_all()
        self.env.cr.flush()
        self.env.invalidate_all()
        before, counted = self.env.cr.sql_log_count, []
        yield counted
        self.env.flush_all()
        self.env.cr.flush()
        counted.append(self.env.cr.sql_log_count - before)

    def _drop_foreign_keys(self, *tables):
        """Drop them until the end of the test: checking each row takes a minute."""
        self.env.cr.execute(
            "SELECT conrelid::regclass::text, conname FROM pg_constraint"
            " WHERE contype = 'f' AND conrelid::regclass::text = ANY(%s)",
            [list(tables)],
        )
        for table, name in self.env.cr.fetchall():
            self.env.cr.execute(
                SQL(
                    "ALTER TABLE %s DROP CONSTRAINT %s",
                    SQL.identifier(table),
                    SQL.identifier(name),
                )
            )

    def _insert(self, releases, count):
        """Give each release that many more facts of its current revision.

        Half checks, half evidence, by SQL: recording them one by one is another test.
        """
        self.env.flush_all()
        self._drop_foreign_keys("ipai_check", "ipai_evidence")
        type_ = self.env["ipai.evidence.type"].search([("code", "=", "test_result")])
        for table, columns, values in (
            (
                "ipai_check",
                SQL("name, status"),
                SQL("'check_' || n %% 50, 'pass'"),
            ),
            (
                "ipai_evidence",
                SQL("type_id, type_code, gate_id, url"),
                SQL(
                    "%s, %s, %s, 'https://ci.example.com/' || n",
                    type_.id,
                    type_.code,
                    self.gates["G2"].id,
                ),
            ),
        ):
            self.env.cr.execute(
                SQL(
                    "INSERT INTO %s (release_id, revision_id, source_system,"
                    " recorded_by_id, recorded_at, %s)"
                    " SELECT r.id, r.revision_id, 'manual', %s,"
                    " now() AT TIME ZONE 'UTC', %s"
                    " FROM ipai_release r, generate_series(1, %s) n"
                    " WHERE r.id IN %s",
                    SQL.identifier(table),
                    columns,
                    self.ci.id,
                    values,
                    count // 2,
                    tuple(releases.ids),
                )
            )
        self.env.cr.execute("ANALYZE ipai_check")
        self.env.cr.execute("ANALYZE ipai_evidence")
        self.env.invalidate_all()

    def _open_many(self, count):
        releases = self.env["ipai.release"].with_user(self.rm)
        return releases.create(
            [
                {
                    "name": f"many {number}",
                    "project_id": self.project.id,
                    "source_ref": sha(f"many {number}"),
                    "author_emails": "dev@example.com, qa2@example.com",
                }
                for number in range(count)
            ]
        ).sudo()

    def _announce_freeze(self):
        """A freeze to come, which is looked at and holds nothing."""
        now = self.env.cr.now()
        self.env["ipai.freeze.window"].create(
            {
                "name": "Holidays",
                "starts_at": now + timedelta(days=1),
                "ends_at": now + timedelta(days=2),
                "project_ids": [(6, 0, self.project.ids)],
            }
        )

    # --- verdict ---------------------------------------------------------------------

    def test_a_verdict_takes_few_queries_and_no_more_with_many_facts(self):
        release = self.open_release()
        self.pass_gates(release, "G1", "G2", "G3")
        self._announce_freeze()
        counts = []
        self.verdict(release)
        uuid = release.uuid
        for facts in (FEW, MANY):
            self._insert(release, facts)
            with self.at_most(20, f"verdict of 1 release, {facts} facts") as counted:
                verdict = self.plane(self.rm).verdict(uuid)
            counts += counted
            self.assertTrue(verdict["eligible"])
        self.assertEqual(counts[0], counts[1])

    def test_verdicts_of_80_take_few_queries_and_no_more_with_many_facts(self):
        releases = self._open_many(RELEASES)
        self._announce_freeze()
        counts = []
        releases._verdicts()
        for facts in (FEW, MANY):
            self._insert(releases, facts)
            with self.at_most(30, f"verdict of 80 releases, {facts} facts") as counted:
                verdicts = releases._verdicts()
            counts += counted
            self.assertEqual(len(verdicts), RELEASES)
            for verdict in verdicts.values():
                states = {c.code: c.state for c in verdict.gate("G2").conditions}
                self.assertEqual(states["test_evidence"], "met")
        self.assertEqual(counts[0], counts[1])

    # --- moves -----------------------------------------------------------------------

    def test_a_stage_move_takes_few_queries(self):
        for target in STAGES[1:]:
            with self.undone():
                number = STAGES.index(target)
                release = self.bring_to(self.open_release(), STAGES[number - 1])
                self.pass_gates(release, f"G{number}")
                stage = self.stages[target]
                mine = release.with_user(self.rm)
                with self.undone():
                    mine.write({"stage_id": stage.id})
                    self.env.cr.flush()
                with self.at_most(40, f"move to {target}"):
                    mine.write({"stage_id": stage.id})

    def test_a_refused_stage_move_takes_few_queries(self):
        release = self.open_release()
        self.refused(release, "production")
        with self.at_most(40, "refused move to production"):
            self.refused(release, "production")

    def test_a_move_of_80_releases_takes_few_queries_more_than_of_one(self):
        releases = self._open_many(RELEASES)
        for release in releases:
            self.pass_g1(release)
        stage = self.stages["qa_validation"]
        with self.undone():
            releases[0].with_user(self.rm).write({"stage_id": stage.id})
            self.env.cr.flush()
        # Few queries per release: its message and the tracked values.
        with self.at_most(40 + 3 * RELEASES, "move of 80 releases"):
            releases.with_user(self.rm).write({"stage_id": stage.id})

    # --- ingest ----------------------------------------------------------------------

    def _events(self, release, count):
        """Good events of the kinds CI sends in bulk, mixed."""
        events = []
        for number in range(count):
            kind = number % 3
            if kind == 0:
                event_type = "check_result"
                payload = {
                    "name": f"check_{number % 50}",
                    "status": "pass",
                    "metadata": {"number": number},
                }
            elif kind == 1:
                event_type = "evidence"
                payload = {
                    "type": "test_result",
                    "url": f"https://ci.example.com/{number}",
                    "sha256": f"{number:064x}",
                }
            else:
                event_type = "build_complete"
                payload = {
                    "status": "pass",
                    "checks": [{"name": "unit_tests", "status": "pass"}],
                    "log_url": f"https://ci.example.com/run/{number}",
                }
            events.append(self.ci_event(event_type, payload, release))
        return events

    def _ingest(self, release, count):
        events = self._events(release, count)
        with self.counted() as counted:
            answers = self.send(self.ci, *events)
        self.assertEqual({answer["status"] for answer in answers}, {"accepted"})
        return counted[0]

    def test_500_events_in_one_call_take_few_queries_more_than_5(self):
        release = self.open_release()
        self._ingest(release, 5)
        few, many = self._ingest(release, 5), self._ingest(release, 500)
        _logger.info("ingest of 5 events: %d queries, of 500: %d", few, many)
        self.assertLessEqual(many - few, 60)

    def test_500_events_on_50_releases_take_few_queries_more_than_5(self):
        releases = self._open_many(50)
        # The first fact sets a release in progress, which its chatter records.
        self.must_send(
            self.ci, *(event for each in releases for event in self._events(each, 1))
        )
        events = [event for each in releases for event in self._events(each, 10)]
        self._ingest(releases[0], 5)
        few = self._ingest(releases[0], 5)
        with self.counted() as counted:
            answers = self.send(self.ci, *events)
        self.assertEqual({answer["status"] for answer in answers}, {"accepted"})
        _logger.info("ingest of 500 events on 50 releases: %d queries", counted[0])
        self.assertLessEqual(counted[0] - few, 60)

    def test_bulk_is_stored_with_one_savepoint(self):
        release = self.open_release()
        events = self._events(release, 50)
        savepoints = []
        execute = self.env.cr.execute

        def spy(query, *args, **kwargs):
            text = query if isinstance(query, str) else query.code
            if text.startswith("SAVEPOINT"):
                savepoints.append(text)
            return execute(query, *args, **kwargs)

        with self.undone():
            self.patch(self.env.cr, "execute", spy)
            self.send(self.ci, *events)
        self.assertEqual(len(savepoints), 1)
