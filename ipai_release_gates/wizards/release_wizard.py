from odoo import api, fields, models


class ReleaseWizard(models.AbstractModel):
    """Base of the wizards that act on one or many releases.

    A wizard has no rights of its own: it calls the same methods as every other client,
    with the rights of its user.
    """

    _name = "ipai.release.wizard"
    _description = "Release wizard"

    release_ids = fields.Many2many("ipai.release", string="Releases")

    @api.model
    def default_get(self, fields):
        values = super().default_get(fields)
        context = self.env.context
        if (
            "release_ids" in fields
            and not values.get("release_ids")
            and context.get("active_model") == "ipai.release"
        ):
            values["release_ids"] = context.get("active_ids") or []
        return values

    def _releases(self):
        """The releases of the wizard that its user may read."""
        self.ensure_one()
        return self.release_ids._origin._filtered_access("read")

    def _done(self, message):
        """Close the wizard and show a notification.

        :param message: a sentence
        :returns: client action
        """
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": message,
                "next": {"type": "ir.actions.act_window_close"},
            },
        }
