from odoo import api, fields, models

from odoo.addons.ipai_release_gates.models.release.fact_kinds import (
    FactKind,
    Ledger,
    instant,
    moment,
)

from ..rules import FACT, MODULE, Walkthrough

KIND = FactKind(
    code=FACT,
    model="ipai.toy.walkthrough",
    view="View walkthrough",
    view_many="View walkthroughs",
    sql=f"""
        SELECT w.release_id,
               jsonb_build_object(
                   'id', w.id, 'revision', v.source_ref, 'outcome', w.outcome,
                   'recorded_at', {moment("w.recorded_at")}) AS fact
          FROM ipai_toy_walkthrough w
          JOIN ipai_revision v ON v.id = w.revision_id
         WHERE w.release_id IN %(ids)s
    """,
    value=lambda row, binding: Walkthrough(
        row["id"],
        row["revision"],
        row["outcome"] == "success",
        instant(row["recorded_at"]),
    ),
    age="recorded_at",
    ledger=Ledger((FACT,), "outcome"),
    count="toy_walkthrough_count",
    module=MODULE,
)


class Release(models.Model):
    """Walkthroughs are facts about a release."""

    _inherit = "ipai.release"

    toy_walkthrough_count = fields.Integer(
        string="Walkthroughs", compute="_compute_fact_counts"
    )

    @api.model
    def _fact_kinds(self):
        return (*super()._fact_kinds(), KIND)
