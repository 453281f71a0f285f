"""Webhooks of code hosts by real HTTP: who is let in, and what becomes of it once."""

import hashlib
import hmac
import json
import uuid
from datetime import timedelta
from unittest.mock import patch

from psycopg2 import IntegrityError
from psycopg2.errors import SerializationFailure

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.ipai_release_gates.ingest import signatures

from ..common import sha
from ..http import HttpGateCase

DELIVERY = "odoo.addons.ipai_release_gates.models.http.webhook_delivery"


@tagged("post_install", "-at_install")
class TestWebhooks(HttpGateCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.release = cls.open_release("webhooks")
        cls.sources, cls.secrets = {}, {}
        for provider in ("github", "gitlab"):
            cls.sources[provider] = cls.webhook_source(provider)
            cls.secrets[provider] = cls.new_secret(cls.sources[provider])
        cls.github = cls.sources["github"]

    # --- helpers ---------------------------------------------------------------------

    @classmethod
    def new_secret(cls, source):
        action = source.with_user(cls.governance).action_new_secret()
        return action["context"]["default_secret"]

    def run_payload(self, conclusion="success", **run):
        return {
            "action": "completed",
            "repository": {"full_name": self.project.name},
            "workflow_run": {
                "id": 30433642,
                "name": "Lint",
                "conclusion": conclusion,
                "head_sha": self.release.source_ref,
                "updated_at": "2026-01-31T09:30:00Z",
                "html_url": "https://github.com/acme/shop/actions/runs/30433642",
                **run,
            },
        }

    def pipeline_payload(self, status="success"):
        return {
            "object_kind": "pipeline",
            "object_attributes": {
                "id": 31,
                "status": status,
                "source": "push",
                "sha": self.release.source_ref,
                "url": "https://gitlab.com/acme/shop/-/pipelines/31",
                "created_at": "2016-08-12 15:23:28 UTC",
                "finished_at": "2016-08-12 15:26:29 UTC",
            },
            "project": {
                "path_with_namespace": self.project.name,
                "web_url": "https://gitlab.com/acme/shop",
            },
            "builds": [],
        }

    def deliver(self, payload, event="workflow_run", **options):
        """A delivery of GitHub.

        :param options: ``delivery``, ``source``, ``secret``, ``signature``, ``body``
        """
        body = options.get("body") or json.dumps(payload).encode()
        secret = options.get("secret", self.secrets["github"])
        signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        headers = {
            "X_GitHub_Event": event,
            "X_GitHub_Delivery": options.get("delivery", str(uuid.uuid4())),
            "X_Hub_Signature_256": options.get("signature", f"sha256={signature}"),
        }
        source = options.get("source", self.github.uuid)
        path = f"/webhooks/github?source={source}"
        return self.post(path, body, None, **headers)

    def deliver_gitlab(self, payload, event="Pipeline Hook", **headers):
        headers = {
            "X_Gitlab_Event": event,
            "X_Gitlab_Token": self.secrets["gitlab"],
            "Idempotency_Key": str(uuid.uuid4()),
            **headers,
        }
        path = f"/webhooks/gitlab?source={self.sources['gitlab'].uuid}"
        return self.post(path, payload, None, **headers)

    def deliveries(self, provider="github"):
        self.env.invalidate_all()
        return self.env["ipai.ingest.log"].search(
            [("webhook_source_id", "=", self.sources[provider].id)], order="id"
        )

    def checks(self, name="workflow/Lint"):
        self.env.invalidate_all()
        return self.release.check_ids.filtered(lambda check: check.name == name)

    # --- what becomes of a delivery --------------------------------------------------

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

    # --- what goes wrong on our side -------------------------------------------------

    def failing(self, name="_record"):
        """A context in which taking a delivery fails, after its facts were stored."""
        method = getattr(type(self.github), name)

        def fail(source, *arguments):
            method(source, *arguments)
            raise ZeroDivisionError("a fault of ours")

        return patch.object(type(self.github), name, fail)

    def retry(self, **later):
        """What the scheduled action does after some time."""
        cron = self.env.ref("ipai_release_gates.ir_cron_retry_events")
        with self.scheduled(**later):
            cron.method_direct_trigger()

    def test_a_fault_of_ours_costs_no_delivery_and_it_is_tried_again(self):
        payload = self.run_payload()
        with self.failing(), mute_logger(DELIVERY):
            answer = self.deliver(payload, delivery="faulty")
        self.assertEqual((answer.status_code, answer.json()["status"]), (202, "error"))
        self.assertIn("tried again", answer.json()["message"])
        self.assertNotIn("fault of ours", answer.text)
        log = self.deliveries()
        self.assertEqual((log.status, log.http_status), ("error", 202))
        self.assertEqual((log.code, log.failures), ("internal_error", 1))
        self.assertTrue(log.retry_at)
        self.assertFalse(self.checks())
        self.retry(minutes=6)
        self.assertEqual((log.status, log.retry_at), ("accepted", False))
        self.assertEqual(log.detail["delivery"], "faulty")
        event = self.checks().ingest_log_id
        self.assertEqual((len(event), event.delivery_id), (1, log))
        self.retry(minutes=60)
        self.assertEqual(self.deliver(payload).json()["status"], "duplicate")
        self.assertEqual(len(self.checks()), 1)

    def test_what_fails_again_waits_longer(self):
        with self.failing(), mute_logger(DELIVERY):
            self.deliver(self.run_payload())
            log = self.deliveries()
            first = log.retry_at
            self.retry(minutes=6)
        self.assertEqual((log.status, log.failures), ("error", 2))
        self.assertGreater(log.retry_at, first + timedelta(minutes=10))
        self.assertFalse(self.checks())

    def test_a_transaction_that_is_tried_again_takes_the_delivery_once(self):
        method, tries = type(self.github)._record, []

        def fail_once(source, *arguments):
            said = method(source, *arguments)
            tries.append(source)
            if len(tries) == 1:
                raise SerializationFailure()
            return said

        with (
            patch.object(type(self.github), "_record", fail_once),
            patch("odoo.service.model.time.sleep"),
            patch("odoo.service.model.errorcodes.lookup", return_value="40001"),
        ):
            answer = self.deliver(self.run_payload())
        self.assertEqual(
            (answer.status_code, answer.json()["status"]), (200, "accepted")
        )
        self.assertEqual(len(tries), 2)
        log = self.deliveries()
        self.assertEqual(log.mapped("status"), ["accepted"])
        self.assertEqual(len(self.checks()), 1)

    def test_a_transaction_that_is_rolled_back_for_good_keeps_the_delivery(self):
        with (
            self.failing(name="_write_outcome"),
            mute_logger("odoo.http", "odoo.addons.base.models.ir_http"),
        ):
            answer = self.deliver(self.run_payload())
        self.assertEqual(answer.status_code, 500)
        log = self.deliveries()
        self.assertEqual((log.status, log.code), ("error", "interrupted"))
        self.assertFalse(self.checks())
        self.retry(minutes=6)
        self.assertEqual(log.status, "accepted")
        self.assertEqual(self.checks().ingest_log_id.delivery_id, log)

    def test_a_request_that_failed_is_asked_again_with_its_id(self):
        asked = []

        def answer_request(_source, _event, delivery, _payload):
            asked.append(delivery)
            if len(asked) == 1:
                raise ZeroDivisionError("a fault of ours")
            return {"status": "accepted", "message": None}

        payload = {
            "action": "requested",
            "environment": "production",
            "repository": {"full_name": self.project.name},
        }
        Source = type(self.github)
        with (
            patch.object(Source, "_answer_request", answer_request),
            mute_logger(DELIVERY),
        ):
            answer = self.deliver(
                payload, event="deployment_protection_rule", delivery="rule"
            )
            self.assertEqual(answer.json()["status"], "error")
            self.retry(minutes=6)
        self.assertEqual(asked, ["rule", "rule"])
        self.assertEqual(self.deliveries().status, "accepted")

    # --- reprocessing ----------------------------------------------------------------

    def refused_delivery(self, payload=None, **options):
        """A delivery that was refused because its CI service was archived."""
        service = self.github.user_id.sudo()
        service.active = False
        answer = self.deliver(payload or self.run_payload(), **options)
        self.assertEqual(answer.json()["status"], "rejected")
        service.active = True
        return self.deliveries()[-1]

    def test_a_refused_delivery_is_reprocessed_once_its_service_is_back(self):
        payload = self.run_payload()
        log = self.refused_delivery(payload, delivery="late")
        notice = log.with_user(self.rm).action_reprocess()
        self.assertEqual(notice["params"]["message"], "Accepted: 1")
        self.assertEqual((log.status, log.http_status), ("accepted", 200))
        self.assertFalse(log.code or log.reason)
        check = self.checks()
        self.assertEqual((check.status, check.recorded_by_id), ("pass", self.ci))
        self.assertTrue(check.ingest_log_id.idempotency_key.endswith("/late"))
        self.assertEqual(check.ingest_log_id.received_at, log.received_at)
        with self.assertRaisesRegex(UserError, "processed already"):
            log.with_user(self.rm).action_reprocess()
        log._process_again()
        for delivery in ("late", "later"):
            again = self.deliver(payload, delivery=delivery).json()
            self.assertEqual(again["status"], "duplicate")
        self.assertEqual(len(self.checks()), 1)

    def test_what_was_delivered_again_meanwhile_is_a_duplicate(self):
        log = self.refused_delivery(delivery="twice")
        self.deliver(self.run_payload(), delivery="twice")
        log.with_user(self.sre).action_reprocess()
        self.assertEqual(log.status, "duplicate")
        self.assertEqual(log.original_id, self.deliveries()[-1])
        self.assertEqual(len(self.checks()), 1)

    def test_a_reprocessed_delivery_does_not_replace_what_came_since(self):
        log = self.refused_delivery()
        self.deliver(self.run_payload("failure"))
        log.with_user(self.rm).action_reprocess()
        self.assertEqual(log.detail["results"][0]["status"], "rejected")
        self.assertEqual(self.checks().mapped("status"), ["fail"])

    def test_of_two_reprocessed_deliveries_the_later_one_stands(self):
        first = self.refused_delivery()
        last = self.refused_delivery(self.run_payload("failure"))
        notice = (last | first).with_user(self.rm).action_reprocess()
        self.assertEqual(notice["params"]["message"], "Accepted: 2")
        self.assertEqual(self.checks().mapped("status"), ["fail", "pass"])

    def test_a_delivery_and_an_event_keep_the_order_they_arrived_in(self):
        delivery = self.refused_delivery()
        payload = {"name": "workflow/Lint", "status": "fail"}
        event = self.ci_event("check_result", payload, self.release)
        plane = type(self.env["ipai.control.plane"])
        with (
            patch.object(plane, "_create_planned", side_effect=ZeroDivisionError),
            mute_logger("odoo.addons.ipai_release_gates.models.ingest.pipeline"),
        ):
            answer = self.send(self.ci, event)[0]
        later = self.env["ipai.ingest.log"].browse(answer["ingest_id"])
        notice = (later | delivery).with_user(self.rm).action_reprocess()
        self.assertEqual(notice["params"]["message"], "Accepted: 2")
        self.assertEqual(self.checks().mapped("status"), ["fail", "pass"])

    def test_a_delivery_is_judged_by_what_its_webhook_is_now(self):
        log = self.refused_delivery()
        other = self.new_user("ci-other", "group_ci_service")
        self.github.with_user(self.governance).user_id = other
        log.with_user(self.rm).action_reprocess()
        self.assertEqual(self.checks().recorded_by_id, other)
        self.assertEqual(log.user_id, other)
        log = self.refused_delivery(self.run_payload("failure"))
        self.github.with_user(self.governance).active = False
        log.with_user(self.rm).action_reprocess()
        self.assertEqual((log.status, log.code), ("rejected", "forbidden"))
        self.assertIn("archived", log.reason)

    def test_what_was_not_kept_as_it_was_delivered_says_so(self):
        self.deliver(None, body=b'{"a": "\xff"}')
        log = self.deliveries()
        with self.assertRaisesRegex(UserError, "not kept as it was delivered"):
            log.with_user(self.rm).action_reprocess()
        self.assertEqual(log.status, "rejected")

    # --- who is let in ---------------------------------------------------------------

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

    # --- who takes care of them ------------------------------------------------------

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
