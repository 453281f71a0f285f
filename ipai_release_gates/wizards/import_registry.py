import base64

from odoo import api, fields, models

from .. import governance


class ImportRegistryWizard(models.TransientModel):
    """Imports the expertise registry from YAML, and shows the changes first."""

    _name = "ipai.import.registry.wizard"
    _inherit = ["ipai.document.import"]
    _description = "Import of the expertise registry"

    _default_filename = "registry.yaml"

    @api.model
    def _title(self):
        return self.env._("Import of the expertise registry")

    def _read(self, content, file):
        present = self.env["ipai.expertise.registry"]._present()
        wanted = governance.read(content, file, present)
        changes = governance.changes(present, wanted)
        return changes, [], (wanted, changes)

    def _apply(self, content, file, plan):
        self.env["ipai.expertise.registry"]._apply(*plan)


class ExportRegistryWizard(models.TransientModel):
    """The expertise registry as a file."""

    _name = "ipai.export.registry.wizard"
    _description = "Export of the expertise registry"

    content = fields.Binary(
        string="File",
        readonly=True,
        attachment=False,
        default=lambda self: base64.b64encode(
            self.env["ipai.expertise.registry"]._export().encode()
        ),
    )
    filename = fields.Char(default="expertise_registry.yaml", readonly=True)
