from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import plaintext2html

from ...exceptions import GateRefused
from ...ingest import fields as readers

# What may follow what: a finished deployment can only be rolled back.
_NEXT = {
    "in_progress": {"succeeded", "failed", "rolled_back"},
    "succeeded": {"rolled_back"},
    "failed": {"rolled_back"},
    "rolled_back": set(),
}


class Deployment(models.Model):
    """A revision brought to an environment, and what came of it."""

    _name = "ipai.deployment"
    _inherit = ["ipai.fact.mixin", "ipai.scheduled.mixin"]
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

    @api.depends("confirmation_due_at", "confirmed_at", "status")
    def _compute_g4_countdown(self):
        now = self.env.cr.now()
        for deployment in self:
            due_at = deployment.confirmation_due_at
            waits = deployment.status == "succeeded" and not deployment.confirmed_at
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

    # --- who may deploy what ---------------------------------------------------------

    def _prepare_manual_fact(self, vals):
        self.check_access("create")
        vals = super()._prepare_manual_fact(vals)
        release = self.env["ipai.release"].browse(vals.get("release_id") or ())
        environment = self.env["ipai.environment"].browse(
            vals.get("environment_id") or ()
        )
        environment.check_access("read")
        if release and environment:
            # Judged whatever the person may read; both were checked to be readable.
            release, back = release.sudo(), self.sudo()
            back = back.browse(vals.get("rollback_of_id") or ()).exists()
            self._require_approval(release, environment.sudo(), back)
        return vals

    @api.model
    def _require_approval(self, release, environment, rollback_of):
        """Refuse to bring a release's current revision to an environment.

        :raises GateRefused: naming every condition that is not met
        """
        problems = self._obstacles(
            release, release.revision_id, environment, rollback_of
        )
        if not problems:
            return
        stage = self._promoting_stage(environment)
        refusal = release._refusal_data(stage, {release: problems})
        title = self._refused_title(release, environment)
        raise GateRefused(
            self._refused_message(release, environment, problems),
            {**refusal, "title": title},
        )

    @api.model
    def _obstacles(self, release, revision, environment, rollback_of):
        """Why a revision may not be brought to an environment now.

        Only production is gated, and the way back never is: a revision that ran there
        before, approved, may always return in place of another deployment.

        :param release: ``ipai.release`` record, with all rights
        :param rollback_of: the deployment it takes the place of, or an empty record
        :returns: unmet conditions as a refused move names them; empty when approved
        """
        if environment.category != "production" or self._leads_back(
            revision, environment, rollback_of
        ):
            return []
        problems = []
        if release.status == "cancelled":
            problems.append(("cancelled", self.env._("The release is cancelled")))
        if revision != release.revision_id:
            problems.append(
                (
                    "revision",
                    self.env._(
                        "Revision %(deployed)s is not the release's current one, "
                        "%(current)s",
                        deployed=revision.short_ref,
                        current=release.revision_id.short_ref,
                    ),
                )
            )
        stage = self._promoting_stage(environment)
        if not stage:
            problems.append(
                (
                    "stage",
                    self.env._("No stage promotes to production; governance adds one"),
                )
            )
        unmet = [
            {"gate": "", "code": code, "kind": code, "reason": reason}
            for code, reason in problems
        ]
        if stage:
            gates = stage._gates_to_enter().mapped("code")
            verdict = release._verdicts()[release.id].only(gates)
            unmet += [
                {
                    "gate": gate.code,
                    "code": condition.code,
                    "kind": condition.kind,
                    "reason": condition.reason,
                }
                for gate, condition in verdict.unmet
            ]
        return unmet

    @api.model
    def _promoting_stage(self, environment):
        """The stage whose gates a deployment there needs."""
        return (
            self.env["ipai.release.stage"]
            .sudo()
            .search(  # the same for everyone
                [("environment_category", "=", environment.category)], limit=1
            )
        )

    @api.model
    def _leads_back(self, revision, environment, rollback_of):
        """Whether this is the return to a revision that ran there, approved."""
        if not rollback_of or rollback_of.environment_id != environment:
            return False
        # A deadline is set when a production deployment succeeds, whatever came later.
        return bool(
            self.sudo().search_count(  # only whether there is one
                [
                    ("environment_id", "=", environment.id),
                    ("revision_id.source_ref", "=", revision.source_ref),
                    ("confirmation_due_at", "!=", False),
                    ("is_unauthorised", "=", False),
                    ("id", "!=", rollback_of.id),
                ],
                limit=1,
            )
        )

    @api.model
    def _refused_title(self, release, environment):
        return self.env._(
            "%(release)s cannot be deployed to %(environment)s",
            release=release.name,
            environment=environment.name,
        )

    @api.model
    def _refused_message(self, release, environment, problems):
        lines = [f"{self._refused_title(release, environment)}:"]
        lines += [
            f"  - {p['gate']}: {p['reason']}" if p["gate"] else f"  - {p['reason']}"
            for p in problems
        ]
        return "\n".join(lines)

    def _report_unauthorised(self, problems):
        """Open the incident of a deployment that happened without approval.

        :param problems: as :meth:`_obstacles` returns them
        """
        self.ensure_one()
        incident = self.env["ipai.incident"].engine_create(
            [
                {
                    "release_id": self.release_id.id,
                    "revision_id": self.revision_id.id,
                    "name": self.env._(
                        "Unauthorised deployment %(reference)s to %(environment)s",
                        reference=self.external_id,
                        environment=self.environment_id.name,
                    ),
                    "severity": "high",
                    "blocking": True,
                    "deployment_id": self.id,
                    "detected_at": self.env.cr.now(),
                    "source_system": self.source_system,
                    "recorded_by_id": self.env.uid,
                    "recorded_at": self.env.cr.now(),
                    "ingest_log_id": self.ingest_log_id.id,
                }
            ]
        )
        reasons = [f"{p['gate']} {p['reason']}".strip() for p in problems]
        incident._tell("note", "\n".join(reasons))
        return incident

    # --- life ------------------------------------------------------------------------

    def write(self, vals):
        if self._is_engine():
            return super().write(vals)
        self._refuse_fields(vals, self._writable)
        self.check_access("write")
        if any(deployment.recorded_by_id != self.env.user for deployment in self):
            raise AccessError(
                self.env._("A deployment is advanced by whoever recorded it.")
            )
        for deployment in self:
            deployment._advance(vals.get("status", deployment.status))
        return True

    def _advance(self, status, **rollback):
        """Record what came of a deployment.

        :param status: the new status; the present one again changes nothing
        :param rollback: what is known of the rollback that this is
        :raises UserError: when that status cannot follow the present one
        """
        self.ensure_one()
        if status == self.status:
            return
        if status not in _NEXT[self.status]:
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
        # The right to advance was checked by the door; the status is the engine's.
        deployment = self.sudo()
        deployment.engine_write({"status": status, **rollback})
        deployment._record()

    def _record(self):
        # The gates are judged with the deadline that follows from the deployment. The
        # deadline and the release's status are the engine's.
        deployments = self.sudo()
        deployments._follow_up()
        super()._record()
        for deployment in deployments:
            deployment._tell_environment()
            back = deployment.rollback_of_id
            if back and deployment.status == "succeeded":
                # What was deployed in its place took it back.
                back._advance("rolled_back", restored_id=deployment.id)

    def _follow_up(self):
        """What a deployment's status means for its deadline and its release."""
        for deployment in self:
            if deployment.status == "rolled_back" and not deployment.rolled_back_at:
                deployment.engine_write(
                    {
                        "rolled_back_at": self.env.cr.now(),
                        "rolled_back_by_id": self.env.uid,
                    }
                )
            if deployment.environment_category != "production":
                continue
            if deployment.status == "succeeded" and not deployment.confirmation_due_at:
                hours = deployment.project_id.confirmation_hours
                deployment.engine_write(
                    {
                        "confirmation_due_at": deployment.deployed_at
                        + timedelta(hours=hours)
                    }
                )
            release = deployment.release_id
            if deployment.is_stale or not release.is_open:
                continue
            if deployment.status in ("failed", "rolled_back"):
                release.engine_write({"status": deployment.status})
            elif deployment.status == "succeeded" and release.status in (
                "failed",
                "rolled_back",
            ):
                release.engine_write(
                    {"status": release.stage_id.release_status or "in_progress"}
                )

    def _tell_environment(self):
        """Keep the present status as an event of the environment."""
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
        # The one that was taken back, as who rebuilds the story looks for it.
        body |= {"rollback_of": self.external_id, **self._rollback_body()}
        return self.release_id.id, "rollback", self, body

    def _rollback_body(self):
        # Whoever records the rollback may know its evidence.
        evidence = self.sudo().evidence_ids.filtered("rollback_of_deployment")
        return {
            "trigger": self.rollback_trigger or "",
            "reason": self.rollback_reason or "",
            "outcome": self.rollback_outcome or "",
            "restored": self.sudo().restored_id.external_id or "",
            "evidence": [
                each.url or each.sha256 or f"{each._name},{each.id}"
                for each in evidence
            ],
        }

    # --- rollback --------------------------------------------------------------------

    def action_roll_back(self, trigger, reason, outcome, evidence, restored_id=None):
        """Record that this deployment was rolled back.

        :param str trigger: ``incident``, ``health_check``, ``g4_deadline`` or
            ``manual``
        :param str reason: why, in words
        :param str outcome: ``restored``, ``partial`` or ``failed``
        :param dict evidence: at least one of ``url``, ``content`` (base64, with
            ``filename``) and ``note``; optionally ``sha256``
        :param int restored_id: database id of the earlier deployment of the
            environment that runs again
        :returns: the evidence
        :raises AccessError: unless the user is an SRE or a release manager
        :raises UserError: when something is missing, or it is rolled back already
        """
        self.ensure_one()
        self.check_access("read")
        user = self.env.user
        if not (
            user.has_group("ipai_release_gates.group_sre")
            or user.has_group("ipai_release_gates.group_release_manager")
        ):
            raise AccessError(
                self.env._("Only an SRE or a release manager rolls back.")
            )
        if "rolled_back" not in _NEXT[self.status]:
            raise UserError(self.env._("%s is rolled back already.", self.external_id))
        vals = {
            "rollback_trigger": self._one_of("rollback_trigger", trigger),
            "rollback_outcome": self._one_of("rollback_outcome", outcome),
            **self._read_entered({"rollback_reason": reason or " "}),
            "restored_id": self._restored(restored_id).id,
        }
        kept = self._keep_evidence_of_rollback(trigger, evidence)
        self._advance("rolled_back", **vals)
        self.sudo().release_id.activity_feedback(  # whoever was asked to
            ["ipai_release_gates.activity_type_propose_rollback"],
            feedback=self.env._("%s was rolled back.", self.external_id),
        )
        return kept

    def _one_of(self, name, value):
        if value not in dict(self._fields[name].selection):
            raise ValidationError(
                self.env._(
                    "%(field)s must be one of %(known)s.",
                    field=self._fields[name].string,
                    known=", ".join(dict(self._fields[name].selection)),
                )
            )
        return value

    def _restored(self, restored_id):
        """The earlier deployment that runs again, if one is named."""
        if not restored_id:
            return self.browse()
        # Judged among the deployments of an environment the person may read.
        found = self.sudo().search(
            [
                ("id", "=", restored_id),
                ("id", "!=", self.id),
                ("environment_id", "=", self.environment_id.id),
                ("status", "=", "succeeded"),
                ("deployed_at", "<=", self.deployed_at),
            ]
        )
        if not found:
            raise UserError(
                self.env._(
                    "What is restored is an earlier successful deployment to %s.",
                    self.environment_id.name,
                )
            )
        return found

    def _keep_evidence_of_rollback(self, trigger, evidence):
        """Record the evidence of a rollback, of the revision it took back."""
        evidence = evidence if isinstance(evidence, dict) else {}
        known = {"url", "content", "filename", "sha256", "note"}
        given = {k: v for k, v in evidence.items() if v}
        if set(evidence) - known or not given.keys() & {"url", "content", "note"}:
            raise UserError(
                self.env._("A rollback needs evidence: an address, a file or a note.")
            )
        code = "reference" if trigger == "manual" else "incident_report"
        Evidence = self.env["ipai.evidence"]
        Evidence.check_access("create")
        prepared = Evidence._prepare_manual_fact(
            {
                **given,
                "type_id": self.env.ref(f"ipai_release_gates.evidence_type_{code}").id,
                "release_id": self.release_id.id,
                "deployment_id": self.id,
            }
        )
        # It speaks of what was deployed, which need not be the current revision.
        prepared |= {
            "revision_id": self.sudo().revision_id.id,
            "rollback_of_deployment": True,
        }
        return Evidence.engine_create([prepared])

    def _propose_rollback(self, why):
        """Ask the environment's people to roll this deployment back, once.

        :param why: a sentence
        """
        self.ensure_one()
        release = self.release_id
        type_ = self.env.ref("ipai_release_gates.activity_type_propose_rollback")
        asked = release.activity_ids.filtered(
            lambda activity: activity.activity_type_id == type_
        ).user_id
        for user in self.environment_id._people_to_tell(release) - asked:
            release.activity_schedule(
                "ipai_release_gates.activity_type_propose_rollback",
                user_id=user.id,
                summary=self.env._("Roll %s back?", self.external_id),
                note=plaintext2html(why),
            )

    # --- the G4 deadline -------------------------------------------------------------

    @api.model
    def _fail_overdue(self):
        """Fail G4 of deployments that were not confirmed in time (scheduled)."""
        return self._work_through(
            [
                ("environment_id.category", "=", "production"),
                ("status", "=", "succeeded"),
                ("confirmation_due_at", "<", self.env.cr.now()),
                ("confirmed_at", "=", False),
                ("deadline_missed_at", "=", False),
            ],
            "_miss_deadline",
        )

    def _miss_deadline(self):
        # Judged first: with an exception the outcome may stand confirmed just now.
        self.release_id._facts_recorded([], starts=False)
        missed = self.filtered(lambda deployment: not deployment.confirmed_at)
        missed.engine_write(
            {"g4_status": "failed", "deadline_missed_at": self.env.cr.now()}
        )
        missed.release_id._facts_recorded(
            [deployment._ledger_draft() for deployment in missed], starts=False
        )
        for deployment in missed:
            self.env["ipai.environment.event"]._note(
                deployment.environment_id,
                "alert_fired",
                {"reason": "g4_deadline", "reference": deployment.external_id},
                release_id=deployment.release_id.id,
                deployment_id=deployment.id,
            )
            # What something newer replaced is nothing to roll back any more.
            if not deployment._successor():
                deployment._propose_rollback(
                    self.env._(
                        "Its outcome was not confirmed by the deadline, so G4 failed."
                    )
                )

    def _successor(self):
        """A later successful deployment to the same environment, or nothing."""
        return self.search(
            [
                ("environment_id", "=", self.environment_id.id),
                ("status", "=", "succeeded"),
                ("id", "!=", self.id),
                "|",
                ("deployed_at", ">", self.deployed_at),
                "&",
                ("deployed_at", "=", self.deployed_at),
                ("id", ">", self.id),
            ],
            limit=1,
        )

    # --- doors to the wizards --------------------------------------------------------

    def action_open_roll_back(self):
        """Open the wizard that records the rollback of these deployments."""
        self.check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "ipai_release_gates.ipai_roll_back_wizard_action"
        )
        action["context"] = {
            "default_release_ids": self.release_id.ids,
            "default_deployment_ids": self.ids,
        }
        return action
