import json
from functools import partial

from odoo import api, models

from ..models.release.reasons import said
from ..pages import Section

#: The most rows of one section; how many are left out is printed.
MAX_ROWS = 500
#: Kinds of ledger entries that have a section of their own.
_LISTED_APART = ("check", "evidence")


class Dossier(models.AbstractModel):
    """The dossier of a release: the decision, and the facts behind it, for paper.

    It holds what its reader may read, and says so where a section is missing for that.
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
            "sections": [
                {
                    "template": section.template,
                    "data": getattr(self, section.data)(release)
                    if section.data
                    else self._section(release, section.model),
                }
                for section in sorted(self._sections(), key=lambda each: each.order)
            ],
            "chain": self._chain(release),
            "name_of": self._name_of,
            "label_of": self._label_of,
            "in_words": self._in_words,
            # On screen a widget shows text between backticks as code.
            "plain": lambda text: text.replace("`", ""),
        }

    @api.model
    def _sections(self):
        """The sections of this database's dossiers.

        Hook: a satellite adds its own, ``return super()._sections() + (MINE,)``.

        :returns: tuple of :class:`pages.Section`
        """
        prefix = "ipai_release_gates.dossier_"
        return (
            Section("evidence", f"{prefix}evidence", 10, "ipai.evidence"),
            Section("checks", f"{prefix}checks", 20, "ipai.check"),
            Section("approvals", f"{prefix}approvals", 30, "ipai.approval"),
            Section("exceptions", f"{prefix}exceptions", 40, "ipai.exception"),
            Section("deployments", f"{prefix}deployments", 50, "ipai.deployment"),
            Section("incidents", f"{prefix}incidents", 60, "ipai.incident"),
            Section("timeline", f"{prefix}timeline", 70, data="_timeline"),
        )

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
