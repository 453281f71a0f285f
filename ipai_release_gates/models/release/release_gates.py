from odoo import models
from odoo.tools import SQL

from ... import policy
from ..mixins.policy import PolicyBatch


class Release(models.Model):
    """Judges the gates of a release and appends to its ledger."""

    _inherit = "ipai.release"

    def _rejudge(self, drafts, starts=True, verdicts=None):
        """Judge the gates again and move the row that serialises everything.

        :param drafts: ledger entries of the facts, see ``ipai.ledger.entry``
        :param starts: whether these facts make a draft release one in progress
        :param verdicts: result of :meth:`_verdicts` after the last of these facts
        """
        # sudo: gates do not depend on authors
        releases = self.sudo()
        if starts:
            releases.filtered(lambda r: r.status == "draft").system_write(
                {"status": "in_progress"}
            )
        gate_drafts = releases._refresh_gates(verdicts)
        releases._append_to_ledger(drafts + gate_drafts)

    def _rejudge_in_batches(self):
        """Judge the gates again after a definition changed, in bounded batches."""
        batch = PolicyBatch.of(self.env)
        if batch:
            batch.release_ids.update(self.ids)
            return
        for start in range(0, len(self), 200):
            self[start : start + 200]._rejudge([], starts=False)

    def _append_to_ledger(self, drafts):
        """Update the row of every release and append to its ledger chain.

        The update is what makes a concurrent stage move fail with a serialization
        error; the head of the chain moves in the same statement. Rows are taken in the
        order of their ids, so that two bulk writers cannot deadlock.

        :param drafts: list of ``(release id, kind, subject record, body)``
        """
        if not self:
            return
        cr = self.env.cr
        self.flush_recordset()
        heads = self.env.execute_query(
            SQL(
                "SELECT id, ledger_sequence, ledger_hash FROM ipai_release"
                " WHERE id IN %s ORDER BY id FOR UPDATE",
                tuple(self.ids),
            )
        )
        entries, moved = self.env["ipai.ledger.entry"]._extend(heads, drafts)
        rows = SQL(", ").join(
            SQL("(%s, %s, %s)", release_id, sequence, digest)
            for release_id, sequence, digest in moved
        )
        cr.execute(
            SQL(
                "UPDATE ipai_release r SET fact_version = r.fact_version + 1,"
                " ledger_sequence = head.sequence, ledger_hash = head.hash"
                " FROM (VALUES %s) AS head (id, sequence, hash) WHERE r.id = head.id",
                rows,
            )
        )
        self.invalidate_recordset(
            ["fact_version", "ledger_sequence", "ledger_hash"], flush=False
        )
        self.env["ipai.ledger.entry"]._store(entries)

    def _refresh_gates(self, verdicts=None):
        """Store the status of the gates of these releases, for screens.

        :param verdicts: fresh ones, if they are there already
        :returns: ledger drafts of the gates whose status changed
        """
        if not self:
            return []
        forecasts = {} if verdicts else self._forecasts()
        verdicts = verdicts or {key: value[0] for key, value in forecasts.items()}
        confirmed = self._confirm_deployments(verdicts)
        # What was just confirmed does not fail when its deadline passes.
        forecasts.update(confirmed._forecasts() if confirmed else {})
        drafts = []
        Row = self.env["ipai.release.gate"]
        for row in Row.search_fetch([("release_id", "in", self.ids)], Row._judged):
            release_id = row.release_id.id
            steps = forecasts[release_id][1] if release_id in forecasts else None
            drafts += row._store_verdict(verdicts[release_id], steps)
        for release in self.filtered(lambda release: release.id in forecasts):
            rejudge_at = forecasts[release.id][2]
            if release.rejudge_at != rejudge_at:
                release.system_write({"rejudge_at": rejudge_at})
        self._store_next_gate(verdicts)
        return drafts

    def _store_next_gate(self, verdicts):
        stages = self.env["ipai.release.stage"]._in_order()
        for release in self:
            later = stages.filtered(
                lambda s, at=release.stage_id: (
                    (s.sequence, s.id) > (at.sequence, at.id) and s.gate_id
                )
            )[:1]
            status, summary, terms, awaited = False, False, False, False
            if later and release.is_open:
                verdict = verdicts[release.id].gate(later.gate_id.code)
                status = verdict.status
                unmet = verdict.unmet
                awaited = _between_commas(later.gate_id._accountable_for(unmet))
                if unmet:
                    first = next((c for c in unmet if c.adverse), unmet[0])
                    more = len(unmet) - 1
                    reason = policy.Reason(
                        "%(gate)s: %(reason)s%(more)s",
                        gate=verdict.code,
                        reason=first.reason,
                        more=f" (+{more})" if more else "",
                    )
                    summary, terms = str(reason), [reason.as_data()]
            vals = {
                "next_gate_status": status,
                "blocking_summary": summary,
                "blocking_terms": terms,
                "awaited_personas": awaited,
            }
            if any((release[name] or False) != vals[name] for name in vals):
                release.system_write(vals)


def _between_commas(codes):
    """Codes as text in which ``,code,`` is found; ``,,`` is nobody."""
    return f",{','.join(sorted(codes))},"
