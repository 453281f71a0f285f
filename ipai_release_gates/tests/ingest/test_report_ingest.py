"""Reports of tools through the façade, and by real HTTP."""

import base64
import json

from odoo.exceptions import AccessError
from odoo.tests import tagged

from ..common import GateCase, sha
from ..http import GREEN, JSON, XML, HttpGateCase

RED = GREEN.replace(b"/></testsuite>", b"><failure/></testcase></testsuite>")
SARIF = {
    "version": "2.1.0",
    "runs": [
        {"tool": {"driver": {"name": "scan"}}, "results": [{"level": "warning"}]},
    ],
}
SBOM = {
    "bomFormat": "CycloneDX",
    "specVersion": "1.6",
    "components": [{"type": "library", "name": "six"}],
}


def report(release, content=GREEN, number=1, **more):
    """Values of ``ingest_report``; ``None`` takes one away."""
    values = {
        "format": "junit",
        "release_id": release.uuid,
        "source_ref": release.source_ref,
        "name": "unit_tests",
        "idempotency_key": f"github_actions/{release.uuid}/report/{number}",
        "content_base64": base64.b64encode(content).decode(),
        **more,
    }
    return {key: value for key, value in values.items() if value is not None}


class TestReportIngest(GateCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.release = cls.open_release()

    def take(self, user=None, **more):
        return self.plane(user or self.ci).ingest_report(report(self.release, **more))

    def facts(self, answers):
        """The check and the evidence that two answers tell of."""
        check, evidence = answers
        self.assertEqual([one["status"] for one in answers], ["accepted"] * 2, answers)
        return (
            self.env["ipai.check"].browse(check["detail"]["created"]["checks"]),
            self.env["ipai.evidence"].browse(evidence["detail"]["created"]["evidence"]),
        )

    def test_a_report_is_a_check_and_its_file_as_evidence_of_the_revision(self):
        check, evidence = self.facts(self.take(gate_code="G1"))
        self.assertEqual((check.name, check.status), ("unit_tests", "pass"))
        self.assertEqual(check.source_system, "github_actions")
        self.assertEqual(check.metadata["tests"], 1)
        self.assertEqual(evidence.type_code, "test_result")
        self.assertEqual(base64.b64decode(evidence.content), GREEN)
        self.assertEqual(evidence.filename, "junit.xml")
        for fact in (check, evidence):
            self.assertEqual(fact.revision_id, self.release.revision_id)
            self.assertEqual(fact.gate_id, self.gates["G1"])
            self.assertEqual(fact.recorded_by_id, self.ci)

    def test_the_check_says_what_the_report_says(self):
        _check, evidence = self.facts(
            self.take(
                content=json.dumps(SBOM).encode(), format="cyclonedx", name="sbom"
            )
        )
        self.assertEqual(evidence.type_code, "sbom")
        check, evidence = self.facts(
            self.take(
                number=2,
                content=json.dumps(SARIF).encode(),
                format="sarif",
                name="scan",
            )
        )
        self.assertEqual(check.status, "warning")
        self.assertEqual(evidence.type_code, "vulnerability_scan")

    def test_a_report_that_fails_closes_the_gate_that_one_before_had_opened(self):
        self.pass_g1(self.release)
        self.assertEqual(self.status(self.release, "G1"), "passed")
        self.facts(self.take(content=RED))
        self.assertEqual(self.status(self.release, "G1"), "failed")
        self.facts(self.take(number=2))
        self.assertEqual(self.status(self.release, "G1"), "passed")

    def test_a_report_in_which_nothing_ran_passes_nothing(self):
        self.pass_g1(self.release)
        self.facts(self.take(content=b"<testsuites/>"))
        self.assertNotEqual(self.status(self.release, "G1"), "passed")

    def test_a_retry_is_a_duplicate_and_another_file_a_conflict(self):
        first = self.take(emitted_at="2026-01-31T09:30:00Z")
        again = self.take(emitted_at="2026-01-31T09:31:00Z")
        self.assertEqual([one["status"] for one in again], ["duplicate"] * 2)
        self.assertEqual(
            [one["detail"]["duplicate_of"] for one in again],
            [one["ingest_id"] for one in first],
        )
        # Other bytes, though the result is the same.
        other = self.take(content=GREEN + b"\n")
        self.assertEqual([one["http_status"] for one in other], [409, 409])

    def test_a_report_of_a_commit_no_release_has_waits_for_one(self):
        commit = sha("tomorrow")
        answers = self.take(
            release_id=None, project=self.project.name, source_ref=commit
        )
        self.assertEqual([one["http_status"] for one in answers], [202, 202])
        release = self.open_release("tomorrow")
        self.assertEqual(release.check_ids.mapped("name"), ["unit_tests"])
        self.assertEqual(release.evidence_ids.mapped("type_code"), ["test_result"])

    def test_a_report_of_an_earlier_revision_is_history(self):
        former = self.release.source_ref
        payload = {"source_ref": sha("newer"), "authors": ["dev@example.com"]}
        self.must_send(self.ci, self.ci_event("revision", payload, self.release))
        answers = self.take(source_ref=former)
        self.assertTrue(all(one["detail"]["stale"] for one in answers))

    def test_what_cannot_be_read_is_answered_once_and_kept_in_the_log(self):
        for number, (field, more) in enumerate(
            (
                ("content_base64", {"content": b"<!DOCTYPE x><testsuite/>"}),
                ("content_base64", {"content": b"{}"}),
                ("content_base64", {"format": "sarif"}),
                ("content_base64", {"format": "cyclonedx"}),
                ("format", {"format": "html"}),
                ("source_ref", {"source_ref": None}),
                ("release_id", {"release_id": None}),
            )
        ):
            with self.subTest(field=field, number=number):
                (answer,) = self.take(**more)
                self.assertEqual(
                    (answer["status"], answer["http_status"]), ("rejected", 400)
                )
                self.assertEqual(answer["detail"]["field"], field)
                log = self.env["ipai.ingest.log"].browse(answer["ingest_id"])
                self.assertEqual((log.status, log.user_id), ("rejected", self.ci))
                self.assertEqual(log.reason, answer["detail"]["message"])
        self.assertFalse(self.release.check_ids)

    def test_what_is_no_object_is_answered_and_kept_as_well(self):
        for values in (None, [], "report", 7):
            (answer,) = self.plane(self.ci).ingest_report(values)
            self.assertEqual(answer["http_status"], 400)
            self.assertTrue(answer["ingest_id"])

    def test_each_sends_what_their_role_may(self):
        answers = self.take(self.dev)
        self.assertEqual([one["http_status"] for one in answers], [403, 403])
        manual = {"idempotency_key": "manual/shop/report/1", "source_system": "manual"}
        self.assertEqual(
            [one["http_status"] for one in self.take(self.dev, **manual)], [200, 200]
        )
        manual["idempotency_key"] = "manual/shop/report/2"
        self.assertEqual(
            [one["http_status"] for one in self.take(self.qa, **manual)], [403, 200]
        )
        with self.assertRaises(AccessError):
            self.take(self.new_user("nobody"))


@tagged("post_install", "-at_install")
class TestReportsOverHttp(HttpGateCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.release = cls.open_release("reports over http")

    def send(self, body=GREEN, mimetype=XML, login="ci", path=None, **more):
        path = path or self.report_path(**more)
        return self.post(path, body, login, mimetype=mimetype)

    def test_a_raw_file_is_taken_with_its_address_in_the_query(self):
        path = self.report_path(gate_code="G1", filename="TEST-shop.xml")
        answer = self.send(path=path)
        self.assertEqual(answer.status_code, 200, answer.text)
        self.assertEqual([one["status"] for one in answer.json()], ["accepted"] * 2)
        again = self.send(path=path)
        self.assertEqual([one["status"] for one in again.json()], ["duplicate"] * 2)
        self.assertEqual(self.release.check_ids.mapped("name"), ["unit_tests"])
        evidence = self.release.evidence_ids
        self.assertEqual(base64.b64decode(evidence.content), GREEN)
        self.assertEqual(evidence.filename, "TEST-shop.xml")

    def test_a_release_is_named_by_its_id_or_its_project_as_well(self):
        for more in (
            {"release": self.release.id},
            {"release": None, "project": self.project.name},
        ):
            self.assertEqual(self.send(**more).status_code, 200)

    def test_a_content_type_that_cannot_hold_the_format_is_refused(self):
        for format_, mimetype, taken in (
            ("junit", "application/xml", True),
            ("junit", "application/octet-stream", True),
            ("junit", JSON, False),
            ("sarif", JSON, True),
            ("sarif", "application/sarif+json", True),
            ("sarif", XML, False),
            ("cyclonedx", "application/vnd.cyclonedx+json", True),
            ("cyclonedx", "application/vnd.cyclonedx+xml", False),
        ):
            with self.subTest(format=format_, mimetype=mimetype):
                answer = self.send(b"{}", mimetype, format=format_)
                if taken:
                    self.assertRefused(answer, 400, "invalid_field", "content_base64")
                else:
                    self.assertRefused(answer, 415, "unsupported_media_type")

    def test_a_content_type_that_lies_is_found_out(self):
        answer = self.send(b"%PDF-1.7")
        self.assertRefused(answer, 400, "invalid_field", "content_base64")
        answer = self.send(GREEN, JSON, format="sarif")
        self.assertRefused(answer, 400, "invalid_field", "content_base64")

    def test_parameters_are_read_strictly(self):
        for more, field in (
            ({"format": None}, "format"),
            ({"format": "html"}, "format"),
            ({"name": None}, "name"),
            ({"source_ref": "main"}, "source_ref"),
            ({"idempotency_key": "1"}, "idempotency_key"),
            ({"status": "pass"}, "status"),
            ({"release": None}, "release_id"),
        ):
            with self.subTest(**more):
                self.assertRefused(
                    self.send(**more),
                    400,
                    "missing_field"
                    if None in more.values() and field != "format"
                    else "invalid_field",
                    field,
                )

    def test_a_file_that_is_too_large_is_refused(self):
        answer = self.send(b" " * (10 * 1024 * 1024 + 1))
        self.assertRefused(answer, 413, "too_large")
        answer = self.send(b" " * (5 * 1024 * 1024) + GREEN)
        self.assertRefused(answer, 413, "too_large", "content_base64")

    def test_a_list_with_a_refusal_says_so_by_its_status(self):
        answer = self.send(login="dev")
        self.assertEqual(answer.status_code, 207)
        self.assertEqual([one["http_status"] for one in answer.json()], [403, 403])
