from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError

from ...ingest import fields as readers


class RecoveryDrill(models.Model):
    """A recovery drill: what was exercised, by which criteria, with which outcome.

    It is recorded once, by the person who carried it out. A gate may require a recent
    one, so a drill is a fact for every open release of the project.
    """

    _name = "ipai.recovery.drill"
    _inherit = "ipai.environment.fact.mixin"
    _description = "Recovery drill"
    _order = "executed_at desc, id desc"
    _rec_name = "drill_type"

    environment_id = fields.Many2one(
        "ipai.environment", required=True, ondelete="restrict", index=True
    )
    # Read with the rights of the reader: an unsaved form may name any environment
    # by its id.
    project_id = fields.Many2one(
        related="environment_id.project_id",
        related_sudo=False,
        store=True,
        # With the row itself, which is never updated.
        precompute=True,
        index=True,
    )
    drill_type = fields.Selection(
        [
            ("backup_restore", "Restore of a backup"),
            ("failover", "Failover"),
            ("rollback", "Rollback"),
        ],
        string="Type",
        required=True,
        default="backup_restore",
    )
    executed_by_id = fields.Many2one(
        "res.users",
        string="Carried out by",
        required=True,
        readonly=True,
        ondelete="restrict",
        default=lambda self: self.env.uid,
    )
    executed_at = fields.Datetime(
        string="Carried out on", required=True, default=lambda self: self.env.cr.now()
    )
    recorded_at = fields.Datetime(
        required=True, readonly=True, default=lambda self: self.env.cr.now()
    )
    outcome = fields.Selection(
        [("success", "Success"), ("partial", "Partial"), ("failure", "Failure")],
        required=True,
    )
    restore_validated = fields.Boolean(
        help="What was restored was started and checked. A backup that was never "
        "restored is not known to be good."
    )
    log_url = fields.Char(string="Log")
    note = fields.Text(help="The log itself, or what the drill showed.")
    criterion_ids = fields.One2many(
        "ipai.recovery.drill.criterion", "drill_id", string="Success criteria"
    )
    evidence_ids = fields.One2many("ipai.evidence", "drill_id")

    _validated_restore = models.Constraint(
        "CHECK (outcome <> 'success' OR drill_type <> 'backup_restore'"
        " OR restore_validated IS TRUE)",
        "A restore that was not validated is no success.",
    )
    _latest = models.Index(
        "(project_id, drill_type, outcome, executed_at DESC, id DESC)"
    )

    _creatable = frozenset(
        {
            "environment_id",
            "drill_type",
            "executed_at",
            "outcome",
            "restore_validated",
            "log_url",
            "note",
            "criterion_ids",
            "evidence_ids",
        }
    )
    _readers = {"log_url": readers.url, "note": readers.text}

    @api.depends("drill_type", "environment_id", "executed_at")
    def _compute_display_name(self):
        labels = dict(self._fields["drill_type"]._description_selection(self.env))
        for drill in self:
            when = f"{drill.executed_at:%Y-%m-%d}" if drill.executed_at else ""
            label = labels.get(drill.drill_type, "")
            drill.display_name = f"{label} {drill.environment_id.name or ''} {when}"

    @api.model_create_multi
    def create(self, vals_list):
        if self._is_system():
            return super().create(vals_list)
        self.check_access("create")
        prepared, parts = [], []
        for vals in vals_list:
            self._refuse_fields(vals, self._creatable)
            criteria = self._added(vals, "criterion_ids")
            evidence = self._added(vals, "evidence_ids")
            prepared.append(self._prepare_by_hand(vals, criteria, evidence))
            parts.append((criteria, evidence))
        drills = self.system_create(prepared)
        for drill, (criteria, evidence) in zip(drills, parts, strict=True):
            drill._add_parts(criteria, evidence)
        drills._note_events()
        drills._record_in_governance()
        return drills

    def _added(self, vals, name):
        """The values of the records that come with a new drill.

        :raises UserError: for any other command
        """
        commands = vals.get(name) or []
        added = [command[2] for command in commands if command[0] == 0]
        # A form sends this command for an empty list.
        if len(added) != len([command for command in commands if command[0] != 5]):
            raise UserError(
                self.env._("A drill comes with its own criteria and evidence only.")
            )
        return added

    def _prepare_by_hand(self, vals, criteria, evidence):
        """Complete values from what a person enters of a drill.

        :param criteria: values of its success criteria
        :param evidence: values of the evidence that comes with it
        :raises ValidationError: for a time in the future, a success that its criteria
            contradict, and a drill without evidence
        """
        now = self.env.cr.now()
        vals = {
            name: value
            for name, value in {**vals, **self._read_entered(vals)}.items()
            if name not in ("criterion_ids", "evidence_ids")
        }
        environment = self.env["ipai.environment"].browse(vals.get("environment_id"))
        environment.check_access("read")
        executed_at = fields.Datetime.to_datetime(vals.get("executed_at")) or now
        if executed_at > now:
            raise ValidationError(
                self.env._("A drill is recorded once it was carried out.")
            )
        if vals.get("outcome") == "success":
            self._refuse_success(vals, criteria)
        if not (vals.get("log_url") or vals.get("note") or evidence):
            raise ValidationError(
                self.env._("Give the log of the drill, a note or evidence of it.")
            )
        return {
            **vals,
            "executed_at": executed_at,
            "recorded_at": now,
            "executed_by_id": self.env.uid,
        }

    def _refuse_success(self, vals, criteria):
        if not criteria:
            raise ValidationError(
                self.env._("A success names at least one criterion that was met.")
            )
        left = [each.get("name") or "" for each in criteria if not each.get("met")]
        if left:
            raise ValidationError(
                self.env._("No success while this was not met: %s", "; ".join(left))
            )
        restore = vals.get("drill_type", "backup_restore") == "backup_restore"
        if restore and not vals.get("restore_validated"):
            raise ValidationError(
                self.env._("A restore that was not validated is no success.")
            )

    def _add_parts(self, criteria, evidence):
        self.ensure_one()
        Criterion = self.env["ipai.recovery.drill.criterion"]
        prepared = []
        for each in criteria:
            Criterion._refuse_fields(each, frozenset({"name", "met"}))
            prepared.append(
                {
                    "met": False,
                    **each,
                    **Criterion._read_entered(each),
                    "drill_id": self.id,
                }
            )
        # sudo: parts of the drill just recorded
        Criterion.sudo().system_create(prepared)
        type_ = self.env.ref("ipai_release_gates.evidence_type_restore_drill")
        self.env["ipai.evidence"].create(
            [
                {"type_id": type_.id, **each, "release_id": False, "drill_id": self.id}
                for each in evidence
            ]
        )

    def _note_events(self):
        """Record the events of the environments."""
        for drill in self:
            self.env["ipai.environment.event"]._note(
                drill.environment_id,
                "restore_drill",
                {
                    "type": drill.drill_type,
                    "outcome": drill.outcome,
                    "restore_validated": drill.restore_validated,
                },
                occurred_at=drill.executed_at,
                drill_id=drill.id,
            )

    def _governance_draft(self):
        project = self.project_id
        body = {
            "project": project.name,
            "environment": self.environment_id.name,
            "type": self.drill_type,
            "outcome": self.outcome,
            "restore_validated": bool(self.restore_validated),
            "executed_at": f"{self.executed_at.isoformat()}Z",
            "executed_by": self.executed_by_id.login,
            "log_url": self.log_url or "",
            "criteria": [
                {"name": criterion.name, "met": bool(criterion.met)}
                for criterion in self.criterion_ids
            ],
        }
        return "drill", self, body, project.company_id


class RecoveryDrillCriterion(models.Model):
    """A success criterion of a drill, and whether it was met."""

    _name = "ipai.recovery.drill.criterion"
    _inherit = ["ipai.guarded.mixin", "ipai.append.only.mixin"]
    _description = "Success criterion of a drill"
    _order = "drill_id, id"

    drill_id = fields.Many2one(
        "ipai.recovery.drill", required=True, index=True, ondelete="restrict"
    )
    name = fields.Char(string="Criterion", required=True)
    met = fields.Boolean()

    _readers = {"name": readers.line(readers.MAX_KEY)}

    @api.model_create_multi
    def create(self, vals_list):
        # An SRE may create criteria only in the form of a new drill.
        if not self._is_system():
            raise AccessError(
                self.env._("A criterion is recorded together with its drill.")
            )
        return super().create(vals_list)
