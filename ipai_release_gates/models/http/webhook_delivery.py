import hashlib
import re

from psycopg2.errors import UniqueViolation

from odoo import models
from odoo.exceptions import ConcurrencyError

from ... import ingest
from ...ingest import transport

_ADAPTERS = {"github": ingest.github, "gitlab": ingest.gitlab}
_SYSTEMS = {"github": "github_actions", "gitlab": "gitlab_ci"}
_TAKEN = ("accepted", "ignored")
_HEADER = re.compile(r"[!-~][ -~]{0,126}")
_KEPT = transport.MAX_DELIVERY_BYTES + 4096


class WebhookSource(models.Model):
    """What becomes of a delivery whose signature is good."""

    _inherit = "ipai.webhook.source"

    def _receive(self, event, delivery, body):
        """Take a delivery: once, whatever came of it, with a row in the log.

        :param event: what kind it is, as its header says
        :param delivery: its id, as its header says
        :param bytes body: as it was sent
        :returns: ``{"status", "delivery", "results", "message"?}``; ``results`` are the
            answers to the events that were read from it
        """
        self.ensure_one()
        if not (_HEADER.fullmatch(event or "") and _HEADER.fullmatch(delivery or "")):
            raise transport.TransportError(
                "bad_request", "The headers with the event and its delivery id miss."
            )
        digest = hashlib.sha256(body).hexdigest()
        key = f"webhook/{self.uuid}/{delivery}"[: ingest.fields.MAX_KEY]
        log = self._log_delivery(event, key, digest, body)
        original = self._taken_before(key, digest, log)
        if original and original.payload_sha256 == digest:
            outcome = {
                "status": "duplicate",
                "results": (original.detail or {}).get("results", []),
            }
        elif original:
            outcome = {
                "status": "rejected",
                "code": "idempotency_conflict",
                "message": self.env._(
                    "This delivery was received with another content (event %s).",
                    original.id,
                ),
            }
        else:
            outcome = self._adapt(event, delivery, body)
        answer = ingest.answers.portable(
            {
                "status": outcome["status"],
                "delivery": delivery,
                "results": outcome.get("results", []),
                "message": outcome.get("message"),
            }
        )
        self._write_outcome(log, outcome, answer, original)
        return answer

    def _log_delivery(self, event, key, digest, body):
        # Nobody writes the log but the engine, which keeps everything.
        return (
            self.env["ipai.ingest.log"]
            .sudo()
            .engine_create(
                [
                    {
                        "idempotency_key": key,
                        "event_type": f"{self.provider}:{event}",
                        "source_system": _SYSTEMS[self.provider],
                        "payload": _text(body),
                        "payload_sha256": digest,
                        "project_id": self.project_id.id,
                        "company_id": self.company_id.id,
                        "webhook_source_id": self.id,
                        "user_id": self.user_id.id,
                        "received_at": self.env.cr.now(),
                    }
                ]
            )
        )

    def _taken_before(self, key, digest, log):
        """The first delivery of this id or with this content, if it was taken."""
        # Deliveries of this very source, whoever may read them.
        return (
            self.env["ipai.ingest.log"]
            .sudo()
            .search(
                [
                    ("webhook_source_id", "=", self.id),
                    ("status", "in", _TAKEN),
                    ("id", "!=", log.id),
                    "|",
                    ("idempotency_key", "=", key),
                    ("payload_sha256", "=", digest),
                ],
                order="id",
                limit=1,
            )
        )

    def _adapt(self, event, delivery, body):
        """Read a delivery and record what follows from it."""
        try:
            payload = transport.read_object(body)
            adapted = _ADAPTERS[self.provider].adapt(event, delivery, payload)
        except transport.TransportError as error:
            return _rejected(error.code, error.message)
        except ingest.AdapterError as error:
            return _rejected("invalid_field", str(error))
        if adapted.project and adapted.project != self.project_id.name:
            message = self.env._(
                "It is about %(other)s, and this webhook is of %(project)s.",
                other=adapted.project,
                project=self.project_id.name,
            )
            return _rejected("unknown_release", message)
        if not self.user_id.active:
            message = self.env._(
                "%s, as which it would be recorded, is archived.", self.user_id.login
            )
            return _rejected("forbidden", message)
        if event == "deployment_protection_rule" and self.provider == "github":
            return self._ask_protection(delivery, payload)
        if not adapted.envelopes:
            return {
                "status": "ignored",
                "code": "ignored",
                "message": adapted.ignored or self.env._("It tells no fact."),
            }
        return {"status": "accepted", "results": self._ingest(adapted.envelopes)}

    def _ingest(self, envelopes):
        """The answers to events, recorded with the rights of the CI service alone."""
        user = self.user_id
        companies = user.company_id | user.company_ids
        plane = (
            self.env["ipai.control.plane"]
            .with_user(user)
            .with_context({"allowed_company_ids": companies.ids})
        )
        return plane.ingest(envelopes)

    def _ask_protection(self, delivery, payload):
        """Hand a request of a GitHub protection rule to who answers it."""
        protection = self._protection()
        if protection is None:
            return {
                "status": "ignored",
                "code": "ignored",
                "message": self.env._("Nothing here answers protection rules."),
            }
        said = protection._requested(self, delivery, payload)
        message = said.get("message")
        if said["status"] == "rejected":
            return _rejected("invalid_field", message)
        return {"status": "accepted", "message": message}

    def _protection(self):
        """Who answers protection rules; ``None`` where nobody does."""
        return self.env.get("ipai.github.protection")

    def _write_outcome(self, log, outcome, answer, original):
        # The engine's note of what came of it.
        log.sudo().engine_write(
            {
                "status": outcome["status"],
                "http_status": ingest.answers.delivery_status(answer),
                "code": outcome.get("code"),
                "reason": outcome.get("message"),
                "detail": answer,
                "original_id": original.id
                if outcome["status"] == "duplicate"
                else False,
                "processed_at": self.env.cr.now(),
            }
        )
        try:
            log.flush_recordset()
        except UniqueViolation as error:
            # The same delivery at the same moment won; the retry answers duplicate.
            raise ConcurrencyError(str(error)) from error


def _rejected(code, message):
    return {"status": "rejected", "code": code, "message": message}


def _text(body):
    text = body.decode("utf-8", "replace").replace("\0", "\ufffd")
    return text[:_KEPT]
