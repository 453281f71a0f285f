import base64
import binascii

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from .. import governance

#: base64 makes three bytes four characters.
_MAX_BASE64 = governance.MAX_BYTES * 4 // 3 + 4
_SHOWN = 60


class ImportRegistryWizard(models.TransientModel):
    """Reads the expertise registry from YAML: shows what would change, then does it.

    Nothing is written when anything is wrong, and what is done is what was shown.
    """

    _name = "ipai.import.registry.wizard"
    _description = "Import of the expertise registry"

    content = fields.Binary(string="File", required=True, attachment=False)
    filename = fields.Char()
    preview = fields.Text(readonly=True)
    problems = fields.Text(readonly=True)
    change_count = fields.Integer(readonly=True)

    def action_preview(self):
        """Button: read the file and show what it would change, or what is wrong.

        :returns: action that shows this wizard again
        """
        self._check_may_govern()
        self.ensure_one()
        try:
            _wanted, found = self._read()
        except governance.InvalidRegistry as invalid:
            problems = invalid.problems
            lines = [str(problem) for problem in problems[:_SHOWN]]
            if len(problems) > _SHOWN:
                lines.append(
                    self.env._("… and %s more problems", len(problems) - _SHOWN)
                )
            self.write(
                {"problems": "\n".join(lines), "preview": False, "change_count": 0}
            )
        else:
            self.write(
                {
                    "problems": False,
                    "preview": self._described(found) or self.env._("No change."),
                    "change_count": len(found),
                }
            )
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Import of the expertise registry"),
            "res_model": self._name,
            "res_id": self.id,
            "views": [(False, "form")],
            "target": "new",
        }

    def action_import(self):
        """Button: do what was shown, all of it or, when anything fails, nothing.

        :raises UserError: for a file with problems, and when the registry or the file
            is not what was shown any more
        """
        self._check_may_govern()
        self.ensure_one()
        try:
            wanted, found = self._read()
        except governance.InvalidRegistry as invalid:
            # What is wrong is said by file, line and field, the same in any language.
            raise UserError(str(invalid)) from invalid  # pylint: disable=translation-required
        described = self._described(found) or self.env._("No change.")
        if self.preview != described:
            raise UserError(
                self.env._(
                    "What would change is not what was shown: the registry or the "
                    "file was changed meanwhile. Look at the preview again."
                )
            )
        self.env["ipai.expertise.registry"]._apply(wanted, found)
        return {"type": "ir.actions.client", "tag": "soft_reload"}

    @api.model
    def _check_may_govern(self):
        if not self.env.user.has_group("ipai_release_gates.group_governance_admin"):
            raise AccessError(
                self.env._("Governance administrators import the registry.")
            )

    def _read(self):
        """What the file says and what that would change.

        :raises governance.InvalidRegistry: for a file with problems
        """
        file = (self.filename or "registry.yaml").splitlines()[0][:100]
        content = self.with_context(bin_size=False).content or b""
        if len(content) > _MAX_BASE64:
            raise governance.InvalidRegistry(
                [governance.Problem(file, 1, "", self._too_large())]
            )
        try:
            data = base64.b64decode(content, validate=True)
        except binascii.Error as error:
            raise governance.InvalidRegistry(
                [governance.Problem(file, 1, "", self.env._("This is no file."))]
            ) from error
        present = self.env["ipai.expertise.registry"]._present()
        wanted = governance.read(data, file, present)
        return wanted, governance.changes(present, wanted)

    def _too_large(self):
        size = governance.MAX_BYTES // 1024
        return self.env._("The file is larger than %s KB.", size)

    def _described(self, changes):
        """The changes as lines: entry, field, before and after."""
        lines, entry = [], None
        for change in changes:
            if entry != (change.part, change.code):
                entry = (change.part, change.code)
                word = self.env._("create") if change.is_new else self.env._("update")
                lines.append(f"{word} {change.part}.{change.code}")
            before, after = self._shown(change.before), self._shown(change.after)
            if change.is_new:
                lines.append(f"    {change.field}: {after}")
            else:
                lines.append(f"    {change.field}: {before} → {after}")
        return "\n".join(lines)

    def _shown(self, value):
        if not value:
            return "—"
        return ", ".join(value) if isinstance(value, list) else value


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
