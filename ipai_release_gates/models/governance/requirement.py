import json
from collections import defaultdict
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import SQL, ormcache
from odoo.tools.sql import make_identifier

from ... import policy
from ..selections import ENVIRONMENT_CATEGORIES
from ..terms import translate


class GateRequirement(models.Model):
    """One thing a gate demands, as data: kind, parameters, who is accountable."""

    _name = "ipai.gate.requirement"
    _description = "Gate requirement"
    _inherit = "ipai.policy.mixin"
    _order = "gate_id, sequence, id"

    gate_id = fields.Many2one(
        "ipai.gate", required=True, ondelete="cascade", index=True
    )
    code = fields.Char(required=True)
    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    # By a method: a kind of an addon that is uninstalled removes no requirement.
    kind = fields.Selection("_selection_kind", required=True)
    parameter_names = fields.Json(
        compute="_compute_parameter_names",
        help="The parameters that requirements of this kind have.",
    )
    parameters_needed = fields.Json(
        compute="_compute_parameter_names",
        help="Those of them that cannot be empty.",
    )
    check_name = fields.Char(
        help="Empty: every check that the project's policy requires."
    )
    evidence_type_id = fields.Many2one(
        "ipai.evidence.type",
        ondelete="restrict",
        help="Empty: the complete evidence package, that is every evidence requirement "
        "of this gate and of the gates before it.",
    )
    metadata_match = fields.Char(
        help='JSON object of metadata the evidence must carry, e.g. {"status": '
        '"normal"}. A list of values means one of them.'
    )
    approval_persona_id = fields.Many2one(
        "ipai.persona", string="Signed by", ondelete="restrict"
    )
    min_count = fields.Integer(string="Signatures", default=1, required=True)
    distinct_from_gate_id = fields.Many2one(
        "ipai.gate",
        string="Not the signatory of",
        ondelete="restrict",
        help="Whoever signed that gate cannot sign this one.",
    )
    prior_gate_id = fields.Many2one("ipai.gate", ondelete="restrict")
    environment_category = fields.Selection(ENVIRONMENT_CATEGORIES)
    deployment_aspect = fields.Selection(
        [
            (policy.DEPLOYMENT_SUCCEEDED, "Deployment succeeded"),
            (policy.DEPLOYMENT_CONFIRMED, "Outcome confirmed within the deadline"),
        ],
        default=policy.DEPLOYMENT_SUCCEEDED,
    )
    drill_type = fields.Selection(
        [
            ("backup_restore", "Backup Restore"),
            ("failover", "Failover"),
            ("rollback", "Rollback"),
        ],
        help="Empty: a drill of any type.",
    )
    soak_hours = fields.Float()
    freshness_hours = fields.Float(
        help="Facts older than this do not count. 0: any age.", default=0.0
    )
    waivable = fields.Boolean(
        default=True, help="Whether an approved exception can cover it."
    )
    accountable_persona_id = fields.Many2one(
        "ipai.persona", string="Accountable", required=True, ondelete="restrict"
    )
    expertise_domain_id = fields.Many2one(
        "ipai.expertise.domain", required=True, ondelete="restrict"
    )

    _code_unique = models.Constraint(
        "UNIQUE (gate_id, code)", "This gate has a requirement with this code already."
    )
    _min_count_positive = models.Constraint(
        "CHECK (min_count > 0)", "A sign-off needs at least one signature."
    )
    _hours_positive = models.Constraint(
        "CHECK (freshness_hours >= 0 AND soak_hours >= 0)",
        "Hours cannot be negative.",
    )

    # --- kinds -----------------------------------------------------------------------

    @api.model
    def _kinds(self):
        """The kinds of requirements of this database.

        Hook: a satellite adds its own, ``return super()._kinds() + (MINE,)``.

        :returns: tuple of :class:`policy.RequirementKind`, in the order in which
            people choose one
        """
        return policy.KINDS

    @api.model
    @ormcache()
    def _kinds_by_code(self):
        """The kinds of :meth:`_kinds` by code, in order."""
        return policy.by_code(self._kinds())

    def _kind(self):
        """The :class:`policy.RequirementKind` of this requirement.

        :returns: ``None`` when the addon that brings it is not installed
        """
        self.ensure_one()
        return self._kinds_by_code().get(self.kind)

    @api.model
    def _selection_kind(self):
        return [
            (kind.code, translate(self.env, kind.label, kind.module))
            for kind in self._kinds_by_code().values()
        ]

    @api.model
    def _kinds_waived_by(self, exception_type):
        """The kinds of requirements that exceptions of a type may name.

        :param exception_type: a type that does not cover whole gates
        :returns: set of codes
        """
        return {
            kind.code
            for kind in self._kinds_by_code().values()
            if exception_type in kind.waived_by
        }

    def _is_criterion(self):
        """Whether the signatory of the gate verifies it: no signature, no gate."""
        kind = self._kind()
        return kind is None or kind.is_criterion

    def _waits_for_people(self):
        """Whether a person can meet this requirement, rather than only the clock."""
        kind = self._kind()
        return kind is None or kind.waits_for == policy.PEOPLE

    def _waiving_type(self):
        """The type of exception that fits best when this requirement is waived."""
        kind = self._kind()
        return kind.waived_by[0] if kind and kind.waived_by else "gate_bypass"

    @api.depends("kind")
    def _compute_parameter_names(self):
        for requirement in self:
            kind = requirement._kind()
            parameters = kind.parameters if kind else ()
            requirement.parameter_names = [each.name for each in parameters]
            requirement.parameters_needed = [p.name for p in parameters if p.needed]

    @api.constrains("kind")
    def _validate_kind(self):
        # A selection by method takes any text.
        for requirement in self:
            if not requirement._kind():
                raise ValidationError(
                    self.env._(
                        "“%(name)s”: no installed addon has the kind %(kind)s.",
                        name=requirement.name,
                        kind=requirement.kind,
                    )
                )

    # --- parameters of the kind, and no others ---------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        return super().create(
            [{**vals, **self._unused_cleared(vals, None)} for vals in vals_list]
        )

    def write(self, vals):
        # Which parameters mean something depends on the kind of each requirement; those
        # that lose the same ones are written together.
        together = defaultdict(self.browse)
        for kind, requirements in self.grouped("kind").items():
            together[tuple(self._unused_cleared(vals, kind).items())] += requirements
        for cleared, requirements in together.items():
            super(GateRequirement, requirements).write({**vals, **dict(cleared)})
        return True

    @api.model
    def _unused_cleared(self, vals, former):
        """Values for the parameters that must not keep what they have or get.

        A form may send what was entered for another kind, and a row may hold it. Once
        the kind is changed, that value would begin to count.

        :param vals: the values of a new requirement, or of a change
        :param former: code of the kind it is of before, ``None`` for a new one
        :returns: values by field
        """
        kinds = self._kinds_by_code()
        kind, before = kinds.get(vals.get("kind", former)), kinds.get(former)
        if kind is None:
            return {}
        cleared = {}
        for parameter in policy.parameters_of(kinds.values()):
            column = self._parameter_column(parameter.name)
            used = parameter.name in kind.parameter_names
            if kind == before:
                clear = not used and column in vals
            else:
                known = before is None or parameter.name in before.parameter_names
                clear = not used or (not known and column not in vals)
            if clear:
                cleared[column] = parameter.default or False
        return cleared

    # --- needed parameters, held in the database too ---------------------------------

    def init(self):
        super().init()
        for kind in self._kinds_by_code().values():
            if any(parameter.needed for parameter in kind.parameters):
                self._add_needs(kind)
        # An addon is installed again where it was before: its requirements count.
        self._judge_again_soon(
            kind.code
            for kind in self._kinds_by_code().values()
            if kind.module != "ipai_release_gates"
        )

    @api.model
    def _judge_again_soon(self, kinds):
        """Have the scheduled action judge open releases that some kinds concern.

        In SQL: the registry still has, or not yet has, the fields of their addon.

        :param kinds: codes of kinds that come or go with an addon
        """
        kinds = tuple(kinds)
        if kinds:
            self.env.cr.execute(
                SQL(
                    "UPDATE ipai_release SET rejudge_at = %s WHERE is_open"
                    " AND EXISTS (SELECT 1 FROM ipai_gate_requirement"
                    " WHERE active AND kind IN %s)",
                    self.env.cr.now(),
                    kinds,
                )
            )
            self.env["ipai.release"].invalidate_model(["rejudge_at"], flush=False)

    @api.model
    def _add_needs(self, kind):
        """Have the database refuse requirements of a kind without what they need."""
        needs = [
            SQL("coalesce(%s, 0) > 0", SQL.identifier(column))
            if self._fields[column].type in ("integer", "float", "monetary")
            else SQL("%s IS NOT NULL", SQL.identifier(column))
            for parameter in kind.parameters
            if parameter.needed
            for column in [self._parameter_column(parameter.name)]
        ]
        name = SQL.identifier(self._needs_name(kind))
        table = SQL.identifier(self._table)
        rule = SQL("kind <> %s OR (%s)", kind.code, SQL(" AND ").join(needs))
        # Rows from before an addon was installed again may lack its parameters: the
        # judge closes their gate, and no more of them are let in.
        lacking = self.env.execute_query(
            SQL("SELECT 1 FROM %s WHERE NOT coalesce((%s), false) LIMIT 1", table, rule)
        )
        self.env.cr.execute(
            SQL(
                "ALTER TABLE %s DROP CONSTRAINT IF EXISTS %s,"
                " ADD CONSTRAINT %s CHECK (%s) %s",
                table,
                name,
                name,
                rule,
                SQL("NOT VALID" if lacking else ""),
            )
        )

    @api.model
    def _needs_name(self, kind):
        return make_identifier(f"{self._table}_needs_{kind.code}")

    @api.model
    def _sql_error_to_message(self, exc):
        violated = exc.diag.constraint_name
        for kind in self._kinds_by_code().values():
            if violated and violated == self._needs_name(kind):
                return " ".join(
                    translate(self.env, parameter.needed, kind.module)
                    for parameter in kind.parameters
                    if parameter.needed
                )
        return super()._sql_error_to_message(exc)

    @api.constrains("metadata_match")
    def _validate_metadata_match(self):
        for requirement in self.filtered("metadata_match"):
            try:
                match = json.loads(requirement.metadata_match)
                # What JSON has no word for, no evidence can match.
                json.dumps(match, allow_nan=False)
                valid = isinstance(match, dict)
            except ValueError:
                valid = False
            if not valid:
                raise ValidationError(
                    self.env._(
                        "Metadata match of “%s” must be a JSON object, for example "
                        '{"status": "normal"}.',
                        requirement.name,
                    )
                )

    @api.constrains("gate_id", "prior_gate_id", "distinct_from_gate_id")
    def _validate_gate_order(self):
        for requirement in self:
            gate = requirement.gate_id
            prior = requirement.prior_gate_id
            if prior and (prior.sequence, prior.id) >= (gate.sequence, gate.id):
                raise ValidationError(
                    self.env._(
                        "%(prior)s does not come before %(gate)s.",
                        prior=prior.display_name,
                        gate=gate.display_name,
                    )
                )

    # --- as plain values -------------------------------------------------------------

    @api.model
    @ormcache()
    def _policy_fields(self):
        """The names of the fields that :meth:`_policy_value` reads."""
        parameters = policy.parameters_of(self._kinds_by_code().values())
        return (
            "gate_id",
            "code",
            "name",
            "kind",
            "waivable",
            *(self._parameter_column(parameter.name) for parameter in parameters),
        )

    @api.model
    def _parameter_column(self, name):
        """The name of the field that holds a parameter."""
        return name if name in self._fields else f"{name}_id"

    def _parameter_value(self, parameter):
        """The value of a parameter for the judge, ``None`` when empty."""
        value = self[self._parameter_column(parameter.name)]
        if isinstance(value, models.BaseModel):
            return value.code or None
        if parameter.type == "hours":
            return timedelta(hours=value) if value else None
        if parameter.type == "object":
            return json.loads(value or "{}")
        if parameter.type in ("whole", "number"):
            return value
        return value or parameter.default

    def _policy_name(self):
        return f"{self.gate_id.code}/{self.code}"

    def _parameter_values(self):
        """The parameters of this requirement's kind, as pairs with their values.

        A value that is stored for another kind is none of them.
        """
        self.ensure_one()
        kind = self._kind()
        return [
            (parameter, self._parameter_value(parameter))
            for parameter in (kind.parameters if kind else ())
        ]

    def _policy_value(self):
        """This requirement as the policy core's plain value."""
        attributes, others = {}, {}
        for parameter, value in self._parameter_values():
            if parameter.attribute:
                attributes[parameter.attribute] = value
            else:
                others[parameter.name] = value
        return policy.Requirement(
            code=self.code,
            name=self.name,
            kind=self.kind,
            waivable=self.waivable,
            parameters=others,
            **attributes,
        )
