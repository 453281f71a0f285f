import logging

from odoo import api, models
from odoo.exceptions import AccessError
from odoo.fields import Domain
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

_logger = logging.getLogger(__name__)

#: How often a batch is tried when other writers are at the same rows.
_TRIES = 5


class ScheduledMixin(models.AbstractModel):
    """Work that scheduled actions do on many records, a batch per transaction.

    The work must change a record so that the domain does not match it any more. So the
    next run continues where an interrupted one stopped, and a second run finds nothing
    to do. Of two runs in parallel, one gets the lock on a row and does the work.
    """

    _name = "ipai.scheduled.mixin"
    _description = "Scheduled work"

    @api.model
    def _work_through(self, domain, work, batch_size=100):
        """Call a method on all records of a domain, some at a time.

        Each batch is committed on its own and its cache is cleared, so memory does not
        grow with the number of records. A record whose work fails is logged and left as
        it was; the other records are processed.

        :param domain: which records; the work must take them out of it
        :param str work: name of the method, called on up to ``batch_size`` records
        :param int batch_size: the most records per transaction
        :returns: how many records were worked on
        :raises AccessError: unless the scheduler calls it
        """
        # Any user may run the server action of a scheduled one, with their own rights;
        # only the system records what follows from the clock.
        if not self.env.su:
            raise AccessError(self.env._("Scheduled work is run by the scheduler."))
        domain = Domain(domain)
        commit_progress = self.env["ir.cron"]._commit_progress
        commit_progress(remaining=self.search_count(domain))
        last_id = done = 0
        while True:
            batch = self.search(
                domain & Domain("id", ">", last_id), order="id", limit=batch_size
            )
            if not batch:
                break
            last_id = batch[-1].id
            done += self._work_on(batch, domain, work)
            time_left = commit_progress(len(batch))
            self.env.invalidate_all()
            if not time_left:
                break
        return done

    @api.model
    def _work_on(self, batch, domain, work):
        """Work on one batch, then on each record by itself if that fails."""
        try:
            return self._work_and_commit(batch, domain, work)
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            # Others keep writing these rows; the next run finds them again.
            self.env.cr.rollback()
            _logger.warning("%s: %s rows were busy", self._name, len(batch))
            return 0
        except Exception:
            self.env.cr.rollback()
            if len(batch) == 1:
                _logger.exception("%s of %s failed", work, batch)
                return 0
        return sum(self._work_on(record, domain, work) for record in batch)

    @api.model
    def _work_and_commit(self, batch, domain, work):
        for attempt in range(_TRIES):
            try:
                found = self.search(domain & Domain("id", "in", batch.ids), order="id")
                found = found.try_lock_for_update(allow_referencing=True)
                if found:
                    getattr(found, work)()
                self.env["ir.cron"]._commit_progress()
                return len(found)
            except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
                if attempt + 1 == _TRIES:
                    raise
                # A scheduled action is not retried by Odoo; a new transaction sees
                # what the other writer committed.
                self.env.cr.rollback()
        return 0
