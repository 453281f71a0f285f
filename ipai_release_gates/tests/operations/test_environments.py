"""Environments are safe by default: their controls, their end, what happened there."""

from datetime import timedelta

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged

from ..common import GateCase

ALL = {
    "mail_suppression",
    "integrations_sandboxed",
    "least_privilege",
    "lifetime",
    "masking",
}


class EnvironmentCase(GateCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.release = cls.open_release()
        cls.staging = cls.environments["staging"]

    def control(self, kind, environment=None):
        environment = environment or self.staging
        return environment.control_ids.filtered(lambda each: each.kind == kind)

    def events(self, *types, environment=None):
        events = (environment or self.staging).event_ids.sorted("id")
        return events.filtered(lambda event: not types or event.event_type in types)

    def report(self, event_type, user=None, release=None, **payload):
        """The answer to an environment event; from CI unless said otherwise."""
        payload = {"environment": "staging", "type": event_type, **payload}
        event = (self.event if user else self.ci_event)(
            "environment_event", payload, release or self.release
        )
        del event["payload"]["source_ref"]
        return self.send(user or self.ci, event)[0]


class TestControls(EnvironmentCase):
    def test_an_environment_has_the_controls_of_its_category(self):
        for category, kinds in (
            ("dev", ALL),
            ("staging", ALL),
            ("production", {"least_privilege"}),
        ):
            controls = self.environments[category].control_ids
            self.assertEqual(set(controls.mapped("kind")), kinds)
        status = {each.kind: each.status for each in self.staging.control_ids}
        self.assertEqual(status.pop("lifetime"), "fail")
        self.assertEqual(set(status.values()), {"unknown"})

    def test_a_category_that_changes_brings_its_controls(self):
        self.control("masking").with_user(self.sre).record_check("pass")
        self.staging.with_user(self.governance).category = "production"
        self.assertEqual(self.staging.control_ids.mapped("kind"), ["least_privilege"])
        self.assertTrue(self.events("masking_run"))
        self.staging.with_user(self.governance).category = "dev"
        self.assertEqual(set(self.staging.control_ids.mapped("kind")), ALL)
        self.assertEqual(self.control("masking").status, "unknown")

    def test_environments_older_than_their_controls_are_given_them_once(self):
        self.env.cr.execute(
            "DELETE FROM ipai_environment_control WHERE environment_id = %s",
            [self.staging.id],
        )
        self.env.invalidate_all()
        for _again in range(2):
            self.staging._ensure_controls()
            kinds = self.staging.control_ids.mapped("kind")
            self.assertEqual(sorted(kinds), sorted(ALL))

    def test_an_sre_records_a_check_and_its_history_stays(self):
        control = self.control("mail_suppression").with_user(self.sre)
        version = self.release.fact_version
        control.record_check("pass", "SMTP is the catcher")
        self.assertEqual((control.status, control.checked_by_id), ("pass", self.sre))
        self.assertEqual(control.checked_at, self.env.cr.now())
        control.record_check("fail", "A mail got out")
        self.assertEqual((control.status, control.note), ("fail", "A mail got out"))
        self.assertEqual(
            [event.data["status"] for event in self.events("mail_captured")],
            ["pass", "fail"],
        )
        self.release.invalidate_recordset()
        self.assertGreater(self.release.fact_version, version + 1)

    def test_a_check_moves_the_row_of_every_open_release_of_the_project(self):
        other = self.open_release()
        versions = {each: each.fact_version for each in self.release | other}
        self.control("masking").with_user(self.sre).record_check("pass")
        for release, version in versions.items():
            release.invalidate_recordset()
            self.assertGreater(release.fact_version, version)

    def test_nobody_else_records_a_check(self):
        for login in ("dev", "qa", "rm", "ci", "auditor", "governance"):
            control = self.control("masking").with_user(self.users[login])
            with self.subTest(role=login), self.assertRaises(AccessError):
                control.record_check("pass")
        self.assertEqual(self.control("masking").status, "unknown")

    def test_a_check_found_pass_or_a_failure_that_is_told(self):
        control = self.control("masking").with_user(self.sre)
        for wrong in (
            ("unknown", None),
            ("passed", None),
            (True, None),
            ("fail", None),
            ("fail", " "),
            ("pass", "two\nlines"),
        ):
            with self.subTest(wrong=wrong), self.assertRaises(UserError):
                control.record_check(*wrong)

    def test_a_lifetime_is_not_judged_by_hand(self):
        with self.assertRaisesRegex(UserError, "not by hand"):
            self.control("lifetime").with_user(self.sre).record_check("pass")

    def test_the_board_says_how_many_controls_do_not_hold(self):
        self.assertEqual(self.staging.unmet_control_count, 5)
        self.control("masking").with_user(self.sre).record_check("pass")
        self.assertEqual(self.staging.unmet_control_count, 4)
        found = self.env["ipai.environment"].search(
            [("unmet_control_count", "=", 4), ("project_id", "=", self.project.id)]
        )
        self.assertEqual(found, self.staging)

    def test_only_governance_configures_an_environment(self):
        for login in ("dev", "qa", "rm", "sre", "ci", "auditor"):
            mine = self.staging.with_user(self.users[login])
            with self.subTest(role=login), self.assertRaises(AccessError):
                mine.write({"keep": True, "keep_reason": "x"})

    def test_the_wizard_records_a_check_of_many_controls(self):
        controls = self.control("masking") | self.control("least_privilege")
        wizard = (
            self.env["ipai.check.control.wizard"]
            .with_user(self.sre)
            .with_context(default_control_ids=controls.ids)
            .create({"status": "pass"})
        )
        wizard.action_record()
        self.assertEqual(set(controls.mapped("status")), {"pass"})


@tagged("post_install", "-at_install")
class TestLifetime(EnvironmentCase):
    def configure(self, **vals):
        self.staging.with_user(self.governance).write(vals)
        return self.control("lifetime")

    def in_days(self, days):
        return self.env.cr.now() + timedelta(days=days)

    def test_it_holds_with_an_end_to_come_or_a_reason_to_keep(self):
        self.assertEqual(self.control("lifetime").status, "fail")
        self.assertEqual(self.configure(expires_at=self.in_days(1)).status, "pass")
        self.assertEqual(self.configure(expires_at=False).status, "fail")
        control = self.configure(keep=True, keep_reason="Reference for support")
        self.assertEqual(control.status, "pass")
        self.assertIn("Reference for support", control.note)

    def test_it_moves_the_row_of_the_open_releases(self):
        version = self.release.fact_version
        self.configure(expires_at=self.in_days(1))
        self.release.invalidate_recordset()
        self.assertGreater(self.release.fact_version, version)

    def run_cron(self):
        with self.enter_registry_test_mode():
            self.env.ref(
                "ipai_release_gates.ir_cron_environment_lifetime"
            ).method_direct_trigger()

    def end(self):
        """Let the time of the environment run out, as the clock does."""
        self.configure(expires_at=self.in_days(1))
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE ipai_environment SET expires_at = %s WHERE id = %s",
            [self.in_days(-1), self.staging.id],
        )
        self.env.invalidate_all()

    def told(self):
        return self.staging.activity_ids.user_id

    def test_an_environment_that_ends_fails_its_control_and_its_owner_is_told(self):
        self.staging.owner_id = self.rm
        self.end()
        self.assertEqual(self.control("lifetime").status, "pass")
        self.run_cron()
        self.assertEqual(self.control("lifetime").status, "fail")
        self.assertEqual(len(self.events("ttl_expired")), 1)
        self.assertEqual(self.told(), self.rm)

    def test_run_twice_it_tells_once(self):
        self.end()
        self.run_cron()
        self.run_cron()
        self.assertEqual(len(self.events("ttl_expired")), 1)
        self.assertEqual(len(self.staging.activity_ids), 1)
        self.assertEqual(self.told(), self.sre)

    def test_configuring_what_has_ended_does_not_tell_it_again(self):
        self.end()
        self.run_cron()
        self.configure(keep_reason="Perhaps")
        self.assertEqual(self.control("lifetime").status, "fail")
        self.assertEqual(len(self.events("ttl_expired")), 1)
        self.assertEqual(len(self.staging.activity_ids), 1)

    def test_what_is_kept_archived_or_to_come_does_not_end(self):
        for vals in (
            {"keep": True, "keep_reason": "Reference"},
            {"active": False},
            {"expires_at": self.in_days(1)},
        ):
            with self.subTest(**vals), self.undone():
                self.end()
                self.env.cr.execute(
                    "UPDATE ipai_environment SET keep = %s, keep_reason = %s,"
                    " active = %s, expires_at = %s WHERE id = %s",
                    [
                        vals.get("keep", False),
                        vals.get("keep_reason"),
                        vals.get("active", True),
                        vals.get("expires_at", self.in_days(-1)),
                        self.staging.id,
                    ],
                )
                self.run_cron()
                self.assertFalse(self.events("ttl_expired"))

    def test_an_extension_settles_it_and_the_next_end_is_told_again(self):
        self.end()
        self.run_cron()
        self.assertEqual(self.configure(expires_at=self.in_days(2)).status, "pass")
        self.assertFalse(self.staging.activity_ids)
        self.end()
        self.run_cron()
        self.assertEqual(len(self.events("ttl_expired")), 2)

    def test_an_end_in_the_past_is_told_at_once(self):
        self.configure(expires_at=self.in_days(-1))
        self.assertEqual(len(self.events("ttl_expired")), 1)
        self.run_cron()
        self.assertEqual(len(self.events("ttl_expired")), 1)


class TestEvents(EnvironmentCase):
    def record(self, user=None, **vals):
        return (
            self.env["ipai.environment.event"]
            .with_user(user or self.sre)
            .create(
                {
                    "environment_id": self.staging.id,
                    "event_type": "access_granted",
                    "data": {"user": "dana"},
                    **vals,
                }
            )
        )

    def test_an_sre_records_what_happened(self):
        event = self.record(note="For the incident")
        self.assertEqual(event.recorded_by_id, self.sre)
        self.assertEqual(event.source_system, "manual")
        self.assertIn("user: dana", event.data_text)

    def test_an_event_does_not_lie_in_the_future(self):
        with self.assertRaises(ValidationError):
            self.record(occurred_at=self.env.cr.now() + timedelta(minutes=1))

    def test_what_the_engine_records_nobody_notes_by_hand(self):
        for event_type in (
            "deploy_start",
            "deploy_complete",
            "rollback_trigger",
            "restore_drill",
            "ttl_expired",
            "masking_run",
            "mail_captured",
        ):
            with self.subTest(type=event_type), self.assertRaises(ValidationError):
                self.record(event_type=event_type)

    def test_an_event_names_no_release_of_another_project(self):
        self.env["ipai.project"].create({"name": "acme/other"})
        other = self.open_release(project="acme/other")
        with self.assertRaises(ValidationError):
            self.record(release_id=other.id)

    def test_an_event_is_never_changed(self):
        event = self.record()
        for records in (event, event.sudo()):
            with self.assertRaises(AccessError):
                records.write({"note": "x"})
            with self.assertRaises(AccessError):
                records.system_write({"note": "x"})

    # --- over the façade -------------------------------------------------------------

    def test_ci_and_sre_send_events_of_every_type(self):
        types = dict(self.env["ipai.environment.event"]._fields["event_type"].selection)
        self.assertEqual(len(types), 12)
        for user in (None, self.sre):
            for event_type in types:
                with self.subTest(type=event_type, user=user):
                    answer = self.report(event_type, user)
                    self.assertEqual(answer["status"], "accepted", answer)
                    event = self.env["ipai.environment.event"].browse(
                        answer["detail"]["created"]["environment_events"]
                    )
                    self.assertEqual(event.event_type, event_type)
                    self.assertEqual(event.environment_id, self.staging)
                    self.assertEqual(event.release_id, self.release)
                    self.assertEqual(event.ingest_log_id.id, answer["ingest_id"])
        self.assertEqual(
            set(self.staging.control_ids.mapped("status")), {"unknown", "fail"}
        )

    def test_a_result_decides_about_its_control(self):
        for event_type, kind in (
            ("masking_run", "masking"),
            ("mail_captured", "mail_suppression"),
        ):
            for status in ("pass", "fail"):
                answer = self.report(event_type, data={"status": status})
                self.assertEqual(answer["detail"]["control_status"], status)
                control = self.control(kind)
                self.assertEqual(
                    (control.status, control.checked_by_id), (status, self.ci)
                )

    def test_a_result_moves_the_row_of_the_open_releases(self):
        other = self.open_release()
        version = other.fact_version
        self.report("masking_run", data={"status": "fail"})
        other.invalidate_recordset()
        self.assertGreater(other.fact_version, version)

    def test_no_result_decides_nothing(self):
        for event_type, data in (
            ("masking_run", {"tables": 12}),
            ("masking_run", {}),
            ("access_granted", {"status": "pass"}),
            ("access_revoked", {"status": "pass"}),
            ("health_check", {"status": "pass", "control": "masking"}),
        ):
            with self.subTest(type=event_type, data=data):
                self.assertEqual(
                    self.report(event_type, data=data)["status"], "accepted"
                )
        kinds = self.staging.control_ids - self.control("lifetime")
        self.assertEqual(set(kinds.mapped("status")), {"unknown"})

    def test_a_result_that_is_neither_pass_nor_fail_is_refused(self):
        answer = self.report("masking_run", data={"status": "ok"})
        self.assertEqual(answer["http_status"], 400)
        self.assertEqual(answer["detail"]["field"], "payload.data.status")

    def test_an_event_of_production_decides_about_no_control_it_does_not_have(self):
        answer = self.report(
            "masking_run", environment="production", data={"status": "pass"}
        )
        self.assertEqual(answer["status"], "accepted")
        self.assertEqual(self.environments["production"].control_ids.status, "unknown")

    def test_other_roles_send_no_events(self):
        for login in ("dev", "qa", "rm", "auditor", "governance"):
            answer = self.report("backup_complete", self.users[login])
            self.assertEqual(answer["http_status"], 403, login)

    def test_a_health_check_is_an_event_too(self):
        self.health(self.release, "fail", "staging")
        event = self.events("health_check")
        self.assertEqual(event.data["status"], "fail")
        self.assertEqual(event.source_system, "github_actions")

    def test_a_kept_result_does_not_undo_a_newer_check(self):
        answer = self.report("masking_run", self.dev, data={"status": "pass"})
        self.assertEqual(answer["http_status"], 403)
        log = self.env["ipai.ingest.log"].browse(answer["ingest_id"])
        with self.later(minutes=1):
            self.control("masking").with_user(self.sre).record_check("fail", "Names")
            self.dev.group_ids += self.env.ref("ipai_release_gates.group_sre")
            log.with_user(self.rm).action_reprocess()
        self.assertEqual(log.status, "rejected")
        self.assertEqual(self.control("masking").status, "fail")

    def test_a_developer_sees_the_controls_of_own_projects_only(self):
        other = self.env["ipai.project"].create({"name": "acme/other"})
        foreign = self.env["ipai.environment"].create(
            {"name": "dev", "project_id": other.id, "category": "dev"}
        )
        found = self.env["ipai.environment.control"].with_user(self.dev).search([])
        self.assertEqual(found.sudo().project_id, self.project)
        with self.assertRaises(AccessError):
            foreign.control_ids.with_user(self.dev).read(["status"])

    def test_records_of_another_company_stay_out_of_sight(self):
        self.report("backup_complete")
        self.project.company_id = self.env["res.company"].create({"name": "Elsewhere"})
        self.env.flush_all()
        for model in ("ipai.environment.control", "ipai.environment.event"):
            found = self.env[model].with_user(self.sre).search([])
            self.assertNotIn(self.project, found.sudo().project_id)
        with self.assertRaises(AccessError):
            self.record()
        with self.assertRaises(AccessError):
            self.control("masking").with_user(self.sre).record_check("pass")
