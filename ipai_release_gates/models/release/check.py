from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ...ingest import fields as readers
from ..selections import CHECK_STATUSES, ENVIRONMENT_CATEGORIES


class Check(models.Model):
    """A check result: the latest of a name for the current revision counts."""

    _name = "ipai.check"
    _inherit = "ipai.fact.mixin"
    _description = "Check"

    name = fields.Char(required=True, help="Name of the check, e.g. unit_tests.")
    status = fields.Selection(CHECK_STATUSES, required=True)
    gate_id = fields.Many2one("ipai.gate", ondelete="restrict")
    environment_id = fields.Many2one("ipai.environment", ondelete="restrict")
    environment_category = fields.Selection(ENVIRONMENT_CATEGORIES, readonly=True)
    artifact_ref = fields.Char(string="Artifact", help="Address of what was checked.")
    metadata = fields.Json()
    ingest_log_id = fields.Many2one(
        "ipai.ingest.log", ondelete="restrict", readonly=True, index="btree_not_null"
    )

    _latest = models.Index(
        "(release_id, revision_id, name, environment_category, id DESC)"
    )

    _creatable = frozenset(
        {"release_id", "name", "status", "gate_id", "artifact_ref", "metadata"}
    )

    _readers = {
        "name": readers.name,
        "artifact_ref": readers.reference,
        "metadata": readers.metadata,
    }

    @api.constrains("name")
    def _validate_name(self):
        for check in self:
            if not check.name.strip() or len(check.name) > 128:
                raise ValidationError(
                    self.env._("A check has a name of at most 128 characters.")
                )

    @api.depends("name", "status")
    def _compute_display_name(self):
        for check in self:
            check.display_name = f"{check.name}: {check.status}"

    def _ledger_draft(self):
        body = {
            "name": self.name,
            "status": self.status,
            "source_ref": self.source_ref,
            "gate": self.gate_id.code or "",
            "source_system": self.source_system,
            "stale": self.is_stale,
        }
        return self.release_id.id, "check", self, body
