from odoo import models


class CaseMixin(models.AbstractModel):
    """A record about a release that has states, such as an exception or an incident.

    Each change of its state is appended to the ledger of the release. The database
    refuses to delete a case; what else it seals is stated by the model.
    """

    _name = "ipai.case.mixin"
    _inherit = "ipai.recorded.mixin"
    _description = "Case about a release"

    def init(self):
        super().init()
        if not self._abstract:
            self.env["ipai.append.only.mixin"]._forbid(self._table, "DELETE")
