from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError

from ...ingest import fields as readers

#: What may follow what: a finished deployment can only be rolled back.
FOLLOWING = {
    "in_progress": {"succeeded", "failed", "rolled_back"},
    "succeeded": {"rolled_back"},
    "failed": {"rolled_back"},
    "rolled_back": set(),
}


class Deployment(models.Model):
    """The deployment of a revision to an environment, and its outcome."""

    _name = "ipai.deployment"
    _inherit = ["ipai.case.mixin", "ipai.scheduled.mixin"]
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
    deadline_missed_at = fields.Datetime(
        string="Deadline missed on",
        readonly=True,
        help="When the engine found the outcome not confirmed in time.",
    )
    g4_countdown = fields.Char(string="Time left", compute="_compute_g4_countdown")
    is_unauthorised = fields.Boolean(
        string="Unauthorised",
        readonly=True,
        help="Reported after the fact; the revision was not approved for production.",
    )
    rollback_trigger = fields.Selection(
        [
            ("incident", "Incident"),
            ("health_check", "Health check"),
            ("g4_deadline", "G4 deadline"),
            ("manual", "Decision"),
        ],
        readonly=True,
    )
    rollback_reason = fields.Text(readonly=True)
    rollback_outcome = fields.Selection(
        [("restored", "Restored"), ("partial", "Partial"), ("failed", "Failed")],
        readonly=True,
    )
    rolled_back_at = fields.Datetime(string="Rolled back on", readonly=True)
    rolled_back_by_id = fields.Many2one(
        "res.users", string="Rolled back by", readonly=True, ondelete="restrict"
    )
    restored_id = fields.Many2one(
        "ipai.deployment",
        string="Restored deployment",
        readonly=True,
        ondelete="restrict",
        help="The earlier deployment that runs again after the rollback.",
    )
    evidence_ids = fields.One2many("ipai.evidence", "deployment_id")
    incident_ids = fields.One2many("ipai.incident", "deployment_id")
    ingest_log_id = fields.Many2one(
        "ipai.ingest.log", ondelete="restrict", readonly=True, index="btree_not_null"
    )

    _external_unique = models.Constraint(
        "UNIQUE (environment_id, external_id)",
        "This environment has a deployment with this reference already.",
    )
    _latest = models.Index("(release_id, revision_id, deployed_at DESC, id DESC)")
    _running = models.Index("(environment_id, deployed_at DESC, id DESC)")
    _to_confirm = models.Index(
        "(confirmation_due_at) WHERE status = 'succeeded'"
        " AND confirmed_at IS NULL AND deadline_missed_at IS NULL"
    )

    _creatable = frozenset(
        {"release_id", "environment_id", "external_id", "status", "rollback_of_id"}
    )
    _writable = frozenset({"status"})
    _readers = {"external_id": readers.external_id, "rollback_reason": readers.text}

    @api.depends("confirmation_due_at", "confirmed_at", "deadline_missed_at", "status")
    def _compute_g4_countdown(self):
        now = self.env.cr.now()
        for deployment in self:
            due_at = deployment.confirmation_due_at
            waits = deployment.status == "succeeded" and not (
                deployment.confirmed_at or deployment.deadline_missed_at
            )
            if not (due_at and waits):
                deployment.g4_countdown = False
                continue
            minutes = int(abs(due_at - now).total_seconds() // 60)
            span = f"{minutes // 60}:{minutes % 60:02}"
            deployment.g4_countdown = (
                self.env._("%s h left", span)
                if due_at >= now
                else self.env._("%s h overdue", span)
            )

    @api.constrains("environment_id", "release_id", "rollback_of_id")
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
            back = deployment.rollback_of_id
            if back and back.environment_id != deployment.environment_id:
                raise ValidationError(
                    self.env._("A rollback happens where the deployment was made.")
                )

    # --- life ------------------------------------------------------------------------

    def write(self, vals):
        if self._is_system():
            return super().write(vals)
        self._refuse_fields(vals, self._writable)
        self.check_access("write")
        if any(deployment.recorded_by_id != self.env.user for deployment in self):
            raise AccessError(
                self.env._("A deployment is advanced by whoever recorded it.")
            )
        if vals.get("status") == "rolled_back":
            self._refuse_bare_rollback()
        for deployment in self:
            deployment._advance(vals.get("status", deployment.status))
        return True

    def _advance(self, status, **rollback):
        """Record a new status of a deployment.

        :param status: the new status; the present one changes nothing
        :param rollback: values of the rollback, when it is one
        :raises UserError: when that status cannot follow the present one
        """
        self.ensure_one()
        if status == self.status:
            return
        if status not in FOLLOWING[self.status]:
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
        # sudo: the caller checked the right
        deployment = self.sudo()
        deployment.system_write({"status": status, **rollback})
        deployment._record()

    def _record(self):
        # The deadline is set first, because the gates are judged with it.
        # sudo: writes deadline and release status
        deployments = self.sudo()
        deployments._follow_up()
        super()._record()
        for deployment in deployments:
            deployment._record_environment_event()
            back = deployment.rollback_of_id
            if back and deployment.status == "succeeded":
                # This deployment replaces the one that is rolled back.
                back._advance("rolled_back", restored_id=deployment.id)

    def _follow_up(self):
        """Set the deadline and the release status that follow from the status."""
        for deployment in self:
            if deployment.status == "rolled_back" and not deployment.rolled_back_at:
                deployment.system_write(
                    {
                        "rolled_back_at": self.env.cr.now(),
                        "rolled_back_by_id": self.env.uid,
                    }
                )
            if deployment.environment_category != "production":
                continue
            if deployment.status == "succeeded" and not deployment.confirmation_due_at:
                hours = deployment.project_id.confirmation_hours
                deployment.system_write(
                    {
                        "confirmation_due_at": deployment.deployed_at
                        + timedelta(hours=hours)
                    }
                )
            release = deployment.release_id
            if deployment.is_stale or not release.is_open:
                continue
            if deployment.status in ("failed", "rolled_back"):
                release.system_write({"status": deployment.status})
            elif deployment.status == "succeeded" and release.status in (
                "failed",
                "rolled_back",
            ):
                release.system_write(
                    {"status": release.stage_id.release_status or "in_progress"}
                )

    def _record_environment_event(self):
        """Record the present status as an event of the environment."""
        self.ensure_one()
        event_type = {
            "in_progress": "deploy_start",
            "rolled_back": "rollback_trigger",
        }.get(self.status, "deploy_complete")
        data = {
            "reference": self.external_id,
            "revision": self.source_ref,
            "status": self.status,
        }
        if self.status == "rolled_back":
            data |= self._rollback_body()
        if self.is_unauthorised:
            data["unauthorised"] = True
        self.env["ipai.environment.event"]._note(
            self.environment_id,
            event_type,
            data,
            source_system=self.source_system,
            release_id=self.release_id.id,
            deployment_id=self.id,
        )

    def _ledger_draft(self):
        body = {
            "environment": self.environment_id.name,
            "category": self.environment_category,
            "status": self.status,
            "external_id": self.external_id,
            "source_ref": self.source_ref,
            "rollback_of": self.rollback_of_id.external_id or "",
            "unauthorised": self.is_unauthorised,
            "g4_status": self.g4_status,
        }
        if self.status != "rolled_back":
            return self.release_id.id, "deployment", self, body
        # The deployment that is rolled back, by which a reader of the ledger finds it.
        body |= {"rollback_of": self.external_id, **self._rollback_body()}
        return self.release_id.id, "rollback", self, body

    def _rollback_body(self):
        # sudo: evidence and restored deployment
        deployment = self.sudo()
        evidence = deployment.evidence_ids.filtered("rollback_of_deployment")
        return {
            "trigger": self.rollback_trigger or "",
            "reason": self.rollback_reason or "",
            "outcome": self.rollback_outcome or "",
            "restored": deployment.restored_id.external_id or "",
            "evidence": [
                each.url or each.sha256 or f"{each._name},{each.id}"
                for each in evidence
            ],
        }
