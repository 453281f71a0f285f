from odoo import api, models

from odoo.addons.ipai_release_gates.pages import Section

SECTION = Section(
    "toy_walkthroughs",
    "ipai_release_gates_toy.dossier_walkthroughs",
    25,
    model="ipai.toy.walkthrough",
)


class Dossier(models.AbstractModel):
    """The dossier of a release lists its walkthroughs."""

    _inherit = "report.ipai_release_gates.dossier"

    @api.model
    def _sections(self):
        return (*super()._sections(), SECTION)
