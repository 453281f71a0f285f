"""Webhooks of code hosts by real HTTP: who is let in, and what becomes of it once."""

import hashlib
import hmac
import json
import uuid
from datetime import timedelta
from unittest.mock import patch

from psycopg2 import IntegrityError

from odoo.exceptions import AccessError, ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ...ingest import signatures
from ..common import sha
from .webhooks import WebhookCase


@tagged("post_install", "-at_install")
class TestWebhooks(WebhookCase):
    # --- what becomes of a delivery ---------------------------------------------------

    def test_a_signed_delivery_becomes_facts_of_the_ci_service(self):
        answer = self.deliver(self.run_payload(), delivery="d-1")
        self.assertEqual(answer.status_code, 200, answer.text)
        said = answer.json()
        self.assertEqual((said["status"], said["delivery"]), ("accepted", "d-1"))
        self.assertEqual([one["status"] for one in said["results"]], ["accepted"])
        check = self.checks()
        self.assertEqual((check.status, check.recorded_by_id), ("pass", self.ci))
        self.assertEqual(check.source_system, "github_actions")
        log = self.deliveries()
        self.assertEqual((log.status, log.http_status), ("accepted", 200))
        self.assertEqual(log.event_type, "github:workflow_run")
        self.assertEqual(log.user_id, self.ci)
        self.assertIn(self.release.source_ref, log.payload)
        self.assertEqual(self.github.last_delivery_status, "Accepted")
        self.assertEqual(self.github.last_delivery_at, log.received_at)

    def test_a_delivery_of_gitlab_shows_its_token(self):
        answer = self.deliver_gitlab(self.pipeline_payload())
        self.assertEqual(answer.status_code, 200, answer.text)
        self.assertEqual(self.checks("build").status, "pass")
        answer = self.deliver_gitlab(
            self.pipeline_payload("failed"),
            Idempotency_Key=None,
            X_Gitlab_Event_UUID=str(uuid.uuid4()),
        )
        self.assertEqual(answer.json()["status"], "accepted")

    def test_a_delivery_counts_once_whatever_its_headers_say_the_second_time(self):
        payload = self.run_payload()
        first = self.deliver(payload, delivery="once").json()
        self.deliver(self.run_payload("failure"))
        for again in ({"delivery": "once"}, {"delivery": "other"}, {"event": "push"}):
            answer = self.deliver(payload, **again)
            self.assertEqual(answer.status_code, 200)
            self.assertEqual(answer.json()["status"], "duplicate")
            self.assertEqual(answer.json()["results"], first["results"])
        self.assertEqual(self.checks().mapped("status"), ["fail", "pass"])
        logs = self.deliveries()
        self.assertEqual(
            logs.mapped("status"), ["accepted", "accepted"] + ["duplicate"] * 3
        )
        self.assertEqual(logs[2:].original_id, logs[0])

    def test_one_id_with_two_contents_is_a_conflict(self):
        self.deliver(self.run_payload(), delivery="twice")
        answer = self.deliver(self.run_payload("failure"), delivery="twice")
        self.assertEqual(
            (answer.status_code, answer.json()["status"]), (202, "rejected")
        )
        self.assertEqual(self.deliveries()[-1].code, "idempotency_conflict")
        self.assertEqual(self.checks().mapped("status"), ["pass"])

    def test_the_database_itself_takes_a_delivery_once(self):
        self.deliver(self.run_payload())
        log = self.deliveries()
        with (
            self.assertRaises(IntegrityError),
            mute_logger("odoo.sql_db"),
            self.cr.savepoint(),
        ):
            self.env.cr.execute(
                """
                INSERT INTO ipai_ingest_log (webhook_source_id, payload_sha256, status,
                                             user_id, company_id, received_at)
                     SELECT webhook_source_id, payload_sha256, 'ignored',
                            user_id, company_id, received_at
                       FROM ipai_ingest_log WHERE id = %s
                """,
                (log.id,),
            )

    def test_what_tells_no_fact_is_acknowledged_and_kept_with_the_reason(self):
        for event, payload in (
            ("ping", {"zen": "Keep it logically awesome.", "hook_id": 1}),
            ("star", {"action": "created"}),
            ("workflow_run", {**self.run_payload(), "action": "requested"}),
        ):
            answer = self.deliver(payload, event=event)
            self.assertEqual(
                (answer.status_code, answer.json()["status"]), (200, "ignored")
            )
            self.assertTrue(answer.json()["message"])
            self.assertEqual(answer.json()["results"], [])
        logs = self.deliveries()
        self.assertEqual(set(logs.mapped("status")), {"ignored"})
        self.assertTrue(all(logs.mapped("reason")))
        again = self.deliver({"action": "created"}, event="star")
        self.assertEqual(again.json()["status"], "duplicate")

    def test_what_cannot_be_read_is_kept_as_rejected_and_can_be_sent_again(self):
        broken = self.run_payload(head_sha="main")
        for payload in (broken, {"repository": []}, []):
            answer = self.deliver(payload)
            self.assertEqual(
                (answer.status_code, answer.json()["status"]), (202, "rejected")
            )
        self.assertEqual(self.deliver(None, body=b"{").json()["status"], "rejected")
        log = self.deliveries()[0]
        self.assertIn("workflow_run.head_sha", log.reason)
        log.with_user(self.rm).action_reprocess()
        self.assertEqual((log.status, log.code), ("rejected", "invalid_field"))
        self.assertEqual(self.deliver(broken).json()["status"], "rejected")

    def test_a_delivery_about_another_repository_is_rejected(self):
        self.env["ipai.project"].create({"name": "acme/other"})
        payload = self.run_payload()
        payload["repository"]["full_name"] = "acme/other"
        answer = self.deliver(payload)
        self.assertEqual(
            (answer.status_code, answer.json()["status"]), (202, "rejected")
        )
        self.assertFalse(self.checks())

    def test_a_result_for_a_commit_without_a_release_waits(self):
        answer = self.deliver(self.run_payload(head_sha=sha("later")))
        self.assertEqual(answer.status_code, 202)
        self.assertEqual(answer.json()["results"][0]["status"], "pending")

    def test_a_service_that_lost_its_role_records_nothing(self):
        self.ci.write(
            {"group_ids": [(5, 0, 0), (4, self.env.ref("base.group_user").id)]}
        )
        answer = self.deliver(self.run_payload())
        self.assertEqual(
            (answer.status_code, answer.json()["status"]), (202, "rejected")
        )
        log = self.deliveries()
        self.assertEqual((log.status, log.code), ("rejected", "forbidden"))
        self.ci.active = False
        answer = self.deliver(self.run_payload())
        self.assertEqual(answer.json()["status"], "rejected")
        self.assertFalse(self.checks())

    def test_a_request_is_handed_to_the_addon_that_answers_it(self):
        asked = []

        def answer_request(source, event, delivery, payload):
            asked.append((source, event, delivery, payload["environment"]))
            return {"status": "accepted", "message": None}

        payload = {
            "action": "requested",
            "environment": "production",
            "repository": {"full_name": self.project.name},
        }
        Source = type(self.env["ipai.webhook.source"])
        with patch.object(Source, "_answer_request", answer_request):
            answer = self.deliver(
                payload, event="deployment_protection_rule", delivery="rule"
            )
            self.deliver(payload, event="deployment_protection_rule", delivery="rule")
        self.assertEqual(answer.json()["status"], "accepted")
        event = "deployment_protection_rule"
        self.assertEqual(asked, [(self.github, event, "rule", "production")])
        other = {**payload, "environment": "staging"}
        other = self.deliver(other, event=event, delivery="unasked")
        self.assertEqual(other.json()["status"], "ignored")

    # --- who is let in ----------------------------------------------------------------

    def test_a_wrong_signature_and_an_unknown_address_look_the_same(self):
        payload = self.run_payload()
        good = hmac.new(
            self.secrets["github"].encode(), json.dumps(payload).encode(), hashlib.sha1
        )
        unsigned = self.env["ipai.webhook.source"].create(
            {
                "project_id": self.project.id,
                "provider": "github",
                "user_id": self.ci.id,
            }
        )
        answers = [
            self.deliver(payload, **options)
            for options in (
                {"secret": "wrong"},
                {"secret": ""},
                {"signature": None},
                {"signature": ""},
                {"signature": "sha256="},
                {"signature": f"sha1={good.hexdigest()}"},
                {"signature": "sha256=" + "é" * 64},
                {"source": str(uuid.uuid4())},
                {"source": ""},
                {"source": "%00"},
                {"source": self.sources["gitlab"].uuid},
                {"source": unsigned.uuid, "secret": ""},
            )
        ]
        for answer in answers:
            self.assertRefused(answer, 401, "unauthorized")
        self.assertEqual(len({answer.text for answer in answers}), 1)
        self.assertFalse(self.deliveries())

    def test_a_known_and_an_unknown_address_cost_the_same_statements(self):
        body, headers = b"{}", {"X-Hub-Signature-256": "sha256=0"}
        Source = self.env["ipai.webhook.source"]
        provider = Source._providers_by_code()["github"]
        with patch.object(
            signatures.hmac, "compare_digest", wraps=hmac.compare_digest
        ) as compare:
            for address in (self.github.uuid, str(uuid.uuid4()), "nonsense"):
                with self.assertQueryCount(1):
                    found = Source._genuine(provider, address, body, headers)
                self.assertFalse(found)
        self.assertEqual(compare.call_count, 3 * signatures.TRIED)

    def test_a_changed_body_is_refused(self):
        body = json.dumps(self.run_payload("failure")).encode()
        signature = hmac.new(self.secrets["github"].encode(), body, hashlib.sha256)
        answer = self.deliver(
            self.run_payload(), signature=f"sha256={signature.hexdigest()}"
        )
        self.assertRefused(answer, 401, "unauthorized")

    def test_a_token_of_gitlab_that_is_not_the_one_is_refused(self):
        for token in ("wrong", "", None, "é", self.secrets["github"]):
            answer = self.deliver_gitlab(self.pipeline_payload(), X_Gitlab_Token=token)
            self.assertRefused(answer, 401, "unauthorized")
        kept = self.sources["gitlab"].sudo().secret
        answer = self.deliver_gitlab(self.pipeline_payload(), X_Gitlab_Token=kept)
        self.assertRefused(answer, 401, "unauthorized")

    def test_the_former_secret_holds_until_it_ends(self):
        former, payload = self.secrets["github"], self.run_payload()
        new = self.new_secret(self.github)
        self.assertEqual(self.deliver(payload, secret=former).status_code, 200)
        self.assertEqual(self.deliver(payload, secret=new).status_code, 200)
        made_at = self.github.secret_made_at
        self.assertEqual(self.github.former_until, made_at + timedelta(hours=24))
        self.github.sudo().system_write({"former_until": made_at})
        answer = self.deliver(payload, secret=former)
        self.assertRefused(answer, 401, "unauthorized")
        self.github.sudo().system_write({"former_until": made_at + timedelta(hours=1)})
        self.assertEqual(self.deliver(payload, secret=former).status_code, 200)
        self.github.action_end_former_secret()
        answer = self.deliver(payload, secret=former)
        self.assertRefused(answer, 401, "unauthorized")
        newest = self.new_secret(self.github)
        self.assertEqual(self.deliver(payload, secret=new).status_code, 200)
        self.assertEqual(self.deliver(payload, secret=newest).status_code, 200)

    def test_an_archived_webhook_is_as_good_as_none(self):
        self.github.active = False
        answer = self.deliver(self.run_payload())
        self.assertRefused(answer, 401, "unauthorized")

    def test_neither_a_session_nor_a_key_stands_in_for_a_signature(self):
        self.authenticate("governance", "governance")
        path = f"/webhooks/github?source={self.github.uuid}"
        answer = self.post(path, self.run_payload(), "governance")
        self.assertRefused(answer, 401, "unauthorized")

    def test_what_is_no_delivery_is_refused(self):
        path = f"/webhooks/github?source={self.github.uuid}"
        answer = self.post(
            path, "payload={}", mimetype="application/x-www-form-urlencoded"
        )
        self.assertRefused(answer, 415, "unsupported_media_type")
        answer = self.post("/webhooks/bitbucket", {})
        self.assertRefused(answer, 404, "not_found")
        for options in ({"delivery": None}, {"event": None}, {"delivery": "\x7f"}):
            answer = self.deliver(self.run_payload(), **options)
            self.assertRefused(answer, 400, "bad_request")

    # --- who takes care of them -------------------------------------------------------

    def test_only_governance_makes_webhooks_and_secrets(self):
        values = {
            "project_id": self.project.id,
            "provider": "github",
            "user_id": self.ci.id,
        }
        for login in ("dev", "qa", "rm", "sre", "ci", "auditor"):
            user = self.users[login]
            source = self.github.with_user(user)
            with self.assertRaises(AccessError):
                source.create(values)
            with self.assertRaises(AccessError):
                source.write({"active": False})
            with self.assertRaises(AccessError):
                source.action_new_secret()
            with self.assertRaises(AccessError):
                source.action_end_former_secret()

    def test_nobody_reads_or_writes_a_secret(self):
        for login in ("governance", "rm", "auditor"):
            source = self.github.with_user(self.users[login])
            for name in ("secret", "former_secret"):
                with self.assertRaises(AccessError):
                    source.read([name])
                with self.assertRaises(AccessError):
                    source.search([(name, "like", "a")])
                with self.assertRaises(AccessError):
                    source.write({name: "x"})
                self.assertNotIn(name, source.fields_get())
        source = self.github.with_user(self.governance)
        for name in ("uuid", "secret_made_at", "former_until", "project_id"):
            with self.assertRaises(AccessError):
                source.write({name: False})
        made = source.with_context(default_secret="x", default_uuid="y").create(
            {"project_id": self.project.id, "provider": "github", "user_id": self.ci.id}
        )
        self.assertFalse(made.sudo().secret)
        self.assertNotEqual(made.uuid, "y")

    def test_the_ledger_tells_that_a_secret_was_made_and_not_which(self):
        secret = self.new_secret(self.github)
        entries = self.env["ipai.ledger.entry"].search([], order="id desc", limit=5)
        told = "".join(entries.mapped("body"))
        self.assertIn("secret_made_at", told)
        self.assertNotIn(secret, told)
        self.assertNotIn(self.secrets["github"], told)

    def test_it_records_as_a_ci_service_of_the_projects_company_only(self):
        foreign = self.env["res.company"].create({"name": "Other"})
        other = self.new_user(
            "ci2",
            "group_ci_service",
            company_id=foreign.id,
            company_ids=[(6, 0, foreign.ids)],
        )
        source = self.github.with_user(self.governance)
        for user in (self.rm, self.governance, other):
            with self.assertRaises(ValidationError):
                source.write({"user_id": user.id})
