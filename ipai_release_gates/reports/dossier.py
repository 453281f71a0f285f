import json
from functools import partial

from odoo import api, models

from ..models.release.reasons import said

#: The most rows of one kind that are printed; what is left out is said.
MAX_ROWS = 500
#: Kinds of ledger entries that have a section of their own.
_LISTED_APART = ("check", "evidence")


class Dossier(models.AbstractModel):
    """The dossier of a release: the decision, and what it rests on, for paper.

    It holds what the person who prints it may read, and says so where that leaves a
    section out.
    """

    _name = "report.ipai_release_gates.dossier"
    _description = "Dossier of a release"

    @api.model
    def _get_report_values(self, docids, data=None):
        """What the template needs.

        :param docids: ids of releases
        :returns: ``docs`` and, by their ids, ``dossiers``
        :raises AccessError: for a release that the current user may not read
        """
        releases = self.env["ipai.release"].browse(docids).exists()
        releases.check_access("read")
        verdicts = releases._verdicts()
        return {
            "doc_ids": releases.ids,
            "doc_model": releases._name,
            "docs": releases,
            "dossiers": {
                release.id: self._dossier(release, verdicts[release.id])
                for release in releases
            },
        }

    @api.model
    def _dossier(self, release, verdict):
        return {
            "judged_at": verdict.evaluated_at,
            "eligible": verdict.eligible,
            "gates": release._verdict_data(verdict, partial(said, self.env)),
            "evidence": self._section(release, "ipai.evidence"),
            "checks": self._section(release, "ipai.check"),
            "approvals": self._section(release, "ipai.approval"),
            "exceptions": self._section(release, "ipai.exception"),
            "deployments": self._section(release, "ipai.deployment"),
            "incidents": self._section(release, "ipai.incident"),
            "timeline": self._timeline(release),
            "chain": self._chain(release),
            "name_of": self._name_of,
            "label_of": self._label_of,
            "in_words": self._in_words,
            # On screen a widget sets what stands between backticks as code.
            "plain": lambda text: text.replace("`", ""),
        }

    @api.model
    def _section(self, release, model, domain=(), order="id desc"):
        """The latest records of one kind, or ``None`` if the user may read none.

        :returns: ``{"records", "left_out", "hidden"}``: how many earlier ones are not
            printed, and how many the user may not read
        """
        Model = self.env[model]
        if not Model.has_access("read"):
            return None
        domain = [("release_id", "=", release.id), *domain]
        records = Model.search(domain, order=order, limit=MAX_ROWS)
        readable = len(records)
        if readable == MAX_ROWS:
            readable = Model.search_count(domain)
        # Readers learn how many rows they do not see.
        # sudo: only the number is shown
        recorded = Model.sudo().search_count(domain)
        return {
            "records": records.sorted("id"),
            "left_out": readable - len(records),
            "hidden": recorded - readable,
        }

    @api.model
    def _timeline(self, release):
        domain = [("kind", "not in", _LISTED_APART)]
        return self._section(release, "ipai.ledger.entry", domain, "sequence desc")

    @api.model
    def _chain(self, release):
        """The head of the release's chain, recomputed now; ``None`` without a right.

        :returns: ``{"count", "hash", "faults"}``
        """
        if not self.env["ipai.ledger.entry"].has_access("read"):
            return None
        # sudo: soundness depends on all entries
        count, faults = self.env["ipai.ledger.verification"].sudo()._inspect(release)
        return {
            "count": count,
            "hash": release.ledger_hash,
            "faults": [fault.message for fault in faults],
        }

    @api.model
    def _name_of(self, record):
        """The name of the person or thing that a fact names."""
        # sudo: a readable fact shows names
        return record.sudo().display_name or ""

    @api.model
    def _label_of(self, record, name):
        """The label of a selection's value, in the language of the dossier."""
        labels = dict(record._fields[name]._description_selection(self.env))
        return labels.get(record[name], "")

    @api.model
    def _in_words(self, entry):
        """The body of a ledger entry as ``key: value`` for a person to read."""
        words = []
        for key, value in json.loads(entry.body).items():
            if value in (None, False, "", [], {}):
                continue
            if isinstance(value, list):
                value = ", ".join(map(str, value))
            elif isinstance(value, dict):
                value = json.dumps(value, ensure_ascii=False, sort_keys=True)
            words.append(f"{key.replace('_', ' ')}: {value}")
        return "; ".join(words)
