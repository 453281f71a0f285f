from odoo import models
from odoo.exceptions import AccessError, UserError


class ReleaseException(models.Model):
    """Ending an exception before it expires."""

    _inherit = "ipai.exception"

    def action_revoke(self, reason):
        """Revoke an exception before it expires; its gates re-open at once.

        :param str reason: why
        """
        return self._end("revoked", reason, self._may_revoke)

    def action_close(self, reason):
        """End an exception, or a request, that is not needed any more.

        :param str reason: why
        """
        return self._end("closed", reason, self._may_close)

    def _end(self, state, reason, may):
        self.check_access("read")
        reason = reason.strip() if isinstance(reason, str) else ""
        if not reason:
            raise UserError(self.env._("Reason: say why the exception ends."))
        for exception in self:
            if not may(exception):
                raise AccessError(
                    self.env._(
                        "%s is ended by a release manager, by one of its approvers, or "
                        "closed by whoever requested it.",
                        exception.display_name,
                    )
                )
            # The clock counts, not the stored state.
            if exception.status == "expired":
                raise UserError(
                    self.env._("%s has expired already.", exception.display_name)
                )
            # sudo: right to end checked above
            exception.sudo()._become(
                state,
                ended_at=self.env.cr.now(),
                ended_by_id=self.env.uid,
                end_reason=reason,
            )
            exception._post_on_release(
                self.env._("%(exception)s was ended by %(user)s: %(why)s"), why=reason
            )
        return True

    def _may_revoke(self, exception):
        user = self.env.user
        return (
            user.has_group("ipai_release_gates.group_release_manager")
            # An approver may take it back.
            # sudo: approvals may be unreadable
            or user in exception.sudo().approval_ids.approver_id
        )

    def _may_close(self, exception):
        user = self.env.user
        return exception.recorded_by_id == user or user.has_group(
            "ipai_release_gates.group_release_manager"
        )
