from datetime import timedelta
from itertools import pairwise

from odoo import api, models
from odoo.fields import Domain

from ...policy import RISKS

_GATE_OPEN = ("passed", "bypassed")
#: How long before its end an exception is worth a look.
EXPIRING = timedelta(days=7)


class ControlRoom(models.AbstractModel):
    """What waits for the user: by the personas held, each line with its records."""

    _inherit = "ipai.control.room"

    @api.model
    def _needs_me(self, asked):
        """The lines that are not empty, the most urgent first.

        :param asked: :class:`pages.Asked`
        :returns: list of dicts with ``key``, ``tone`` (``danger``, ``warning`` or
            ``info``), ``count`` and ``open``
        """
        scope, held = asked.scope, set(asked.held.mapped("code"))
        lines = [
            *self._needs_of_releases(scope, held, asked.stages),
            *self._needs_of_exceptions(scope, held),
            *self._needs_of_operations(scope, held),
            *self._needs_of_oversight(scope, held),
            *self._needs_of_activities(),
        ]
        urgency = ("danger", "warning", "info")
        return sorted(
            (line for line in lines if line["count"]),
            key=lambda line: urgency.index(line["tone"]),
        )

    @api.model
    def _need(self, key, tone, model, domain, views=("list", "form"), count=None):
        """A line; its records are counted unless it is known how many there are."""
        if count is None:
            count = self.env[model].search_count(domain)
        return self._figure(model, domain, count, views, key=key, tone=tone)

    @api.model
    def _needs_of_releases(self, scope, held, stages):
        model, views = "ipai.release", ("list", "kanban", "form")
        here = scope.of_projects()
        if to_sign := self._waiting_for_my_signature(held, stages):
            yield self._need("sign_offs", "warning", model, here & to_sign, views)
        if held:
            mine = here & Domain("needs_me", "=", True)
            counts = dict(
                self.env[model]._read_group(mine, ["next_gate_status"], ["__count"])
            )
            ready = sum(counts.pop(status, 0) for status in _GATE_OPEN)
            opened = Domain("next_gate_status", "in", _GATE_OPEN)
            for key, tone, domain, count in (
                ("held_by_my_gate", "warning", mine & ~opened, sum(counts.values())),
                ("ready_to_move", "info", mine & opened, ready),
            ):
                yield self._need(key, tone, model, domain, views, count)
        stuck = Domain("user_id", "=", self.env.uid) & Domain("is_rotting", "=", True)
        yield self._need("stuck", "info", model, here & stuck, views)

    @api.model
    def _waiting_for_my_signature(self, held, stages):
        """Open releases whose next gate lacks the sign-off of a persona I hold.

        Authors of the revision cannot sign it, and signatories have done so.
        """
        if not self._readable("ipai.approval"):
            return None
        to_sign = []
        for stage, following in pairwise(stages):
            for requirement in following.gate_id.requirement_ids:
                persona = requirement.approval_persona_id
                if requirement.kind == "approval" and persona.code in held:
                    signed = (
                        Domain("gate_id", "=", following.gate_id.id)
                        & Domain("persona_id", "=", persona.id)
                        & Domain("decision", "=", "approved")
                        & Domain("is_stale", "=", False)
                    )
                    to_sign.append(
                        Domain("stage_id", "=", stage.id)
                        & Domain("approval_ids", "not any", signed)
                    )
        if not to_sign:
            return None
        return (
            Domain("is_open", "=", True)
            & Domain("next_gate_status", "not in", _GATE_OPEN)
            & Domain("revision_id.author_ids", "not in", self.env.uid)
            & Domain.OR(to_sign)
        )

    @api.model
    def _needs_of_exceptions(self, scope, held):
        model = "ipai.exception"
        if not self._readable(model):
            return
        here = scope.of_projects()
        if waiting := self._waiting_for_my_decision(scope, held):
            yield self._need("exceptions_to_decide", "warning", model, here & waiting)
        # The requester and the approvers must act before it ends.
        decides = held & {code for risk in RISKS.values() for code in risk.personas}
        mine = Domain.TRUE if decides else Domain("recorded_by_id", "=", self.env.uid)
        expiring = Domain("in_force", "=", True) & Domain(
            "expires_at", "<", scope.now + EXPIRING
        )
        yield self._need(
            "exceptions_expiring", "warning", model, here & mine & expiring
        )
        overdue = Domain("review_overdue", "=", True)
        pending = Domain("review_status", "=", "pending") & ~overdue
        if decides or not held:
            yield self._need("reviews_overdue", "danger", model, here & overdue)
        if decides:
            yield self._need("reviews_pending", "info", model, here & pending)

    @api.model
    def _waiting_for_my_decision(self, scope, held):
        """Requests that a persona I hold has yet to decide, and that I may decide."""
        mine = []
        for code in sorted(held):
            levels = [level for level, risk in RISKS.items() if code in risk.personas]
            if levels:
                approved = Domain("persona_id.code", "=", code) & Domain(
                    "decision", "=", "approved"
                )
                mine.append(
                    Domain("risk_level", "in", levels)
                    & Domain("approval_ids", "not any", approved)
                )
        if not mine:
            return None
        return (
            Domain("state", "=", "requested")
            & Domain("is_stale", "=", False)
            & Domain("expires_at", ">", scope.now)
            & Domain("recorded_by_id", "!=", self.env.uid)
            & Domain("revision_id.author_ids", "not in", self.env.uid)
            & Domain(
                "approval_ids", "not any", Domain("approver_id", "=", self.env.uid)
            )
            & Domain.OR(mine)
        )

    @api.model
    def _needs_of_operations(self, scope, held):
        operates = held & {"sre", "release_manager"}
        if not operates:
            return
        history = "ipai.report.deployment.history"
        if self._readable(history):
            runs = (
                scope.of_projects()
                & Domain("is_judged", "=", True)
                & Domain("status", "=", "succeeded")
                & Domain("is_open", "=", True)
            )
            counts = dict(
                self.env[history]._read_group(runs, ["g4_status"], ["__count"])
            )
            for key, tone, status in (
                ("g4_missed", "danger", "failed"),
                ("g4_awaiting", "warning", "pending"),
            ):
                domain = runs & Domain("g4_status", "=", status)
                count = counts.get(status, 0)
                yield self._need(key, tone, history, domain, ("list",), count)
        if self._readable("ipai.incident"):
            model, here = "ipai.incident", scope.of_projects()
            yield self._need(
                "incidents", "danger", model, here & Domain("resolved_at", "=", False)
            )
            owed = Domain("postmortem_status", "=", "pending") & Domain(
                "resolved_at", "!=", False
            )
            yield self._need("postmortems", "info", model, here & owed)
        if self._readable("ipai.ingest.log"):
            # What was refused long ago is history.
            failed = Domain("status", "in", ("rejected", "error", "orphaned"))
            failed &= scope.within("received_at")
            model = "ipai.ingest.log"
            yield self._need("events", "warning", model, scope.of_projects() & failed)
        if "sre" in held:
            out = scope.of_projects() & Domain("unmet_control_count", ">", 0)
            yield self._need("environments", "warning", "ipai.environment", out)

    @api.model
    def _needs_of_oversight(self, scope, held):
        if held:
            return
        if self._readable("ipai.ledger.verification"):
            faulty = Domain("result", "=", "faulty") & scope.within("started_at")
            yield self._need(
                "ledger", "danger", "ipai.ledger.verification", faulty, ("list", "form")
            )
        if self._readable("ipai.consistency.finding"):
            found = Domain("resolved_at", "=", False) & Domain("severity", "=", "error")
            yield self._need(
                "findings", "danger", "ipai.consistency.finding", found, ("list",)
            )

    @api.model
    def _needs_of_activities(self):
        mine = Domain("user_id", "=", self.env.uid) & Domain(
            "res_model", "=like", "ipai.%"
        )
        yield self._need("activities", "info", "mail.activity", mine)
