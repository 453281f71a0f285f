"""Scheduled work: it continues where it stopped, and isolates failing records."""

from unittest.mock import patch

from odoo.exceptions import AccessError
from odoo.tests import TransactionCase
from odoo.tools import mute_logger

RUNNER = "odoo.addons.ipai_release_gates.models.mixins.scheduled"


class PowerCut(BaseException):
    """An exception that the runner does not catch."""


class TestScheduled(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Any records do; what is worked on is whether a name ends in an exclamation.
        cls.env["ipai.project"].create(
            [{"name": f"scheduled/{number}"} for number in range(7)]
        )
        cls.domain = [("name", "=like", "scheduled/%"), ("description", "=", False)]

    def run_work(self, work, batch_size=3, user=None):
        """Run a piece of work on the projects in batches, on a cursor of its own."""
        Scheduled = type(self.env["ipai.scheduled.mixin"])
        Project = type(self.env["ipai.project"])
        self.env.flush_all()
        with (
            self.enter_registry_test_mode(),
            self.registry.cursor() as cr,
            patch.object(Project, "_scheduled_work", work, create=True),
            patch.object(Project, "_work_on", Scheduled._work_on, create=True),
            patch.object(
                Project, "_work_and_commit", Scheduled._work_and_commit, create=True
            ),
        ):
            env = self.env(cr=cr, user=user or self.env.ref("base.user_root"))
            try:
                done = Scheduled._work_through(
                    env["ipai.project"], self.domain, "_scheduled_work", batch_size
                )
            except PowerCut:
                cr.rollback()
                done = None
        self.env.invalidate_all()
        return done

    def left(self):
        return self.env["ipai.project"].search_count(self.domain)

    def test_all_records_are_processed_in_batches(self):
        sizes = []

        def work(projects):
            sizes.append(len(projects))
            projects.description = "done"

        self.assertEqual(self.run_work(work), 7)
        self.assertEqual(sizes, [3, 3, 1])
        self.assertFalse(self.left())
        self.assertEqual(self.run_work(work), 0)

    def test_a_failing_record_is_logged_and_the_others_are_processed(self):
        def work(projects):
            for project in projects:
                if project.name.endswith("4"):
                    raise ValueError("not this one")
                project.description = "done"

        with self.assertLogs(RUNNER, "ERROR") as logs:
            self.assertEqual(self.run_work(work), 6)
        self.assertEqual(len(logs.records), 1)
        self.assertEqual(self.left(), 1)

    def test_a_run_continues_where_the_last_one_stopped(self):
        seen = []

        def broken(projects):
            if seen:
                raise PowerCut
            seen.extend(projects.ids)
            projects.description = "done"

        self.assertIsNone(self.run_work(broken))
        self.assertEqual(self.left(), 4)

        def work(projects):
            self.assertFalse(set(projects.ids) & set(seen))
            projects.description = "done"

        self.assertEqual(self.run_work(work), 4)

    def test_work_that_changes_no_record_ends(self):
        self.assertEqual(self.run_work(lambda projects: None), 7)

    @mute_logger(RUNNER)
    def test_only_the_scheduler_runs_scheduled_work(self):
        with self.assertRaises(AccessError):
            self.run_work(lambda projects: None, user=self.env.ref("base.user_admin"))
