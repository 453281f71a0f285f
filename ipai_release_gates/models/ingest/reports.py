import datetime

from odoo import api, models
from odoo.exceptions import AccessError
from odoo.tools import ormcache

from ... import ingest
from ...errors import Rejected


class ControlPlane(models.AbstractModel):
    """Reports of tools, as the tools wrote them."""

    _inherit = "ipai.control.plane"

    @api.model
    def _formats(self):
        """The formats of reports that this database reads.

        Hook: a satellite adds its own, ``return super()._formats() + (MINE,)``.

        :returns: tuple of :class:`ingest.ReportFormat`, in the order of descriptions
        """
        return ingest.FORMATS

    @api.model
    @ormcache()
    def _formats_by_code(self):
        """The formats of :meth:`_formats` by code, in order."""
        return ingest.formats_by_code(self._formats())

    @api.model
    def ingest_report(self, values):
        """Take a report: a check by its result, and the file as evidence.

        Both go through :meth:`ingest`, with its log, its keys and its rights.

        :param dict values: ``format`` (junit, sarif or cyclonedx), ``project`` or
            ``release_id``, ``source_ref``, ``name`` (of the check),
            ``idempotency_key`` (``<source_system>/<release>/report/<sequence>``),
            ``content_base64``; optionally ``gate_code``, ``source_system``,
            ``emitted_at`` and ``filename``
        :returns: the answers to the check and to the evidence, or one that says why
            the report cannot be read; that one is logged as well
        :raises AccessError: when the caller has no role in the release process
        """
        if not self._roles():
            raise AccessError(
                self.env._("You have no role in the release process; ask for one.")
            )
        now = self.env.cr.now().replace(tzinfo=datetime.timezone.utc)
        try:
            envelopes = ingest.read_report(values, now, self._formats_by_code())
        except Rejected as error:
            (submission,) = self._log_submissions([values])
            submission.answer = ingest.answers.rejected_by(submission.log.id, error)
            self._write_log([submission])
            return [submission.answer]
        return self.ingest(envelopes)
