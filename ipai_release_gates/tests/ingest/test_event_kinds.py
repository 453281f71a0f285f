"""The registry of kinds of events, as an installed addon extends it."""

from unittest.mock import patch

from odoo.tests import tagged
from odoo.tools import mute_logger

from ... import ingest
from ...ingest.kinds import CHECKS, EventKind
from ..common import GateCase

SCAN = EventKind(
    "licence_scan",
    ingest.fields.record(
        {"licences": ingest.fields.list_of(ingest.fields.name, most=10)},
        {"source_ref": ingest.fields.commit},
        what="a payload of licence_scan",
    ),
    "_plan_licence_scan",
    {"ci_service": None},
    plans=(CHECKS,),
)


@tagged("post_install", "-at_install")
class TestEventKinds(GateCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.release = cls.open_release()
        cls.event = cls.ci_event(
            "licence_scan", {"licences": ["AGPL-3", "MIT"]}, cls.release
        )

    def install(self, model="ipai.check"):
        """Have the database offer one more kind, as an installed addon would."""

        def plan(plane, submission, lookup):
            licences = submission.envelope.payload["licences"]
            check = {"name": f"licences/{len(licences)}", "status": "pass"}
            values = plane._check_values(submission, lookup.gate(submission), check)
            return [(model, values)]

        plane = self.registry["ipai.control.plane"]
        self.registry.clear_cache()
        self.addCleanup(self.registry.clear_cache)
        for name, function in (
            ("_event_kinds", lambda plane: (*ingest.KINDS, SCAN)),
            (SCAN.method, plan),
        ):
            patcher = patch.object(plane, name, function, create=True)
            patcher.start()
            self.addCleanup(patcher.stop)

    def test_an_event_of_an_added_kind_becomes_what_its_method_plans(self):
        (before,) = self.send(self.ci, self.event)
        self.assertEqual(before["detail"]["field"], "event_type", before)
        self.install()
        (answer,) = self.send(self.ci, self.event)
        self.assertEqual(answer["status"], "accepted", answer)
        check = self.env["ipai.check"].browse(answer["detail"]["created"]["checks"])
        self.assertEqual(check.name, "licences/2")
        self.assertEqual(check.ingest_log_id.event_type, "licence_scan")

    def test_the_entry_of_an_added_kind_says_who_may_send_it(self):
        self.install()
        event = {**self.event, "source_system": "manual"}
        event["idempotency_key"] = event["idempotency_key"].replace(
            self.event["source_system"], "manual", 1
        )
        (refused,) = self.send(self.users["dev"], event)
        self.assertEqual(refused["detail"]["code"], "forbidden", refused)
        self.assertIn("Only ci_service may send", refused["detail"]["message"])
        (taken,) = self.send(self.ci, event)
        self.assertEqual(taken["status"], "accepted", taken)

    def test_an_added_kind_is_part_of_the_api_and_of_the_published_contract(self):
        plane = self.env["ipai.control.plane"]
        name = "Envelope.licence_scan"
        self.assertNotIn(name, plane._describe_api()["components"]["schemas"])
        self.install()
        self.assertIn(name, plane._describe_api()["components"]["schemas"])
        parts = self.env["ipai.policy.file"]._parts()
        for part in ("envelope", "payloads", "senders"):
            self.assertIn("`licence_scan`", parts[part])

    def test_a_plan_for_a_model_that_no_kind_names_is_an_error(self):
        self.install(model="res.users")
        with mute_logger("odoo.addons.ipai_release_gates.models.ingest.pipeline"):
            (answer,) = self.send(self.ci, self.event)
        self.assertEqual(answer["status"], "error", answer)
        self.assertFalse(self.release.check_ids)
