from odoo import api, models
from odoo.exceptions import AccessError

from ..mixins.guarded import system_under_way

_EVIDENCE = "ipai.evidence"


class IrAttachment(models.Model):
    """The file of evidence is written once, together with its evidence.

    Attachments that people add to a release in its chatter are not evidence.
    """

    _inherit = "ir.attachment"

    @api.model_create_multi
    def create(self, vals_list):
        default = self.env.context.get("default_res_model")
        if any(vals.get("res_model", default) == _EVIDENCE for vals in vals_list):
            self._refuse_unless_engine()
        return super().create(vals_list)

    def write(self, vals):
        evidence = self._of_evidence()
        # Moved to another storage, a file keeps its bytes and its type.
        moved = vals.keys() <= {"raw", "mimetype"} and all(
            attachment[name] == value
            for attachment in evidence
            for name, value in vals.items()
        )
        if vals.get("res_model") == _EVIDENCE or (evidence and not moved):
            self._refuse_unless_engine()
        return super().write(vals)

    def unlink(self):
        if self._of_evidence():
            self._refuse_unless_engine()
        return super().unlink()

    def _of_evidence(self):
        # sudo: reads the model name only
        return self.sudo().filtered(lambda file: file.res_model == _EVIDENCE)

    def _refuse_unless_engine(self):
        if not system_under_way(self.env):
            raise AccessError(
                self.env._(
                    "The file of evidence is not added, replaced or deleted on its "
                    "own: record new evidence instead."
                )
            )
