"""Delivery figures of the control room: the same as computed here in plain Python.

The test computes them from the records of random releases.
"""

import random
from collections import Counter
from contextlib import suppress
from datetime import timedelta
from statistics import median

from odoo.exceptions import UserError

from ..lives import Lives
from .control_room_case import ControlRoomCase

FIGURES = (
    "deployment_frequency",
    "change_lead_time",
    "change_fail_rate",
    "recovery_time",
    "rework_rate",
)


class TestDelivery(ControlRoomCase):
    def test_the_figures_agree_with_the_records_of_random_releases(self):
        seen = Counter()
        for seed in range(3):
            with self.undone():
                self._live(seed)
                told = self.delivery(range="7d", project_ids=self.project.ids)
                known = self._work_out()
                for key in FIGURES:
                    value, records = known[key]
                    with self.subTest(seed=seed, figure=key):
                        if value is None:
                            self.assertIsNone(told[key]["value"])
                        else:
                            self.assertAlmostEqual(told[key]["value"], value, 6)
                        self.assertEqual(told[key]["count"], len(records))
                        rows = self.opened(told[key])
                        self.assertEqual(rows.deployment_id, records.sorted())
                    seen[key] += len(records)
        # The comparison proves nothing unless every figure has changes to count.
        self.assertTrue(all(seen[key] >= 5 for key in FIGURES), seen)

    def _live(self, seed):
        """Create random releases, some of whose deployments fail later."""
        chance = random.Random(seed)
        releases = Lives(self, seed).live(10, 10)
        for deployment in releases.deployment_ids.sorted("deployed_at"):
            age = self.env.cr.now() - deployment.deployed_at
            hours = age.total_seconds() / 3600
            what = chance.choice(("incident", "rollback", "both", "", "", "again"))
            with suppress(UserError, AssertionError), self.env.cr.savepoint():
                if what in ("incident", "both"):
                    with self.later(hours=-hours * chance.uniform(0.5, 1)):
                        incident = self.incident(deployment)
                if what == "incident" and chance.random() < 0.7:
                    with self.later(hours=-hours * chance.uniform(0, 0.5)):
                        incident.with_user(self.sre).action_resolve()
                if what in ("rollback", "both"):
                    outcome = chance.choice(("restored", "restored", "failed"))
                    with self.later(hours=-hours * chance.uniform(0, 0.5)):
                        deployment.with_user(self.sre).action_roll_back(
                            "manual", "Down", outcome, {"note": "Done."}
                        )
                if what == "again":
                    with self.later(hours=-hours * chance.uniform(0, 1)):
                        self.deploy(
                            deployment.release_id,
                            rollback_of=chance.choice((None, deployment.external_id))
                            or "",
                        )

    def _work_out(self):
        """The expected value of each figure, and the deployments it counts."""
        self.env.invalidate_all()
        deployments = self.env["ipai.deployment"].search(
            [
                ("release_id.project_id", "=", self.project.id),
                ("environment_id.category", "=", "production"),
            ]
        )
        deployments = deployments.sorted(lambda d: (d.deployed_at, d.id))
        changes = deployments.filtered(
            lambda d: d.status != "in_progress" and not d.rollback_of_id
        )
        leads, recoveries = {}, {}
        failures = rework = self.env["ipai.deployment"]
        for change in changes:
            lead = self._lead_of(change, deployments)
            if lead is not None:
                leads[change] = lead
            if change.status in ("failed", "rolled_back") or change.incident_ids:
                failures |= change
                recovery = self._recovery_of(change, deployments)
                if recovery is not None:
                    recoveries[change] = recovery
            if self._is_rework(change, changes):
                rework |= change

        def share(some):
            return len(some) / len(changes) if changes else None

        def middle(values):
            return median(values) if values else None

        none = self.env["ipai.deployment"]
        return {
            "deployment_frequency": (len(changes) or None, changes),
            "change_lead_time": (middle(leads.values()), none.union(*leads)),
            "change_fail_rate": (share(failures), failures),
            "recovery_time": (middle(recoveries.values()), none.union(*recoveries)),
            "rework_rate": (share(rework), rework),
        }

    def _ran(self, deployment):
        return deployment.status == "succeeded" or deployment.confirmation_due_at

    def _lead_of(self, change, deployments):
        commit = change.revision_id.source_ref
        ran = [d for d in deployments if d.revision_id.source_ref == commit]
        ran = [d for d in ran if self._ran(d)]
        if not ran or ran[0] != change:
            return None
        heard = self.env["ipai.revision"].search(
            [
                ("source_ref", "=", commit),
                ("release_id.project_id", "=", self.project.id),
            ]
        )
        hours = change.deployed_at - min(heard.mapped("recorded_at"))
        return hours.total_seconds() / 3600 if hours >= timedelta() else None

    def _recovery_of(self, change, deployments):
        incidents = change.incident_ids
        if change.rolled_back_at and change.rollback_outcome in (False, "restored"):
            restored = change.rolled_back_at
        elif incidents:
            if not all(incident.resolved_at for incident in incidents):
                return None
            restored = max(incidents.mapped("resolved_at"))
        else:
            place = deployments.ids.index(change.id)
            later = [
                d
                for d in deployments[place + 1 :]
                if d.environment_id == change.environment_id and self._ran(d)
            ]
            if not later:
                return None
            restored = later[0].deployed_at
        noticed = min(incidents.mapped("detected_at"), default=None)
        if noticed is None or noticed > restored:
            noticed = change.deployed_at
        return max((restored - noticed).total_seconds() / 3600, 0)

    def _is_rework(self, change, changes):
        at = change.deployed_at
        for incident in self.env["ipai.incident"].search(
            [("project_id", "=", self.project.id)]
        ):
            hit = incident.deployment_id
            if hit == change or (hit and hit.environment_category != "production"):
                continue
            if incident.detected_at < at and not (
                incident.resolved_at and incident.resolved_at < at
            ):
                return True
        before = [
            d
            for d in changes
            if d.environment_id == change.environment_id
            and (d.deployed_at, d.id) < (at, change.id)
        ]
        if before:
            last = before[-1]
            if last.status == "failed":
                return True
            if last.rolled_back_at and last.rolled_back_at <= at:
                return True
        return any(
            exception.exception_type == "emergency"
            and exception.revision_id == change.revision_id
            and exception.approved_at
            and max(exception.effective_from, exception.approved_at) <= at
            and at < exception.expires_at
            and not (exception.ended_at and exception.ended_at <= at)
            for exception in change.release_id.exception_ids
        )

    # --- cases by hand ---------------------------------------------------------------

    def test_without_deployments_the_figures_have_no_value(self):
        self.open_release()
        told = self.delivery(project_ids=self.project.ids)
        for key in FIGURES:
            self.assertIsNone(told[key]["value"], key)
            self.assertIsNone(told[key]["band"], key)
            self.assertEqual(told[key]["count"], 0)
            self.assertEqual({point["value"] for point in told[key]["trend"]}, {None})

    def test_a_successful_deployment_is_a_change_without_failure(self):
        with self.later(hours=-50):
            release = self.approved()
        with self.later(hours=-20):
            self.deploy(release)
        told = self.delivery(range="7d", project_ids=self.project.ids)
        values = {key: told[key]["value"] for key in FIGURES}
        self.assertEqual(
            values,
            {
                "deployment_frequency": 1,
                "change_lead_time": 30,
                "change_fail_rate": 0,
                "recovery_time": None,
                "rework_rate": 0,
            },
        )
        bands = {key: told[key]["band"] for key in FIGURES}
        self.assertEqual(
            bands,
            {
                "deployment_frequency": "high",
                "change_lead_time": "high",
                "change_fail_rate": "elite",
                "recovery_time": None,
                "rework_rate": None,
            },
        )

    def test_a_deployment_in_progress_or_to_staging_is_no_change(self):
        release = self.approved()
        self.deploy(release, "in_progress")
        self.deploy(release, environment="staging")
        told = self.delivery(project_ids=self.project.ids)
        self.assertEqual(told["deployment_frequency"]["count"], 0)

    def test_two_incidents_of_one_deployment_are_one_failure(self):
        with self.later(hours=-30):
            one, other = self.approved(), self.approved()
        with self.later(hours=-20):
            bad = self.deploy(one)
            self.deploy(other)
        with self.later(hours=-18):
            first, second = self.incident(bad), self.incident(bad)
        told = self.delivery(range="7d", project_ids=self.project.ids)
        self.assertEqual(told["change_fail_rate"]["value"], 0.5)
        self.assertIsNone(told["recovery_time"]["value"])
        with self.later(hours=-16):
            first.with_user(self.sre).action_resolve()
        told = self.delivery(range="7d", project_ids=self.project.ids)
        self.assertIsNone(told["recovery_time"]["value"])
        with self.later(hours=-13):
            second.with_user(self.sre).action_resolve()
        told = self.delivery(range="7d", project_ids=self.project.ids)
        self.assertEqual(told["recovery_time"]["value"], 5)

    def test_the_fix_of_a_failed_deployment_is_rework_and_the_next_change_is_not(self):
        with self.later(hours=-30):
            releases = [self.approved() for _each in range(3)]
        for release, age, status in (
            (releases[0], 20, "failed"),
            (releases[1], 18, "succeeded"),
            (releases[2], 10, "succeeded"),
        ):
            with self.later(hours=-age):
                deployed = self.deploy(release, status)
            if age == 18:
                fix = deployed
        told = self.delivery(range="7d", project_ids=self.project.ids)
        self.assertEqual(self.opened(told["rework_rate"]).deployment_id, fix)
        self.assertEqual(told["recovery_time"]["value"], 2)

    def test_a_commit_deployed_before_has_no_lead_time(self):
        with self.later(hours=-30):
            release = self.approved()
            self.deploy(release)
        with self.later(hours=-5):
            self.deploy(release)
        told = self.delivery(range="7d", project_ids=self.project.ids)
        self.assertEqual(told["deployment_frequency"]["count"], 2)
        self.assertEqual(told["change_lead_time"]["count"], 1)

    def test_a_commit_deployed_before_its_first_revision_has_no_lead_time(self):
        release = self.approved()
        before = self.env.cr.now() - timedelta(days=3)
        self.deploy(release, deployed_at=f"{before.isoformat()}Z")
        told = self.delivery(range="7d", project_ids=self.project.ids)
        self.assertEqual(told["deployment_frequency"]["count"], 1)
        self.assertIsNone(told["change_lead_time"]["value"])

    def test_targets_are_those_of_governance(self):
        with self.later(hours=-5):
            self.deploy(self.approved())
        self.env["ipai.kpi.target"].with_user(self.governance).create(
            {"kpi": "deployment_frequency", "target": 3}
        )
        figure = self.delivery(range="7d", project_ids=self.project.ids)[
            "deployment_frequency"
        ]
        self.assertEqual((figure["target"], figure["target_state"]), (3, "missed"))

    def test_the_trend_counts_every_change_once(self):
        with self.later(days=-29):
            release = self.approved()
        for age in (1, 6, 7, 8, 20):
            with self.later(days=-age):
                self.deploy(release)
        for filters in ({"range": "7d"}, {"range": "30d"}, {"range": "90d"}):
            figure = self.delivery(project_ids=self.project.ids, **filters)[
                "deployment_frequency"
            ]
            counts = [point["count"] for point in figure["trend"]]
            self.assertEqual(sum(counts), figure["count"], filters)
