from odoo import api, fields, models
from odoo.tools import SQL

from ..mixins.deferred import once_before_commit

_TRIGGERED = "ipai.release.activities"
_TYPE = "ipai_release_gates.activity_type_your_turn"

#: The fields on which it depends who must act.
_TURNING = frozenset(
    {
        "stage_id",
        "status",
        "active",
        "user_id",
        "revision_id",
        "author_emails",
        "next_gate_status",
        "blocking_summary",
        "awaited_personas",
    }
)

#: How many conditions a summary names.
_NAMED = 3


class Release(models.Model):
    """Activities of the people who must act next.

    Nothing here decides. What changes a release only marks it, in the same statement;
    a scheduled action, started at once, finds who must act and updates the
    activities.
    """

    _name = "ipai.release"
    _inherit = ["ipai.release", "ipai.activity.mixin"]

    activities_due = fields.Boolean(
        default=True,
        readonly=True,
        copy=False,
        help="Whose turn it is may have changed since activities were looked after.",
    )

    _activities_to_settle = models.Index("(id) WHERE activities_due")

    # --- when ------------------------------------------------------------------------

    def write(self, vals):
        # A change by a person passes here again as a system write.
        if self._is_system() and not _TURNING.isdisjoint(vals):
            vals = {**vals, "activities_due": True}
            self._look_after_activities_soon()
        return super().write(vals)

    @api.model
    def _look_after_activities_soon(self):
        """Start the scheduled action once this transaction is committed."""
        # sudo: starts a scheduled action
        releases = self.env["ipai.release"].sudo()
        once_before_commit(self.env.cr, _TRIGGERED, releases._trigger_activities)

    @api.model
    def _trigger_activities(self, _collected=()):
        cron = self.env.ref(
            "ipai_release_gates.ir_cron_activities", raise_if_not_found=False
        )
        if cron:
            cron._trigger()

    @api.model
    def _look_after_activities(self):
        """Bring the activities of the releases that changed up to date (scheduled)."""
        # Few at a time: recording facts about one of them waits meanwhile.
        self._work_through(
            [("activities_due", "=", True), ("active", "in", [True, False])],
            "_update_activities",
            batch_size=20,
        )

    @api.model
    def _look_at_all_activities(self):
        """Have every open release looked after (scheduled).

        People come and go, and personas change hands; that changes no release.
        """
        self._work_through(
            [("activities_due", "=", False), ("is_open", "=", True)],
            "_mark_activities_due",
            batch_size=500,
        )
        self._trigger_activities()

    def _mark_activities_due(self, due=True):
        # In SQL: to those who have the release open nothing was changed.
        self.flush_recordset()
        self.env.cr.execute(
            SQL(
                "UPDATE ipai_release SET activities_due = %s WHERE id IN %s",
                due,
                tuple(self.ids),
            )
        )
        self.invalidate_recordset(["activities_due"], flush=False)

    # --- what ------------------------------------------------------------------------

    def _update_activities(self):
        """Bring the activities on these releases and their exceptions up to date."""
        # First: it is what a second one at it, or a fact recorded meanwhile, meets.
        self._mark_activities_due(False)
        # No mail for each of them; the list of activities is where they are seen.
        self.with_context(mail_activity_quick_update=True)._settle_activities(
            _TYPE, self._turns(), lambda release: release._why_turn_is_over()
        )
        self.env["ipai.exception"].search(
            [
                ("release_id", "in", self.ids),
                "|",
                ("state", "in", ["requested", "active"]),
                ("review_status", "=", "pending"),
            ]
        )._update_activities()
        self._announce()

    def _turns(self):
        """Who must act, and what each has to do.

        :returns: by release id, dicts of user to ``(summary, deadline)``
        """
        acting = self._acting_personas()
        verdicts = self.filtered("is_open")._verdicts()
        readable = {}

        def may_read(release, user):
            if user not in readable:
                readable[user] = set(self.with_user(user)._filtered_access("read").ids)
            return release.id in readable[user]

        turns = {}
        for release in self:
            personas, opened = release._personas_to_act(acting)
            if not personas:
                continue
            following = acting[release.stage_id].following
            if opened:
                turns[release.id] = release._turns_to_move(
                    personas, following, may_read
                )
            else:
                gate = verdicts[release.id].gate(following.gate_id.code)
                turns[release.id] = release._turns_to_prove(
                    personas, following, {c.code for c in gate.unmet}, may_read
                )
        return turns

    def _turns_to_move(self, personas, following, may_read):
        people = self.env["res.users"].union(
            *(
                self._people_for(persona, self, lambda user: may_read(self, user))
                for persona in personas
            )
        )
        return {
            user: (
                self.with_context(lang=user.lang).env._(
                    "Ready to move to %s",
                    following.with_context(lang=user.lang).name,
                ),
                None,
            )
            for user in people
        }

    def _turns_to_prove(self, personas, following, unmet, may_read):
        lacking = following.gate_id.requirement_ids.filtered(
            lambda requirement: (
                requirement.code in unmet and requirement._waits_for_people()
            )
        )
        owed = {}
        for persona, requirements in lacking.grouped("accountable_persona_id").items():
            if persona not in personas:
                continue
            for user in self._people_for(
                persona,
                self,
                lambda user, of=requirements: (
                    may_read(self, user)
                    and any(self._can_meet(requirement, user) for requirement in of)
                ),
            ):
                owed[user] = owed.get(user, requirements.browse()) | requirements
        deadline = self._confirmation_due() if following.is_closing else None
        return {
            user: (self._summary_of(following.gate_id, requirements, user), deadline)
            for user, requirements in owed.items()
        }

    def _can_meet(self, requirement, user):
        """Whether a user may do something about an unmet requirement."""
        kind = requirement._kind()
        if kind is None or not kind.actor_check:
            return True
        return getattr(self, kind.actor_check)(requirement, user)

    def _may_sign_off(self, requirement, user):
        """Whether a user may still sign the gate of a requirement off."""
        signed = self.approval_ids.filtered(
            lambda approval: (
                approval.gate_id == requirement.gate_id
                and approval.revision_id == self.revision_id
                and approval.approver_id == user
            )
        ).sorted("id")[-1:]
        return signed.decision != "approved" and not (
            self.env["ipai.approval"]
            .with_user(user)
            ._refusal_to_sign(
                self,
                self.revision_id,
                requirement.gate_id,
                requirement.approval_persona_id,
            )
        )

    def _summary_of(self, gate, requirements, user):
        names = requirements.sorted().with_context(lang=user.lang).mapped("name")
        more = len(names) - _NAMED
        return self.with_context(lang=user.lang).env._(
            "%(gate)s waits for: %(conditions)s",
            gate=gate.code,
            conditions=", ".join(names[:_NAMED]) + (f" (+{more})" if more > 0 else ""),
        )

    def _confirmation_due(self):
        """The day by which the latest deployment must be confirmed, if one must be."""
        due = self.deployment_ids.filtered(
            lambda deployment: (
                deployment.revision_id == self.revision_id
                and deployment.confirmation_due_at
                and not deployment.confirmed_at
            )
        ).sorted("id")[-1:]
        return due.confirmation_due_at.date() if due else None

    def _why_turn_is_over(self):
        if not self.active:
            return self.env._("The release was archived.")
        if self.status == "cancelled":
            return self.env._("The release was cancelled.")
        if not self.is_open:
            return self.env._("The release is closed.")
        return self.env._(
            "The release stands at %s and waits for somebody else.", self.stage_id.name
        )
