from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import SQL

from ...ingest import fields as readers

#: How long after its detection the post-mortem of an incident is due.
POSTMORTEM_WITHIN = timedelta(days=5)
#: Minutes until the fallback is due, when no evidence gives the number.
FALLBACK_MINUTES = 30
_SEVERE = ("high", "critical")


class Incident(models.Model):
    """An incident; while it is open and blocking, it holds its project's promotions."""

    _name = "ipai.incident"
    _inherit = ["ipai.case.mixin", "ipai.scheduled.mixin"]
    _description = "Incident"

    name = fields.Char(string="Summary", required=True)
    external_id = fields.Char(string="Reference")
    severity = fields.Selection(
        [
            ("low", "Low"),
            ("medium", "Medium"),
            ("high", "High"),
            ("critical", "Critical"),
        ],
        required=True,
        default="medium",
    )
    project_id = fields.Many2one(store=True, index=True)
    deployment_id = fields.Many2one(
        "ipai.deployment", ondelete="restrict", index="btree_not_null"
    )
    blocking = fields.Boolean(
        default=True, help="Holds the production promotions of the project while open."
    )
    detected_at = fields.Datetime(required=True, default=lambda self: self.env.cr.now())
    resolved_at = fields.Datetime(readonly=True)
    status = fields.Selection(
        [("open", "Open"), ("resolved", "Resolved")],
        compute="_compute_status",
        store=True,
    )
    fallback_at = fields.Datetime(
        string="Fallback due since",
        readonly=True,
        help="When the fallback timer ran out with the incident still open.",
    )
    entry_ids = fields.One2many("ipai.incident.entry", "incident_id", string="Timeline")
    recovery_actions = fields.Text(help="What was done to recover.")
    outcome = fields.Text(help="How it ended, for users and data.")
    root_cause = fields.Text()
    postmortem_status = fields.Selection(
        [
            ("not_needed", "Not needed"),
            ("pending", "Pending"),
            ("complete", "Complete"),
        ],
        string="Post-mortem",
        required=True,
        readonly=True,
        default="not_needed",
        help="Every incident of high or critical severity needs one.",
    )
    postmortem_due_at = fields.Datetime(string="Post-mortem due", readonly=True)
    postmortem_by_id = fields.Many2one(
        "res.users", string="Post-mortem by", readonly=True, ondelete="restrict"
    )
    postmortem_at = fields.Datetime(string="Post-mortem on", readonly=True)
    ingest_log_id = fields.Many2one(
        "ipai.ingest.log", ondelete="restrict", readonly=True, index="btree_not_null"
    )

    _resolved_after_detected = models.Constraint(
        "CHECK (resolved_at IS NULL OR resolved_at >= detected_at)",
        "An incident is resolved after it was detected.",
    )
    _complete_postmortem = models.Constraint(
        "CHECK (postmortem_status <> 'complete' OR (trim(coalesce(root_cause, ''))"
        " <> '' AND trim(coalesce(outcome, '')) <> ''))",
        "A complete post-mortem names the root cause and the outcome.",
    )
    _severe_postmortem = models.Constraint(
        "CHECK (severity NOT IN ('high', 'critical')"
        " OR postmortem_status <> 'not_needed')",
        "An incident of high or critical severity needs a post-mortem.",
    )
    _external_unique = models.UniqueIndex(
        "(project_id, external_id) WHERE external_id <> ''",
        "This project has an incident with this reference already.",
    )
    _open_blocking = models.Index("(project_id) WHERE blocking AND resolved_at IS NULL")
    _open_on_deployment = models.Index(
        "(deployment_id) WHERE resolved_at IS NULL AND fallback_at IS NULL"
    )

    _creatable = frozenset(
        {
            "release_id",
            "name",
            "external_id",
            "severity",
            "deployment_id",
            "blocking",
            "detected_at",
        }
    )
    _writable = frozenset({"recovery_actions", "outcome", "root_cause"})
    _readers = {
        "name": readers.line(readers.MAX_KEY),
        "external_id": readers.external_id,
        "recovery_actions": readers.text,
        "outcome": readers.text,
        "root_cause": readers.text,
    }

    @api.depends("resolved_at")
    def _compute_status(self):
        for incident in self:
            incident.status = "resolved" if incident.resolved_at else "open"

    @api.constrains("deployment_id", "release_id")
    def _validate_deployment(self):
        for incident in self:
            deployment = incident.deployment_id
            if deployment and deployment.release_id != incident.release_id:
                raise ValidationError(
                    self.env._("The deployment is not one of the incident's release.")
                )

    # --- doors -----------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        if self._is_system():
            vals_list = [{**self._review_needed(vals), **vals} for vals in vals_list]
        return super().create(vals_list)

    def _prepare_manual_fact(self, vals):
        vals = super()._prepare_manual_fact(vals)
        detected_at = fields.Datetime.to_datetime(vals.get("detected_at"))
        if detected_at and detected_at > self.env.cr.now():
            raise ValidationError(
                self.env._("An incident cannot have been detected in the future.")
            )
        return vals

    @api.model
    def _review_needed(self, vals):
        """Whether an incident needs a post-mortem, and until when."""
        if vals.get("severity") not in _SEVERE:
            return {}
        detected_at = fields.Datetime.to_datetime(vals.get("detected_at"))
        due_at = (detected_at or self.env.cr.now()) + POSTMORTEM_WITHIN
        return {"postmortem_status": "pending", "postmortem_due_at": due_at}

    def write(self, vals):
        if self._is_system():
            return super().write(vals)
        self._refuse_fields(vals, self._writable)
        self.check_access("write")
        for incident in self:
            if incident.postmortem_status == "complete":
                raise UserError(
                    self.env._("The post-mortem of %s is complete.", incident.name)
                )
        if vals:
            self.system_write({**vals, **self._read_entered(vals)})
            self._record()
        return True

    def action_resolve(self):
        """Record that the incident is over."""
        self.check_access("write")
        for incident in self:
            if incident.resolved_at:
                raise UserError(self.env._("%s is resolved already.", incident.name))
            incident._resolve(self.env.cr.now())
            incident._record()
        return True

    def action_complete_postmortem(self):
        """Record that the post-mortem was held.

        :raises UserError: while the incident is open, or has no root cause or outcome
        """
        self.check_access("write")
        for incident in self:
            if not incident.resolved_at:
                raise UserError(self.env._("%s is not resolved yet.", incident.name))
            if incident.postmortem_status == "complete":
                raise UserError(
                    self.env._("The post-mortem of %s is complete.", incident.name)
                )
            if not all((text or "").strip() for text in incident._review_texts()):
                raise UserError(
                    self.env._(
                        "Tell the root cause and the outcome of %s first.",
                        incident.name,
                    )
                )
            incident.system_write(
                {
                    "postmortem_status": "complete",
                    "postmortem_by_id": self.env.uid,
                    "postmortem_at": self.env.cr.now(),
                }
            )
            incident._add_timeline_entry(
                "review", self.env._("The post-mortem is complete.")
            )
            incident._record()
        return True

    def _review_texts(self):
        return self.root_cause, self.outcome

    def action_add_entry(self):
        """Open the form of a new entry in the timeline."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "ipai_release_gates.ipai_incident_entry_action_record"
        )
        action["context"] = {"default_incident_id": self.id}
        return action

    # --- life ------------------------------------------------------------------------

    def _resolve(self, at):
        self.ensure_one()
        # A clock ahead of ours detected it later than now.
        self.system_write({"resolved_at": max(at, self.detected_at)})
        self._add_timeline_entry(
            "resolved", self.env._("Resolved."), occurred_at=self.resolved_at
        )

    def _reopen(self):
        """Open a resolved incident again: it holds the same promotions as before."""
        self.ensure_one()
        vals = {"resolved_at": False, "fallback_at": False}
        if self.postmortem_status == "complete":
            vals["postmortem_status"] = "pending"
        self.system_write(vals)
        self._add_timeline_entry("reopened", self.env._("It is there again."))

    def _change(self, vals):
        """Change values of the incident, and add the changes to its timeline.

        :param vals: some of name, severity, blocking and deployment_id
        """
        self.ensure_one()
        changed = {
            name: value
            for name, value in vals.items()
            if self._fields[name].convert_to_write(self[name], self) != value
        }
        if not changed:
            return
        if changed.get("severity") and self.postmortem_status == "not_needed":
            changed |= self._review_needed(
                {"severity": changed["severity"], "detected_at": self.detected_at}
            )
        before = {name: self[name] for name in changed if name in vals}
        self.system_write(changed)
        text = "; ".join(
            f"{self._fields[name].string}: {_shown(old)} → {_shown(self[name])}"
            for name, old in before.items()
        )
        self._add_timeline_entry("changed", text)

    def _add_timeline_entry(self, kind, text, **values):
        """Add an entry to the timeline."""
        self.ensure_one()
        now = self.env.cr.now()
        # sudo: the caller checked the right
        self.env["ipai.incident.entry"].sudo().system_create(
            [
                {
                    "incident_id": self.id,
                    "occurred_at": now,
                    "recorded_at": now,
                    "kind": kind,
                    "text": text,
                    "author_id": self.env.uid,
                    **values,
                }
            ]
        )

    def _record(self):
        for incident in self.sudo():  # sudo: looks for the first entry
            if not incident.entry_ids:
                incident._add_timeline_entry(
                    "detected", incident.name, occurred_at=incident.detected_at
                )
        super()._record()
        # It holds every open release of the project, not only the one it names.
        # sudo: the user may not read all
        releases = self.env["ipai.release"].sudo()
        others = releases.search(
            [
                ("project_id", "in", self.project_id.ids),
                ("is_open", "=", True),
                ("active", "in", [True, False]),
            ]
        )
        named = self.sudo().release_id  # sudo: excluded from the others
        (others - named)._rejudge_in_batches()

    def _ledger_draft(self):
        body = {
            "external_id": self.external_id or "",
            "summary": self.name,
            "severity": self.severity,
            "status": "resolved" if self.resolved_at else "open",
            "blocking": self.blocking,
            # sudo: readers of incidents know deployments
            "deployment": self.sudo().deployment_id.external_id or "",
            "postmortem": self.postmortem_status,
            "fallback_due": bool(self.fallback_at),
        }
        return self.release_id.id, "incident", self, body

    # --- fallback timer --------------------------------------------------------------

    @api.model
    def _run_fallback_timers(self):
        """Propose a fallback where the timer of an open incident ran out (scheduled).

        The latest evidence of the release gives the time.
        """
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT i.id
                  FROM ipai_incident i
                  JOIN ipai_deployment d ON d.id = i.deployment_id
                  JOIN ipai_environment e ON e.id = d.environment_id
             LEFT JOIN LATERAL (
                           SELECT CASE jsonb_typeof(t.metadata -> 'minutes')
                                  WHEN 'number'
                                  THEN least((t.metadata ->> 'minutes')::numeric, 1440)
                                  END AS minutes
                             FROM ipai_evidence t
                            WHERE t.release_id = i.release_id
                              AND t.type_code = 'fallback_timer'
                         ORDER BY t.id DESC LIMIT 1
                       ) timer ON true
                 WHERE i.resolved_at IS NULL AND i.fallback_at IS NULL
                   AND e.category = 'production'
                   AND d.status IN ('in_progress', 'succeeded')
                   AND i.detected_at + coalesce(timer.minutes, %(default)s)
                       * interval '1 minute' <= %(now)s
                """,
                default=FALLBACK_MINUTES,
                now=self.env.cr.now(),
            )
        )
        return self._work_through(
            [
                ("id", "in", [row[0] for row in rows]),
                ("resolved_at", "=", False),
                ("fallback_at", "=", False),
            ],
            "_propose_fallback",
        )

    def _propose_fallback(self):
        for incident in self:
            deployment = incident.deployment_id
            incident.system_write({"fallback_at": self.env.cr.now()})
            incident._add_timeline_entry(
                "fallback",
                self.env._(
                    "The fallback timer ran out: roll %s back.", deployment.external_id
                ),
            )
            incident._record()
            self.env["ipai.environment.event"]._note(
                deployment.environment_id,
                "alert_fired",
                {"reason": "fallback_timer", "incident": incident.name},
                release_id=incident.release_id.id,
                deployment_id=deployment.id,
                incident_id=incident.id,
            )
            deployment._propose_rollback(
                self.env._(
                    "The incident “%s” is still open and its fallback timer ran out.",
                    incident.name,
                )
            )


def _shown(value):
    return value.display_name if isinstance(value, models.BaseModel) else value
