from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError

from ...ingest import fields as readers
from ..selections import SOURCE_SYSTEMS

EVENT_TYPES = [
    ("deploy_start", "Deployment started"),
    ("deploy_complete", "Deployment finished"),
    ("rollback_trigger", "Rollback"),
    ("health_check", "Health check"),
    ("alert_fired", "Alert"),
    ("backup_complete", "Backup"),
    ("restore_drill", "Recovery drill"),
    ("access_granted", "Access granted"),
    ("access_revoked", "Access revoked"),
    ("mail_captured", "Mail captured"),
    ("masking_run", "Data masked"),
    ("ttl_expired", "Environment ended"),
]
#: Types that the system records with the fact itself; users cannot enter them.
_OF_THE_ENGINE = frozenset(
    {
        "deploy_start",
        "deploy_complete",
        "rollback_trigger",
        "restore_drill",
        "ttl_expired",
        # These are results of controls: users record a check of the control instead.
        "mail_captured",
        "masking_run",
    }
)


class EnvironmentEvent(models.Model):
    """An event of an environment; events are append-only.

    The database refuses update, delete and truncate as well, also to the application.
    """

    _name = "ipai.environment.event"
    _inherit = ["ipai.guarded.mixin", "ipai.append.only.mixin"]
    _description = "Environment event"
    _order = "occurred_at desc, id desc"
    _rec_name = "event_type"

    environment_id = fields.Many2one(
        "ipai.environment", required=True, ondelete="restrict"
    )
    project_id = fields.Many2one(
        related="environment_id.project_id", related_sudo=False
    )
    event_type = fields.Selection(EVENT_TYPES, required=True, index=True)
    occurred_at = fields.Datetime(
        string="When", required=True, default=lambda self: self.env.cr.now()
    )
    recorded_at = fields.Datetime(
        required=True, readonly=True, default=lambda self: self.env.cr.now()
    )
    recorded_by_id = fields.Many2one(
        "res.users",
        string="Recorded by",
        required=True,
        readonly=True,
        ondelete="restrict",
        default=lambda self: self.env.uid,
    )
    source_system = fields.Selection(
        [*SOURCE_SYSTEMS, ("engine", "Release Gates")],
        required=True,
        readonly=True,
        default="manual",
    )
    data = fields.Json()
    data_text = fields.Text(string="Details", compute="_compute_data_text")
    note = fields.Char()
    release_id = fields.Many2one(
        "ipai.release", ondelete="restrict", index="btree_not_null"
    )
    deployment_id = fields.Many2one(
        "ipai.deployment", ondelete="restrict", index="btree_not_null", readonly=True
    )
    drill_id = fields.Many2one(
        "ipai.recovery.drill", ondelete="restrict", readonly=True
    )
    incident_id = fields.Many2one("ipai.incident", ondelete="restrict", readonly=True)
    ingest_log_id = fields.Many2one(
        "ipai.ingest.log", ondelete="restrict", readonly=True, index="btree_not_null"
    )

    _latest = models.Index("(environment_id, occurred_at DESC, id DESC)")

    _creatable = frozenset(
        {"environment_id", "event_type", "occurred_at", "data", "note", "release_id"}
    )
    _readers = {"data": readers.metadata, "note": readers.line(readers.MAX_KEY)}

    @api.depends("data", "note")
    def _compute_data_text(self):
        for event in self:
            lines = [f"{key}: {value}" for key, value in (event.data or {}).items()]
            event.data_text = "\n".join([*lines, *filter(None, [event.note])])

    @api.depends("event_type", "environment_id")
    def _compute_display_name(self):
        labels = dict(self._fields["event_type"]._description_selection(self.env))
        for event in self:
            label = labels.get(event.event_type, "")
            event.display_name = f"{event.environment_id.name or ''}: {label}"

    @api.model_create_multi
    def create(self, vals_list):
        if self._is_system():
            return super().create(vals_list)
        self.check_access("create")
        return self.system_create([self._prepare_by_hand(vals) for vals in vals_list])

    def write(self, vals):
        raise AccessError(self.env._("An environment event is never changed."))

    def _prepare_by_hand(self, vals):
        """Complete values for a system write, from the values that a user may enter.

        :raises ValidationError: for a time in the future, and for a type that the
            system records with the fact itself
        """
        self._refuse_fields(vals, self._creatable)
        now = self.env.cr.now()
        environment = self.env["ipai.environment"].browse(vals.get("environment_id"))
        environment.check_access("read")
        release = self.env["ipai.release"].browse(vals.get("release_id") or ())
        release.check_access("read")
        # sudo: both are readable to the user
        if release and release.sudo().project_id != environment.sudo().project_id:
            raise ValidationError(
                self.env._("The release is not one of the environment's project.")
            )
        if vals.get("event_type") in _OF_THE_ENGINE:
            raise ValidationError(
                self.env._(
                    "Record the deployment, the rollback, the drill or the check of "
                    "the control itself; its event follows."
                )
            )
        occurred_at = fields.Datetime.to_datetime(vals.get("occurred_at")) or now
        if occurred_at > now:
            raise ValidationError(
                self.env._("An event cannot have happened in the future.")
            )
        return {
            **vals,
            **self._read_entered(vals),
            "occurred_at": occurred_at,
            "recorded_at": now,
            "recorded_by_id": self.env.uid,
            "source_system": "manual",
        }

    @api.model
    def _note(self, environment, event_type, data=None, **values):
        """Record an event, at the present time by default.

        :param environment: ``ipai.environment`` record
        :param data: JSON-ready dict
        :param values: links, source system, time
        :returns: the event
        """
        now = self.env.cr.now()
        # sudo: the caller checked the right
        return self.sudo().system_create(
            [
                {
                    "environment_id": environment.id,
                    "event_type": event_type,
                    "occurred_at": now,
                    "recorded_at": now,
                    "recorded_by_id": self.env.uid,
                    "source_system": "engine",
                    "data": data or False,
                    **values,
                }
            ]
        )
