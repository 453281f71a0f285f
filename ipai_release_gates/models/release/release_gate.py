from datetime import datetime

from odoo import api, fields, models

from ..selections import GATE_STATUSES
from .reasons import said_again


class ReleaseGate(models.Model):
    """How a release stands at a gate, as last judged: a cache for people.

    Decisions never read it; they gather facts afresh.
    """

    _name = "ipai.release.gate"
    _inherit = "ipai.guarded.mixin"
    _description = "Release gate"
    _order = "release_id, gate_sequence, id"
    _rec_name = "gate_id"

    release_id = fields.Many2one(
        "ipai.release", required=True, ondelete="restrict", index=True
    )
    gate_id = fields.Many2one("ipai.gate", required=True, ondelete="restrict")
    gate_sequence = fields.Integer(related="gate_id.sequence", store=True)
    project_id = fields.Many2one(related="release_id.project_id", related_sudo=False)
    status = fields.Selection(
        GATE_STATUSES, default="pending", required=True, index=True
    )
    met_count = fields.Integer(string="Met")
    condition_count = fields.Integer(string="Conditions")
    blocking_reasons = fields.Text(
        string="Blocking reasons (English)", help="As they are sent and kept."
    )
    blocking_terms = fields.Json(help="What the blocking reasons are made of.")
    blocking_text = fields.Text(
        string="Blocking Reasons", compute="_compute_blocking_text"
    )
    waived_until = fields.Datetime(
        help="When the first exception that keeps the gate open ends."
    )
    forecast = fields.Json(
        help="What time alone will make of the status: a list of statuses, each with "
        "the instant from which on it holds."
    )
    evaluated_at = fields.Datetime()
    resolved_at = fields.Datetime(help="When the gate last passed or was bypassed.")
    progress = fields.Float(compute="_compute_progress", help="Conditions met, in %.")

    _release_gate_unique = models.Constraint(
        "UNIQUE (release_id, gate_id)", "A release has one row per gate."
    )

    #: What :meth:`_store_verdict` reads.
    _judged = (
        "release_id",
        "gate_id",
        "status",
        "met_count",
        "condition_count",
        "blocking_reasons",
        "blocking_terms",
        "waived_until",
        "forecast",
    )

    @api.depends("met_count", "condition_count")
    def _compute_progress(self):
        for row in self:
            row.progress = (
                100.0 * row.met_count / row.condition_count
                if row.condition_count
                else 0.0
            )

    @api.depends("blocking_reasons", "blocking_terms")
    @api.depends_context("lang")
    def _compute_blocking_text(self):
        for row in self:
            row.blocking_text = said_again(
                self.env, row.blocking_reasons, row.blocking_terms
            )

    def _status_at(self, now):
        """The status at an instant, as far as time alone decides since it was judged.

        :param now: naive UTC
        """
        self.ensure_one()
        status = self.status
        for step in self.forecast or ():
            if datetime.fromisoformat(step["from"]) <= now:
                status = step["status"]
        return status

    def _store_verdict(self, verdict, steps=None):
        """Store a verdict on this gate.

        :param verdict: :class:`policy.Verdict` over all gates of the release
        :param steps: what time will make of it, as of :func:`policy.forecast`; without
            it, what is stored of that holds
        :returns: ledger drafts, when the status changed in a way that matters
        """
        self.ensure_one()
        judged = verdict.gate(self.gate_id.code)
        former = self.status
        vals = {
            "status": judged.status,
            "met_count": len(judged.conditions) - len(judged.unmet),
            "condition_count": len(judged.conditions),
            "blocking_reasons": "\n".join(c.reason for c in judged.unmet) or False,
            "blocking_terms": [c.reason.as_data() for c in judged.unmet] or False,
            "waived_until": min(
                (c.waived_until for c in judged.conditions if c.waived_until),
                default=False,
            ),
        }
        if steps is not None:
            vals["forecast"] = _changes_of(judged, steps) or False
        changed = {k: v for k, v in vals.items() if (self[k] or False) != (v or False)}
        if not changed:
            return []
        changed["evaluated_at"] = verdict.evaluated_at
        was_open = former in ("passed", "bypassed")
        if judged.open and former != judged.status:
            changed["resolved_at"] = verdict.evaluated_at
        self.system_write(changed)
        if judged.status == former:
            return []
        # Between pending and in progress nothing was resolved.
        if not (judged.open or was_open or judged.status == "failed"):
            return []
        body = {
            "gate": judged.code,
            "from": former,
            "status": judged.status,
            "source_ref": verdict.revision,
        }
        kind = "gate_resolved"
        if was_open and not judged.open:
            kind = "gate_reopened"
        if not judged.open:
            body["cause"] = "; ".join(c.reason for c in judged.unmet)
        return [(self.release_id.id, kind, self, body)]


def _changes_of(judged, steps):
    """The steps in which the status of one gate changes, ready for JSON."""
    status, changes = judged.status, []
    for at, later in steps:
        following = later.gate(judged.code).status
        if following != status:
            status = following
            changes.append({"from": at.isoformat(), "status": status})
    return changes
