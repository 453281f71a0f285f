from odoo import api, models


class PolicyMixin(models.AbstractModel):
    """Definitions a verdict rests on: gates, requirements, stages, freezes, …

    Changing one can change the verdict on every open release it applies to, so the
    change updates those releases' rows like a fact does, and their gates are judged
    anew.
    """

    _name = "ipai.policy.mixin"
    _description = "Policy a verdict rests on"

    @api.model_create_multi
    def create(self, vals_list):
        records = super().create(vals_list)
        records._policy_changed()
        return records

    def write(self, vals):
        before = self._affected_releases()
        result = super().write(vals)
        (before | self._affected_releases())._policy_recorded()
        return result

    def unlink(self):
        affected = self._affected_releases()
        result = super().unlink()
        affected._policy_recorded()
        return result

    def _policy_changed(self):
        self._affected_releases()._policy_recorded()

    def _affected_releases(self):
        """The open releases whose verdict may change with these records."""
        # All of them, also archived ones and those the editor may not read: policy
        # binds every release.
        return (
            self.env["ipai.release"]
            .sudo()
            .search([("is_open", "=", True), ("active", "in", [True, False])])
        )
