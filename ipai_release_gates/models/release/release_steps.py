from collections import namedtuple
from datetime import timedelta
from itertools import pairwise

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

_OPEN_GATE = ("passed", "bypassed")

#: The stage after one, the personas accountable for what its gate demands, and those
#: who may move a release into it.
Acting = namedtuple("Acting", "following to_prove to_move")


class Release(models.Model):
    """What a person can do next about a release; for screens, never for verdicts.

    Nothing here decides: every step that is offered is checked again by the door it
    leads to.
    """

    _inherit = "ipai.release"

    next_stage_id = fields.Many2one(
        "ipai.release.stage", compute="_compute_neighbour_stages"
    )
    previous_stage_id = fields.Many2one(
        "ipai.release.stage", compute="_compute_neighbour_stages"
    )
    is_editable = fields.Boolean(compute="_compute_is_editable")
    needs_me = fields.Boolean(
        string="Waiting for me",
        compute="_compute_needs_me",
        search="_search_needs_me",
        help="A persona you hold is accountable for what the next gate still lacks, or "
        "may move the release on.",
    )
    next_steps = fields.Json(
        compute="_compute_next_steps",
        help="Every condition with what the current user could do about it.",
    )
    # Named as the rotting widgets of mail expect them.
    is_rotting = fields.Boolean(
        string="Too long in its stage",
        compute="_compute_rotting",
        search="_search_is_rotting",
    )
    rotting_days = fields.Integer(string="Days in stage", compute="_compute_rotting")

    # --- computed --------------------------------------------------------------------

    @api.depends("stage_id")
    def _compute_neighbour_stages(self):
        stages = self.env["ipai.release.stage"].search([])
        positions = {stage: at for at, stage in enumerate(stages)}
        for release in self:
            at = positions.get(release.stage_id._origin)
            if at is None:
                release.next_stage_id = release.previous_stage_id = False
                continue
            release.next_stage_id = stages[at + 1 : at + 2]
            release.previous_stage_id = stages[at - 1] if at else False

    @api.depends("stage_id")
    @api.depends_context("uid")
    def _compute_is_editable(self):
        user = self.env.user
        manager = user.has_group("ipai_release_gates.group_release_manager")
        developer = user.has_group("ipai_release_gates.group_developer")
        first = self.env["ipai.release.stage"]._first()
        for release in self:
            release.is_editable = manager or (
                developer and release.stage_id._origin in (first, first.browse())
            )

    @api.depends("stage_id", "next_gate_status", "awaited_personas", "is_open")
    @api.depends_context("uid")
    def _compute_needs_me(self):
        mine = self.filtered_domain(self._needs_me_domain())
        mine.needs_me = True
        (self - mine).needs_me = False

    def _search_needs_me(self, operator, value):
        if operator != "in":
            return NotImplemented
        return self._needs_me_domain() if True in value else ~self._needs_me_domain()

    @api.model
    def _needs_me_domain(self):
        """Open releases that wait for a persona the current user holds."""
        held = self.env["ipai.persona"]._held_by(self.env.user)
        to_move = [
            stage.id
            for stage, acting in self._acting_personas().items()
            if acting.to_move & held
        ]
        opened = Domain("next_gate_status", "in", _OPEN_GATE)
        to_prove = Domain.OR(
            Domain("awaited_personas", "like", f",{code},")
            for code in held.mapped("code")
        )
        return Domain("is_open", "=", True) & (
            (to_prove & ~opened) | (Domain("stage_id", "in", to_move) & opened)
        )

    @api.model
    def _acting_personas(self):
        """Who must act while a release is in a stage.

        :returns: dict of stage to :class:`Acting`; the last stage waits for nobody
        """
        stages = self.env["ipai.release.stage"].search([])
        return {
            stage: Acting(
                following,
                following.gate_id.requirement_ids.accountable_persona_id,
                following.persona_ids,
            )
            for stage, following in pairwise(stages)
        }

    def _personas_to_act(self, acting):
        """The personas this release waits for, by the rule of :attr:`needs_me`.

        :param acting: what :meth:`_acting_personas` says
        :returns: ``ipai.persona`` records, and whether they may move it on
        """
        self.ensure_one()
        opened = self.next_gate_status in _OPEN_GATE
        who = acting.get(self.stage_id)
        if not (who and self.active and self.is_open):
            return self.env["ipai.persona"], opened
        if opened:
            return who.to_move, opened
        awaited = self.awaited_personas or ""
        return who.to_prove.filtered(lambda each: f",{each.code}," in awaited), opened

    @api.depends("stage_entered_at", "stage_id.rotting_threshold_days", "is_open")
    def _compute_rotting(self):
        now = self.env.cr.now()
        for release in self:
            age = now - (release.stage_entered_at or now)
            limit = release.stage_id.rotting_threshold_days
            release.rotting_days = age.days
            release.is_rotting = bool(
                release.is_open and limit and age > timedelta(days=limit)
            )

    def _search_is_rotting(self, operator, value):
        if operator != "in":
            return NotImplemented
        now = self.env.cr.now()
        rotting = Domain("is_open", "=", True) & Domain.OR(
            [
                ("stage_id", "=", stage.id),
                (
                    "stage_entered_at",
                    "<",
                    now - timedelta(days=stage.rotting_threshold_days),
                ),
            ]
            for stage in self.env["ipai.release.stage"].search(
                [("rotting_threshold_days", ">", 0)]
            )
        )
        return rotting if True in value else ~rotting

    # --- next steps ------------------------------------------------------------------

    @api.depends_context("uid")
    def _compute_next_steps(self):
        gates = self.env["ipai.gate"].search([])
        for release in self:
            release.next_steps = release.id and [
                {
                    "gate": gate.code,
                    "gate_name": gate.name,
                    "code": requirement.code,
                    **release._next_step(requirement),
                }
                for gate in gates
                for requirement in gate.requirement_ids
            ]

    def _next_step(self, requirement):
        """What the current user could do about an unmet condition.

        :param requirement: ``ipai.gate.requirement`` record
        :returns: dict with ``label``, ``action`` (XML id) and ``context`` where there
            is something this user can do, and ``exception``, the same for requesting
            one
        """
        self.ensure_one()
        if not self.is_open:
            return {}
        kind = requirement._kind()
        step = kind and kind.next_step and getattr(self, kind.next_step)
        return {
            **(step(requirement) if step else {}),
            "exception": self._exception_step(requirement),
        }

    def _exception_step(self, requirement):
        """The way around a condition, for who may ask for it; empty for the others."""
        if not requirement.waivable or not self.env["ipai.exception"].has_access(
            "create"
        ):
            return {}
        return {
            "label": self.env._("Request exception"),
            "action": "ipai_release_gates.ipai_exception_wizard_action",
            "context": {
                "default_release_ids": self.ids,
                "default_gate_ids": requirement.gate_id.ids,
                "default_requirement_ids": requirement.ids,
            },
        }

    def _step_for_evidence(self, requirement):
        evidence = self.env["ipai.evidence"]
        if not requirement.evidence_type_id or not evidence.has_access("create"):
            # The evidence package is no evidence of its own: its parts have steps.
            return {}
        try:
            evidence._refuse_gate(
                requirement.gate_id.id, requirement.evidence_type_id.code
            )
        except UserError:
            return {}
        return {
            "label": self.env._("Record evidence"),
            "action": "ipai_release_gates.ipai_record_evidence_wizard_action",
            "context": {
                "default_release_ids": self.ids,
                "default_gate_id": requirement.gate_id.id,
                "default_type_id": requirement.evidence_type_id.id,
            },
        }

    def _step_for_approval(self, requirement):
        approval = self.env["ipai.approval"]
        release = self.sudo()  # sudo: refusals depend on unreadable records
        gate = requirement.gate_id.sudo()  # sudo: refusals depend on unreadable records
        # sudo: refusals depend on unreadable records
        persona = requirement.approval_persona_id.sudo()
        if not approval.has_access("create") or approval._refusal_to_sign(
            release,
            release.revision_id,
            gate,
            persona,
        ):
            return {}
        return {
            "label": self.env._("Sign off"),
            "action": "ipai_release_gates.ipai_decide_wizard_action",
            "context": {
                "default_release_ids": self.ids,
                "default_gate_id": requirement.gate_id.id,
                "default_decision": "approved",
            },
        }

    def _step_for_check(self, requirement):
        if not self.env["ipai.check"].has_access("create"):
            return {}
        return {
            "label": self.env._("Record check"),
            "action": "ipai_release_gates.ipai_check_action_record",
            "context": {
                "default_release_id": self.id,
                "default_name": requirement.check_name,
            },
        }

    def _step_for_deployment(self, requirement):
        if not self.env["ipai.deployment"].has_access("create"):
            return {}
        return {
            "label": self.env._("Record deployment"),
            "action": "ipai_release_gates.ipai_deployment_action_record",
            "context": {"default_release_id": self.id},
        }

    # --- doors to the wizards --------------------------------------------------------

    def action_record_evidence(self):
        """Open the wizard that records evidence on these releases."""
        return self._open_wizard("ipai_record_evidence_wizard_action")

    def action_decide(self):
        """Open the wizard that signs a gate of these releases off, or does not."""
        return self._open_wizard("ipai_decide_wizard_action")

    def action_request_exception(self):
        """Open the wizard that requests an exception for these releases."""
        action = self._open_wizard("ipai_exception_wizard_action")
        # What holds a release most likely is the gate of its next stage.
        action["context"]["default_gate_ids"] = self.next_stage_id.gate_id.ids
        return action

    def action_move(self):
        """Open the wizard that moves these releases, with a reason."""
        return self._open_wizard("ipai_move_wizard_action")

    def _open_wizard(self, name):
        # A server action restricted to groups has not checked its records.
        self.check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id(
            f"ipai_release_gates.{name}"
        )
        action["context"] = {"default_release_ids": self.ids}
        return action
