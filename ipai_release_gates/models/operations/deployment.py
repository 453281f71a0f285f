from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError

# What may follow what: a finished deployment can only be rolled back.
_NEXT = {
    "in_progress": {"succeeded", "failed", "rolled_back"},
    "succeeded": {"rolled_back"},
    "failed": {"rolled_back"},
    "rolled_back": set(),
}


class Deployment(models.Model):
    """A revision brought to an environment, and what came of it."""

    _name = "ipai.deployment"
    _inherit = "ipai.fact.mixin"
    _description = "Deployment"
    _rec_name = "external_id"

    environment_id = fields.Many2one(
        "ipai.environment", required=True, ondelete="restrict", index=True
    )
    environment_category = fields.Selection(related="environment_id.category")
    external_id = fields.Char(
        required=True,
        string="Reference",
        help="Identifies the deployment to whoever performs it.",
    )
    status = fields.Selection(
        [
            ("in_progress", "In Progress"),
            ("succeeded", "Succeeded"),
            ("failed", "Failed"),
            ("rolled_back", "Rolled Back"),
        ],
        required=True,
        default="in_progress",
    )
    rollback_of_id = fields.Many2one("ipai.deployment", ondelete="restrict")
    deployed_at = fields.Datetime(required=True, default=lambda self: self.env.cr.now())
    g4_status = fields.Selection(
        [("pending", "Pending"), ("passed", "Passed"), ("failed", "Failed")],
        string="G4",
        default="pending",
        required=True,
        readonly=True,
    )
    confirmation_due_at = fields.Datetime(
        string="Confirm by",
        readonly=True,
        help="When the outcome of a production deployment must be known.",
    )
    confirmed_at = fields.Datetime(string="Confirmed on", readonly=True)
    ingest_log_id = fields.Many2one(
        "ipai.ingest.log", ondelete="restrict", readonly=True, index="btree_not_null"
    )

    _external_unique = models.Constraint(
        "UNIQUE (environment_id, external_id)",
        "This environment has a deployment with this reference already.",
    )
    _latest = models.Index("(release_id, revision_id, deployed_at DESC, id DESC)")

    _creatable = frozenset(
        {"release_id", "environment_id", "external_id", "status", "rollback_of_id"}
    )
    _writable = frozenset({"status"})

    @api.constrains("environment_id", "release_id")
    def _validate_project(self):
        for deployment in self:
            if deployment.environment_id.project_id != deployment.project_id:
                raise ValidationError(
                    self.env._(
                        "%(environment)s is not an environment of %(project)s.",
                        environment=deployment.environment_id.name,
                        project=deployment.project_id.name,
                    )
                )

    def write(self, vals):
        if self._is_engine():
            return super().write(vals)
        self._refuse_fields(vals, self._writable)
        self.check_access("write")
        if any(deployment.recorded_by_id != self.env.user for deployment in self):
            raise AccessError(
                self.env._("A deployment is advanced by whoever recorded it.")
            )
        for deployment in self:
            deployment._advance(vals.get("status", deployment.status))
        return True

    def _advance(self, status):
        """Record what came of a deployment.

        :param status: the new status; the present one again changes nothing
        :raises UserError: when that status cannot follow the present one
        """
        self.ensure_one()
        if status == self.status:
            return
        if status not in _NEXT[self.status]:
            labels = dict(self._fields["status"].selection)
            raise UserError(
                self.env._(
                    "Deployment %(reference)s is %(present)s; it cannot become "
                    "%(new)s.",
                    reference=self.external_id,
                    present=labels[self.status],
                    new=labels.get(status, status),
                )
            )
        # The right to advance was checked by the door; the status is the engine's.
        deployment = self.sudo()
        deployment.engine_write({"status": status})
        deployment._record()

    def _record(self):
        # The gates are judged with the deadline that follows from the deployment. The
        # deadline and the release's status are the engine's.
        self.sudo()._follow_up()
        super()._record()

    def _follow_up(self):
        """What a deployment's status means for its deadline and its release."""
        for deployment in self:
            if deployment.environment_category != "production":
                continue
            if deployment.status == "succeeded" and not deployment.confirmation_due_at:
                hours = deployment.project_id.confirmation_hours
                deployment.engine_write(
                    {
                        "confirmation_due_at": deployment.deployed_at
                        + timedelta(hours=hours)
                    }
                )
            release = deployment.release_id
            if deployment.is_stale or not release.is_open:
                continue
            if deployment.status in ("failed", "rolled_back"):
                release.engine_write({"status": deployment.status})
            elif deployment.status == "succeeded" and release.status in (
                "failed",
                "rolled_back",
            ):
                release.engine_write(
                    {"status": release.stage_id.release_status or "in_progress"}
                )

    def _ledger_draft(self):
        body = {
            "environment": self.environment_id.name,
            "category": self.environment_category,
            "status": self.status,
            "external_id": self.external_id,
            "source_ref": self.source_ref,
            "rollback_of": self.rollback_of_id.external_id or "",
        }
        kind = "rollback" if self.status == "rolled_back" else "deployment"
        return self.release_id.id, kind, self, body
