"""The analytics views: contents, access and the number of queries."""

from odoo.exceptions import AccessError
from odoo.tools import SQL

from ..common import ROLES
from .analytics_case import VIEWS, AnalyticsCase


class TestAnalyticsViews(AnalyticsCase):
    # --- what is shown ---------------------------------------------------------------

    def test_a_bypass_has_a_status_of_its_own(self):
        release = self.open_release()
        self.pass_gates(release, "G1")
        self.grant(release, "G2")
        row = self.rows("gate.summary", release, gate_id=self.gates["G2"].id)
        self.assertEqual(row.status, "bypassed")
        row = self.rows("promotion.eligibility", release, target="staging")
        self.assertEqual(row.eligibility, "bypassed")
        self.assertTrue(row.is_eligible)
        self.assertEqual(row.bypassed_gates, "G2")
        self.assertFalse(row.blocking_gates)
        self.pass_gates(release, "G2")
        row = self.rows("promotion.eligibility", release, target="staging")
        self.assertEqual(row.eligibility, "eligible")
        self.assertFalse(row.is_bypassed)

    def test_a_changed_policy_changes_the_gates_of_a_target(self):
        release = self.open_release()
        self.pass_gates(release, "G1")
        row = self.rows("promotion.eligibility", release, target="staging")
        self.assertEqual(row.blocking_gates, "G2")
        self.stages["staging_acceptance"].gate_id = False
        row = self.rows("promotion.eligibility", release, target="staging")
        self.assertEqual((row.eligibility, row.gate_count), ("eligible", 1))
        self.stages["staging_acceptance"].environment_category = False
        row = self.rows("promotion.eligibility", release, target="staging")
        self.assertEqual((row.eligibility, row.gate_count), ("blocked", 0))
        self.stages["build"].environment_category = False
        row = self.rows("promotion.eligibility", release, target="dev")
        self.assertEqual(row.eligibility, "eligible")

    def test_an_archived_requirement_asks_for_no_evidence(self):
        release = self.open_release()
        asked = self.rows("evidence.completeness", release).requirement_id
        notes = asked.filtered(lambda requirement: requirement.code == "release_notes")
        notes.active = False
        row = self.rows("evidence.completeness", release)
        self.assertEqual(row.requirement_id, asked - notes)
        package = row.filtered("is_package")
        self.assertNotIn("release notes", package.gap)

    def test_metadata_that_postgresql_cannot_read_matches_nothing(self):
        release = self.open_release()
        requirement = self.env["ipai.gate.requirement"].search(
            [("code", "=", "test_evidence")]
        )
        # As an earlier version may have stored it.
        self.env.cr.execute(
            "UPDATE ipai_gate_requirement SET metadata_match = %s WHERE id = %s",
            ['{"share": NaN}', requirement.id],
        )
        requirement.invalidate_recordset()
        self.pass_gates(release, "G2")
        row = self.rows("evidence.completeness", release, requirement_id=requirement.id)
        self.assertEqual(row.status, "not_matching")
        self.assertIn("G2:test_evidence", self.unmet(release))

    def test_a_check_of_a_later_gate_does_not_fail_an_earlier_one(self):
        release = self.open_release()
        self.pass_gates(release, "G1")
        self.deploy(release)
        self.health(release, "fail")
        failed = {
            row.gate_id.code: row.fail_count
            for row in self.rows("gate.summary", release)
        }
        self.assertEqual(failed, {"G1": 0, "G2": 0, "G3": 0, "G4": 1})

    def test_a_rolled_back_deployment_is_shown_as_such(self):
        release = self.open_release()
        bad = self.deploy(release, environment="staging")
        good = self.deploy(release, environment="staging")
        row = self.rows("deployment.history", deployment_id=bad.id)
        self.assertFalse(row.was_rolled_back)
        back = self.deploy(release, environment="staging", rollback_of=bad.external_id)
        row = self.rows("deployment.history", deployment_id=bad.id)
        self.assertTrue(row.was_rolled_back)
        self.assertEqual(row.restored_id, back)
        self.assertEqual(row.failure_share, 1)
        row = self.rows("deployment.history", deployment_id=back.id)
        self.assertTrue(row.is_rollback)
        row = self.rows("deployment.history", deployment_id=good.id)
        self.assertFalse(row.was_rolled_back)

    def test_an_unauthorised_deployment_is_shown_as_such(self):
        release = self.open_release()
        deployment = self.deploy(release)
        row = self.rows("deployment.history", release)
        self.assertTrue(deployment.is_unauthorised)
        self.assertTrue(row.is_unauthorised)
        self.deploy(release, environment="staging")
        rows = self.rows("deployment.history", release, is_unauthorised=False)
        self.assertEqual(rows.environment_category, "staging")

    def test_a_row_opens_its_record(self):
        release = self.open_release()
        self.deploy(release)
        self.grant(release)
        for name, model in zip(
            VIEWS,
            ("release", "release", "release", "exception", "deployment"),
            strict=True,
        ):
            row = self.env[name].search([("release_id", "=", release.id)], limit=1)
            action = row.with_user(self.rm).action_open_record()
            self.assertEqual(action["res_model"], f"ipai.{model}")
            self.assertTrue(action["res_id"])

    # --- read only -------------------------------------------------------------------

    def test_no_user_writes_a_view_not_even_the_superuser(self):
        release = self.open_release()
        self.deploy(release)
        self.grant(release)
        for name in VIEWS:
            row = self.env[name].search([], limit=1)
            for user in (None, *(self.users[login] for login in ROLES)):
                mine = row.with_user(user) if user else row
                with self.subTest(report=name, user=user):
                    for write in (
                        lambda r=mine: r.create({"release_id": release.id}),
                        lambda r=mine: r.create([{}]),
                        lambda r=mine: r.write({"company_id": False}),
                        lambda r=mine: r.write({}),
                        lambda r=mine: r.unlink(),
                        lambda r=mine: r.copy(),
                        lambda r=mine: r.name_create("another"),
                    ):
                        with self.assertRaises(AccessError):
                            write()
                    if user:
                        for operation in ("create", "write", "unlink"):
                            self.assertFalse(mine.has_access(operation))

    def test_the_views_are_readonly_in_the_database(self):
        self.env.cr.execute(
            "SELECT table_name FROM information_schema.views"
            " WHERE table_name LIKE 'ipai_report_%%'"
            " AND is_updatable = 'NO' AND is_insertable_into = 'NO'"
        )
        found = {name for (name,) in self.env.cr.fetchall()}
        reports = {self.env[name]._table for name in VIEWS}
        self.assertEqual(found, reports | {"ipai_report_persona_kpi"})

    def test_an_upgrade_creates_the_views_again(self):
        release = self.open_release()
        before = self.rows("gate.summary", release).read()
        for name in VIEWS:
            self.env[name].init()
        self.assertEqual(self.rows("gate.summary", release).read(), before)

    def test_the_id_of_a_row_is_stable_and_unique(self):
        releases = self.open_release() + self.open_release()
        self.grant(releases[0])
        for name in VIEWS[:3]:
            rows = self.env[name].search([])
            self.assertEqual(len(set(rows.ids)), len(rows))
            self.env.cr.execute(
                SQL("SELECT count(*) FROM %s", SQL.identifier(rows._table))
            )
            self.assertEqual(self.env.cr.fetchone()[0], len(rows))
            row = rows.filtered(lambda r: r.release_id == releases[0])[0]
            self.assertEqual(rows.search([("id", "=", row.id)]), row)

    # --- cost ------------------------------------------------------------------------

    def test_a_view_takes_no_more_queries_with_more_rows(self):
        specification = {
            name: {
                field: {"fields": {"display_name": {}}} if each.relational else {}
                for field, each in self.env[name]._fields.items()
            }
            for name in VIEWS
        }
        counts = {name: [] for name in VIEWS}
        self._fill(2)
        for _more in range(2):
            for name in VIEWS:
                for _warm in range(2):
                    self.env.flush_all()
                    self.env.invalidate_all()
                    before = self.env.cr.sql_log_count
                    rows = self.env[name].with_user(self.rm)
                    found = rows.web_search_read([], specification[name], limit=80)
                    count = self.env.cr.sql_log_count - before
                counts[name].append((count, len(found["records"])))
            self._fill(6)
        for name, ((few, rows), (many, more)) in counts.items():
            self.assertGreater(more, rows)
            self.assertEqual(few, many, name)

    def _fill(self, count):
        for _number in range(count):
            release = self.open_release()
            self.pass_gates(release, "G1")
            self.deploy(release)
            self.grant(release)
