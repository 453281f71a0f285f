from odoo import models
from odoo.tools import format_list

_DECIDE = "ipai_release_gates.activity_type_exception_decide"
_EXPIRES = "ipai_release_gates.activity_type_exception_expires"
_REVIEW = "ipai_release_gates.activity_type_exception_review"


class ReleaseException(models.Model):
    """Who has to do with an exception next, as activities.

    Given when a decision is awaited, when it will expire soon, and when its review is
    owed; closed when that is over, for any reason.
    """

    _name = "ipai.exception"
    _inherit = ["ipai.exception", "ipai.activity.mixin"]

    # --- when ------------------------------------------------------------------------

    def _become(self, state, **vals):
        super()._become(state, **vals)
        # What is extended need not be extended any more.
        (self | self.extension_of_id)._update_activities()

    def _decided(self):
        super()._decided()
        self._update_activities()

    # --- what ------------------------------------------------------------------------

    def _update_activities(self):
        """Bring the activities on these exceptions up to how they stand."""
        # sudo: recipients do not depend on actor
        exceptions = self.sudo().exists()
        if not exceptions:
            return
        for type_xmlid, who, why_over in (
            (_DECIDE, "_asked_to_decide", "_why_no_decision"),
            (_EXPIRES, "_asked_to_extend", "_why_no_reminder"),
            (_REVIEW, "_asked_to_review", "_why_no_review"),
        ):
            exceptions._settle_activities(
                type_xmlid,
                {exception.id: getattr(exception, who)() for exception in exceptions},
                lambda exception, why=why_over: getattr(exception, why)(),
            )

    def _as_read_by(self, user):
        """This exception with the rights and in the language of a user."""
        return self.with_user(user).with_context(lang=user.lang)

    def _asked_to_decide(self):
        """Whom the personas that have yet to approve may send.

        :returns: dict of user to ``(summary, deadline)``, as of
            :meth:`_settle_activities`
        """
        self.ensure_one()
        release = self.release_id
        if self.state != "requested" or not (release.is_open and release.active):
            return {}
        asked = {}
        for persona in self.awaited_persona_ids:

            def may(user, persona=persona):
                seen = self._as_read_by(user)
                return seen.has_access("read") and not seen._refusal_to_decide(persona)

            for user in self._people_for(persona, release, may):
                env = self._as_read_by(user).env
                asked[user] = (
                    env._("Decide on %s", self._as_read_by(user).display_name),
                    None,
                )
        return asked

    def _asked_to_extend(self):
        """The first who has to do with an exception that will expire soon."""
        self.ensure_one()
        if (
            not self.reminded_at
            or self.status not in ("active", "scheduled")
            or self.is_stale
            or not self.release_id.is_open
            or self.extension_ids.filtered(
                lambda extension: extension.status in ("requested", "active")
            )
        ):
            return {}
        people = self.recorded_by_id | self.release_id.user_id
        people |= self.approval_ids.approver_id
        for user in people.filtered(self._can_be_asked):
            seen = self._as_read_by(user)
            if seen.has_access("read"):
                summary = seen.env._(
                    "%s expires soon: extend it, or do without", seen.display_name
                )
                return {user: (summary, self.expires_at.date())}
        return {}

    def _asked_to_review(self):
        """One who may review; once that is overdue, more of them.

        An approver knows it best.
        """
        self.ensure_one()
        if self.review_status != "pending":
            return {}
        personas = self.env["ipai.persona"].search(
            [("code", "in", sorted(self._risk_personas()))]
        )
        reviewers = self.approval_ids.sorted("id").approver_id.filtered(
            lambda user: self._can_be_asked(user) and self._can_review(user)
        )
        if not reviewers or self.review_chased_at:
            reviewers = reviewers.union(
                *(
                    self._people_for(persona, self.release_id, self._can_review)
                    for persona in personas
                )
            )
        asked = {}
        for user in reviewers if self.review_chased_at else reviewers[:1]:
            seen = self._as_read_by(user)
            summary = (
                seen.env._(
                    "The post-event review of %s is overdue and holds G3",
                    seen.display_name,
                )
                if self.review_chased_at
                else seen.env._("Post-event review of %s", seen.display_name)
            )
            asked[user] = summary, self.review_due_at.date()
        return asked

    def _can_review(self, user):
        seen = self._as_read_by(user)
        return seen.has_access("read") and seen._is_reviewer()

    # --- why no more -----------------------------------------------------------------

    def _why_no_decision(self):
        if self.state != "requested":
            return self._in_state()
        if self.is_stale:
            return self.env._("The release is at another revision.")
        awaited = self.awaited_persona_ids.mapped("name")
        return self.env._(
            "It waits for others now: %s.", format_list(self.env, awaited, "or") or "–"
        )

    def _why_no_reminder(self):
        if self.status not in ("active", "scheduled"):
            return self._in_state()
        if self.extension_ids:
            return self.env._("An extension was requested.")
        return self.env._("It covers nothing any more.")

    def _why_no_review(self):
        return self.review_findings or self.env._("Somebody else reviews it.")

    def _in_state(self):
        labels = dict(self._fields["status"]._description_selection(self.env))
        return self.env._(
            "%(exception)s: %(state)s",
            exception=self.display_name,
            state=labels[self.status],
        )
