from odoo import models
from odoo.exceptions import AccessError

from ... import policy


class ReleaseException(models.Model):
    """Who may decide on an exception, and what their decisions lead to."""

    _inherit = "ipai.exception"

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

        :returns: a sentence, or ``None`` when the user may decide
        """
        self.ensure_one()
        user = self.env.user
        # sudo: judged beyond the reader's rights
        exception = self.sudo()
        release = exception.release_id
        if not self.env["ipai.persona"]._held_by(user) & persona:
            return self.env._(
                "%(user)s does not hold the persona %(persona)s.",
                user=user.name,
                persona=persona.sudo().name,  # sudo: persona names are public
            )
        if user.has_group("ipai_release_gates.group_ci_service"):
            return self.env._("A service account cannot decide on an exception.")
        code = persona.sudo().code  # sudo: persona codes are public
        if code not in exception._risk_personas():
            return self.env._(
                "%(exception)s is not decided by %(persona)s; its risk asks for "
                "%(asked)s.",
                exception=exception.display_name,
                persona=persona.sudo().name,  # sudo: persona names are public
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
        # sudo: persona codes are public
        if approved_as and approved_as != persona.sudo().code:
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
        # sudo: refused person cannot write it
        release = self.sudo().release_id
        body = {
            "gate": "",
            "exception": self._reference(),
            "persona": persona.sudo().code,  # sudo: persona codes are public
            "reason": reason,
        }
        release._record_afterwards([(release.id, "signoff_refused", release, body)])
        raise AccessError(reason)

    def _decided(self):
        """Reject, or let take effect, by the decisions recorded so far."""
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
                exception._post_on_release(self.env._("%(exception)s was rejected."))
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
        self._post_on_release(
            self.env._("%(exception)s is approved until %(until)s UTC."),
            until=self.expires_at,
        )
