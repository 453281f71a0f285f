from odoo import api, models
from odoo.fields import Domain


class Release(models.Model):
    """Judging releases again when time alone may have changed how they stand.

    For people only: decisions are taken on fresh verdicts, whether or not this ran.
    """

    _name = "ipai.release"
    _inherit = ["ipai.release", "ipai.scheduled.mixin"]

    @api.model
    def _rejudge_due(self):
        """Judge the releases whose forecast has come to its next step."""
        self._work_through(
            Domain("is_open", "=", True)
            & Domain("active", "in", [True, False])
            & Domain("rejudge_at", "<=", self.env.cr.now()),
            "_rejudge_by_the_clock",
        )

    def _rejudge_by_the_clock(self):
        self._rejudge([], starts=False)
