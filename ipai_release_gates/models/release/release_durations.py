from collections import defaultdict
from datetime import datetime, timedelta

from odoo import api, fields, models
from odoo.tools import SQL

#: The facts that may have to be fresh, with the field that says how old they are.
_AGES = {
    "check": ("ipai.check", "recorded_at"),
    "evidence": ("ipai.evidence", "recorded_at"),
    "approval": ("ipai.approval", "recorded_at"),
    "control": ("ipai.environment.control", "checked_at"),
    "drill": ("ipai.recovery.drill", "executed_at"),
}


class Release(models.Model):
    """How long things have lasted and will last; read by screens, not the engine."""

    _inherit = "ipai.release"

    # Named as the status bar of mail expects it. Mail itself would count from tracked
    # values, which whoever writes can leave out; the ledger leaves out no move.
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

        :returns: rows of ``(release id, instant, code of the stage)`` in order
        """
        if not self.ids:
            return []
        # Times and stages only, which everybody sees who sees the release.
        return self.env.execute_query(
            SQL(
                "SELECT release_id, recorded_at,"
                " coalesce(body::jsonb ->> 'to', body::jsonb ->> 'stage')"
                " FROM ipai_ledger_entry"
                " WHERE release_id IN %s AND kind IN ('release_opened', 'move_allowed')"
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
        """Until when the oldest fact of a condition is young enough, as ISO text."""
        ages = []
        for kind, (model, name) in _AGES.items():
            ids = [fact["id"] for fact in condition["facts"] if fact["kind"] == kind]
            # When something was recorded, not what: for who may not read it, too.
            ages += self.env[model].sudo().browse(ids).mapped(name) if ids else []
        oldest = min((at for at in ages if isinstance(at, datetime)), default=None)
        return f"{(oldest + limit).isoformat()}Z" if oldest else ""
