"""The answers table of ingest.md, row by row, and the other methods of the façade."""

import base64
import hashlib
import json
import xmlrpc.client

from odoo.exceptions import AccessError, UserError, ValidationError

from ..common import ROLES, GateCase, sha

PIPELINE = "odoo.addons.ipai_release_gates.models.ingest.pipeline"
#: what "changes nothing" means
TABLES = (
    "ipai_release",
    "ipai_release_gate",
    "ipai_revision",
    "ipai_check",
    "ipai_evidence",
    "ipai_approval",
    "ipai_deployment",
    "ipai_incident",
    "ipai_incident_entry",
    "ipai_environment_control",
    "ipai_environment_event",
    "ipai_ledger_entry",
    "ipai_ingest_log",
)
#: role → the event types it may send
AUTHORITY = {
    "ci": {
        "revision",
        "build_complete",
        "check_result",
        "evidence",
        "deployment_event",
        "health_check",
        "incident",
        "environment_event",
    },
    "dev": {"revision", "build_complete", "check_result", "evidence"},
    "qa": {"evidence", "gate_signoff"},
    "rm": {"revision", "evidence", "gate_signoff"},
    "sre": {
        "evidence",
        "deployment_event",
        "health_check",
        "gate_signoff",
        "incident",
        "environment_event",
    },
    "auditor": set(),
    "governance": set(),
}
PAYLOADS = {
    "revision": {"authors": ["dev@example.com"]},
    "build_complete": {
        "status": "pass",
        "checks": [{"name": "lint", "status": "pass"}],
        "log_url": "https://ci.example.com/1",
    },
    "check_result": {"name": "lint", "status": "pass"},
    "evidence": {"type": "test_result", "url": "https://ci.example.com/t"},
    "gate_signoff": {"persona": "qa_tester", "decision": "approved"},
    "deployment_event": {
        "environment": "staging",
        "status": "succeeded",
        "external_id": "d-1",
    },
    "health_check": {"environment": "staging", "status": "pass"},
    "incident": {
        "external_id": "INC-1",
        "severity": "high",
        "status": "open",
        "summary": "Checkout is slow",
        "detected_at": "2026-01-31T09:00:00Z",
    },
    "environment_event": {"environment": "staging", "type": "backup_complete"},
}


class TestAnswersTable(GateCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.release = cls.open_release("answers")

    # --- helpers ---------------------------------------------------------------------

    def on_the_wire(self, value):
        """XML-RPC and JSON carry a value as it is; returns it."""
        text = xmlrpc.client.dumps((value,), methodresponse=True, allow_none=False)
        self.assertEqual(xmlrpc.client.loads(text)[0][0], value)
        self.assertEqual(json.loads(json.dumps(value, allow_nan=False)), value)
        return value

    def log_of(self, answer):
        return self.env["ipai.ingest.log"].browse(answer["ingest_id"])

    def answers(self, user, *events):
        """The answers to events; each has its log row, which says the same."""
        answers = self.on_the_wire(self.send(user, *events))
        self.assertEqual(len(answers), len(events))
        self.assertEqual(len({a["ingest_id"] for a in answers}), len(events))
        self.env.flush_all()
        self.env.invalidate_all()
        for event, answer in zip(events, answers, strict=True):
            self.assertEqual(
                set(answer), {"ingest_id", "status", "http_status", "detail"}
            )
            log = self.log_of(answer)
            self.assertEqual(log.status, answer["status"])
            self.assertEqual(log.http_status, answer["http_status"])
            self.assertEqual(log.user_id, user)
            self.assertEqual(log.code or "", answer["detail"].get("code", ""))
            self.assertEqual(log.payload_sha256, self.digest(event))
            self.assertTrue(log.processed_at)
        return answers

    def digest(self, event):
        """SHA-256 of the canonical JSON of an envelope without its time of sending."""
        if isinstance(event, dict):
            event = {k: v for k, v in event.items() if k != "emitted_at"}
        text = json.dumps(
            event, sort_keys=True, separators=(",", ":"), ensure_ascii=False
        )
        return hashlib.sha256(text.encode()).hexdigest()

    def answer(self, event, user=None):
        return self.answers(user or self.ci, event)[0]

    def lint(self, status="pass", release=None, **envelope):
        payload = {"name": "lint", "status": status}
        return self.ci_event(
            "check_result", payload, release or self.release, **envelope
        )

    def rejected(self, event, http_status, code, field=None, user=None):
        """The event is refused so, and nothing came of it; returns the detail."""
        facts = self.snapshot(*(t for t in TABLES if t != "ipai_ingest_log"))
        answer = self.answer(event, user)
        self.assertEqual(
            (answer["status"], answer["http_status"], answer["detail"]["code"]),
            ("rejected", http_status, code),
            answer["detail"],
        )
        if field:
            self.assertEqual(answer["detail"]["field"], field)
        self.assertTrue(answer["detail"]["message"])
        self.assertEqual(self.log_of(answer).reason, answer["detail"]["message"])
        self.assertEqual(self.snapshot(*facts), facts)
        return answer["detail"]

    # --- accepted --------------------------------------------------------------------

    def test_an_event_sent_for_the_first_time_is_accepted(self):
        answer = self.answer(self.lint())
        self.assertEqual((answer["status"], answer["http_status"]), ("accepted", 200))
        detail = answer["detail"]
        self.assertEqual(detail["release"], self.release.uuid)
        self.assertEqual(detail["source_ref"], self.release.source_ref)
        self.assertIs(detail["stale"], False)
        check = self.env["ipai.check"].browse(detail["created"]["checks"])
        self.assertEqual((check.name, check.status), ("lint", "pass"))
        self.assertEqual(check.release_id, self.release)
        self.assertEqual(check.ingest_log_id, self.log_of(answer))
        self.assertEqual(check.recorded_by_id, self.ci)
        self.assertEqual(check.source_system, "github_actions")

    def test_every_event_type_of_this_part_is_accepted_from_who_may_send_it(self):
        for login, types in AUTHORITY.items():
            for event_type in sorted(types):
                source = "github_actions" if login == "ci" else "manual"
                gate = "G2" if event_type == "gate_signoff" else None
                if (login, event_type) == ("sre", "evidence"):
                    gate = "G4"
                payload = dict(PAYLOADS[event_type])
                if event_type == "gate_signoff":
                    if login == "sre":
                        continue  # no gate asks for its signature
                    persona = "qa_tester" if login == "qa" else "release_manager"
                    gate = "G2" if login == "qa" else "G3"
                    payload["persona"] = persona
                event = self.event(
                    event_type, payload, self.release, source, gate_code=gate
                )
                with self.subTest(role=login, event_type=event_type), self.undone():
                    answer = self.answer(event, self.users[login])
                    self.assertEqual(answer["status"], "accepted", answer)

    def test_a_build_becomes_its_checks_the_build_and_their_evidence(self):
        event = self.ci_event(
            "build_complete", PAYLOADS["build_complete"], self.release
        )
        self.answer(event)
        self.assertEqual(
            {check.name: check.status for check in self.release.check_ids},
            {"lint": "pass", "build": "pass"},
        )
        self.assertEqual(self.release.check_ids.gate_id.code, "G1")
        self.assertEqual(
            set(self.release.evidence_ids.mapped("type_code")),
            {"build_log", "check_status"},
        )

    def test_a_file_is_kept_with_its_hash_and_size(self):
        content = b"<testsuite/>"
        payload = {
            "type": "test_result",
            "content_base64": base64.b64encode(content).decode(),
            "filename": "junit.xml",
        }
        answer = self.answer(self.ci_event("evidence", payload, self.release))
        evidence = self.env["ipai.evidence"].browse(
            answer["detail"]["created"]["evidence"]
        )
        self.assertEqual(base64.b64decode(evidence.content), content)
        self.assertEqual(evidence.sha256, hashlib.sha256(content).hexdigest())
        self.assertEqual(evidence.size, len(content))

    def test_a_deployment_is_created_and_then_advanced_by_its_external_id(self):
        self.pass_gates(self.release, "G1", "G2", "G3")
        first = self.deploy(self.release, "in_progress", external_id="d-7")
        again = self.deploy(self.release, "succeeded", external_id="d-7")
        self.assertEqual(first, again)
        self.assertEqual(first.status, "succeeded")
        event = self.ci_event(
            "deployment_event",
            {"environment": "production", "status": "failed", "external_id": "d-7"},
            self.release,
        )
        self.rejected(event, 400, "invalid_field")

    def test_a_release_can_be_named_by_id_name_or_commit(self):
        name = {"project": "acme/shop", "name": "answers"}
        for envelope in (
            {"release_id": self.release.id},
            {"release_id": str(self.release.id)},
            {"release_id": self.release.uuid.upper()},
            {"release_id": name},
            {
                "release_id": None,
                "project": "acme/shop",
                "source_ref": self.release.source_ref,
            },
        ):
            with self.subTest(**envelope):
                answer = self.answer(self.lint(**envelope))
                self.assertEqual(answer["status"], "accepted", answer)
                self.assertEqual(answer["detail"]["release"], self.release.uuid)

    def test_an_archived_release_still_takes_events(self):
        self.release.with_user(self.rm).write({"active": False})
        self.assertEqual(self.answer(self.lint())["status"], "accepted")
        event = self.lint(
            release_id=None, project="acme/shop", source_ref=self.release.source_ref
        )
        self.assertEqual(self.answer(event)["status"], "accepted")
        self.assertFalse(self.verdict(self.release)["eligible"])

    # --- duplicates ------------------------------------------------------------------

    def test_the_same_event_again_is_a_duplicate_with_the_first_result(self):
        event = self.lint()
        first = self.answer(event)
        before = self.snapshot(*(t for t in TABLES if t != "ipai_ingest_log"))
        again = self.answer(event)
        self.assertEqual((again["status"], again["http_status"]), ("duplicate", 200))
        self.assertEqual(
            again["detail"],
            {**first["detail"], "duplicate_of": first["ingest_id"]},
        )
        self.assertNotEqual(again["ingest_id"], first["ingest_id"])
        self.assertEqual(self.log_of(again).original_id, self.log_of(first))
        self.assertEqual(self.snapshot(*before), before)

    def test_a_retry_with_a_new_time_of_sending_is_a_duplicate(self):
        event = self.lint()
        self.answer(event)
        again = self.answer({**event, "emitted_at": "2027-01-01T00:00:00+02:00"})
        self.assertEqual(again["status"], "duplicate")

    def test_the_same_event_twice_in_one_call_is_taken_once(self):
        event = self.lint()
        first, second = self.answers(self.ci, event, event)
        self.assertEqual((first["status"], second["status"]), ("accepted", "duplicate"))
        self.assertEqual(second["detail"]["duplicate_of"], first["ingest_id"])
        self.assertEqual(len(self.release.check_ids), 1)

    def test_a_key_of_a_rejected_event_is_free_for_the_corrected_one(self):
        wrong = self.lint("passed")
        self.rejected(wrong, 400, "invalid_field", "payload.status")
        right = self.lint(idempotency_key=wrong["idempotency_key"])
        self.assertEqual(self.answer(right)["status"], "accepted")

    def test_the_same_key_with_another_payload_is_a_conflict(self):
        event = self.lint()
        first = self.answer(event)
        other = self.lint("fail", idempotency_key=event["idempotency_key"])
        detail = self.rejected(other, 409, "idempotency_conflict", "idempotency_key")
        self.assertIn(str(first["ingest_id"]), detail["message"])

    def test_a_conflict_within_one_call_costs_only_the_second(self):
        event = self.lint()
        other = self.lint("fail", idempotency_key=event["idempotency_key"])
        first, second = self.answers(self.ci, event, other)
        self.assertEqual(first["status"], "accepted")
        self.assertEqual(second["detail"]["code"], "idempotency_conflict")
        self.assertEqual(self.release.check_ids.status, "pass")

    # --- 400, 413, 422 ---------------------------------------------------------------

    def test_a_missing_or_ill_typed_field_is_named(self):
        def without(name):
            return {k: v for k, v in self.lint().items() if k != name}

        def payload(event_type, **changes):
            gate = "G2" if event_type == "gate_signoff" else None
            base = {**PAYLOADS[event_type], **changes}
            base = {k: v for k, v in base.items() if v is not None}
            return self.ci_event(event_type, base, self.release, gate_code=gate)

        no_ref = self.lint()
        del no_ref["payload"]["source_ref"]
        for event, code, field in (
            (without("schema_version"), "missing_field", "schema_version"),
            (without("idempotency_key"), "missing_field", "idempotency_key"),
            (without("event_type"), "missing_field", "event_type"),
            (without("source_system"), "missing_field", "source_system"),
            (without("payload"), "missing_field", "payload"),
            (without("emitted_at"), "missing_field", "emitted_at"),
            (without("release_id"), "missing_field", "release_id"),
            (no_ref, "missing_field", "payload.source_ref"),
            (self.lint(idempotency_key="short"), "invalid_field", "idempotency_key"),
            (
                {**self.lint(), "source_system": "jenkins"},
                "invalid_field",
                "source_system",
            ),
            ({**self.lint(), "event_type": "party"}, "invalid_field", "event_type"),
            (self.lint(release_id=[1]), "invalid_field", "release_id"),
            (self.lint(emitted_at="2026-01-31T09:30"), "invalid_field", "emitted_at"),
            (self.lint(gate_code="G9"), "invalid_field", "gate_code"),
            ({**self.lint(), "payload": "pass"}, "invalid_field", "payload"),
            (self.lint(mystery=1), "invalid_field", "mystery"),
            (payload("check_result", status=None), "missing_field", "payload.status"),
            (payload("check_result", status=True), "invalid_field", "payload.status"),
            (payload("check_result", name=""), "invalid_field", "payload.name"),
            (payload("check_result", colour="red"), "invalid_field", "payload.colour"),
            (
                payload("build_complete", checks=[{"name": "lint"}]),
                "missing_field",
                "payload.checks[0].status",
            ),
            (
                payload("build_complete", log_url="file:///etc/passwd"),
                "invalid_field",
                "payload.log_url",
            ),
            (payload("evidence", type="poem"), "invalid_field", "payload.type"),
            (payload("evidence", url=None), "missing_field", "payload.url"),
            (
                payload("evidence", type="fallback_timer", metadata={"minutes": 0}),
                "invalid_field",
                "payload.metadata.minutes",
            ),
            (payload("revision", authors=[]), "invalid_field", "payload.authors"),
            (
                payload("deployment_event", environment="moon"),
                "invalid_field",
                "payload.environment",
            ),
            (
                payload("deployment_event", rollback_of="unheard-of"),
                "invalid_field",
                "payload.rollback_of",
            ),
            (
                payload("deployment_event", deployed_at="2999-01-01T00:00:00Z"),
                "invalid_field",
                "payload.deployed_at",
            ),
            ("not an object", "invalid_field", "event"),
        ):
            with self.subTest(field=field, code=code):
                self.rejected(event, 400, code, field)

    def test_every_fault_is_listed_not_only_the_first(self):
        event = self.lint("passed", emitted_at="yesterday", mystery=1)
        detail = self.rejected(event, 400, "invalid_field")
        self.assertEqual(
            {error["field"] for error in detail["errors"]},
            {"payload.status", "emitted_at", "mystery"},
        )

    def test_a_wrong_sha256_is_refused(self):
        payload = {
            "type": "test_result",
            "content_base64": base64.b64encode(b"a").decode(),
            "filename": "a.txt",
            "sha256": hashlib.sha256(b"b").hexdigest(),
        }
        event = self.ci_event("evidence", payload, self.release)
        self.rejected(event, 400, "sha256_mismatch", "payload.sha256")

    def test_an_unknown_schema_version_is_unprocessable(self):
        event = self.lint(schema_version="v2.0")
        self.rejected(event, 422, "unsupported_schema_version", "schema_version")

    def test_too_much_is_refused_before_parsing_and_logged_cut(self):
        event = {"payload": "x" * (17 * 1024 * 1024)}
        answer = self.answer(event)
        self.assertEqual((answer["status"], answer["http_status"]), ("rejected", 413))
        self.assertEqual(answer["detail"]["code"], "too_large")
        log = self.log_of(answer)
        self.assertLess(len(log.payload), 16 * 1024 * 1024 + 4097)
        self.assertIn("[cut,", log.payload[-60:])

    # --- 409 unknown, 202 pending ----------------------------------------------------

    def test_an_unknown_release_is_a_conflict(self):
        for address in (
            "00000000-0000-4000-8000-000000000000",
            2**31 - 1,
            {"project": "acme/shop", "name": "no such"},
            {"project": "acme/nowhere", "name": "answers"},
        ):
            with self.subTest(address=address):
                event = self.lint(release_id=address)
                self.rejected(event, 409, "unknown_release", "release_id")

    def test_an_unknown_project_is_a_conflict(self):
        event = self.lint(
            release_id=None, project="acme/nowhere", source_ref=sha("nowhere")
        )
        event["payload"].pop("source_ref")
        self.rejected(event, 409, "unknown_release", "project")

    def test_a_release_the_sender_may_not_see_is_unknown_to_the_sender(self):
        self.project.member_ids = False
        event = self.event("check_result", PAYLOADS["check_result"], self.release)
        self.rejected(event, 409, "unknown_release", "release_id", self.dev)

    def _early(self, seed, status="pass", **more):
        return self.ci_event(
            "check_result",
            {"name": "lint", "status": status, "source_ref": sha(seed)},
            project="acme/shop",
            source_ref=sha(seed),
            **more,
        )

    def test_a_commit_no_release_has_yet_is_pending_and_bound_when_one_opens(self):
        event = self._early("early bird")
        answer = self.answer(event)
        self.assertEqual((answer["status"], answer["http_status"]), ("pending", 202))
        self.assertEqual(self.answer(event)["status"], "duplicate")
        self.assertFalse(
            self.env["ipai.check"].search([("ingest_log_id", "=", answer["ingest_id"])])
        )
        release = self.open_release("early bird")
        log = self.log_of(answer)
        self.env.invalidate_all()
        self.assertEqual((log.status, log.http_status), ("accepted", 200))
        self.assertEqual(log.release_id, release)
        check = release.check_ids
        self.assertEqual((check.name, check.recorded_by_id), ("lint", self.ci))
        self.assertEqual(check.ingest_log_id, log)
        self.assertEqual(self.answer(event)["status"], "duplicate")

    def test_a_pending_event_is_bound_when_a_release_takes_that_revision(self):
        by_name = self.lint()
        by_name["payload"]["source_ref"] = sha("next")
        answers = self.answers(self.ci, self._early("next"), by_name)
        self.assertEqual({answer["status"] for answer in answers}, {"pending"})
        self.release.with_user(self.rm).write({"source_ref": sha("next")})
        self.env.invalidate_all()
        self.assertEqual(
            [self.log_of(answer).status for answer in answers], ["accepted"] * 2
        )
        self.assertEqual(len(self.release.check_ids), 2)
        self.assertFalse(any(self.release.check_ids.mapped("is_stale")))

    def test_pending_events_are_bound_in_the_order_they_came(self):
        self.answers(
            self.ci, self._early("ordered", "fail"), self._early("ordered", "pass")
        )
        release = self.open_release("ordered")
        self.assertEqual(
            release.check_ids.sorted("id").mapped("status"), ["fail", "pass"]
        )

    def test_pending_events_are_processed_with_the_rights_of_their_sender(self):
        event = self.event(
            "gate_signoff",
            {**PAYLOADS["gate_signoff"], "source_ref": sha("signed early")},
            project="acme/shop",
            source_ref=sha("signed early"),
            gate_code="G2",
        )
        own, foreign = self.answer(event, self.qa), None
        self.assertEqual(own["status"], "pending")
        foreign = self.answer(
            {**event, "idempotency_key": "manual/x/gate_signoff/2"}, self.rm
        )
        self.assertEqual(foreign["status"], "pending")
        release = self.open_release("signed early")
        self.env.invalidate_all()
        self.assertEqual(self.log_of(own).status, "accepted")
        self.assertEqual(release.approval_ids.approver_id, self.qa)
        self.assertEqual(self.log_of(foreign).code, "forbidden")

    def test_a_pending_event_does_not_hinder_an_opener_of_more_companies(self):
        company = self.env["res.company"].create({"name": "Elsewhere"})
        self.rm.company_ids += company
        self.answer(self._early("two companies"))
        plane = self.plane(self.rm).with_context(
            allowed_company_ids=[company.id, self.env.company.id]
        )
        answer = plane.open_release(
            {
                "project": "acme/shop",
                "name": "two companies",
                "source_ref": sha("two companies"),
                "environment_target": "production",
                "authors": ["dev@example.com"],
            }
        )
        release = self.env["ipai.release"].browse(answer["id"])
        self.assertEqual(release.check_ids.name, "lint")

    # --- stale -----------------------------------------------------------------------

    def test_a_result_for_an_old_revision_is_accepted_as_stale(self):
        old = self.release.source_ref
        self.release.with_user(self.rm).write({"source_ref": sha("newer")})
        event = self.lint("fail")
        event["payload"]["source_ref"] = old
        gates = self.snapshot("ipai_release_gate")
        answer = self.answer(event)
        self.assertEqual((answer["status"], answer["http_status"]), ("accepted", 200))
        self.assertIs(answer["detail"]["stale"], True)
        self.assertEqual(self.snapshot("ipai_release_gate"), gates)

    # --- 403 -------------------------------------------------------------------------

    def test_each_role_is_forbidden_what_it_may_not_send(self):
        for login in ROLES:
            for event_type in sorted(set(PAYLOADS) - AUTHORITY[login]):
                gate = "G2" if event_type == "gate_signoff" else None
                event = self.event(
                    event_type, PAYLOADS[event_type], self.release, gate_code=gate
                )
                with self.subTest(role=login, event_type=event_type):
                    self.rejected(event, 403, "forbidden", user=self.users[login])

    def test_a_person_cannot_speak_as_a_machine(self):
        event = self.event("evidence", PAYLOADS["evidence"], self.release, "agent")
        self.rejected(event, 403, "forbidden", user=self.qa)

    def test_an_sre_records_operational_evidence_only(self):
        for gate, kind, allowed in (
            ("G2", "incident_report", False),
            ("G4", "test_result", True),
            (None, "incident_report", True),
            (None, "test_result", False),
        ):
            payload = {**PAYLOADS["evidence"], "type": kind}
            event = self.event("evidence", payload, self.release, gate_code=gate)
            with self.subTest(gate=gate, kind=kind):
                answer = self.answer(event, self.sre)
                self.assertEqual(answer["status"] == "accepted", allowed)

    def test_a_forbidden_sender_learns_nothing_of_an_earlier_event(self):
        event = self.lint()
        self.answer(event)
        self.rejected(event, 403, "forbidden", user=self.qa)

    def test_who_has_no_role_gets_no_answer_at_all(self):
        for group in ("base.group_user", "base.group_portal", "base.group_public"):
            user = self.new_user(f"nobody {group}", group)
            plane = self.plane(user)
            with self.subTest(group=group):
                for call in (
                    lambda plane=plane: plane.ingest([self.lint()]),
                    lambda plane=plane: plane.open_release({}),
                    lambda plane=plane: plane.verdict(self.release.id),
                    lambda plane=plane: plane.request_move(self.release.id, "closed"),
                ):
                    with self.assertRaises(AccessError):
                        call()

    # --- 500 -------------------------------------------------------------------------

    def _break_checks_named(self, name):
        """From now on a check of this name cannot be stored: our own fault."""
        plane = self.registry["ipai.control.plane"]
        original = plane._check_values

        def broken(plane, submission, gate, check):
            values = original(plane, submission, gate, check)
            # The database refuses it, which spoils the transaction up to a savepoint.
            return {**values, "release_id": None} if check["name"] == name else values

        self.patch(plane, "_check_values", broken)
        return original

    def test_our_own_fault_is_answered_kept_and_can_be_reprocessed(self):
        original = self._break_checks_named("lint")
        event = self.lint()
        with (
            self.assertLogs(PIPELINE, "ERROR"),
            self.assertLogs("odoo.sql_db", "ERROR"),
        ):
            answer = self.answer(event)
        self.assertEqual((answer["status"], answer["http_status"]), ("error", 500))
        self.assertEqual(answer["detail"]["code"], "internal_error")
        self.assertNotIn("null value", json.dumps(answer))
        log = self.log_of(answer)
        self.assertEqual(json.loads(log.payload), event)
        self.assertFalse(self.release.check_ids)
        for login in ("dev", "qa", "ci", "auditor", "governance"):
            with self.assertRaises(AccessError):
                log.with_user(self.users[login]).action_reprocess()
        self.patch(self.registry["ipai.control.plane"], "_check_values", original)
        log.with_user(self.rm).action_reprocess()
        self.assertEqual((log.status, log.http_status), ("accepted", 200))
        self.assertEqual(self.release.check_ids.recorded_by_id, self.ci)
        with self.assertRaises(UserError):
            log.with_user(self.rm).action_reprocess()

    def test_the_sender_may_send_again_what_failed_through_our_fault(self):
        original = self._break_checks_named("lint")
        event = self.lint()
        with (
            self.assertLogs(PIPELINE, "ERROR"),
            self.assertLogs("odoo.sql_db", "ERROR"),
        ):
            self.answer(event)
        self.patch(self.registry["ipai.control.plane"], "_check_values", original)
        self.assertEqual(self.answer(event)["status"], "accepted")

    # --- lists -----------------------------------------------------------------------

    def test_in_a_list_each_event_stands_alone_and_order_is_kept(self):
        good = self.lint()
        early = self._early("some day")
        newer = self.ci_event(
            "revision",
            {"source_ref": sha("newer"), "authors": ["dev@example.com"]},
            self.release,
        )
        late, current = self.lint("fail"), self.lint()
        current["payload"]["source_ref"] = sha("newer")
        answers = self.answers(
            self.ci,
            good,
            self.lint("green"),
            good,
            "nonsense",
            self.lint(schema_version="v9"),
            early,
            self.lint(release_id=2**31 - 1),
            self.event("gate_signoff", PAYLOADS["gate_signoff"], self.release),
            newer,
            late,
            current,
        )
        self.assertEqual(
            [(answer["status"], answer["http_status"]) for answer in answers],
            [
                ("accepted", 200),
                ("rejected", 400),
                ("duplicate", 200),
                ("rejected", 400),
                ("rejected", 422),
                ("pending", 202),
                ("rejected", 409),
                ("rejected", 400),
                ("accepted", 200),
                ("accepted", 200),
                ("accepted", 200),
            ],
        )

    def test_an_event_after_a_revision_in_the_same_list_is_bound_to_it(self):
        newer = self.ci_event(
            "revision",
            {"source_ref": sha("newer"), "authors": ["dev@example.com"]},
            self.release,
        )
        late, current = self.lint("fail"), self.lint()
        current["payload"]["source_ref"] = sha("newer")
        self.answers(self.ci, newer, late, current)
        checks = self.release.check_ids.sorted("id")
        self.assertEqual(
            {(c.status, c.is_stale) for c in checks}, {("fail", True), ("pass", False)}
        )

    def test_an_event_before_its_revision_in_the_same_list_does_not_wait_for_ever(self):
        newer = self.ci_event(
            "revision",
            {"source_ref": sha("newer"), "authors": ["dev@example.com"]},
            self.release,
        )
        early = self.lint()
        early["payload"]["source_ref"] = sha("newer")
        answers = self.answers(self.ci, early, newer)
        self.assertEqual([a["status"] for a in answers], ["accepted"] * 2)
        self.assertIs(answers[0]["detail"]["stale"], False)
        self.assertFalse(self.release.check_ids.is_stale)

    def test_one_event_that_cannot_be_stored_costs_no_other(self):
        self._break_checks_named("boom")
        events = [
            self.ci_event(
                "check_result", {"name": name, "status": "pass"}, self.release
            )
            for name in ("a", "b", "boom", "c")
        ]
        with (
            self.assertLogs(PIPELINE, "ERROR"),
            self.assertLogs("odoo.sql_db", "ERROR"),
        ):
            answers = self.answers(self.ci, *events)
        self.assertEqual(
            [answer["status"] for answer in answers],
            ["accepted", "accepted", "error", "accepted"],
        )
        self.assertEqual(
            self.release.check_ids.sorted("id").mapped("name"), ["a", "b", "c"]
        )
        for answer in answers[:2]:
            ids = answer["detail"]["created"]["checks"]
            self.assertEqual(len(ids), 1)
            self.assertTrue(self.env["ipai.check"].browse(ids).exists())

    def test_a_closed_release_refuses_a_revision_and_the_rest_of_the_list_goes_on(self):
        self.release.with_user(self.rm).action_cancel()
        newer = self.ci_event(
            "revision",
            {"source_ref": sha("newer"), "authors": ["dev@example.com"]},
            self.release,
        )
        first, second = self.answers(self.ci, newer, self.lint())
        self.assertEqual(first["detail"]["code"], "release_closed")
        self.assertEqual(first["http_status"], 409)
        self.assertEqual(second["status"], "accepted")

    def test_events_must_be_a_list_of_1_to_1000(self):
        for events in ([], {}, None, "x", [{}] * 1001):
            with self.subTest(kind=type(events)), self.assertRaises(ValidationError):
                self.plane(self.ci).ingest(events)

    # --- the log ---------------------------------------------------------------------

    def test_every_submission_has_a_row_with_what_was_sent(self):
        event = self.lint("green")
        log = self.log_of(self.answer(event))
        self.assertEqual(json.loads(log.payload), event)
        self.assertEqual(log.idempotency_key, event["idempotency_key"])
        self.assertEqual(log.event_type, "check_result")
        self.assertEqual(log.source_system, "github_actions")
        self.assertEqual(log.received_at, self.env.cr.now())

    def test_what_no_database_can_hold_is_logged_all_the_same(self):
        for raw in ("a\0b", "\ud800", {"event_type": "x\0"}, {"payload": {"a": 1.5}}):
            with self.subTest(raw=repr(raw)):
                answer = self.send(self.ci, raw)[0]
                self.assertEqual(answer["status"], "rejected")
                self.on_the_wire(answer)
                self.env.flush_all()
                self.assertEqual(len(self.log_of(answer).payload_sha256), 64)

    def test_a_log_row_belongs_to_the_company_of_its_release(self):
        company = self.env["res.company"].create({"name": "Elsewhere"})
        self.ci.company_ids += company
        self.project.company_id = company
        answer = self.answer(self.lint())
        self.assertEqual(answer["status"], "accepted")
        self.assertEqual(self.log_of(answer).company_id, company)

    # --- open_release ----------------------------------------------------------------

    def _open(self, user=None, **values):
        return self.on_the_wire(
            self.plane(user or self.ci).open_release(
                {
                    "project": "acme/shop",
                    "name": "3.0",
                    "source_ref": sha("3.0"),
                    "environment_target": "production",
                    "authors": ["dev@example.com"],
                    **values,
                }
            )
        )

    def test_open_release_answers_what_the_contract_says(self):
        answer = self._open()
        release = self.env["ipai.release"].browse(answer["id"])
        self.assertEqual(
            answer,
            {
                "id": release.id,
                "uuid": release.uuid,
                "name": "3.0",
                "project": "acme/shop",
                "stage": "build",
                "status": "draft",
                "source_ref": sha("3.0"),
                "created": True,
            },
        )
        self.assertEqual(
            release.release_gate_ids.gate_id.mapped("code"), ["G1", "G2", "G3", "G4"]
        )
        self.assertEqual(self.ledger(release).mapped("kind"), ["release_opened"])

    def test_open_release_is_idempotent_on_project_and_name(self):
        first = self._open()
        before = self.snapshot(*TABLES)
        again = self._open(source_ref=sha("other"), authors=["qa@example.com"])
        self.assertEqual(again, {**first, "created": False})
        self.assertEqual(self.snapshot(*TABLES), before)

    def test_open_release_returns_an_archived_release_of_that_name(self):
        first = self._open()
        release = self.env["ipai.release"].browse(first["id"])
        release.with_user(self.rm).write({"active": False})
        self.assertEqual(self._open()["id"], first["id"])

    def test_open_release_of_an_unknown_project_says_who_adds_it(self):
        with self.assertRaisesRegex(
            ValidationError, "project: .*acme/nowhere.*unknown"
        ):
            self._open(project="acme/nowhere")

    def test_open_release_names_the_field_at_fault(self):
        for name, wrong in (
            ("project", None),
            ("name", " "),
            ("source_ref", "main"),
            ("source_ref", "0" * 40),
            ("environment_target", "moon"),
            ("authors", []),
            ("authors", "dev@example.com"),
            ("authors", ["dev"]),
            ("artifact_digest", 7),
            ("scope_metadata", "text"),
        ):
            with (
                self.subTest(field=name, wrong=wrong),
                self.assertRaisesRegex(ValidationError, f"^{name}"),
            ):
                self._open(**{name: wrong})

    def test_open_release_refuses_fields_it_does_not_know(self):
        for name in ("stage", "stage_id", "status", "fact_version", "uuid", "id"):
            with (
                self.subTest(field=name),
                self.assertRaisesRegex(ValidationError, f"{name}: Is not a field"),
            ):
                self._open(**{name: 1})

    def test_only_openers_open(self):
        for login in ROLES:
            with self.subTest(role=login), self.undone():
                if login in ("ci", "dev", "rm"):
                    self.assertTrue(self._open(self.users[login])["created"])
                else:
                    with self.assertRaises(AccessError):
                        self._open(self.users[login])

    def test_a_developer_opens_in_own_projects_only(self):
        self.project.member_ids = False
        with self.assertRaisesRegex(ValidationError, "unknown"):
            self._open(self.dev)

    # --- verdict ---------------------------------------------------------------------

    def test_a_verdict_has_the_shape_of_the_contract(self):
        verdict = self.on_the_wire(self.verdict(self.release))
        self.assertEqual(
            set(verdict),
            {"eligible", "target", "release", "revision", "evaluated_at", "gates"},
        )
        self.assertEqual(verdict["release"], self.release.uuid)
        self.assertEqual(verdict["revision"], self.release.source_ref)
        self.assertIs(verdict["eligible"], False)
        for gate in verdict["gates"]:
            self.assertLessEqual({"code", "status", "conditions"}, set(gate))
            for condition in gate["conditions"]:
                self.assertLessEqual(
                    {"code", "state", "reason", "waived_until"}, set(condition)
                )
                self.assertIn(condition["state"], ("met", "unmet"))
                self.assertTrue(condition["reason"])

    def test_a_target_needs_the_gates_of_the_design(self):
        for target, gates in (
            ("dev", []),
            ("staging", ["G1", "G2"]),
            ("production", ["G1", "G2", "G3"]),
        ):
            verdict = self.verdict(self.release, target=target)
            self.assertEqual([gate["code"] for gate in verdict["gates"]], gates)
            self.assertEqual(verdict["eligible"], not gates)
        self.pass_gates(self.release, "G1", "G2")
        self.assertTrue(self.verdict(self.release, target="staging")["eligible"])
        self.assertFalse(self.verdict(self.release)["eligible"])
        self.pass_gates(self.release, "G3")
        self.assertTrue(self.verdict(self.release)["eligible"])
        with self.assertRaisesRegex(ValidationError, "target must be one of"):
            self.verdict(self.release, target="moon")

    def test_a_verdict_changes_nothing(self):
        self.pass_gates(self.release, "G1")
        before, version = self.snapshot(*TABLES), self.release.fact_version
        for login in ("dev", "qa", "rm", "sre", "ci", "auditor", "governance"):
            with self.later(hours=30):
                self.verdict(self.release, self.users[login])
        self.assertEqual(self.snapshot(*TABLES), before)
        self.assertEqual(self.release.fact_version, version)

    def test_a_verdict_does_not_depend_on_what_the_asking_person_may_read(self):
        self.pass_gates(self.release, "G1", "G2", "G3")
        asked = [
            self.verdict(self.release, self.users[login])["gates"]
            for login in ("rm", "ci", "dev", "qa", "auditor")
        ]
        for verdict in asked[1:]:
            self.assertEqual(verdict, asked[0])

    # --- request_move ----------------------------------------------------------------

    def test_a_refused_move_is_an_answer_and_an_entry_in_the_ledger(self):
        plane = self.plane(self.rm)
        answer = self.on_the_wire(
            plane.request_move(self.release.uuid, "qa_validation")
        )
        self.assertEqual(
            set(answer),
            {
                "moved",
                "release",
                "stage",
                "requested_stage",
                "status",
                "reasons",
                "message",
            },
        )
        self.assertEqual(
            (answer["moved"], answer["stage"], answer["requested_stage"]),
            (False, "build", "qa_validation"),
        )
        for problem in answer["reasons"]:
            self.assertEqual(set(problem), {"gate", "code", "kind", "reason"})
        entry = self.ledger(self.release)[-1]
        self.assertEqual((entry.kind, entry.actor), ("move_refused", "rm"))
        self.assertEqual(
            set(json.loads(entry.body)["unmet"]),
            {"G1:branch_build", "G1:required_checks", "G1:build_log"},
        )

    def test_an_allowed_move_is_an_answer_too(self):
        self.pass_g1(self.release)
        plane = self.plane(self.rm)
        answer = self.on_the_wire(
            plane.request_move(self.release.uuid, "QA Validation")
        )
        self.assertEqual(
            (answer["moved"], answer["stage"], answer["reasons"], answer["message"]),
            (True, "qa_validation", [], ""),
        )
