import json
from collections import defaultdict

from odoo import api, models
from odoo.tools import SQL

#: The part of a company's and of a project's channel that tells about releases.
CHANNEL = "ipai_releases"
NOTIFICATION = "ipai_release_gates/releases"

#: A list longer than this is not told one by one: who listens reads everything again.
_AT_MOST = 200

_CHANGED = "ipai.release.changed"
_TOLD_AFTER = "ipai.release.told_after"


class Release(models.Model):
    """Open screens follow what happens to releases, from whichever process.

    What is told are ids, never contents: record rules do not filter notifications, so
    every client reads again what it shows, with the rights of its user. A transaction
    tells each channel once, at its end; one that is rolled back tells nothing.
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
        """Tell, with the commit of this transaction, that these releases changed."""
        precommit = self.env.cr.precommit
        if not self.ids:
            return
        if _CHANGED not in precommit.data:
            precommit.data[_CHANGED] = set()
            # As superuser: whom it is told to does not depend on who changed it.
            precommit.add(self.env["ipai.release"].sudo()._tell_changed)
        precommit.data[_CHANGED].update(self.ids)

    @api.model
    def _tell_changed(self):
        changed = self.env.cr.precommit.data.pop(_CHANGED, set())
        changed -= self._told_already()
        if not changed:
            return
        self.flush_model(["project_id", "company_id"])
        told = defaultdict(lambda: (set(), set()))
        for release_id, project_id, company_id, last_id in self.env.execute_query(
            SQL(
                "SELECT id, project_id, company_id,"
                " (SELECT last_value FROM bus_bus_id_seq)"
                " FROM ipai_release WHERE id IN %s",
                tuple(changed),
            )
        ):
            self.env.cr.postcommit.data.setdefault(_TOLD_AFTER, last_id)
            for channel in (("res.company", company_id), ("ipai.project", project_id)):
                releases, projects = told[channel]
                releases.add(release_id)
                projects.add(project_id)
        for (model, id_), (releases, projects) in sorted(told.items()):
            self.env["bus.bus"]._sendone(
                (self.env[model].browse(id_), CHANNEL),
                NOTIFICATION,
                {"releases": _bounded(releases), "projects": _bounded(projects)},
            )

    @api.model
    def _told_already(self):
        """The releases this transaction has told of.

        What comes before a commit also comes before a savepoint, and what is rolled
        back to one takes its messages along: so the messages that are there are read.
        """
        last_id = self.env.cr.postcommit.data.get(_TOLD_AFTER)
        if last_id is None:
            return set()
        # A snapshot shows no younger messages than those of its own transaction.
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
