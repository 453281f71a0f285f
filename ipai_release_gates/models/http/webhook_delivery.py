import hashlib
import logging
import re

from psycopg2.errors import UniqueViolation

from odoo import models
from odoo.exceptions import AccessError, ConcurrencyError, UserError
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

from ... import ingest
from ...errors import Rejected
from ...ingest import transport
from ..ingest.ingest_log import SETTLED

_logger = logging.getLogger(__name__)

_TAKEN = ("accepted", "ignored")
_HEADER = re.compile(r"[!-~][ -~]{0,126}")
_KEPT = transport.MAX_DELIVERY_BYTES + 4096
_RETRIED = (*PG_CONCURRENCY_EXCEPTIONS_TO_RETRY, ConcurrencyError)


class WebhookSource(models.Model):
    """Processing of deliveries whose signature is good."""

    _inherit = "ipai.webhook.source"

    def _receive(self, event, delivery, body):
        """Take a delivery once, with a row in the log for every outcome.

        :param event: what kind it is, as its header says
        :param delivery: its id, as its header says
        :param bytes body: as it was sent
        :returns: ``{"status", "delivery", "results", "message"?}``; ``results`` are the
            answers to the events that were read from it
        """
        self.ensure_one()
        if not (_HEADER.fullmatch(event or "") and _HEADER.fullmatch(delivery or "")):
            raise Rejected(
                "bad_request", "The headers with the event and its delivery id miss."
            )
        log = self._log_delivery(event, delivery, body)
        if log.status in SETTLED:
            # Kept when a try of this request was rolled back, and taken from there
            # before the request came to its next try.
            return log.detail
        return self._take(log, event, delivery, body)

    def _receive_again(self, log):
        """Take a delivery that was kept, judged by what this webhook is now.

        What was recorded since stands: its events are old ones.

        :param log: its row, whose signature was good when it arrived
        """
        self.ensure_one()
        event = log.event_type.removeprefix(f"{self.provider}:")
        delivery = log.idempotency_key.removeprefix(self._delivery_key(""))
        self._take(log, event, delivery, log.payload.encode(), kept=True)

    def _delivery_key(self, delivery):
        return f"webhook/{self.uuid}/{delivery}"

    def _take(self, log, event, delivery, body, kept=False):
        """Bring a delivery to its outcome and write it to its row.

        :returns: the answer
        """
        original = self._taken_before(log)
        if original and original.payload_sha256 == log.payload_sha256:
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
            outcome = self._handle(log, event, delivery, body, kept)
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

    def _log_delivery(self, event, delivery, body):
        """The row of a delivery, which stays even if this transaction does not."""
        digest = hashlib.sha256(body).hexdigest()
        values = {
            "idempotency_key": self._delivery_key(delivery),
            "event_type": f"{self.provider}:{event}",
            "source_system": self._provider().system,
            "payload": _text(body),
            "payload_sha256": digest,
            "project_id": self.project_id.id,
            "company_id": self.company_id.id,
            "webhook_source_id": self.id,
            "user_id": self.user_id.id,
            "received_at": self.env.cr.now(),
        }
        return self.env["ipai.control.plane"]._take_logs([values], [digest])

    def _taken_before(self, log):
        """The first delivery of this id or with this content, if it was taken."""
        return (
            self.env["ipai.ingest.log"]
            # sudo: deliveries are found for governance
            .sudo()
            .search(
                [
                    ("webhook_source_id", "=", self.id),
                    ("status", "in", _TAKEN),
                    ("id", "!=", log.id),
                    "|",
                    ("idempotency_key", "=", log.idempotency_key),
                    ("payload_sha256", "=", log.payload_sha256),
                ],
                order="id",
                limit=1,
            )
        )

    def _handle(self, log, event, delivery, body, kept):
        """Process a delivery: all of its events are recorded, or none.

        After any error the row stays, with the error; our own faults are retried.
        """
        try:
            with self.env.cr.savepoint():
                return self._adapt(log, event, delivery, body, kept)
        except _RETRIED:
            raise
        except UniqueViolation as error:
            # This snapshot does not show the row that won; Odoo's retry reads it.
            raise ConcurrencyError(str(error)) from error
        except AccessError as error:
            return _rejected("forbidden", str(error))
        except UserError as error:
            return _rejected("invalid_field", str(error))
        except Exception:
            _logger.exception("Delivery %s could not be processed", log.id)
            message = self.env._(
                "The delivery could not be processed; it is kept and tried again."
            )
            return {"status": "error", "code": "internal_error", "message": message}

    def _adapt(self, log, event, delivery, body, kept):
        """Read a delivery and record what follows from it."""
        if not self.active:
            return _rejected("forbidden", self.env._("Its webhook is archived."))
        try:
            payload = transport.read_object(body)
            adapted = self._provider().adapt(event, delivery, payload)
        except Rejected as error:
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
        if outcome := self._answer_request(event, delivery, payload):
            return outcome
        if not adapted.envelopes:
            return {
                "status": "ignored",
                "code": "ignored",
                "message": adapted.ignored or self.env._("It tells no fact."),
            }
        return {
            "status": "accepted",
            "results": self._record(adapted.envelopes, log, kept),
        }

    def _record(self, envelopes, log, kept):
        """The answers to events, recorded with the rights of the CI service alone."""
        user = self.user_id
        companies = user.company_id | user.company_ids
        plane = (
            self.env["ipai.control.plane"]
            .with_user(user)
            .with_context({"allowed_company_ids": companies.ids})
        )
        plane._require_role()
        return plane._take_events(envelopes, log, kept)

    def _answer_request(self, event, delivery, payload):
        """Answer a delivery that asks something instead of telling a fact.

        An addon overrides it for the events that it answers.

        :param str event: name of the event, as the provider has it
        :param str delivery: the provider's id of the delivery
        :param payload: decoded JSON
        :return: dict with ``status`` and ``message``; ``None`` where facts are read
        """
        return None  # noqa: RET501  the value is what overrides replace

    def _write_outcome(self, log, outcome, answer, original):
        # Only a failed delivery has a time of its next try.
        failure = {"retry_at": False}
        if outcome["status"] == "error":
            failure = log._failure_values(log.failures)
        # sudo: system notes the outcome
        log.sudo().system_write(
            {
                **failure,
                "status": outcome["status"],
                "http_status": ingest.answers.delivery_status(answer),
                "code": outcome.get("code"),
                "reason": outcome.get("message"),
                # The user may have changed since the delivery arrived.
                "user_id": self.user_id.id,
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
