from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL, format_list

from ... import policy
from ...ingest import fields as readers
from ..selections import EXCEPTION_TYPES, RISK_LEVELS

#: Types of exceptions that may waive any requirement, and whole gates.
COVERS_WHOLE_GATES = ("gate_bypass", policy.EMERGENCY)

#: What may follow what; the database holds the same table, see ``init``.
NEXT_STATES = {
    "draft": {"requested", "closed"},
    "requested": {"active", "rejected", "closed"},
    "active": {"expired", "revoked", "closed"},
}
#: Levels of risk at which somebody must say what keeps the risk small.
CONTROLLED_RISKS = ("high", "critical")


class ReleaseException(models.Model):
    """An approved deviation from a gate, for one revision, that ends by itself.

    What was asked for is sealed when it is requested, in the database too: approvals
    speak of exactly that. Whether an exception covers anything is judged by the clock
    at each decision; the stored state only records what scheduled actions and people
    made of it.
    """

    _name = "ipai.exception"
    _description = "Exception"
    _inherit = ["ipai.fact.mixin", "mail.thread", "mail.activity.mixin"]
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

    def init(self):
        """Seal in the database what was requested, and the order of states."""
        self.env.cr.execute(
            """
            CREATE OR REPLACE FUNCTION ipai_exception_sealed() RETURNS trigger AS $$
            BEGIN
                IF OLD.state <> 'draft' AND (
                    OLD.release_id, OLD.exception_type, OLD.risk_level, OLD.rationale,
                    OLD.risk_statement, OLD.effective_from, OLD.expires_at,
                    OLD.recorded_by_id, OLD.revision_id
                ) IS DISTINCT FROM (
                    NEW.release_id, NEW.exception_type, NEW.risk_level, NEW.rationale,
                    NEW.risk_statement, NEW.effective_from, NEW.expires_at,
                    NEW.recorded_by_id, NEW.revision_id
                ) THEN
                    RAISE EXCEPTION 'a requested exception is sealed'
                        USING ERRCODE = 'insufficient_privilege';
                END IF;
                IF OLD.state <> NEW.state AND NOT (
                    (OLD.state = 'draft' AND NEW.state IN ('requested', 'closed'))
                    OR (OLD.state = 'requested'
                        AND NEW.state IN ('active', 'rejected', 'closed'))
                    OR (OLD.state = 'active'
                        AND NEW.state IN ('expired', 'revoked', 'closed'))
                ) THEN
                    RAISE EXCEPTION 'an exception that is % cannot become %',
                        OLD.state, NEW.state USING ERRCODE = 'insufficient_privilege';
                END IF;
                RETURN NEW;
            END $$ LANGUAGE plpgsql;
            CREATE OR REPLACE TRIGGER ipai_exception_sealed
                BEFORE UPDATE ON ipai_exception
                FOR EACH ROW EXECUTE FUNCTION ipai_exception_sealed();
            CREATE OR REPLACE FUNCTION ipai_exception_scope_sealed()
            RETURNS trigger AS $$
            BEGIN
                IF EXISTS (
                    SELECT 1 FROM ipai_exception
                     WHERE id = coalesce(NEW.exception_id, OLD.exception_id)
                       AND state <> 'draft'
                ) THEN
                    RAISE EXCEPTION 'a requested exception is sealed'
                        USING ERRCODE = 'insufficient_privilege';
                END IF;
                RETURN coalesce(NEW, OLD);
            END $$ LANGUAGE plpgsql;
            """
        )
        for table in ("ipai_exception_gate_rel", "ipai_exception_requirement_rel"):
            self.env.cr.execute(
                SQL(
                    "CREATE OR REPLACE TRIGGER %s BEFORE INSERT OR UPDATE OR DELETE"
                    " ON %s FOR EACH ROW"
                    " EXECUTE FUNCTION ipai_exception_scope_sealed()",
                    SQL.identifier(f"{table}_sealed"),
                    SQL.identifier(table),
                )
            )

    # --- computed --------------------------------------------------------------------

    @api.depends("exception_type", "gate_ids")
    def _compute_display_name(self):
        labels = dict(self._fields["exception_type"].selection)
        for exception in self:
            # Gate codes are what everybody sees on the board.
            gates = ", ".join(exception.sudo().gate_ids.mapped("code"))
            label = labels.get(exception.exception_type, "")
            exception.display_name = f"{exception._reference()} {label} {gates}".strip()

    def _reference(self):
        return f"EX-{self._origin.id}" if self._origin.id else ""

    @api.depends("state", "effective_from", "expires_at", "review_status")
    def _compute_by_the_clock(self):
        now = self.env.cr.now()
        for exception in self:
            status = exception.state
            if status == "active" and exception.expires_at <= now:
                status = "expired"
            elif status == "active" and exception.effective_from > now:
                status = "scheduled"
            exception.status = status
            exception.in_force = status == "active" and not exception.is_stale
            left = (exception.expires_at or now) - now
            exception.hours_left = (
                max(left.total_seconds() / 3600, 0.0)
                if status in ("active", "scheduled", "requested")
                else 0.0
            )
            exception.review_overdue = bool(
                exception.review_status == "pending"
                and exception.review_due_at
                and exception.review_due_at < now
            )

    def _search_in_force(self, operator, value):
        if operator != "in":
            return NotImplemented
        now = self.env.cr.now()
        domain = (
            Domain("state", "=", "active")
            & Domain("effective_from", "<=", now)
            & Domain("expires_at", ">", now)
            & Domain("is_stale", "=", False)
        )
        return domain if True in value else ~domain

    def _search_review_overdue(self, operator, value):
        if operator != "in":
            return NotImplemented
        domain = Domain("review_status", "=", "pending") & Domain(
            "review_due_at", "<", self.env.cr.now()
        )
        return domain if True in value else ~domain

    @api.depends("state", "risk_level", "approval_ids.decision")
    def _compute_awaited_persona_ids(self):
        personas = self.env["ipai.persona"].search([]).grouped("code")
        for exception in self:
            awaited = set()
            if exception.state == "requested":
                # Who decided counts, whatever the asking person may read.
                awaited = exception._risk_personas() - set(
                    exception.sudo()._approving_personas().values()
                )
            exception.awaited_persona_ids = self.env["ipai.persona"].union(
                *(personas[code] for code in awaited if code in personas)
            )

    @api.depends("state", "approval_ids.decision")
    @api.depends_context("uid")
    def _compute_i_can_decide(self):
        held = self.env["ipai.persona"]._held_by(self.env.user)
        for exception in self:
            exception.i_can_decide = any(
                not exception._refusal_to_decide(persona)
                for persona in exception.awaited_persona_ids & held
            )

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
        """An emergency is critical, whatever was said."""
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
        # A draft is nobody's business yet.
        super(ReleaseException, self.filtered(lambda x: x.state != "draft"))._record()

    def _become(self, state, **vals):
        """Change the state, and tell release and ledger.

        :param vals: what else is written with it
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

    # --- requesting ------------------------------------------------------------------

    def action_request(self):
        """Ask for the approvals that the risk demands; what is asked for is sealed."""
        self.check_access("write")
        for exception in self:
            exception._require_requester()
            exception._validate_request()
            release = exception.release_id
            # The right to request was checked; the revision is the release's own.
            exception.sudo()._become(
                "requested",
                requested_at=self.env.cr.now(),
                revision_id=release.sudo().revision_id.id,
            )
            exception._tell_release(
                self.env._("%(exception)s was requested by %(user)s: %(why)s"),
                why=exception.rationale,
            )
        return True

    def _validate_request(self):
        """Refuse a request that could never cover anything, naming what is wrong."""
        self.ensure_one()
        now = self.env.cr.now()
        if not self.release_id.sudo().is_open:  # the asker reads the release
            raise UserError(self.env._("%s is closed.", self.release_id.name))
        if not self.gate_ids:
            raise ValidationError(
                self.env._("Impacted gates: name the gates it is about.")
            )
        if self.expires_at <= now:
            raise ValidationError(
                self.env._("Expires at: %s is over already.", self.expires_at)
            )
        if self.risk_level in CONTROLLED_RISKS and not self.compensating_controls:
            raise ValidationError(
                self.env._(
                    "Compensating controls: say what keeps the risk small meanwhile; "
                    "%s risk needs that.",
                    self.risk_level,
                )
            )
        foreign = self.requirement_ids.filtered(
            lambda requirement: requirement.gate_id not in self.gate_ids
        )
        if foreign:
            raise ValidationError(
                self.env._(
                    "Waived requirements: %s are not of the impacted gates.",
                    ", ".join(foreign.mapped("name")),
                )
            )
        fixed = self.requirement_ids.filtered(lambda r: not r.waivable)
        if fixed:
            raise ValidationError(
                self.env._(
                    "Waived requirements: no exception can cover %s.",
                    ", ".join(fixed.mapped("name")),
                )
            )
        if self.exception_type in COVERS_WHOLE_GATES:
            return
        if not self.requirement_ids:
            raise ValidationError(
                self.env._(
                    "Waived requirements: name them; only a gate bypass and an "
                    "emergency cover whole gates."
                )
            )
        kinds = self.requirement_ids._kinds_waived_by(self.exception_type)
        unfit = self.requirement_ids.filtered(
            lambda requirement: requirement.kind not in kinds
        )
        if unfit:
            raise ValidationError(
                self.env._(
                    "Type: %(type)s cannot waive %(requirements)s; choose another "
                    "type, a gate bypass say.",
                    type=dict(self._fields["exception_type"].selection)[
                        self.exception_type
                    ],
                    requirements=", ".join(unfit.mapped("name")),
                )
            )

    # --- deciding --------------------------------------------------------------------

    def _risk(self):
        return policy.RISKS[policy.level_of(self.exception_type, self.risk_level)]

    def _risk_personas(self):
        return set(self._risk().personas)

    def _standing_decisions(self):
        """The latest decision of each person on this exception, by person."""
        self.ensure_one()
        decisions = self.approval_ids.sorted("id")
        person_of = self.release_id._person_keys(set(decisions.approver_id.ids))
        return {person_of[one.approver_id.id]: one for one in decisions}

    def _approving_personas(self):
        """Persona codes by the person who approved as such."""
        return {
            person: decision.persona_id.code
            for person, decision in self._standing_decisions().items()
            if decision.decision == "approved"
        }

    def _refusal_to_decide(self, persona):
        """Why the current user may not decide on this exception as a persona.

        :returns: a sentence, or ``None`` when nothing speaks against it
        """
        self.ensure_one()
        user = self.env.user
        # Definitions, people and decisions are judged whatever the user may read.
        exception = self.sudo()
        release = exception.release_id
        if not self.env["ipai.persona"]._held_by(user) & persona:
            return self.env._(
                "%(user)s does not hold the persona %(persona)s.",
                user=user.name,
                persona=persona.sudo().name,  # a label
            )
        if user.has_group("ipai_release_gates.group_ci_service"):
            return self.env._("A service account cannot decide on an exception.")
        code = persona.sudo().code  # a label
        if code not in exception._risk_personas():
            return self.env._(
                "%(exception)s is not decided by %(persona)s; its risk asks for "
                "%(asked)s.",
                exception=exception.display_name,
                persona=persona.sudo().name,  # a label
                asked=", ".join(sorted(exception._risk_personas())),
            )
        if exception.state != "requested":
            labels = dict(self._fields["state"].selection)
            return self.env._(
                "%(exception)s is %(state)s; there is nothing to decide.",
                exception=exception.display_name,
                state=labels[exception.state],
            )
        if exception.is_stale:
            return self.env._(
                "%(exception)s was requested for revision %(old)s; the release is at "
                "%(new)s. Request it again.",
                exception=exception.display_name,
                old=exception.short_ref,
                new=release.short_ref,
            )
        if exception.expires_at <= self.env.cr.now():
            return self.env._(
                "%s would have expired before it was decided; request another.",
                exception.display_name,
            )
        return self._refusal_of_person(exception, release, persona)

    def _refusal_of_person(self, exception, release, persona):
        user = self.env.user
        emails = exception.revision_id.author_emails
        resolved = release._resolve_authors(emails)
        unresolved = [email for email in emails if not resolved[email]]
        if unresolved:
            return self.env._(
                "No user is known for author %s of this revision, so independence "
                "cannot be shown. A governance administrator maps the address to a "
                "user under Configuration → Commit authors.",
                ", ".join(unresolved),
            )
        authors = set(exception.revision_id.author_ids.ids).union(*resolved.values())
        person_of = release._person_keys(
            authors | {user.id, exception.recorded_by_id.id}
        )
        person = person_of[user.id]
        if person == person_of[exception.recorded_by_id.id]:
            return self.env._(
                "%s requested this exception and cannot decide on it.", user.name
            )
        if person in {person_of[author] for author in authors} | set(emails):
            return self.env._(
                "%(user)s is an author of revision %(revision)s and cannot decide on "
                "an exception for it.",
                user=user.name,
                revision=exception.short_ref,
            )
        approved_as = exception._approving_personas().get(person)
        if approved_as and approved_as != persona.sudo().code:  # a label
            return self.env._(
                "%s approved it already; one person counts once.", user.name
            )
        return None

    def _require_decider(self, persona):
        """Refuse a decision that would not count, and leave that in the ledger.

        :raises AccessError: saying why the current user may not decide
        """
        reason = self._refusal_to_decide(persona)
        if not reason:
            return
        # The refusal is recorded whatever the refused person may write.
        release = self.sudo().release_id
        body = {
            "gate": "",
            "exception": self._reference(),
            "persona": persona.sudo().code,  # a label
            "reason": reason,
        }
        release._record_afterwards([(release.id, "signoff_refused", release, body)])
        raise AccessError(reason)

    def _decided(self):
        """Draw the consequence of the decisions recorded so far."""
        for exception in self:
            if exception.state != "requested":
                continue
            decisions = exception._standing_decisions()
            against = [d for d in decisions.values() if d.decision != "approved"]
            if against:
                exception._become(
                    "rejected",
                    ended_at=self.env.cr.now(),
                    ended_by_id=against[-1].approver_id.id,
                    end_reason=against[-1].rationale_text or False,
                )
                exception._tell_release(self.env._("%(exception)s was rejected."))
            elif exception._risk_personas() <= set(
                exception._approving_personas().values()
            ):
                exception._take_effect()

    def _take_effect(self):
        self.ensure_one()
        now = self.env.cr.now()
        starts = max(now, self.effective_from)
        vals = {
            "approved_at": now,
            "remind_at": policy.remind_at(starts, self.expires_at),
        }
        within = self._risk().review_within
        if within:
            vals.update(review_status="pending", review_due_at=starts + within)
        self._become("active", **vals)
        self._tell_release(
            self.env._("%(exception)s is approved until %(until)s UTC."),
            until=self.expires_at,
        )

    # --- ending ----------------------------------------------------------------------

    def action_revoke(self, reason):
        """Take an exception back before it expires; the gates re-open at once.

        :param str reason: why
        """
        return self._end("revoked", reason, self._may_revoke)

    def action_close(self, reason):
        """End an exception, or a request, that is not needed any more.

        :param str reason: why
        """
        return self._end("closed", reason, self._may_close)

    def _end(self, state, reason, may):
        self.check_access("read")
        reason = reason.strip() if isinstance(reason, str) else ""
        if not reason:
            raise UserError(self.env._("Reason: say why the exception ends."))
        for exception in self:
            if not may(exception):
                raise AccessError(
                    self.env._(
                        "%s is ended by a release manager, by one of its approvers, or "
                        "closed by whoever requested it.",
                        exception.display_name,
                    )
                )
            # By the clock it has ended already, whatever is stored.
            if exception.status == "expired":
                raise UserError(
                    self.env._("%s has expired already.", exception.display_name)
                )
            # Who may end it was just checked.
            exception.sudo()._become(
                state,
                ended_at=self.env.cr.now(),
                ended_by_id=self.env.uid,
                end_reason=reason,
            )
            exception._tell_release(
                self.env._("%(exception)s was ended by %(user)s: %(why)s"), why=reason
            )
        return True

    def _may_revoke(self, exception):
        user = self.env.user
        return (
            user.has_group("ipai_release_gates.group_release_manager")
            # Whoever answered for it may take it back.
            or user in exception.sudo().approval_ids.approver_id
        )

    def _may_close(self, exception):
        user = self.env.user
        return exception.recorded_by_id == user or user.has_group(
            "ipai_release_gates.group_release_manager"
        )

    # --- extending -------------------------------------------------------------------

    def action_extend(self, expires_at, rationale):
        """Request the same exception for longer: a new one, with its own approvals.

        :param expires_at: when the new one ends
        :param str rationale: why it is needed longer
        :returns: the new exception, requested
        :raises UserError: when this one is not in force any more
        """
        self.ensure_one()
        self.check_access("read")
        if self.status not in ("active", "scheduled") or self.is_stale:
            raise UserError(
                self.env._(
                    "%s is not in force: what has ended is not revived. Request a new "
                    "exception.",
                    self.display_name,
                )
            )
        now = self.env.cr.now()
        extension = self.create(
            [
                {
                    "release_id": self.release_id.id,
                    "exception_type": self.exception_type,
                    "risk_level": self.risk_level,
                    "rationale": rationale,
                    "risk_statement": self.risk_statement,
                    "compensating_controls": self.compensating_controls,
                    "gate_ids": [(6, 0, self.gate_ids.ids)],
                    "requirement_ids": [(6, 0, self.requirement_ids.ids)],
                    "effective_from": max(now, self.effective_from),
                    "expires_at": expires_at,
                }
            ]
        )
        extension.system_write({"extension_of_id": self.id})
        extension.action_request()
        return extension

    # --- the review afterwards -------------------------------------------------------

    def action_complete_review(self, findings):
        """Record the post-event review.

        :param str findings: what happened, and what follows from it
        :raises AccessError: when the current user may not review it
        """
        self.check_access("read")
        findings = findings.strip() if isinstance(findings, str) else ""
        if not findings:
            raise UserError(
                self.env._("Findings: say what happened and what follows from it.")
            )
        for exception in self:
            if exception.review_status != "pending":
                raise UserError(
                    self.env._("%s owes no review.", exception.display_name)
                )
            exception._require_reviewer()
            # Who may review was just checked.
            reviewed = exception.sudo()
            reviewed.system_write(
                {
                    "review_status": "complete",
                    "review_findings": findings,
                    "reviewed_by_id": self.env.uid,
                    "reviewed_at": self.env.cr.now(),
                }
            )
            reviewed._update_activities()
            reviewed._tell_project(
                [
                    (
                        reviewed.release_id.id,
                        "exception_reviewed",
                        reviewed,
                        {
                            "exception": reviewed._reference(),
                            "state": reviewed.state,
                            "findings": findings,
                        },
                    )
                ]
            )
        return True

    def _is_reviewer(self):
        """Whether the current user may review this exception afterwards."""
        user = self.env.user
        held = self.env["ipai.persona"]._held_by(user).mapped("code")
        # Whether two accounts are one person is judged whatever the user may read.
        release = self.sudo().release_id
        requester = self.recorded_by_id
        person_of = release._person_keys({user.id, requester.id})
        return bool(self._risk_personas() & set(held)) and (
            person_of[user.id] != person_of[requester.id]
        )

    def _require_reviewer(self):
        if not self._is_reviewer():
            raise AccessError(
                self.env._(
                    "%(exception)s is reviewed by a %(personas)s who did not request "
                    "it.",
                    exception=self.display_name,
                    personas=format_list(self.env, sorted(self._risk_personas()), "or"),
                )
            )

    def _tell_project(self, drafts):
        """A review that is owed, or given, concerns every open release."""
        releases = self.env["ipai.release"].search(
            [
                ("project_id", "in", self.project_id.ids),
                ("is_open", "=", True),
                ("active", "in", [True, False]),
            ]
        )
        named = self.release_id
        named._rejudge(drafts, starts=False)
        (releases - named)._rejudge_in_batches()

    # --- telling people --------------------------------------------------------------

    def _tell_release(self, message, **words):
        """One line on the release, for people; the ledger is the record."""
        for exception in self.sudo():  # whoever acted, the release is told
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
