from odoo import models
from odoo.exceptions import AccessError, UserError


class Release(models.Model):
    """The buttons of a release."""

    _inherit = "ipai.release"

    def action_evaluate_gates(self):
        """Judge the gates of these releases now and store the result."""
        self.check_access("read")
        if not self.env["ipai.persona"]._held_by(self.env.user):
            raise AccessError(
                self.env._("Only a persona of the release process evaluates gates.")
            )
        self._rejudge([], starts=False)
        return True

    def action_cancel(self):
        """Give a release up. Its facts and its chain stay."""
        self.check_access("write")
        if not self.env.user.has_group("ipai_release_gates.group_release_manager"):
            raise AccessError(self.env._("Only a release manager cancels a release."))
        for release in self:
            if not release.is_open:
                raise UserError(self.env._("%s is closed already.", release.name))
            release.system_write({"status": "cancelled"})
        self._rejudge(
            [
                (
                    release.id,
                    "release_cancelled",
                    release,
                    {
                        "stage": release.stage_id.code,
                        "source_ref": release.source_ref,
                    },
                )
                for release in self
            ],
            starts=False,
        )
        return True
