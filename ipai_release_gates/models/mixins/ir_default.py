from odoo import models


class IrDefault(models.Model):
    """Users may have defaults of their own, which never set a guarded field."""

    _inherit = "ir.default"

    def _get_model_defaults(self, model_name, condition=False):
        defaults = super()._get_model_defaults(model_name, condition)
        model = self.env[model_name]
        if not defaults or not isinstance(
            model, self.env.registry["ipai.guarded.mixin"]
        ):
            return defaults
        allowed = model._people_set()
        return {name: value for name, value in defaults.items() if name in allowed}
