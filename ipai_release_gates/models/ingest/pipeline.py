import logging
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

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

_logger = logging.getLogger(__name__)

MAX_EVENTS = ingest.transport.MAX_EVENTS
_PAYLOAD_LIMIT = ingest.MAX_BYTES + 4096
_RETRIED = (*PG_CONCURRENCY_EXCEPTIONS_TO_RETRY, ConcurrencyError)

# Log rows that a rollback hook kept, by the cursor whose transaction was rolled back:
# the cursor outlives the tries of its call, and nothing else does on every transport.
_kept_logs = WeakKeyDictionary()


@dataclass(eq=False)
class Submission:
    """One event on its way through the pipeline."""

    log: Any
    raw: Any
    digest: str
    envelope: ingest.Envelope | None = None
    #: The kind of the event; set with the envelope.
    kind: ingest.EventKind | None = None
    release: Any = None
    revision: Any = None
    answer: dict | None = None
    created: dict = field(default_factory=dict)
    #: Sent earlier and kept: it must not replace what was recorded since.
    kept: bool = False

    @property
    def open(self):
        return self.answer is None

    def follows(self, log):
        """Whether it arrived after another event: what was read from a delivery
        arrived with it, however often that was read."""
        return self.log._arrival_id() >= log._arrival_id()

    @property
    def stale(self):
        return bool(self.revision) and self.revision != self.release.revision_id

    def reject(self, code, message, field=None):
        self.answer = ingest.answers.rejected(self.log.id, code, message, field=field)

    def accept(self, **detail):
        self.answer = ingest.answers.accepted(
            self.log.id,
            {
                "release": self.release.uuid,
                "source_ref": self.envelope.source_ref or self.revision.source_ref,
                "stale": self.stale,
                "created": self.created,
                **detail,
            },
        )


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

    # --- the log ---------------------------------------------------------------------

    @api.model
    def _log_submissions(self, events, delivery=None):
        """Give every event its log row before anything looks into it."""
        digests = [ingest.payload_digest(raw) for raw in events]
        vals_list = self._log_values(events, digests)
        if delivery:
            # The delivery is what was sent: if this is rolled back, its row is kept,
            # and they are read from it again.
            source = {"delivery_id": delivery.id, "received_at": delivery.received_at}
            logs = self._create_logs(self.env, [{**v, **source} for v in vals_list])
        else:
            logs = self._take_logs(vals_list, digests)
        return [
            Submission(log, raw, digest)
            for log, raw, digest in zip(logs, events, digests, strict=True)
        ]

    @api.model
    def _log_values(self, events, digests):
        now = self.env.cr.now()
        return [
            {
                "payload": ingest.raw_text(raw, _PAYLOAD_LIMIT),
                "payload_sha256": digest,
                "user_id": self.env.uid,
                "company_id": self.env.company.id,
                "received_at": now,
                **{
                    name: _short_text(raw.get(name))
                    for name in (
                        "idempotency_key",
                        "schema_version",
                        "event_type",
                        "source_system",
                    )
                    if isinstance(raw, dict)
                },
            }
            for raw, digest in zip(events, digests, strict=True)
        ]

    @api.model
    def _create_logs(self, env, vals_list):
        # Nobody may write the log but through the façade, which keeps everything.
        # sudo: only the façade writes the log
        return env["ipai.ingest.log"].sudo().system_create(vals_list)

    @api.model
    def _take_logs(self, vals_list, digests):
        """Rows that are kept also when this transaction is rolled back."""
        logs = self._logs_of_former_try(digests)
        if not logs:
            logs = self._create_logs(self.env, vals_list)
            self._keep_logs_if_rolled_back(vals_list, digests)
        return logs

    @api.model
    def _logs_of_former_try(self, digests):
        """The rows kept when Odoo retries a call after a serialization failure."""
        kept = _kept_logs.get(self.env.cr)
        if not kept or kept[0] != digests:
            return None
        # The caller's own rows of a moment ago.
        # sudo: the caller wrote these rows
        return self.env["ipai.ingest.log"].sudo().browse(kept[1]).exists() or None

    @api.model
    def _keep_logs_if_rolled_back(self, vals_list, digests):
        """Keep what was sent even when this transaction is rolled back.

        The rows are written again as errors, on a connection of their own. A retry of
        the same request takes them up again; after the last one they stay for
        reprocessing.
        """
        cr = self.env.cr
        registry, uid, company = self.env.registry, self.env.uid, self.env.company.id
        interrupted = {
            "status": "error",
            "http_status": 500,
            "code": "interrupted",
            "reason": "The transaction was rolled back before the event was taken.",
            **self.env["ipai.ingest.log"]._failure_values(0),
        }

        def keep():
            try:
                with registry.cursor() as own:
                    env = api.Environment(own, uid, {"allowed_company_ids": [company]})
                    kept = [{**vals, **interrupted} for vals in vals_list]
                    ids = self._create_logs(env, kept).ids
                _kept_logs[cr] = (digests, ids)
            except Exception:
                _logger.exception("Events of a failed call could not be kept")

        cr.postrollback.add(keep)

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
        """Find what each event speaks of and store it, in order.

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

    # --- which release ---------------------------------------------------------------

    @api.model
    def _resolve(self, submissions):
        """Find the release and the revision each event speaks of."""
        submissions = [s for s in submissions if s.open]
        if not submissions:
            return
        self._resolve_addressed(submissions)
        self._resolve_by_commit([s for s in submissions if s.open and not s.release])
        self._resolve_revisions([s for s in submissions if s.open])

    @api.model
    def _resolve_addressed(self, submissions):
        """Releases named by uuid, database id, or project and name."""
        ids, uuids, names = set(), set(), set()
        for submission in submissions:
            address = submission.envelope.release_id
            if isinstance(address, int):
                ids.add(address)
            elif isinstance(address, str):
                uuids.add(address)
            elif isinstance(address, dict):
                names.add(address["name"])
        if not (ids or uuids or names):
            return
        domain = [
            ("active", "in", [True, False]),
            "|",
            "|",
            ("id", "in", list(ids)),
            ("uuid", "in", list(uuids)),
            ("name", "in", list(names)),
        ]
        # Searched as the caller: a release they may not read is unknown to them.
        releases = self.env["ipai.release"].search_fetch(
            domain, ["uuid", "name", "project_id", "revision_id", "is_open"]
        )
        by_address = {}
        for release in releases.sudo():  # sudo: names of releases found readable
            by_address[release.id] = release
            by_address[release.uuid] = release
            by_address[release.project_id.name, release.name] = release
        for submission in submissions:
            envelope = submission.envelope
            address = envelope.release_id
            if address is None:
                continue
            if isinstance(address, dict):
                address = (address["project"], address["name"])
            release = by_address.get(address)
            if not release or (
                envelope.project and envelope.project != release.project_id.name
            ):
                submission.reject(
                    "unknown_release",
                    self.env._("No release %s that you may see.", envelope.release_id),
                    "release_id",
                )
            else:
                submission.release = release

    @api.model
    def _resolve_by_commit(self, submissions):
        """Releases named by project and commit; without one the event waits."""
        if not submissions:
            return
        names = {s.envelope.project for s in submissions}
        projects = {
            project.name: project
            for project in self.env["ipai.project"].search(
                [("name", "in", list(names))]
            )
        }
        releases = self.env["ipai.release"].search(
            [
                ("active", "in", [True, False]),
                ("project_id", "in", [p.id for p in projects.values()]),
                (
                    "revision_ids.source_ref",
                    "in",
                    list({s.envelope.source_ref for s in submissions}),
                ),
            ]
        )
        by_commit = {}
        # sudo: commits of releases found readable
        for release in releases.sorted("id").sudo():
            for revision in release.revision_ids:
                key = (release.project_id.name, revision.source_ref)
                current = revision == release.revision_id
                rank = (current, release.is_open, release.id)
                if key not in by_commit or rank > by_commit[key][0]:
                    by_commit[key] = (rank, release)
        for submission in submissions:
            envelope = submission.envelope
            if envelope.project not in projects:
                submission.reject(
                    "unknown_release",
                    self.env._("No project %s that you may see.", envelope.project),
                    "project",
                )
            elif submission.kind.subject == ingest.kinds.NEW_REVISION:
                submission.reject(
                    "missing_field",
                    self.env._("A revision must name its release by release_id."),
                    "release_id",
                )
            else:
                _rank, submission.release = by_commit.get(
                    (envelope.project, envelope.source_ref), (None, None)
                )
                if not submission.release:
                    self._wait(submission, projects[envelope.project])

    @api.model
    def _resolve_revisions(self, submissions):
        """The revision each fact speaks of: the latest of that commit."""
        facts = []
        for submission in submissions:
            if not submission.envelope.source_ref:
                # It speaks of the release as it is now, not of one of its revisions.
                submission.revision = submission.release.revision_id
            elif submission.kind.subject != ingest.kinds.NEW_REVISION:
                facts.append(submission)
        if not facts:
            return
        revisions = (
            self.env["ipai.revision"]
            # sudo: rows of all senders are compared
            .sudo()
            .search(
                [
                    ("release_id", "in", list({s.release.id for s in facts})),
                    ("source_ref", "in", list({s.envelope.source_ref for s in facts})),
                ],
                order="id",
            )
        )
        latest = {(r.release_id.id, r.source_ref): r for r in revisions}
        for submission in facts:
            submission.revision = latest.get(
                (submission.release.id, submission.envelope.source_ref)
            )
            if not submission.revision:
                self._wait(submission, submission.release.project_id)

    @api.model
    def _wait(self, submission, project):
        submission.answer = ingest.answers.pending(
            submission.log.id,
            {
                "project": project.name,
                "source_ref": submission.envelope.source_ref,
                "message": self.env._(
                    "No release has this commit yet; kept until one does."
                ),
            },
        )
        # The engine's note of what the event waits for.
        # sudo: the façade writes its own rows
        submission.log.sudo().system_write(
            {
                "project_id": project.id,
                "source_ref": submission.envelope.source_ref,
                "company_id": project.company_id.id,
            }
        )

    @api.model
    def _bind_pending(self, releases):
        """Process events that waited for a commit some release has now."""
        # Each event is processed with the rights of its sender.
        waiting = (
            self.env["ipai.ingest.log"]
            # sudo: rows of all senders are compared
            .sudo()
            .search(
                [
                    ("status", "=", "pending"),
                    ("project_id", "in", releases.project_id.ids),
                    ("source_ref", "in", releases.mapped("source_ref")),
                ],
                order="id",
            )
        )
        if waiting:
            waiting._process_again()

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
            # The winner is invisible to this snapshot; Odoo's retry will see it.
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
                # What was sent is seen by who sees what it is about.
                # sudo: the log takes the release's company
                company["company_id"] = submission.release.sudo().company_id.id
            # Of a failure the row notes when it is tried again; of all else, nothing.
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


def _short_text(value):
    """A key of the log row as far as it can be shown, before it was validated."""
    if not isinstance(value, str):
        return False
    return value.encode("utf-8", "replace").decode().replace("\0", "")[:255] or False
