import logging
from datetime import timedelta

from odoo import api, models
from odoo.fields import Domain
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

_logger = logging.getLogger(__name__)

#: Minutes until the next try of an event that failed, by how often it did. The first is
#: longer than a call and its own retries can last.
_PAUSES = (5, 15, 60, 4 * 60, 12 * 60, 24 * 60, 24 * 60)


class IngestLog(models.Model):
    """Scheduled actions on events that were not accepted: retry or give up."""

    _inherit = "ipai.ingest.log"

    @api.model
    def _failure_values(self, failures):
        """The values of a row after one more failure.

        :param int failures: how often the event failed before
        """
        retry_at = False
        if failures < len(_PAUSES):
            retry_at = self.env.cr.now() + timedelta(minutes=_PAUSES[failures])
        return {"failures": failures + 1, "retry_at": retry_at}

    @api.model
    def _retry_failed(self):
        """Process events that failed through our fault again; a scheduled action.

        :returns: how many were tried
        """
        due = Domain("status", "=", "error") & Domain(
            "retry_at", "<=", self.env.cr.now()
        )
        return self._work_through(due, "_retry", batch_size=50)

    def _retry(self):
        """Process events again; one that breaks the run has failed once more."""
        for log in self:
            if log._unreadable_reason():
                # The payload is gone: the event stays in the list of failures.
                log.system_write({"retry_at": False})
                continue
            try:
                with self.env.cr.savepoint():
                    log._process_again()
            except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
                raise
            except Exception:
                _logger.exception("Event %s could not be processed", log.id)
                log.system_write(log._failure_values(log.failures))

    @api.model
    def _orphan_due(self):
        """Give up events whose commit no release has; a scheduled action.

        :returns: how many were given up
        """
        days = self.env["ipai.settings"]._current().pending_days
        if not days:
            return 0
        before = self.env.cr.now() - timedelta(days=days)
        # Since it was last processed: reprocessing starts the period again.
        due = Domain("status", "=", "pending") & Domain("processed_at", "<", before)
        return self._work_through(due, "_orphan", batch_size=500)

    def _orphan(self):
        """Mark events as orphaned. Their keys are free again and they wait no more."""
        days = self.env["ipai.settings"]._current().pending_days
        self.system_write(
            {
                "status": "orphaned",
                "code": "orphaned",
                "reason": self.env._(
                    "No release had this commit within %s days. Reprocess the event "
                    "when one does.",
                    days,
                ),
            }
        )
