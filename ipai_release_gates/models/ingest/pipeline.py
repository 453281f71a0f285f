import logging

from psycopg2.errors import UniqueViolation

from odoo import api, models
from odoo.exceptions import (
    AccessError,
    ConcurrencyError,
    UserError,
)
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

from ... import ingest
from ...errors import Rejected, rejects_calls
from ..mixins.recorded import FactBatch
from .lookup import Lookup
from .submission import Submission

_logger = logging.getLogger(__name__)

MAX_EVENTS = ingest.transport.MAX_EVENTS
_PAYLOAD_LIMIT = ingest.MAX_BYTES + 4096
_RETRIED = (*PG_CONCURRENCY_EXCEPTIONS_TO_RETRY, ConcurrencyError)


class ControlPlane(models.AbstractModel):
    """Ingest: log, validate, recognise duplicates, resolve, store, answer.

    Everything is validated first and stored in bulk. Only where storing fails does each
    event get a savepoint of its own, so that one bad event never costs the others.
    """

    _inherit = "ipai.control.plane"

    @api.model
    @rejects_calls
    def ingest(self, events):
        """Take events from CI, agents or people.

        :param list events: 1 to 1000 envelopes of schema ``v1.0``
        :returns: one answer per event, in order: ``{"ingest_id", "status",
            "http_status", "detail"}``, see the answers table of the contract
        :raises CallRejected: when ``events`` is no list of 1 to 1000
        :raises AccessError: when the caller has no role in the release process
        """
        self._require_role()
        if not isinstance(events, list) or not 1 <= len(events) <= MAX_EVENTS:
            raise Rejected(
                "invalid_field",
                self.env._("events: must be a list of 1 to %s envelopes.", MAX_EVENTS),
                "events",
            )
        return self._take_events(events)

    @api.model
    def _require_role(self):
        if not self._roles():
            raise AccessError(
                self.env._("You have no role in the release process; ask for one.")
            )

    @api.model
    def _take_events(self, events, delivery=None, kept=False):
        """Log events, process them and answer each.

        :param delivery: row of the webhook delivery that they were read from
        :param bool kept: whether that was delivered earlier, and is read again
        """
        submissions = self._log_submissions(events, delivery)
        for submission in submissions:
            submission.kept = kept
        self._process(submissions)
        return [submission.answer for submission in submissions]

    # --- the pipeline ----------------------------------------------------------------

    @api.model
    def _process_logged(self, logs):
        """Process kept submissions again, on their own log rows."""
        submissions = [
            Submission(log, raw, log.payload_sha256, kept=True)
            for log in logs
            if (raw := log._raw()) is not None
        ]
        self._process(submissions)
        return submissions

    @api.model
    def _process(self, submissions):
        """Bring every submission to its answer and write the answers to the log."""
        self._validate(submissions)
        waiting = [s for s in submissions if s.open]
        while waiting:
            waiting = self._process_distinct(waiting)
        self._write_log(submissions)

    @api.model
    def _process_distinct(self, submissions):
        """Process one submission per key.

        :returns: those that must go another round, because an earlier one with their
            key but another payload was refused
        """
        self._answer_known_keys(submissions)
        first, repeats = {}, []
        for submission in submissions:
            if not submission.open:
                continue
            key = submission.envelope.idempotency_key
            if key in first:
                repeats.append(submission)
            else:
                first[key] = submission
        self._resolve_and_store(first.values())
        again = []
        for submission in repeats:
            original = first[submission.envelope.idempotency_key]
            if original.answer["status"] in ("accepted", "pending"):
                self._answer_repeat(
                    submission,
                    original.digest,
                    original.log.id,
                    original.answer["detail"],
                )
            elif original.digest == submission.digest:
                submission.answer = {**original.answer, "ingest_id": submission.log.id}
            else:
                again.append(submission)
        return again

    @api.model
    def _resolve_and_store(self, submissions):
        """Find the release and revision of each event and store it, in order.

        A revision changes what the events after it speak of, and may be what events
        before it wait for, so a run of events ends with it.
        """
        run = []
        for submission in submissions:
            run.append(submission)
            if submission.kind.subject == ingest.kinds.NEW_REVISION:
                run = self._take_run(run)
        self._take_run(run)

    @api.model
    def _take_run(self, run):
        """Resolve and store one run of events.

        :returns: those of them that wait for a commit, to be tried again
        """
        for submission in run:
            submission.answer = None
        self._resolve(run)
        self._store([s for s in run if s.open])
        return [s for s in run if s.answer["status"] == "pending"]

    @api.model
    def _validate(self, submissions):
        roles, kinds = self._roles(), self._event_kinds_by_code()
        for submission in submissions:
            if isinstance(submission.raw, ingest.transport.Unreadable):
                submission.reject("not_json", submission.raw.error.message, "event")
                continue
            try:
                envelope = ingest.parse_envelope(submission.raw, kinds)
            except Rejected as error:
                submission.answer = ingest.answers.rejected_by(submission.log.id, error)
                continue
            submission.envelope = envelope
            submission.kind = kinds[envelope.event_type]
            refusal = ingest.may_send(
                roles,
                envelope.event_type,
                envelope.source_system,
                envelope.gate_code,
                envelope.payload.get("type"),
                kinds,
            )
            if refusal:
                submission.reject("forbidden", refusal)

    @api.model
    def _answer_known_keys(self, submissions):
        keys = {s.envelope.idempotency_key for s in submissions if s.open}
        if not keys:
            return
        # Keys are global, so those of all senders are looked up.
        known = {
            log.idempotency_key: log
            for log in self.env["ipai.ingest.log"]
            # sudo: rows of all senders are compared
            .sudo()
            .search(
                [
                    ("idempotency_key", "in", list(keys)),
                    ("status", "in", ("accepted", "pending")),
                ]
            )
        }
        for submission in submissions:
            log = submission.open and known.get(submission.envelope.idempotency_key)
            if log == submission.log and log.status == "accepted":
                # Kept when a try of this call was rolled back, and processed from there
                # before the call came to its next try.
                submission.answer = ingest.answers.accepted(log.id, log.detail)
            elif log and log != submission.log:
                self._answer_repeat(
                    submission, log.payload_sha256, log.id, log.detail or {}
                )

    @api.model
    def _answer_repeat(self, submission, digest, original_id, detail):
        if submission.digest == digest:
            submission.answer = ingest.answers.duplicate(
                submission.log.id, original_id, detail
            )
        else:
            submission.reject(
                "idempotency_conflict",
                self.env._(
                    "This key was used for another payload (event %s). A new event "
                    "needs a new key.",
                    original_id,
                ),
                "idempotency_key",
            )

    # --- storing ---------------------------------------------------------------------

    @api.model
    def _store(self, submissions):
        """Store events in order, those that only add facts in bulk."""
        run = []
        for submission in submissions:
            if submission.kind.plans:
                run.append(submission)
            else:
                self._store_run(run)
                run = []
                self._store_alone(submission)
        self._store_run(run)

    @api.model
    def _store_run(self, submissions):
        if not submissions:
            return
        try:
            with self.env.cr.savepoint():
                self._store_facts(submissions)
        except _RETRIED:
            raise
        except Exception:  # noqa: BLE001  one error must not affect other events
            # Some event of the run cannot be stored; find out which, one by one.
            if len(submissions) > 1:
                for submission in submissions:
                    submission.answer = None
            for submission in submissions:
                self._store_alone(submission)

    @api.model
    def _store_facts(self, submissions):
        """Turn events into facts, create them in bulk and judge the gates once."""
        lookup, plans = Lookup(self.env), []
        for submission in submissions:
            try:
                plan = getattr(self, submission.kind.method)(submission, lookup)
                self._refuse_overtaken_plan(submission, plan)
            except Rejected as error:
                submission.reject(error.code, error.message, error.field)
            else:
                plans.append((submission, plan))
        if not plans:
            return
        batch = FactBatch()
        plane = self.with_context(**batch.context())
        plane._create_planned(plans)
        batch.record(self.env)
        for submission, _plan in plans:
            submission.accept()

    @api.model
    def _store_alone(self, submission):
        """Store one event in a savepoint of its own and answer it."""
        submission.answer, submission.created = None, {}
        kind = submission.kind
        try:
            with self.env.cr.savepoint():
                if kind.plans:
                    self._store_facts([submission])
                else:
                    handle = getattr(self, kind.method)
                    detail = handle(submission, Lookup(self.env)) or {}
                    submission.accept(**detail)
        except _RETRIED:
            raise
        except Rejected as error:
            submission.reject(error.code, error.message, error.field)
        except UniqueViolation as error:
            # This snapshot does not show the row that won; Odoo's retry reads it.
            raise ConcurrencyError(str(error)) from error
        except AccessError as error:
            submission.reject("forbidden", str(error))
        except UserError as error:
            submission.reject("invalid_field", str(error), "payload")
        except Exception:
            _logger.exception("Event %s could not be processed", submission.log.id)
            submission.answer = ingest.answers.error(submission.log.id)

    @api.model
    def _write_log(self, submissions):
        now = self.env.cr.now()
        for submission in submissions:
            answer = submission.answer
            detail = answer["detail"]
            company = {}
            if submission.release:
                # Users who may read the release may read its events.
                # sudo: the log takes the release's company
                company["company_id"] = submission.release.sudo().company_id.id
            # Only a failed event has a time of its next try.
            failure = {"retry_at": False}
            if answer["status"] == "error":
                failure = submission.log._failure_values(submission.log.failures)
            # sudo: the façade writes its own rows
            submission.log.sudo().system_write(
                {
                    **company,
                    **failure,
                    "status": answer["status"],
                    "http_status": answer["http_status"],
                    "code": detail.get("code", False),
                    "reason": detail.get("message", False),
                    "detail": detail,
                    "release_id": submission.release.id
                    if submission.release
                    else False,
                    "original_id": detail.get("duplicate_of", False),
                    "processed_at": now,
                }
            )
        try:
            self.env["ipai.ingest.log"].flush_model()
        except UniqueViolation as error:
            # A concurrent submission with this key won; the retry answers duplicate.
            raise ConcurrencyError(str(error)) from error
