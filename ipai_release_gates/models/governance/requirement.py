import json
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ... import policy
from ..selections import ENVIRONMENT_CATEGORIES


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
    kind = fields.Selection(
        [
            ("check", "Check passed"),
            ("evidence", "Evidence recorded"),
            ("approval", "Signed off"),
            ("prior_gate", "Earlier gate passed"),
            ("deployment", "Deployed"),
            ("no_failed_check", "No failed check"),
            ("no_open_incident", "No open blocking incident"),
            ("no_freeze", "No freeze window"),
            ("soak_time", "Soak time"),
            ("environment_controls", "Environment controls hold"),
            ("recovery_drill", "Recovery drill succeeded"),
            ("no_overdue_review", "No overdue post-event review"),
        ],
        required=True,
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
    _parameters_present = models.Constraint(
        "CHECK ((kind <> 'approval' OR approval_persona_id IS NOT NULL)"
        " AND (kind <> 'prior_gate' OR prior_gate_id IS NOT NULL)"
        " AND (kind <> 'soak_time' OR soak_hours > 0))",
        "A sign-off needs its persona, an earlier gate its gate, a soak its hours.",
    )

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

    #: What :meth:`_policy_value` reads.
    _policy_fields = (
        "gate_id",
        "code",
        "name",
        "kind",
        "check_name",
        "evidence_type_id",
        "metadata_match",
        "approval_persona_id",
        "min_count",
        "distinct_from_gate_id",
        "prior_gate_id",
        "drill_type",
        "environment_category",
        "deployment_aspect",
        "waivable",
        "freshness_hours",
        "soak_hours",
    )

    def _policy_name(self):
        return f"{self.gate_id.code}/{self.code}"

    def _policy_value(self):
        """This requirement as the policy core's plain value."""
        self.ensure_one()
        return policy.Requirement(
            code=self.code,
            name=self.name,
            kind=self.kind,
            check_name=self.check_name or None,
            evidence_type=self.evidence_type_id.code or None,
            metadata_match=json.loads(self.metadata_match or "{}"),
            persona=self.approval_persona_id.code or None,
            min_count=self.min_count,
            distinct_from_gate=self.distinct_from_gate_id.code or None,
            prior_gate=self.prior_gate_id.code or None,
            drill_type=self.drill_type or None,
            environment=self.environment_category or None,
            deployment_aspect=self.deployment_aspect or policy.DEPLOYMENT_SUCCEEDED,
            waivable=self.waivable,
            freshness=(
                timedelta(hours=self.freshness_hours) if self.freshness_hours else None
            ),
            soak=timedelta(hours=self.soak_hours) if self.soak_hours else None,
        )
