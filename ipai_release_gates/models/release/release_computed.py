from functools import partial

from odoo import api, models

from ..selections import GATE_STATUSES
from ..terms import translate
from .reasons import said, said_again


class Release(models.Model):
    """Computes the fields of a release that screens show."""

    _inherit = "ipai.release"

    @api.depends("stage_id.is_closing", "status")
    def _compute_is_open(self):
        for release in self:
            release.is_open = (
                not release.stage_id.is_closing and release.status != "cancelled"
            )

    @api.depends("release_gate_ids.status", "release_gate_ids.forecast")
    def _compute_gate_marks(self):
        labels = dict(GATE_STATUSES)
        now = self.env.cr.now()
        for release in self:
            marks = []
            for row in release.release_gate_ids.sorted("gate_sequence"):
                status = row._status_at(now)
                marks.append(
                    {
                        "code": row.gate_id.code,
                        "name": row.gate_id.name,
                        "status": status,
                        "label": labels[status],
                    }
                )
            release.gate_marks = marks

    @api.depends("blocking_summary", "blocking_terms")
    @api.depends_context("lang")
    def _compute_blocking_text(self):
        for release in self:
            release.blocking_text = said_again(
                self.env, release.blocking_summary, release.blocking_terms
            )

    @api.depends("release_gate_ids.waived_until")
    def _compute_bypassed_until(self):
        now = self.env.cr.now()
        for release in self:
            ends = release.release_gate_ids.mapped("waived_until")
            release.bypassed_until = min(
                (end for end in ends if end and end > now), default=False
            )

    @api.depends_context("uid", "lang")
    def _compute_verdict_tree(self):
        saved = self.filtered("id")
        (self - saved).verdict_tree = False
        verdicts = saved._verdicts()
        for release in saved:
            release.verdict_tree = self._verdict_data(
                verdicts[release.id], partial(said, self.env)
            )

    def _compute_fact_counts(self):
        for kind in self._fact_kinds():
            if not kind.count:
                continue
            counts = {}
            if self.env[kind.model].has_access("read"):
                counts = dict(
                    self.env[kind.model]._read_group(
                        [("release_id", "in", self.ids)], ["release_id"], ["__count"]
                    )
                )
            for release in self:
                release[kind.count] = counts.get(release._origin, 0)

    @api.depends_context("lang")
    def _compute_fact_links(self):
        links = {
            kind.code: {
                "model": kind.model,
                "one": translate(self.env, kind.view, kind.module),
                "many": translate(self.env, kind.view_many, kind.module),
            }
            for kind in self._fact_kinds()
            if self.env[kind.model].has_access("read")
        }
        self.fact_links = links
