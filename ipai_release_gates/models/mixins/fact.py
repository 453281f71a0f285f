from odoo import models


class FactMixin(models.AbstractModel):
    """A fact about a release that can change a verdict.

    Facts are append-only, in the database too: a newer fact supersedes an older one.
    A record that has states is a case instead, see ``ipai.case.mixin``.
    """

    _name = "ipai.fact.mixin"
    _inherit = ["ipai.recorded.mixin", "ipai.append.only.mixin"]
    _description = "Fact about a release"
