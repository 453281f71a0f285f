import logging
from weakref import WeakKeyDictionary

from odoo import api, models

from ... import ingest
from .submission import Submission

_logger = logging.getLogger(__name__)

_PAYLOAD_LIMIT = ingest.MAX_BYTES + 4096

# Log rows that a rollback hook kept, by the cursor whose transaction was rolled back:
# the cursor outlives the tries of its call, and nothing else does on every transport.
_kept_logs = WeakKeyDictionary()


class ControlPlane(models.AbstractModel):
    """The log rows of events, written before an event is validated."""

    _inherit = "ipai.control.plane"

    @api.model
    def _log_submissions(self, events, delivery=None):
        """Create the log row of every event before it is validated."""
        digests = [ingest.payload_digest(raw) for raw in events]
        vals_list = self._log_values(events, digests)
        if delivery:
            # A rollback keeps the row of the delivery; the events are read from it
            # again.
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
            # sudo: the caller wrote these rows
        return self.env["ipai.ingest.log"].sudo().browse(kept[1]).exists() or None

    @api.model
    def _keep_logs_if_rolled_back(self, vals_list, digests):
        """Keep the log rows even when this transaction is rolled back.

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


def _short_text(value):
    """Text of an event that was not validated yet, short enough for a log row."""
    if not isinstance(value, str):
        return False
    return value.encode("utf-8", "replace").decode().replace("\0", "")[:255] or False
