import base64
import binascii
import json

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from .. import governance
from ..governance import gatefile

MAX_BYTES = gatefile.PolicyReader.max_bytes
#: base64 makes three bytes four characters.
_MAX_BASE64 = MAX_BYTES * 4 // 3 + 4
_MAX_NOTE = 1000
_SHOWN = 60


class ImportPolicyWizard(models.TransientModel):
    """Reads a file of the gate policy: shows what would change, then does it.

    Nothing is written when anything is wrong, and what is done is what was shown.
    """

    _name = "ipai.import.policy.wizard"
    _description = "Import of the gate policy"

    content = fields.Binary(string="File", required=True, attachment=False)
    filename = fields.Char()
    note = fields.Text(
        string="Why", help="Is told in the governance chain, before what changed."
    )
    preview = fields.Text(readonly=True)
    remarks = fields.Text(readonly=True)
    problems = fields.Text(readonly=True)
    change_count = fields.Integer(readonly=True)

    def action_preview(self):
        """Button: read the file and show what it would change, or what is wrong.

        :returns: action that shows this wizard again
        """
        self._check_may_govern()
        self.ensure_one()
        try:
            _schema, _found, changes, notes, _line = self._read()
        except governance.InvalidDocument as invalid:
            lines = [str(problem) for problem in invalid.problems[:_SHOWN]]
            if len(invalid.problems) > _SHOWN:
                more = len(invalid.problems) - _SHOWN
                lines.append(self.env._("… and %s more problems", more))
            shown = {"problems": "\n".join(lines)}
        else:
            shown = {
                "preview": self._described(changes),
                "remarks": "\n".join(notes),
                "change_count": len(changes),
            }
        nothing = {
            "problems": False,
            "preview": False,
            "remarks": False,
            "change_count": 0,
        }
        self.write({**nothing, **shown})
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Import of the gate policy"),
            "res_model": self._name,
            "res_id": self.id,
            "views": [(False, "form")],
            "target": "new",
        }

    def action_import(self):
        """Button: do what was shown, all of it or, when anything fails, nothing.

        :raises UserError: for a file with problems, without a reason, and when the
            policy or the file is not what was shown any more
        """
        self._check_may_govern()
        self.ensure_one()
        note = (self.note or "").strip()
        if not note or len(note) > _MAX_NOTE:
            raise UserError(
                self.env._(
                    "Why: say in at most %s characters why the policy changes. The "
                    "governance chain keeps it.",
                    _MAX_NOTE,
                )
            )
        try:
            _schema, _found, changes, _notes, _line = self._read()
            if self.preview != self._described(changes):
                raise UserError(
                    self.env._(
                        "What would change is not what was shown: the policy or the "
                        "file was changed meanwhile. Look at the preview again."
                    )
                )
            self.env["ipai.policy.file"]._import(*self._given(), note)
        except governance.InvalidDocument as invalid:
            # What is wrong is said by file, line and field, the same in any language.
            raise UserError(str(invalid)) from invalid  # pylint: disable=translation-required
        return {"type": "ir.actions.client", "tag": "soft_reload"}

    @api.model
    def _check_may_govern(self):
        if not self.env.user.has_group("ipai_release_gates.group_governance_admin"):
            raise AccessError(
                self.env._("Governance administrators import the gate policy.")
            )

    def _read(self):
        return self.env["ipai.policy.file"]._read(*self._given())

    def _given(self):
        """The uploaded file: its content and its name.

        :raises governance.InvalidDocument: when there is none, or too much of it
        """
        file = (self.filename or "policy.yaml").splitlines()[0][:100]
        content = self.with_context(bin_size=False).content or b""
        try:
            if len(content) > _MAX_BASE64:
                raise ValueError(
                    self.env._("The file is larger than %s KB.", MAX_BYTES // 1024)
                )
            return base64.b64decode(content, validate=True), file
        except binascii.Error:
            message = self.env._("This is no file.")
        except ValueError as error:
            message = str(error)
        raise governance.InvalidDocument([governance.Problem(file, 1, "", message)])

    def _described(self, changes):
        """The changes as lines: entry, field, before and after."""
        lines, entry = [], None
        for change in changes:
            if entry != change.path:
                entry = change.path
                word = self.env._("create") if change.is_new else self.env._("update")
                lines.append(f"{word} {'.'.join(change.path)}")
            before, after = self._shown(change.before), self._shown(change.after)
            if change.is_new:
                lines.append(f"    {change.field}: {after}")
            else:
                lines.append(f"    {change.field}: {before} → {after}")
        return "\n".join(lines) or self.env._("No change.")

    @api.model
    def _shown(self, value):
        if value is None or value == []:
            return "—"
        if isinstance(value, bool):
            return self.env._("yes") if value else self.env._("no")
        if isinstance(value, dict):
            return json.dumps(value, ensure_ascii=False, sort_keys=True)
        return ", ".join(value) if isinstance(value, list) else value


class ExportPolicyWizard(models.TransientModel):
    """A part of the gate policy as a file."""

    _name = "ipai.export.policy.wizard"
    _description = "Export of the gate policy"

    schema = fields.Selection(
        lambda self: [(name, each.title) for name, each in gatefile.SCHEMAS.items()],
        string="What",
        required=True,
        default="gate_schema",
    )
    content = fields.Binary(string="File", compute="_compute_content")
    filename = fields.Char(compute="_compute_content")

    @api.depends("schema")
    def _compute_content(self):
        files = self.env["ipai.policy.file"]
        for wizard in self:
            schema = gatefile.SCHEMAS.get(wizard.schema)
            wizard.filename = schema and schema.filename
            wizard.content = schema and base64.b64encode(
                files._export(schema.name).encode()
            )

    def action_download(self):
        """Button: the file of what was chosen.

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
