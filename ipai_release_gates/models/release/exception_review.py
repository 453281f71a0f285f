from odoo import models
from odoo.exceptions import AccessError, UserError
from odoo.tools import format_list


class ReleaseException(models.Model):
    """The post-event review of an exception."""

    _inherit = "ipai.exception"

    def action_complete_review(self, findings):
        """Record the post-event review.

        :param str findings: what happened, and what follows from it
        :raises AccessError: when the current user may not review it
        """
        self.check_access("read")
        findings = findings.strip() if isinstance(findings, str) else ""
        if not findings:
            raise UserError(
                self.env._("Findings: say what happened and what follows from it.")
            )
        for exception in self:
            if exception.review_status != "pending":
                raise UserError(
                    self.env._("%s owes no review.", exception.display_name)
                )
            exception._require_reviewer()
            # sudo: right to review checked above
            reviewed = exception.sudo()
            reviewed.system_write(
                {
                    "review_status": "complete",
                    "review_findings": findings,
                    "reviewed_by_id": self.env.uid,
                    "reviewed_at": self.env.cr.now(),
                }
            )
            reviewed._update_activities()
            reviewed._rejudge_project(
                [
                    (
                        reviewed.release_id.id,
                        "exception_reviewed",
                        reviewed,
                        {
                            "exception": reviewed._reference(),
                            "state": reviewed.state,
                            "findings": findings,
                        },
                    )
                ]
            )
        return True

    def _is_reviewer(self):
        """Whether the current user may review this exception afterwards."""
        user = self.env.user
        held = self.env["ipai.persona"]._held_by(user).mapped("code")
        # sudo: compare accounts beyond reader's rights
        release = self.sudo().release_id
        requester = self.recorded_by_id
        person_of = release._person_keys({user.id, requester.id})
        return bool(self._risk_personas() & set(held)) and (
            person_of[user.id] != person_of[requester.id]
        )

    def _require_reviewer(self):
        if not self._is_reviewer():
            raise AccessError(
                self.env._(
                    "%(exception)s is reviewed by a %(personas)s who did not request "
                    "it.",
                    exception=self.display_name,
                    personas=format_list(self.env, sorted(self._risk_personas()), "or"),
                )
            )

    def _rejudge_project(self, drafts):
        """Judge every open release of the project: an owed review holds them all."""
        releases = self.env["ipai.release"].search(
            [
                ("project_id", "in", self.project_id.ids),
                ("is_open", "=", True),
                ("active", "in", [True, False]),
            ]
        )
        named = self.release_id
        named._rejudge(drafts, starts=False)
        (releases - named)._rejudge_in_batches()
