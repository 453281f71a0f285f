import json
from collections import defaultdict

from odoo import api, models
from odoo.tools import SQL

from ..mixins.deferred import once_before_commit

#: The part of a company's and of a project's bus channel that is about releases.
CHANNEL = "ipai_releases"
NOTIFICATION = "ipai_release_gates/releases"

#: The most ids in one notification. Without ids, a client reads everything again.
_AT_MOST = 200

_CHANGED = "ipai.release.changed"
_SENT_AFTER = "ipai.release.sent_after"


class Release(models.Model):
    """Open screens follow the changes of releases, from every process.

    A notification holds ids, never contents: record rules do not filter notifications.
    Each client reads what it shows again, with the rights of its user. A transaction
    sends one notification per channel, at its end; one that is rolled back sends none.
    """

    _inherit = "ipai.release"

    def write(self, vals):
        result = super().write(vals)
        self._announce()
        return result

    def _append_to_ledger(self, drafts):
        result = super()._append_to_ledger(drafts)
        self._announce()
        return result

    def _announce(self):
        """Notify open screens, at the end of this transaction, of these releases."""
        if self.ids:
            # sudo: receivers do not depend on user
            releases = self.env["ipai.release"].sudo()
            once_before_commit(
                self.env.cr, _CHANGED, releases._notify_bus_of_changes, self.ids
            )

    @api.model
    def _notify_bus_of_changes(self, changed):
        """Send one notification per channel.

        :param set changed: ids of releases
        """
        changed = changed - self._notified_already()
        if not changed:
            return
        self.flush_model(["project_id", "company_id"])
        by_channel = defaultdict(lambda: (set(), set()))
        for release_id, project_id, company_id, last_id in self.env.execute_query(
            SQL(
                "SELECT id, project_id, company_id,"
                " (SELECT last_value FROM bus_bus_id_seq)"
                " FROM ipai_release WHERE id IN %s",
                tuple(changed),
            )
        ):
            self.env.cr.postcommit.data.setdefault(_SENT_AFTER, last_id)
            for channel in (("res.company", company_id), ("ipai.project", project_id)):
                releases, projects = by_channel[channel]
                releases.add(release_id)
                projects.add(project_id)
        for (model, id_), (releases, projects) in sorted(by_channel.items()):
            self.env["bus.bus"]._sendone(
                (self.env[model].browse(id_), CHANNEL),
                NOTIFICATION,
                {"releases": _bounded(releases), "projects": _bounded(projects)},
            )

    @api.model
    def _notified_already(self):
        """The releases that this transaction has sent notifications of.

        Odoo also sends before it sets a savepoint. A rollback to that savepoint removes
        later notifications, so the rows that are still there are read.
        """
        last_id = self.env.cr.postcommit.data.get(_SENT_AFTER)
        if last_id is None:
            return set()
        # A snapshot shows no younger notifications than those of its own transaction.
        rows = self.env.execute_query(
            SQL("SELECT message FROM bus_bus WHERE id > %s", last_id)
        )
        messages = [json.loads(message) for (message,) in rows]
        return {
            release_id
            for message in messages
            if message["type"] == NOTIFICATION
            for release_id in message["payload"]["releases"] or ()
        }


def _bounded(ids):
    return sorted(ids) if len(ids) <= _AT_MOST else None
