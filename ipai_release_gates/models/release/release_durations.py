from collections import defaultdict
from datetime import datetime, timedelta

from odoo import api, fields, models
from odoo.tools import SQL


class Release(models.Model):
    """How long stages and facts last; read by screens only."""

    _inherit = "ipai.release"

    # Named as the status bar of mail expects it. Mail itself would count from tracked
    # values, which a context can leave out; the ledger leaves out no move.
    duration_tracking = fields.Json(
        string="Time in each stage", compute="_compute_duration_tracking"
    )

    @api.depends("stage_id")
    def _compute_duration_tracking(self):
        stages = {
            stage.code: stage.id for stage in self.env["ipai.release.stage"].search([])
        }
        spent = {release_id: defaultdict(int) for release_id in self.ids}
        since = {}
        now = self.env.cr.now()
        for release_id, at, stage in self._stage_entries():
            if release_id in since:
                former, entered = since[release_id]
                spent[release_id][former] += int((at - entered).total_seconds())
            since[release_id] = stage, at
        for release_id, (stage, entered) in since.items():
            spent[release_id][stage] += int((now - entered).total_seconds())
        for release in self:
            durations = spent.get(release._origin.id, {})
            release.duration_tracking = {
                str(stages[code]): seconds
                for code, seconds in durations.items()
                if code in stages
            }

    def _stage_entries(self):
        """When each of these releases entered which stage, as the ledger has it.

        :returns: rows of ``(release id, instant, code of the stage)`` in order; the
            code is empty from a cancellation on
        """
        if not self.ids:
            return []
        # Times and stages only, which everybody sees who sees the release.
        return self.env.execute_query(
            SQL(
                "SELECT release_id, recorded_at, CASE kind"
                " WHEN 'release_cancelled' THEN ''"
                " ELSE coalesce(body::jsonb ->> 'to', body::jsonb ->> 'stage') END"
                " FROM ipai_ledger_entry WHERE release_id IN %s"
                " AND kind IN ('release_opened', 'move_allowed', 'release_cancelled')"
                " ORDER BY release_id, sequence",
                tuple(self.ids),
            )
        )

    def _compute_verdict_tree(self):
        result = super()._compute_verdict_tree()
        limits = {
            (requirement.gate_id.code, requirement.code): timedelta(
                hours=requirement.freshness_hours
            )
            for requirement in self.env["ipai.gate.requirement"].search(
                [("freshness_hours", ">", 0)]
            )
        }
        for release in self.filtered("verdict_tree") if limits else ():
            tree = release.verdict_tree
            for gate in tree:
                for condition in gate["conditions"]:
                    limit = limits.get((gate["code"], condition["code"]))
                    if limit and condition["state"] == "met":
                        condition["fresh_until"] = self._fresh_until(condition, limit)
            release.verdict_tree = tree
        return result

    @api.model
    def _fresh_until(self, condition, limit):
        """The instant, as ISO text, at which the oldest fact gets too old."""
        ages = []
        for kind in self._fact_kinds() if condition["facts"] else ():
            ids = [f["id"] for f in condition["facts"] if f["kind"] == kind.code]
            if kind.age and ids:
                # sudo: shows when, not what
                ages += self.env[kind.model].sudo().browse(ids).mapped(kind.age)
        oldest = min((at for at in ages if isinstance(at, datetime)), default=None)
        return f"{(oldest + limit).isoformat()}Z" if oldest else ""
