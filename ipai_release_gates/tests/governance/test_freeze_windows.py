"""Freeze and change windows: what may be entered, what is frozen, what people see."""

from datetime import datetime, timedelta

from psycopg2.errors import CheckViolation

from odoo.exceptions import AccessError, ValidationError
from odoo.tools import mute_logger

from ..common import ROLES, GateCase

#: A Wednesday, far from any change of the clocks in Paris.
NOW = datetime(2026, 6, 10, 12, 0)


class TestFreezeWindows(GateCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Window = cls.env["ipai.freeze.window"].with_user(cls.governance)
        cls.other = cls.env["ipai.project"].create({"name": "acme/other"})
        cls.elsewhere = cls.env["ipai.environment"].create(
            {"name": "live", "project_id": cls.other.id, "category": "production"}
        )
        cls.release = cls.open_release()

    def setUp(self):
        super().setUp()
        cr = self.env.cr
        now = cr.now()
        cr._now = NOW
        self.addCleanup(setattr, cr, "_now", now)

    def window(self, name="Freeze", start=-1, end=1, **values):
        """A window that starts and ends some hours from now, by governance."""
        values = {
            "name": name,
            "starts_at": NOW + timedelta(hours=start),
            "ends_at": NOW + timedelta(hours=end),
            "tz": "Europe/Paris",
            **values,
        }
        return self.Window.create(values)

    def is_frozen(self, release=None):
        return "G3:no_freeze" in self.unmet(release or self.release, "G3")

    # --- what may be entered ---------------------------------------------------------

    def test_governance_configures_windows_and_no_other_role_does(self):
        window = self.window()
        window.write({"name": "Longer", "recurrence": "weekly"})
        for login in ROLES:
            if login == "governance":
                continue
            mine = window.with_user(self.users[login])
            mine.read(["name", "standing"])
            with self.subTest(login), self.assertRaises(AccessError):
                mine.write({"ends_at": NOW})
            with self.subTest(login), self.assertRaises(AccessError):
                mine.copy()
            with self.subTest(login), self.assertRaises(AccessError):
                mine.unlink()

    def test_an_occurrence_that_lasts_into_the_next_is_refused(self):
        day = 24
        self.window(end=7 * day - 1, recurrence="weekly")
        for values in (
            {"end": 7 * day, "recurrence": "weekly"},
            {"end": day + 1, "recurrence": "weekly", "wed": True, "thu": True},
            {"end": 28 * day, "recurrence": "monthly"},
            {"end": 365 * day, "recurrence": "yearly"},
        ):
            with self.subTest(values), self.assertRaises(ValidationError):
                self.window(**values)

    def test_the_first_occurrence_is_on_one_of_the_weekdays(self):
        self.window(recurrence="weekly", wed=True, fri=True)
        with self.assertRaisesRegex(ValidationError, "Wednesday"):
            self.window(recurrence="weekly", fri=True)
        # 23:00 UTC is Thursday in Paris.
        self.window(start=11, end=12, recurrence="weekly", thu=True)

    def test_a_recurrence_does_not_end_before_it_begins(self):
        self.window(recurrence="weekly", recur_until="2026-06-10")
        with self.assertRaises(ValidationError):
            self.window(recurrence="weekly", recur_until="2026-06-09")

    def test_a_window_far_from_our_time_cannot_recur(self):
        self.window(start=0, end=24 * 365 * 5000)
        with self.assertRaises(CheckViolation), mute_logger("odoo.sql_db"):
            self.window(
                starts_at=datetime(2, 1, 1),
                ends_at=datetime(2, 1, 2),
                recurrence="weekly",
            )

    def test_environments_belong_to_the_projects_that_are_named(self):
        production = self.environments["production"]
        self.window(project_ids=self.project.ids, environment_ids=production.ids)
        self.window(environment_ids=(production + self.elsewhere).ids)
        with self.assertRaises(ValidationError):
            self.window(
                project_ids=self.project.ids, environment_ids=self.elsewhere.ids
            )

    def test_what_a_window_names_cannot_be_deleted_under_it(self):
        project = self.env["ipai.project"].create({"name": "acme/short-lived"})
        place = self.env["ipai.environment"].create(
            {"name": "x", "project_id": project.id, "category": "production"}
        )
        self.window(environment_ids=place.ids)
        self.window(project_ids=project.ids)
        for record in (place, project):
            with (
                self.assertRaises(Exception) as caught,
                self.env.cr.savepoint(),
                mute_logger("odoo.sql_db"),
            ):
                record.unlink()
            self.assertEqual(caught.exception.pgcode, "23001")

    # --- what is frozen --------------------------------------------------------------

    def test_a_freeze_holds_the_releases_it_applies_to(self):
        production, staging = (
            self.environments[name] for name in ("production", "staging")
        )
        for values, frozen in (
            ({}, True),
            ({"project_ids": self.project.ids}, True),
            ({"project_ids": self.other.ids}, False),
            ({"environment_ids": production.ids}, True),
            ({"environment_ids": self.elsewhere.ids}, False),
            ({"environment_ids": staging.ids}, False),
            ({"environment_ids": (staging + production).ids}, True),
            ({"start": 1, "end": 2}, False),
            ({"start": -2, "end": 0}, False),
            ({"active": False}, False),
        ):
            with self.subTest(values), self.undone():
                self.window(**values)
                self.assertEqual(self.is_frozen(), frozen)

    def test_a_freeze_of_what_is_archived_is_not_one_of_everything(self):
        self.elsewhere.active = False
        self.window(environment_ids=self.elsewhere.ids)
        self.other.active = False
        self.window(project_ids=self.other.ids)
        self.assertFalse(self.is_frozen())

    def test_a_freeze_of_an_archived_environment_stays_one_of_its_project(self):
        production = self.environments["production"]
        self.window(environment_ids=production.ids)
        production.active = False
        self.assertTrue(self.is_frozen())

    def test_a_freeze_recurs_on_the_local_clock(self):
        # Friday 16:00 to Monday 08:00 in Paris, entered in summer.
        self.window(
            starts_at=datetime(2026, 6, 12, 14, 0),
            ends_at=datetime(2026, 6, 15, 6, 0),
            recurrence="weekly",
            fri=True,
        )
        for at, frozen in (
            (datetime(2026, 6, 12, 13, 59), False),
            (datetime(2026, 6, 12, 14, 0), True),
            (datetime(2026, 6, 15, 6, 0), False),
            # Winter: one hour later in UTC.
            (datetime(2026, 12, 11, 14, 59), False),
            (datetime(2026, 12, 11, 15, 0), True),
            (datetime(2026, 12, 14, 6, 59), True),
            (datetime(2026, 12, 14, 7, 0), False),
        ):
            self.env.cr._now = at
            with self.subTest(at=at):
                self.assertEqual(self.is_frozen(), frozen)

    def test_a_change_reaches_the_releases_of_what_was_and_is_named(self):
        window = self.window(environment_ids=self.environments["production"].ids)
        far = self.open_release(project=self.other.name)
        self.env.flush_all()

        def versions():
            self.env.invalidate_all()
            return [self.release.fact_version, far.fact_version]

        before = versions()
        window.environment_ids = self.elsewhere
        self.assertEqual(versions(), [before[0] + 1, before[1] + 1])
        window.name = "Still theirs"
        self.assertEqual(versions(), [before[0] + 1, before[1] + 2])
        window.environment_ids = False
        self.assertEqual(versions(), [before[0] + 2, before[1] + 3])

    # --- what a verdict depends on --------------------------------------------------

    def _facts_given(self, user=None, **context):
        Window = self.env["ipai.freeze.window"].with_user(user or self.env.user)
        return Window.with_context(**context)._in_force(NOW, NOW + timedelta(days=35))

    def test_the_engine_is_told_every_occurrence_that_has_not_ended(self):
        production = self.environments["production"]
        weekly = self.window(
            "Weekly", recurrence="weekly", project_ids=self.project.ids
        )
        once = self.window("Once", environment_ids=production.ids)
        self.window("Past", start=-2, end=0)
        self.window("Far", start=36 * 24, end=37 * 24)
        hour, week = timedelta(hours=1), timedelta(weeks=1)
        self.assertEqual(
            self._facts_given(),
            [
                (
                    weekly.id,
                    "Weekly",
                    "deny",
                    frozenset(self.project.ids),
                    frozenset(),
                    [(NOW - hour + n * week, NOW + hour + n * week) for n in range(6)],
                ),
                (
                    once.id,
                    "Once",
                    "deny",
                    frozenset(),
                    frozenset(production.ids),
                    [(NOW - hour, NOW + hour)],
                ),
            ],
        )

    def test_a_change_window_that_is_over_still_applies(self):
        window = self.window(start=-2, end=-1, kind="allow")
        self.assertEqual(
            self._facts_given(),
            [(window.id, "Freeze", "allow", frozenset(), frozenset(), [])],
        )
        window.active = False
        self.assertEqual(self._facts_given(), [])

    def test_the_engine_is_told_the_same_whoever_asks_in_whatever_context(self):
        self.window(environment_ids=self.elsewhere.ids)
        self.window(project_ids=self.other.ids)
        self.window(active=False)
        self.other.active = self.elsewhere.active = False
        expected = self._facts_given()
        self.assertEqual(len(expected), 2)
        for context in ({"active_test": False}, {"active_test": True}, {"lang": "x"}):
            self.assertEqual(self._facts_given(self.dev, **context), expected)

    def test_the_engine_is_told_in_one_query(self):
        for number in range(20):
            self.window(
                f"W{number}",
                recurrence="weekly",
                project_ids=self.project.ids,
                environment_ids=self.environments["production"].ids,
            )
        self.env.flush_all()
        self.env.invalidate_all()
        with self.assertQueryCount(1):
            self.assertEqual(len(self._facts_given()), 20)

    # --- what people see -------------------------------------------------------------

    def test_windows_are_found_by_how_they_stand(self):
        windows = {
            "in_force": self.window("A"),
            "coming": self.window("B", start=1, end=2),
            "later": self.window("C", start=24 * 8, end=24 * 9),
            "over": self.window("D", start=-2, end=-1),
        }
        weekly = self.window("E", start=-26, end=-25, recurrence="weekly")
        windows["coming"] |= weekly
        for standing, expected in windows.items():
            found = self.Window.search([("standing", "=", standing)])
            self.assertEqual(found, expected.sorted(), standing)
            self.assertEqual(set(found.mapped("standing")), {standing})
        not_over = self.Window.search([("standing", "!=", "over")])
        self.assertEqual(not_over.mapped("name").count("D"), 0)
        self.assertEqual(len(not_over), 4)
        self.assertEqual(
            weekly.next_starts_at, NOW + timedelta(hours=-26) + timedelta(weeks=1)
        )

    def _notice(self, user=None, release=None):
        release = (release or self.release).with_user(user or self.dev)
        release = release.with_context(tz="Europe/Paris", lang="en_US")
        release.invalidate_recordset(["freeze_notice", "freeze_state"])
        return release.freeze_state, release.freeze_notice

    def test_the_board_tells_of_a_freeze_in_force_or_to_come(self):
        production = self.environments["production"]
        for values, state, words in (
            ({"start": 24 * 7 + 1, "end": 24 * 8}, False, False),
            ({"start": -2, "end": -1}, False, False),
            ({"project_ids": self.other.ids}, False, False),
            ({}, "in_force", "Frozen until Wed 10 Jun, 15:00: Freeze"),
            (
                {"start": 2, "end": 3},
                "coming",
                "Freeze from Wed 10 Jun, 16:00: Freeze",
            ),
            (
                {"environment_ids": production.ids},
                "in_force",
                "Frozen until Wed 10 Jun, 15:00: Freeze (Production)",
            ),
            ({"kind": "allow"}, False, False),
            (
                {"kind": "allow", "start": 2, "end": 3},
                "in_force",
                "Outside its change window until Wed 10 Jun, 16:00: Freeze",
            ),
            (
                {"kind": "allow", "start": -3, "end": -2},
                "in_force",
                "Outside its change window: Freeze",
            ),
        ):
            with self.subTest(values), self.undone():
                self.window(**values)
                self.assertEqual(self._notice(), (state, words))

    def test_deny_beats_allow_on_the_board(self):
        self.window("Open", kind="allow")
        self.window("Shut")
        self.assertIn("Shut", self._notice()[1])

    def test_the_board_names_the_environment_a_notice_is_for(self):
        self.window("Disk", environment_ids=self.environments["staging"].ids)
        self.assertIn("Disk (Staging)", self._notice()[1])
        promoted = self.bring_to(self.open_release(), "staging_acceptance")
        self.assertEqual(self._notice(release=promoted), (False, False))

    def test_a_release_that_is_in_production_or_given_up_has_no_notice(self):
        live = self.bring_to(self.open_release(), "production")
        self.release.with_user(self.rm).action_cancel()
        self.window()
        self.assertEqual(self._notice(release=live), (False, False))
        self.assertEqual(self._notice(), (False, False))

    def test_every_role_reads_the_notice(self):
        self.window(environment_ids=self.environments["production"].ids)
        for login in ROLES:
            self.assertEqual(self._notice(self.users[login])[0], "in_force", login)

    def test_the_board_asks_once_for_all_cards(self):
        releases = self.release
        for _number in range(15):
            releases |= self.open_release()
        self.window(environment_ids=self.environments["production"].ids)
        self.window(project_ids=self.project.ids, kind="allow")
        counts = []
        for some in (releases[:2], releases[:2], releases):
            some = some.with_user(self.rm)
            self.env.flush_all()
            self.env.invalidate_all()
            some.fetch(["project_id", "stage_id", "is_open"])
            before = self.env.cr.sql_log_count
            self.assertTrue(all(some.mapped("freeze_notice")))
            counts.append(self.env.cr.sql_log_count - before)
        self.assertEqual(counts[2], counts[1])
        # Windows, environments, stages; the rest is whose clock and language it is.
        self.assertLessEqual(counts[2], 8)
