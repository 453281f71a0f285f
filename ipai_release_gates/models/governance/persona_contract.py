from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tools import SQL

from ... import governance
from ..mixins.guarded import GuardedMixin

_FILLED = " AND ".join(
    rf"btrim(coalesce({name}, ''), E' \t\r\n') <> ''"
    for name in (*governance.FIELDS, "outcomes", "governance_overlay", "change_note")
)
_LEAST, _MOST = governance.OUTCOMES
_MONTHS = {"monthly": 1, "quarterly": 3}
#: What may still happen to a version that came into force.
_AFTERWARDS = (
    "state",
    "superseded_at",
    "next_review_on",
    "reviewed_at",
    "reviewed_by_id",
    "review_asked",
    "write_uid",
    "write_date",
)


def _section(string, help_):
    # Not translated: a version is one text, which its difference and the ledger quote.
    return fields.Text(string=string, help=f"{help_} One point per line.")


class PersonaContract(models.Model):
    """One version of what a persona answers for: ten sections, the same for everyone.

    A draft is edited freely; activated, it is in force until the next version takes its
    place, and is never edited again. The database refuses that too.
    """

    _name = "ipai.persona.contract"
    _inherit = ["ipai.guarded.mixin", "ipai.policy.mixin", "ipai.scheduled.mixin"]
    _description = "Persona contract"
    _order = "persona_id, version_major desc, version_minor desc, id desc"

    persona_id = fields.Many2one(
        "ipai.persona", required=True, index=True, ondelete="restrict"
    )
    state = fields.Selection(
        [("draft", "Draft"), ("active", "In force"), ("superseded", "Superseded")],
        required=True,
        readonly=True,
        default="draft",
        index=True,
    )
    mission = _section("Mission", "Why the role exists.")
    scope = _section("Scope", "What the role works on.")
    non_scope = _section("Non-scope", "What the role leaves to others.")
    inputs = _section("Inputs", "What the role needs before it can start.")
    outputs = _section("Outputs", "What the role hands on.")
    decision_rights = _section("Decision rights", "What the role decides alone.")
    prohibited_actions = _section(
        "Prohibited actions", "What the role must not do, whatever its account could."
    )
    escalation_rules = _section("Escalation rules", "When it stops, whom it calls.")
    required_evidence = _section(
        "Required evidence", "What must be on record for its work to count."
    )
    kpis = _section("KPIs", "The figures by which its work is judged.")
    failure_modes = _section(
        "Failure modes", "How it fails, what prevents or shows it."
    )
    outcomes = _section("Primary outcomes", "Three to five of them.")
    governance_overlay = fields.Char(
        default=governance.OVERLAY,
        help="Where the rules stand that hold for every persona.",
    )
    version_major = fields.Integer(readonly=True)
    version_minor = fields.Integer(readonly=True)
    version = fields.Char(compute="_compute_version")
    version_reason = fields.Char(
        string="Why this number",
        compute="_compute_version",
        help="A version is major when decision rights or prohibited actions change, "
        "minor otherwise.",
    )
    change_note = fields.Text(help="Why this version is made.")
    activated_at = fields.Datetime(string="In force since", readonly=True)
    activated_by_id = fields.Many2one(
        "res.users", string="Activated by", readonly=True, ondelete="restrict"
    )
    superseded_at = fields.Datetime(string="In force until", readonly=True)
    review_cadence = fields.Selection(
        [("monthly", "Every month"), ("quarterly", "Every quarter")],
        string="Reviewed",
        required=True,
        default="quarterly",
    )
    next_review_on = fields.Date(string="Next review", readonly=True)
    reviewed_at = fields.Datetime(string="Last review", readonly=True)
    reviewed_by_id = fields.Many2one(
        "res.users", string="Reviewed by", readonly=True, ondelete="restrict"
    )
    review_asked = fields.Boolean(
        readonly=True, help="Activities for the next review were scheduled."
    )
    review_due = fields.Boolean(
        string="Review due", compute="_compute_review_due", search="_search_review_due"
    )
    previous_id = fields.Many2one(
        "ipai.persona.contract", string="Version before", compute="_compute_previous_id"
    )
    difference = fields.Text(
        string="Changes to the version before", compute="_compute_difference"
    )
    missing = fields.Char(string="Still missing", compute="_compute_missing")

    _one_in_force = models.UniqueIndex(
        "(persona_id) WHERE state = 'active'",
        "One version of a contract is in force at a time.",
    )
    _one_draft = models.UniqueIndex(
        "(persona_id) WHERE state = 'draft'",
        "There is a draft of this contract already.",
    )
    _version_unique = models.UniqueIndex(
        "(persona_id, version_major, version_minor) WHERE state <> 'draft'",
        "This version of the contract exists already.",
    )
    _complete_in_force = models.Constraint(
        f"CHECK (state = 'draft' OR ({_FILLED}))",
        "A contract with an empty section cannot come into force.",
    )
    _outcomes_in_force = models.Constraint(
        r"CHECK (state = 'draft' OR array_length(regexp_split_to_array("
        r"btrim(outcomes, E' \t\r\n'), E'[\r\n]\\s*'), 1)"
        f" BETWEEN {_LEAST} AND {_MOST})",
        f"A contract in force has {_LEAST} to {_MOST} primary outcomes.",
    )
    _activation_known = models.Constraint(
        "CHECK (state = 'draft' OR (coalesce(version_major, 0) > 0"
        " AND version_minor IS NOT NULL AND activated_at IS NOT NULL"
        " AND activated_by_id IS NOT NULL))",
        "A version in force says when it came into force and by whom.",
    )

    _writable = frozenset(
        {
            *governance.FIELDS,
            "outcomes",
            "governance_overlay",
            "change_note",
            "review_cadence",
        }
    )
    _creatable = _writable | {"persona_id"}

    # Says what a role answers for, never what a gate comes to.
    _policy_deciding = frozenset()

    def init(self):
        """Have the database keep versions that came into force as they were."""
        self.env.cr.execute(
            SQL(
                """
                CREATE OR REPLACE FUNCTION ipai_contract_kept() RETURNS trigger AS $$
                BEGIN
                    IF TG_OP = 'TRUNCATE' OR (OLD.state <> 'draft' AND (
                        TG_OP = 'DELETE'
                        OR to_jsonb(NEW) - %(afterwards)s::text[]
                           <> to_jsonb(OLD) - %(afterwards)s::text[]
                        OR (NEW.state <> OLD.state AND NOT
                            (OLD.state = 'active' AND NEW.state = 'superseded'))
                    )) THEN
                        RAISE EXCEPTION
                            'a contract that came into force is kept: %% refused',
                            TG_OP USING ERRCODE = 'insufficient_privilege';
                    END IF;
                    RETURN coalesce(NEW, OLD);
                END $$ LANGUAGE plpgsql
                """,
                afterwards=list(_AFTERWARDS),
            )
        )
        for event, level in (("UPDATE OR DELETE", "ROW"), ("TRUNCATE", "STATEMENT")):
            self.env.cr.execute(
                SQL(
                    "CREATE OR REPLACE TRIGGER %s BEFORE %s ON %s FOR EACH %s"
                    " EXECUTE FUNCTION ipai_contract_kept()",
                    SQL.identifier(f"{self._table}_kept_{level.lower()}"),
                    SQL(event),
                    SQL.identifier(self._table),
                    SQL(level),
                )
            )

    # --- what is shown ---------------------------------------------------------------

    def _texts(self):
        """The contract as the plain values that ``governance`` works on."""
        self.ensure_one()
        return {
            "major": self.version_major,
            "minor": self.version_minor,
            **{name: self[name] or "" for name in self._writable},
        }

    @api.depends("persona_id.code", "version", "state")
    def _compute_display_name(self):
        for contract in self:
            name = f"{contract.persona_id.name or ''} {contract.version or ''}".strip()
            if contract.state == "draft":
                name = self.env._("%s (draft)", name)
            contract.display_name = name

    @api.depends("persona_id.contract_ids.state", "state")
    def _compute_previous_id(self):
        for contract in self:
            former = contract.persona_id.contract_ids.filtered(
                lambda other: other.state != "draft"
            )
            if contract.state != "draft":
                mine = (contract.version_major, contract.version_minor)
                former = former.filtered(
                    lambda other, mine=mine: (
                        (other.version_major, other.version_minor) < mine
                    )
                )
            contract.previous_id = former.sorted(
                lambda other: (other.version_major, other.version_minor)
            )[-1:]

    @api.depends("previous_id", "version_major", "version_minor", *sorted(_writable))
    def _compute_version(self):
        for contract in self:
            former = contract.previous_id
            major, minor, reasons = governance.next_version(
                former._texts() if former else None, contract._texts()
            )
            if contract.state != "draft":
                major, minor = contract.version_major, contract.version_minor
            contract.version = f"{major}.{minor}"
            if not former:
                contract.version_reason = self.env._("The first version.")
            elif reasons:
                contract.version_reason = self.env._(
                    "Major: changed are %s.", ", ".join(map(str.lower, reasons))
                )
            else:
                contract.version_reason = self.env._(
                    "Minor: decision rights and prohibited actions are the same."
                )

    @api.depends("previous_id", *sorted(_writable))
    def _compute_difference(self):
        for contract in self:
            former = contract.previous_id
            contract.difference = governance.difference(
                former._texts() if former else None, contract._texts()
            )

    @api.depends(*sorted(_writable))
    def _compute_missing(self):
        for contract in self:
            missing = governance.missing(contract._texts())
            if not (contract.change_note or "").strip():
                missing.append(self._fields["change_note"].string)
            contract.missing = ", ".join(missing)

    @api.depends("state", "next_review_on")
    def _compute_review_due(self):
        today = fields.Date.to_date(self.env.cr.now())
        for contract in self:
            due = contract.next_review_on
            contract.review_due = contract.state == "active" and due and due <= today

    def _search_review_due(self, operator, value):
        if operator != "in" or set(value) != {True}:
            return NotImplemented
        return self._due_for_review()

    def _due_for_review(self):
        today = fields.Date.to_date(self.env.cr.now())
        return Domain("state", "=", "active") & Domain("next_review_on", "<=", today)

    def _policy_name(self):
        kept = self.state != "draft"
        number = f"{self.version_major}.{self.version_minor}" if kept else "draft"
        return f"{self.persona_id.code}/{number}"

    @api.model
    def _policy_field_names(self):
        # That somebody was reminded is no policy.
        return [
            name for name in super()._policy_field_names() if name != "review_asked"
        ]

    # --- the life of a version -------------------------------------------------------

    def write(self, vals):
        if not self._is_system():
            for contract in self:
                if contract.state != "draft":
                    raise AccessError(
                        self.env._(
                            "%s came into force and is never edited: make a new "
                            "version.",
                            contract.display_name,
                        )
                    )
        return super().write(vals)

    def unlink(self):
        if any(contract.state != "draft" for contract in self):
            return super().unlink()
        # A draft was never in force: it may go, and the ledger tells of it.
        # pylint: disable-next=bad-super-call,super-method-mismatch
        return super(GuardedMixin, self).unlink()

    def action_activate(self):
        """Bring drafts into force, in place of the versions before.

        :raises UserError: naming the sections that are still empty
        """
        self.check_access("write")
        for contract in self:
            if contract.state != "draft":
                raise UserError(self.env._("%s is not a draft.", contract.display_name))
            if contract.missing:
                raise UserError(
                    self.env._(
                        "%(contract)s cannot come into force. Still missing: "
                        "%(missing)s.",
                        contract=contract.display_name,
                        missing=contract.missing,
                    )
                )
            former = contract.previous_id
            if former and not contract.difference:
                raise UserError(
                    self.env._(
                        "%s says the same as the version in force.",
                        contract.display_name,
                    )
                )
            contract._come_into_force()

    def _come_into_force(self):
        now = self.env.cr.now()
        major, minor = map(int, self.version.split("."))
        former = self.persona_id.contract_ids.filtered(lambda c: c.state == "active")
        if former:
            former.system_write({"state": "superseded", "superseded_at": now})
            former.flush_recordset()
        self.system_write(
            {
                "state": "active",
                "version_major": major,
                "version_minor": minor,
                "activated_at": now,
                "activated_by_id": self.env.uid,
                "next_review_on": self._review_after(),
            }
        )
        # The place of the draft is free for the next one, in the database too.
        self.flush_recordset()
        self._close_reviews()

    def _review_after(self):
        today = fields.Date.to_date(self.env.cr.now())
        return today + relativedelta(months=_MONTHS[self.review_cadence])

    def action_new_version(self):
        """Draft the next version from this one; the draft there is, if there is one.

        :returns: action that opens the draft
        """
        self.ensure_one()
        draft = self.persona_id.contract_ids.filtered(lambda c: c.state == "draft")
        if not draft:
            values = {name: self[name] for name in self._writable - {"change_note"}}
            draft = self.create({**values, "persona_id": self.persona_id.id})
        return {
            "type": "ir.actions.act_window",
            "res_model": self._name,
            "res_id": draft.id,
            "views": [(False, "form")],
        }

    @api.model
    def _activate_shipped(self):
        """Bring what the addon ships into force; a persona with a version keeps it."""
        for contract in self.search([("state", "=", "draft")]):
            shipped = contract.get_external_id()[contract.id]
            if shipped.startswith("ipai_release_gates.") and not contract.previous_id:
                contract.action_activate()

    # --- review ----------------------------------------------------------------------

    def action_reviewed(self):
        """Button: the contract was reviewed and stays as it is."""
        self.check_access("write")
        for contract in self:
            if contract.state != "active":
                raise UserError(
                    self.env._("%s is not in force.", contract.display_name)
                )
            contract.system_write(
                {
                    "reviewed_at": self.env.cr.now(),
                    "reviewed_by_id": self.env.uid,
                    "next_review_on": contract._review_after(),
                    "review_asked": False,
                }
            )
            contract._close_reviews()

    def _close_reviews(self):
        # sudo: activities of all reviewers end
        self.persona_id.sudo().activity_unlink(
            ["ipai_release_gates.activity_type_contract_review"]
        )

    @api.model
    def _ask_for_reviews(self):
        """Scheduled action: ask governance administrators for the reviews that are due.

        Once per due date.
        """
        self._work_through(
            self._due_for_review() & Domain("review_asked", "=", False),
            "_ask_for_review",
        )

    def _ask_for_review(self):
        self.system_write({"review_asked": True})
        group = self.env.ref("ipai_release_gates.group_governance_admin")
        for contract in self:
            for user in group.all_user_ids.filtered("active"):
                contract.persona_id.activity_schedule(
                    "ipai_release_gates.activity_type_contract_review",
                    user_id=user.id,
                    date_deadline=contract.next_review_on,
                    summary=self.env._("Review %s", contract.display_name),
                )
