from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from ... import policy
from ...ingest import fields as readers
from ..selections import EXCEPTION_TYPES, RISK_LEVELS
from .exception_tables import NEXT_STATES


class ReleaseException(models.Model):
    """An approved deviation from a gate, for one revision, that expires by itself.

    What is asked for is sealed at the request, in the database too: approvals refer to
    exactly that. The clock decides at each verdict whether an exception covers
    anything; the stored state only records what scheduled actions and people did.

    The parts: ``exception_sealing`` (what the database refuses), ``exception_clock``
    (computed states), ``exception_request``, ``exception_decision``,
    ``exception_ending``, ``exception_review``, ``exception_schedule`` (scheduled
    actions), ``exception_activities`` and ``exception_definition`` (policy files).
    """

    _name = "ipai.exception"
    _description = "Exception"
    _inherit = ["ipai.case.mixin", "mail.thread", "mail.activity.mixin"]
    _rec_name = "id"

    exception_type = fields.Selection(
        EXCEPTION_TYPES,
        string="Type",
        required=True,
        default="evidence_waiver",
        help="An emergency follows the rules of critical risk, and its review cannot "
        "be skipped.",
    )
    risk_level = fields.Selection(
        RISK_LEVELS,
        string="Risk",
        required=True,
        default="low",
        help="Low: 30 days at most, one release manager. Medium: 14 days. High: 7 "
        "days, a release manager and an SRE. Critical: 48 hours, both, and a review "
        "within 5 days.",
    )
    rationale = fields.Text(required=True, help="Why the gate cannot be met as it is.")
    risk_statement = fields.Text(
        required=True, help="What may go wrong, and whom it would hit."
    )
    compensating_controls = fields.Text(
        help="What keeps the risk small meanwhile. Needed from high risk on."
    )
    gate_ids = fields.Many2many(
        "ipai.gate",
        "ipai_exception_gate_rel",
        "exception_id",
        "gate_id",
        string="Impacted gates",
    )
    requirement_ids = fields.Many2many(
        "ipai.gate.requirement",
        "ipai_exception_requirement_rel",
        "exception_id",
        "requirement_id",
        string="Waived requirements",
        help="Empty: every waivable requirement of the impacted gates.",
    )
    effective_from = fields.Datetime(
        required=True,
        default=lambda self: self.env.cr.now(),
        help="It covers nothing before this, nor before it is approved.",
    )
    expires_at = fields.Datetime(
        required=True, help="It covers nothing from this moment on."
    )
    state = fields.Selection(
        [
            ("draft", "Draft"),
            ("requested", "Requested"),
            ("active", "Active"),
            ("expired", "Expired"),
            ("revoked", "Revoked"),
            ("closed", "Closed"),
            ("rejected", "Rejected"),
        ],
        required=True,
        default="draft",
        readonly=True,
        index=True,
    )
    status = fields.Selection(
        [
            ("draft", "Draft"),
            ("requested", "Requested"),
            ("scheduled", "Scheduled"),
            ("active", "Active"),
            ("expired", "Expired"),
            ("revoked", "Revoked"),
            ("closed", "Closed"),
            ("rejected", "Rejected"),
        ],
        compute="_compute_by_the_clock",
        help="The state as the clock has it at this moment.",
    )
    in_force = fields.Boolean(
        compute="_compute_by_the_clock",
        search="_search_in_force",
        help="Covers something at this moment: active, in its time, and of the "
        "current revision.",
    )
    hours_left = fields.Float(compute="_compute_by_the_clock")
    project_id = fields.Many2one(store=True, index=True)
    requested_at = fields.Datetime(readonly=True)
    approved_at = fields.Datetime(readonly=True)
    approval_ids = fields.One2many("ipai.approval", "exception_id", readonly=True)
    awaited_persona_ids = fields.Many2many(
        "ipai.persona",
        compute="_compute_awaited_persona_ids",
        string="Waits for",
        help="Of each of these personas one person has yet to approve.",
    )
    i_can_decide = fields.Boolean(compute="_compute_i_can_decide")
    ended_at = fields.Datetime(readonly=True)
    ended_by_id = fields.Many2one("res.users", readonly=True, ondelete="restrict")
    end_reason = fields.Text(readonly=True)
    remind_at = fields.Datetime(readonly=True)
    reminded_at = fields.Datetime(readonly=True)
    extension_of_id = fields.Many2one(
        "ipai.exception", readonly=True, ondelete="restrict", index="btree_not_null"
    )
    extension_ids = fields.One2many("ipai.exception", "extension_of_id", readonly=True)
    review_status = fields.Selection(
        [("pending", "Pending"), ("complete", "Complete"), ("waived", "Not needed")],
        string="Post-event review",
        required=True,
        default="waived",
        readonly=True,
        help="Not needed where the risk demands none.",
    )
    review_due_at = fields.Datetime(string="Review due", readonly=True)
    review_overdue = fields.Boolean(
        compute="_compute_by_the_clock", search="_search_review_overdue"
    )
    review_findings = fields.Text(readonly=True)
    reviewed_by_id = fields.Many2one("res.users", readonly=True, ondelete="restrict")
    reviewed_at = fields.Datetime(readonly=True)
    review_chased_at = fields.Datetime(readonly=True)

    _ends_after_start = models.Constraint(
        "CHECK (expires_at > effective_from)",
        "An exception expires after it takes effect.",
    )
    _longest_life = models.Constraint(
        "CHECK (expires_at <= effective_from + CASE risk_level"
        " WHEN 'low' THEN interval '30 days' WHEN 'medium' THEN interval '14 days'"
        " WHEN 'high' THEN interval '7 days' ELSE interval '48 hours' END)",
        "An exception lives no longer than its risk allows: low 30 days, medium 14 "
        "days, high 7 days, critical 48 hours.",
    )
    _emergency_is_critical = models.Constraint(
        "CHECK (exception_type <> 'emergency' OR risk_level = 'critical')",
        "An emergency follows the rules of critical risk.",
    )
    _approved_when_active = models.Constraint(
        "CHECK (state NOT IN ('active', 'expired', 'revoked')"
        " OR approved_at IS NOT NULL)",
        "Only an approved exception takes effect.",
    )
    _review_not_skipped = models.Constraint(
        "CHECK (risk_level <> 'critical' OR approved_at IS NULL"
        " OR (review_status <> 'waived' AND review_due_at IS NOT NULL))",
        "The review of a critical exception cannot be skipped.",
    )
    _review_documented = models.Constraint(
        "CHECK (review_status <> 'complete'"
        " OR (reviewed_by_id IS NOT NULL AND review_findings IS NOT NULL))",
        "A complete review names its reviewer and its findings.",
    )
    _granting = models.Index("(release_id, revision_id) WHERE state = 'active'")
    _expiring = models.Index("(expires_at, id) WHERE state = 'active'")
    _owed_reviews = models.Index(
        "(project_id, review_due_at) WHERE review_status = 'pending'"
    )

    _content = frozenset(
        {
            "exception_type",
            "risk_level",
            "rationale",
            "risk_statement",
            "compensating_controls",
            "gate_ids",
            "requirement_ids",
            "effective_from",
            "expires_at",
        }
    )
    _creatable = _content | {"release_id"}
    _writable = _content
    _readers = {
        "rationale": readers.text,
        "risk_statement": readers.text,
        "compensating_controls": readers.text,
    }

    # --- doors -----------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        if not self._is_system():
            for vals in vals_list:
                self._follow_emergency(vals)
        return super().create(vals_list)

    def write(self, vals):
        if self._is_system() or not vals:
            return super().write(vals)
        self._refuse_fields(vals, self._writable)
        self.check_access("write")
        for exception in self:
            exception._require_requester()
            if exception.state != "draft":
                raise UserError(
                    self.env._(
                        "%s was requested: what is being decided cannot change. "
                        "Withdraw it and request another.",
                        exception.display_name,
                    )
                )
        vals = {**vals, **self._read_entered(vals)}
        for exception in self:
            changed = dict(vals)
            exception._follow_emergency(changed)
            exception.system_write(changed)
        return True

    def _prepare_manual_fact(self, vals):
        vals = super()._prepare_manual_fact(vals)
        if not vals.get("release_id"):
            raise UserError(self.env._("An exception is for a release: choose one."))
        return {**vals, "state": "draft"}

    def _follow_emergency(self, vals):
        """Set critical risk for an emergency."""
        exception_type = vals.get("exception_type", self.exception_type)
        level = vals.get("risk_level", self.risk_level)
        if exception_type == policy.EMERGENCY and level != "critical":
            vals["risk_level"] = "critical"

    def _require_requester(self):
        if self.recorded_by_id != self.env.user:
            raise AccessError(
                self.env._("%s belongs to whoever drafted it.", self.display_name)
            )

    def _record(self):
        # A draft concerns its requester only.
        super(ReleaseException, self.filtered(lambda x: x.state != "draft"))._record()

    def _become(self, state, **vals):
        """Change the state, and record that on the release and in its ledger.

        :param vals: further values of the same write
        :raises UserError: when that state cannot follow the present one
        """
        for exception in self:
            if state not in NEXT_STATES.get(exception.state, ()):
                labels = dict(self._fields["state"].selection)
                raise UserError(
                    self.env._(
                        "%(exception)s is %(present)s; it cannot become %(new)s.",
                        exception=exception.display_name,
                        present=labels[exception.state],
                        new=labels[state],
                    )
                )
        self.system_write({"state": state, **vals})
        self._record()

    # --- what others read ------------------------------------------------------------

    def _reference(self):
        return f"EX-{self._origin.id}" if self._origin.id else ""

    def _post_on_release(self, message, **words):
        """Post one line in the chatter of the release; the ledger is the record."""
        for exception in self.sudo():  # sudo: actor may lack chatter rights
            exception.release_id.message_post(
                body=message
                % {
                    "exception": exception.display_name,
                    "user": self.env.user.name,
                    **words,
                },
                author_id=self.env.user.partner_id.id,
            )

    def _ledger_draft(self):
        body = {"exception": self._reference(), "state": self.state}
        if self.state == "requested":
            body.update(
                type=self.exception_type,
                risk=self.risk_level,
                gates=sorted(self.gate_ids.mapped("code")),
                requirements=sorted(
                    f"{requirement.gate_id.code}:{requirement.code}"
                    for requirement in self.requirement_ids
                ),
                effective_from=f"{self.effective_from.isoformat()}Z",
                expires_at=f"{self.expires_at.isoformat()}Z",
                rationale=self.rationale,
                risk_statement=self.risk_statement,
                compensating_controls=self.compensating_controls or "",
                extension_of=self.extension_of_id._reference(),
                source_ref=self.source_ref,
            )
        elif self.state in ("rejected", "revoked", "closed"):
            body["reason"] = self.end_reason or ""
        kind = {"active": "approved"}.get(self.state, self.state)
        return self.release_id.id, f"exception_{kind}", self, body
