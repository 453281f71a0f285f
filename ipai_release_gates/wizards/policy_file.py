import base64

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..governance import gatefile

_MAX_NOTE = 1000


class ImportPolicyWizard(models.TransientModel):
    """Imports a file of the gate policy, and shows the changes first."""

    _name = "ipai.import.policy.wizard"
    _inherit = ["ipai.document.import"]
    _description = "Import of the gate policy"

    _default_filename = "policy.yaml"
    _max_bytes = gatefile.PolicyReader.max_bytes

    note = fields.Text(
        string="Why", help="Is told in the governance chain, before what changed."
    )

    def action_import(self):
        """Button: make the changes that were shown, and record the reason.

        :raises UserError: as in the base class, and when there is no reason
        """
        self._check_may_govern()
        self.ensure_one()
        if not self._reason() or len(self._reason()) > _MAX_NOTE:
            raise UserError(
                self.env._(
                    "Why: say in at most %s characters why the policy changes. The "
                    "governance chain keeps it.",
                    _MAX_NOTE,
                )
            )
        return super().action_import()

    def _reason(self):
        return (self.note or "").strip()

    @api.model
    def _title(self):
        return self.env._("Import of the gate policy")

    def _read(self, content, file):
        policy = self.env["ipai.policy.file"]
        _schema, _found, changes, notes, _line = policy._read(content, file)
        return changes, notes, None

    def _apply(self, content, file, plan):
        self.env["ipai.policy.file"]._import(content, file, self._reason())


class ExportPolicyWizard(models.TransientModel):
    """A part of the gate policy as a file."""

    _name = "ipai.export.policy.wizard"
    _description = "Export of the gate policy"

    schema = fields.Selection(
        "_selection_schema",
        string="What",
        required=True,
        default="gate_schema",
    )
    content = fields.Binary(string="File", compute="_compute_content")
    filename = fields.Char(compute="_compute_content")

    @api.model
    def _selection_schema(self):
        schemas = self.env["ipai.policy.file"]._schemas()
        return [(name, schema.title) for name, schema in schemas.items()]

    @api.depends("schema")
    def _compute_content(self):
        files = self.env["ipai.policy.file"]
        for wizard in self:
            schema = files._schemas().get(wizard.schema)
            wizard.filename = schema and schema.filename
            wizard.content = schema and base64.b64encode(
                files._export(schema.name).encode()
            )

    def action_download(self):
        """Button: download the file of the chosen part.

        :returns: action that downloads it
        """
        self.ensure_one()
        self.check_access("read")
        return {
            "type": "ir.actions.act_url",
            "url": f"/web/content/{self._name}/{self.id}/content/{self.filename}"
            "?download=true",
            "target": "download",
        }
