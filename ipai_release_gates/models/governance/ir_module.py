from odoo import models


class IrModule(models.Model):
    """An addon that goes takes its kinds of requirements along."""

    _inherit = "ir.module.module"

    def module_uninstall(self):
        names = set(self.mapped("name"))
        requirements = self.env["ipai.gate.requirement"]
        gone = [
            kind.code
            for kind in requirements._kinds_by_code().values()
            if kind.module in names
        ]
        result = super().module_uninstall()
        if "ipai_release_gates" not in names:
            requirements._judge_again_soon(gone)
        return result
