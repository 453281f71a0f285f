"""The answers table of ingest.md, row by row."""

import base64
import hashlib

from odoo.exceptions import AccessError

from ..common import ROLES, sha
from .answers import AUTHORITY, PAYLOADS, TABLES, AnswersCase


class TestAnswersTable(AnswersCase):
    # --- accepted ---------------------------------------------------------------------

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

    # --- duplicates -------------------------------------------------------------------

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

    # --- 400, 413, 422 ----------------------------------------------------------------

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

    # --- 409 unknown, 202 pending -----------------------------------------------------

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

    # --- stale ------------------------------------------------------------------------

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

    # --- 403 --------------------------------------------------------------------------

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
