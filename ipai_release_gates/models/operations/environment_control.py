from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ...ingest import fields as readers
from ...ingest.fields import Invalid
from ..mixins.guarded import GuardedMixin

CONTROLS = [
    ("mail_suppression", "Mail suppressed"),
    ("integrations_sandboxed", "Integrations sandboxed"),
    ("least_privilege", "Least privilege"),
    ("lifetime", "Lifetime"),
    ("masking", "Data masked"),
]
#: Category of environment → the kinds of control it has.
CONTROLS_OF = {
    "dev": tuple(kind for kind, _label in CONTROLS),
    "staging": tuple(kind for kind, _label in CONTROLS),
    "production": ("least_privilege",),
}
#: Type of environment event → the kind of control whose check it reports.
DECIDED_BY = {"masking_run": "masking", "mail_captured": "mail_suppression"}
_EVENT_OF = {kind: event_type for event_type, kind in DECIDED_BY.items()}


class EnvironmentControl(models.Model):
    """A safety control of an environment, with the result of its last check.

    A gate may require controls. It is decided by the checks themselves, which are
    facts (``ipai.control.check``); what the control repeats of the last one is for
    screens and lists.
    """

    _name = "ipai.environment.control"
    _inherit = ["ipai.guarded.mixin", "ipai.scheduled.mixin"]
    _description = "Environment control"
    _order = "environment_id, kind"
    _rec_name = "kind"

    environment_id = fields.Many2one(
        "ipai.environment", required=True, index=True, ondelete="cascade"
    )
    project_id = fields.Many2one(related="environment_id.project_id")
    kind = fields.Selection(CONTROLS, required=True)
    status = fields.Selection(
        [("unknown", "Unknown"), ("pass", "Pass"), ("fail", "Fail")],
        required=True,
        default="unknown",
    )
    checked_at = fields.Datetime(string="Last check", readonly=True)
    checked_by_id = fields.Many2one(
        "res.users", string="Checked by", readonly=True, ondelete="restrict"
    )
    note = fields.Char(help="What the last check found.")
    expired_event_at = fields.Datetime(
        string="End told on",
        readonly=True,
        help="When the end of the environment was recorded and its owner told.",
    )

    _environment_kind_unique = models.Constraint(
        "UNIQUE (environment_id, kind)", "An environment has one control per kind."
    )

    @api.depends("kind", "environment_id")
    def _compute_display_name(self):
        labels = dict(self._fields["kind"]._description_selection(self.env))
        for control in self:
            where = control.environment_id.name or ""
            control.display_name = f"{where}: {labels.get(control.kind, '')}"

    # --- checks ----------------------------------------------------------------------

    def record_check(self, status, note=None):
        """Record the result of a check of these controls.

        :param str status: ``pass`` or ``fail``
        :param str note: what was found; needed for a failure
        :raises AccessError: unless the user is an SRE
        :raises UserError: for a lifetime, judged from its configuration, and for
            a failure without a note
        """
        self.check_access("write")
        if status not in ("pass", "fail"):
            raise ValidationError(
                self.env._("A check of a control found pass or fail, nothing else.")
            )
        try:
            note = readers.line(readers.MAX_KEY)(note) if note else ""
        except Invalid as invalid:
            # The text of the contract is the same on every transport.
            raise ValidationError(str(invalid)) from invalid  # pylint: disable=translation-required
        if status == "fail" and not note:
            raise UserError(self.env._("Say what was found: a failure needs a note."))
        if any(control.kind == "lifetime" for control in self):
            raise UserError(
                self.env._(
                    "The lifetime is judged from the end of the environment or the "
                    "reason to keep it, not by hand."
                )
            )
        Event = self.env["ipai.environment.event"]
        # sudo: right to check verified above
        controls = self.sudo()
        controls._record_result(status, note, "manual")
        for control in controls:
            Event._note(
                control.environment_id,
                _EVENT_OF.get(control.kind, "health_check"),
                control._finding(),
                source_system="manual",
            )
        return True

    def _record_result(self, status, note, source_system):
        """Record the result of a check as a fact, and repeat it on these controls.

        The caller records the event of the environment.
        """
        now = self.env.cr.now()
        found = {
            "status": status,
            "note": note,
            "checked_at": now,
            "checked_by_id": self.env.uid,
        }
        self.system_write(found)
        # sudo: people check controls, not results
        self.env["ipai.control.check"].sudo().system_create(
            [
                {
                    **found,
                    "environment_id": control.environment_id.id,
                    "kind": control.kind,
                    "source_system": source_system,
                }
                for control in self
            ]
        )

    def _finding(self):
        """The last check, as data of an environment event."""
        self.ensure_one()
        return {"control": self.kind, "status": self.status, "note": self.note or ""}

    # --- lifetime --------------------------------------------------------------------

    @api.model
    def _expire_environments(self):
        """Record the end of environments whose time is over (scheduled)."""
        return self._work_through(
            [
                ("kind", "=", "lifetime"),
                ("expired_event_at", "=", False),
                ("environment_id.active", "=", True),
                ("environment_id.keep", "=", False),
                ("environment_id.expires_at", "<=", self.env.cr.now()),
            ],
            "_judge_lifetime",
        )

    def _judge_lifetime(self):
        """Judge lifetimes by the end of the environment or the reason to keep it."""
        lifetimes = self.filtered(lambda control: control.kind == "lifetime")
        for control in lifetimes:
            before = control.status
            status, note, ended = control._lifetime()
            ends_now = ended and not control.expired_event_at
            # Written even without change: a transaction that judges on an older
            # snapshot than the configuration gets a serialization error.
            control.system_write(
                {
                    "status": status,
                    "note": note,
                    "checked_at": self.env.cr.now(),
                    "checked_by_id": False,
                    "expired_event_at": ended
                    and (control.expired_event_at or self.env.cr.now()),
                }
            )
            if ends_now:
                control._record_end()
            elif before not in ("unknown", status):
                self.env["ipai.environment.event"]._note(
                    control.environment_id, "health_check", control._finding()
                )
            if not ended:
                control.environment_id.activity_unlink(
                    ["ipai_release_gates.activity_type_environment_ended"]
                )
        lifetimes.environment_id._affected_releases()._rejudge_in_batches()

    def _lifetime(self):
        """The verdict on a lifetime: status, reason, and whether it is over."""
        environment = self.environment_id
        if environment.keep:
            note = self.env._("Kept: %s", environment.keep_reason)
            return "pass", note, False
        if not environment.expires_at:
            note = self.env._("It has neither an end nor a reason to be kept.")
            return "fail", note, False
        at = fields.Datetime.to_string(environment.expires_at)
        if environment.expires_at > self.env.cr.now():
            return "pass", self.env._("Ends on %s UTC.", at), False
        return "fail", self.env._("Ended on %s UTC.", at), True

    def _record_end(self):
        """Record the end of the environment and schedule an activity about it."""
        environment = self.environment_id
        self.env["ipai.environment.event"]._note(
            environment, "ttl_expired", self._finding()
        )
        if not environment.active:
            return
        for user in environment._people_to_notify(environment):
            environment.activity_schedule(
                "ipai_release_gates.activity_type_environment_ended",
                user_id=user.id,
                summary=self.env._("%s has ended", environment.name),
            )

    def _discard(self):
        """Drop controls that the category of their environment does not have.

        Their checks stay.
        """
        # pylint: disable-next=bad-super-call,super-method-mismatch
        return super(GuardedMixin, self).unlink()
