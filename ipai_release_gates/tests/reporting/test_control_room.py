"""The control room: figures that are right, lead to their records and tell no more.

What the figures of delivery should be is worked out here once more, from the records
and in plain Python, on releases that lived at random.
"""

import json
import random
from collections import Counter
from contextlib import suppress
from datetime import timedelta
from statistics import median

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import users

from ..common import GateCase
from ..lives import Lives

HISTORY = "ipai.report.deployment.history"
FIGURES = (
    "deployment_frequency",
    "change_lead_time",
    "change_fail_rate",
    "recovery_time",
    "rework_rate",
)
PEOPLE = ("dev", "qa", "rm", "sre", "auditor", "governance")


class ControlRoomCase(GateCase):
    def room(self, user=None, **filters):
        """What the page shows a user, as it travels."""
        self.env.flush_all()
        self.env.invalidate_all()
        room = self.env["ipai.control.room"].with_user(user or self.rm)
        return json.loads(json.dumps(room.data(filters)))

    def delivery(self, user=None, **filters):
        panels = self.room(user, **filters)["delivery"]["figures"]
        return {figure["key"]: figure for figure in panels}

    def opened(self, figure, user=None):
        """The records that a figure opens."""
        self.env.flush_all()
        model = self.env[figure["open"]["model"]].with_user(user or self.rm)
        return model.search(figure["open"]["domain"])

    def figures_in(self, value):
        """Every figure in what the page shows."""
        if isinstance(value, dict):
            if "open" in value:
                yield value
            for each in value.values():
                yield from self.figures_in(each)
        elif isinstance(value, list):
            for each in value:
                yield from self.figures_in(each)

    def needs(self, user, **filters):
        """What waits for a user: the lines by key."""
        lines = self.room(user, **filters)["needs_me"]
        return {line["key"]: line for line in lines}

    def incident(self, deployment, **values):
        return (
            self.env["ipai.incident"]
            .with_user(self.sre)
            .create(
                {
                    "release_id": deployment.release_id.id,
                    "deployment_id": deployment.id,
                    "name": "Down",
                    **values,
                }
            )
            .sudo()
        )

    def approved(self, name=None):
        """A release that may be deployed to production."""
        return self.bring_to(self.open_release(name), "production")


class TestDelivery(ControlRoomCase):
    def test_the_figures_are_those_of_the_records_on_random_histories(self):
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
        # Nothing is proven by histories in which little happened.
        self.assertTrue(all(seen[key] >= 5 for key in FIGURES), seen)

    def _live(self, seed):
        """Releases live at random; some of what they deployed goes wrong later."""
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
        """What each figure should say: its value and the deployments it counts."""
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

    def test_without_deployments_there_is_no_figure_rather_than_none_or_all(self):
        self.open_release()
        told = self.delivery(project_ids=self.project.ids)
        for key in FIGURES:
            self.assertIsNone(told[key]["value"], key)
            self.assertIsNone(told[key]["band"], key)
            self.assertEqual(told[key]["count"], 0)
            self.assertEqual({point["value"] for point in told[key]["trend"]}, {None})

    def test_a_sound_deployment_is_a_change_that_did_not_fail(self):
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

    def test_what_is_under_way_or_only_in_staging_is_no_change(self):
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

    def test_a_commit_that_ran_before_has_no_lead_time(self):
        with self.later(hours=-30):
            release = self.approved()
            self.deploy(release)
        with self.later(hours=-5):
            self.deploy(release)
        told = self.delivery(range="7d", project_ids=self.project.ids)
        self.assertEqual(told["deployment_frequency"]["count"], 2)
        self.assertEqual(told["change_lead_time"]["count"], 1)

    def test_a_commit_that_ran_before_it_was_heard_of_has_no_lead_time(self):
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

    def test_the_trend_holds_every_change_once(self):
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


class TestControlRoom(ControlRoomCase):
    def _fill(self):
        """Something for every panel."""
        with self.later(hours=-60):
            release = self.approved()
            waiting = self.bring_to(self.open_release(), "qa_validation")
            other = self.open_release()
        with self.later(hours=-40):
            deployment = self.deploy(release)
        with self.later(hours=-30):
            self.incident(deployment)
        self.check(other, "lint", "fail")
        sound = self.environments["production"].control_ids
        sound.with_user(self.sre).record_check("pass", "Looked at.")
        self.grant(waiting, expires_at=self.env.cr.now() + timedelta(hours=20))
        self.env["ipai.exception"].with_user(self.dev).create(
            self.exception_values(waiting)
        ).action_request()
        return release, waiting, other, deployment

    def test_every_figure_opens_as_many_records_as_it_says(self):
        self._fill()
        seen = Counter()
        for login in PEOPLE:
            user = self.users[login]
            for filters in ({}, {"project_ids": self.project.ids, "range": "7d"}):
                for figure in self.figures_in(self.room(user, **filters)):
                    if "count" not in figure:
                        continue
                    with self.subTest(user=login, figure=figure):
                        found = self.opened(figure, user)
                        self.assertEqual(len(found), figure["count"])
                    seen[login] += bool(figure["count"])
        self.assertTrue(all(seen[login] > 3 for login in PEOPLE), seen)

    def test_a_kpi_opens_the_records_it_counts(self):
        self._fill()
        room = self.env["ipai.control.room"].with_user(self.rm)
        panels = self.room(self.rm)["kpis"]["panels"]
        self.assertTrue(panels[0]["is_mine"])
        counted = 0
        for kpi in (kpi for panel in panels for kpi in panel["kpis"]):
            action = room.kpi_action(kpi["key"], {})
            records = self.env[action["res_model"]].with_user(self.rm)
            records = records.with_context(**action["context"])
            self.assertEqual(len(records.search(action["domain"])), kpi["count"])
            self.assertEqual(kpi["value"] is None, not kpi["count"])
            counted += bool(kpi["count"])
        self.assertGreater(counted, 3)

    def test_filters_narrow_to_projects_and_to_those_of_a_member(self):
        self._fill()
        other = self.env["ipai.project"].create({"name": "acme/other"})
        total = self.room(project_ids=self.project.ids)["stages"]["total"]["count"]
        self.assertEqual(total, 3)
        none = self.room(project_ids=other.ids)
        self.assertEqual(none["stages"]["total"]["count"], 0)
        self.assertEqual(none["delivery"]["figures"][0]["value"], None)
        # dev belongs to acme/shop alone, qa to no project.
        self.assertEqual(
            self.room(member_id=self.dev.id)["stages"]["total"]["count"], 3
        )
        self.assertEqual(self.room(member_id=self.qa.id)["stages"]["total"]["count"], 0)

    def test_a_filter_that_cannot_be_read_is_refused_by_name(self):
        for filters, word in (
            ({"range": "forever"}, "Range"),
            ({"range": "custom"}, "from"),
            ({"range": "custom", "from": "2026-01-01", "to": "soon"}, "to"),
            ({"range": "custom", "from": "2100-01-01", "to": "2100-01-02"}, "future"),
            ({"range": "custom", "from": "1990-01-01", "to": "2020-01-01"}, "731"),
            ({"project_ids": "all"}, "project_ids"),
            ({"member_id": "me"}, "member_id"),
            ({"company": 1}, "project_ids"),
        ):
            with self.assertRaisesRegex(ValidationError, word):
                self.room(**filters)

    def test_a_range_is_of_whole_days_where_the_user_is(self):
        self.rm.tz = "Pacific/Auckland"
        told = self.room(range="custom", **{"from": "2026-01-05", "to": "2026-01-06"})
        self.assertEqual(told["days"], 2)
        (low,) = [
            term[2]
            for term in told["delivery"]["figures"][0]["open"]["domain"]
            if term[0] == "deployed_at" and term[1] == ">="
        ]
        self.assertEqual(low, "2026-01-04 11:00:00")

    # --- what needs me ---------------------------------------------------------------

    def test_each_persona_is_told_what_waits_for_it(self):
        _release, waiting, other, deployment = self._fill()
        asked = waiting.exception_ids.filtered(lambda x: x.state == "requested")
        needs = self.needs(self.rm)
        self.assertIn("incidents", needs)
        decide = self.opened(needs["exceptions_to_decide"])
        self.assertEqual(decide, asked.with_user(self.rm))
        self.assertTrue(decide.i_can_decide)
        self.assertIn("exceptions_expiring", needs)
        needs = self.needs(self.qa)
        self.assertEqual(self.opened(needs["sign_offs"], self.qa).ids, waiting.ids)
        self.assertNotIn("exceptions_to_decide", needs)
        needs = self.needs(self.dev)
        self.assertIn(other, self.opened(needs["held_by_my_gate"], self.dev).sudo())
        self.assertIn("exceptions_expiring", needs)
        self.assertNotIn("incidents", needs)
        needs = self.needs(self.sre)
        missed = self.opened(needs["g4_missed"], self.sre).deployment_id
        self.assertNotIn("g4_awaiting", needs)
        self.assertEqual(missed.ids, deployment.ids)

    def test_what_is_done_waits_no_more(self):
        waiting = self.bring_to(self.open_release(), "qa_validation")
        self.assertIn("sign_offs", self.needs(self.qa))
        self.sign(self.qa, waiting, "G2")
        self.assertNotIn("sign_offs", self.needs(self.qa))
        self.assertIn("sign_offs", self.needs(self.qa2))

    def test_a_deployment_awaits_its_confirmation_until_another_replaces_it(self):
        release = self.approved()
        with self.later(hours=-40):
            self.deploy(release)
        self.assertEqual(self.needs(self.sre)["g4_missed"]["count"], 1)
        self.deploy(release)
        self.assertNotIn("g4_missed", self.needs(self.sre))
        for user in (self.rm, self.sre):
            self.assertEqual(self.needs(user)["g4_awaiting"]["count"], 1)

    def test_events_that_failed_wait_for_whoever_looks_after_them(self):
        release = self.open_release()
        self.send(self.ci, self.ci_event("check_result", {"name": "lint"}, release))
        for login in PEOPLE:
            told = "events" in self.needs(self.users[login])
            self.assertEqual(told, login in ("rm", "sre"), login)

    # --- who sees what ---------------------------------------------------------------

    def test_a_panel_is_there_for_whoever_may_read_its_records(self):
        self._fill()
        panels = {
            "gates": {"dev", "qa", "rm", "sre", "auditor", "governance"},
            "exceptions": {"dev", "rm", "sre", "auditor", "governance"},
            "environments": {"dev", "qa", "rm", "sre", "auditor", "governance"},
            "deployments": {"rm", "sre", "auditor", "governance"},
            "delivery": {"rm", "sre", "auditor", "governance"},
            "kpis": {"dev", "qa", "rm", "sre", "auditor", "governance"},
        }
        for login in PEOPLE:
            told = self.room(self.users[login])
            for panel, readers in panels.items():
                self.assertEqual(
                    told[panel] is not None, login in readers, (login, panel)
                )

    def test_a_developer_sees_the_projects_they_belong_to(self):
        self._fill()
        own = self.room(self.dev)["stages"]["total"]["count"]
        self.assertEqual(own, 3)
        self.project.member_ids = False
        told = self.room(self.dev)
        self.assertEqual({figure["count"] for figure in self.figures_in(told)}, {0})
        self.assertEqual(told["choices"]["projects"], [])

    def test_who_is_of_another_company_sees_nothing_of_it(self):
        self._fill()
        self.project.company_id = self.env["res.company"].create({"name": "Elsewhere"})
        for login in PEOPLE:
            told = self.room(self.users[login], project_ids=self.project.ids)
            names = {each["id"] for each in told["choices"]["projects"]}
            self.assertNotIn(self.project.id, names)
            self.assertEqual(told["filters"]["project_ids"], [])
            for figure in self.figures_in(told):
                for record in self.opened(figure, self.users[login]).sudo():
                    if "project_id" in record._fields:
                        self.assertNotEqual(record.project_id, self.project)

    @users("ipai_nobody", "ipai_portal")
    def test_who_has_no_role_is_refused(self):
        with self.assertRaises(AccessError):
            self.env["ipai.control.room"].data({})
        with self.assertRaises(AccessError):
            self.env["ipai.control.room"].kpi_action("drills", {})

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.new_user("ipai_nobody")
        cls.new_user("ipai_portal", "base.group_portal")

    # --- cost ------------------------------------------------------------------------

    def _queries(self, user):
        room = self.env["ipai.control.room"].with_user(user)
        for _time in range(2):  # what the registry caches is warm the second time
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            room.data({"range": "90d"})
        return self.env.cr.sql_log_count - before

    def _multiply(self, release, count):
        """That many releases more like one, with gates and deployments, by SQL."""
        self.env.flush_all()
        self.env.cr.execute(
            """
            WITH made AS (
                INSERT INTO ipai_release
                SELECT (jsonb_populate_record(r, jsonb_build_object(
                           'id', nextval('ipai_release_id_seq'),
                           'name', 'more ' || gen_random_uuid(),
                           'uuid', gen_random_uuid()))).*
                  FROM ipai_release r, generate_series(1, %(count)s)
                 WHERE r.id = %(release)s
             RETURNING id
            ), gates AS (
                INSERT INTO ipai_release_gate
                SELECT (jsonb_populate_record(g, jsonb_build_object(
                           'id', nextval('ipai_release_gate_id_seq'),
                           'release_id', made.id))).*
                  FROM ipai_release_gate g, made
                 WHERE g.release_id = %(release)s
            )
            INSERT INTO ipai_deployment
            SELECT (jsonb_populate_record(d, jsonb_build_object(
                       'id', nextval('ipai_deployment_id_seq'),
                       'external_id', gen_random_uuid(),
                       'release_id', made.id))).*
              FROM ipai_deployment d, made
             WHERE d.release_id = %(release)s
            """,
            {"count": count, "release": release.id},
        )

    def test_it_takes_as_many_queries_with_1000_releases_as_with_10(self):
        release = self._fill()[0]
        self._multiply(release, 10)
        few = {login: self._queries(self.users[login]) for login in PEOPLE}
        self._multiply(release, 990)
        many = {login: self._queries(self.users[login]) for login in PEOPLE}
        told = self.room(self.rm)["stages"]["total"]["count"]
        self.assertGreaterEqual(told, 1000)
        self.assertEqual(many, few)
        self.assertLessEqual(max(few.values()), 45, few)
