import base64
import binascii
import json

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from .. import governance

_SHOWN = 60


class DocumentImport(models.AbstractModel):
    """Imports a governance file: shows the changes first, then makes them.

    A file with a problem changes nothing. An import makes the changes that were shown,
    and no others.
    """

    _name = "ipai.document.import"
    _description = "Import of a file of governance"

    #: The name of an upload without a name, and the greatest size in bytes.
    _default_filename = "document.yaml"
    _max_bytes = governance.MAX_BYTES

    content = fields.Binary(string="File", required=True, attachment=False)
    filename = fields.Char()
    preview = fields.Text(readonly=True)
    remarks = fields.Text(readonly=True)
    problems = fields.Text(readonly=True)
    change_count = fields.Integer(readonly=True)

    def action_preview(self):
        """Button: read the file and show the changes, or its problems.

        :returns: action that shows this wizard again
        """
        self._check_may_govern()
        self.ensure_one()
        shown = {
            "problems": False,
            "preview": False,
            "remarks": False,
            "change_count": 0,
        }
        try:
            changes, remarks, _plan = self._read(*self._given())
        except governance.InvalidDocument as invalid:
            lines = [str(problem) for problem in invalid.problems[:_SHOWN]]
            if len(invalid.problems) > _SHOWN:
                more = len(invalid.problems) - _SHOWN
                lines.append(self.env._("… and %s more problems", more))
            shown["problems"] = "\n".join(lines)
        else:
            shown["preview"] = self._described(changes)
            shown["remarks"] = "\n".join(remarks)
            shown["change_count"] = len(changes)
        self.write(shown)
        return {
            "type": "ir.actions.act_window",
            "name": self._title(),
            "res_model": self._name,
            "res_id": self.id,
            "views": [(False, "form")],
            "target": "new",
        }

    def action_import(self):
        """Button: make all changes that were shown, or none when one of them fails.

        :raises UserError: for a file with problems, and when the file or the records
            changed since the changes were shown
        """
        self._check_may_govern()
        self.ensure_one()
        try:
            content, file = self._given()
            changes, _remarks, plan = self._read(content, file)
            if self.preview != self._described(changes):
                raise UserError(
                    self.env._(
                        "What would change is not what was shown: what is there or the "
                        "file was changed meanwhile. Look at the preview again."
                    )
                )
            self._apply(content, file, plan)
        except governance.InvalidDocument as invalid:
            # The text is file, line and field, the same in every language.
            raise UserError(str(invalid)) from invalid  # pylint: disable=translation-required
        return {"type": "ir.actions.client", "tag": "soft_reload"}

    # --- what each kind of file says -------------------------------------------------

    @api.model
    def _title(self):
        """The title of the dialog."""
        raise NotImplementedError

    def _read(self, content, file):
        """Compare a file with the records.

        :param bytes content: of the file
        :param str file: its name, for messages
        :returns: the changes, each with ``path``, ``field``, ``before``, ``after`` and
            ``is_new``; remarks, as lines; and the plan for :meth:`_apply`
        :raises governance.InvalidDocument: for a file with problems
        """
        raise NotImplementedError

    def _apply(self, content, file, plan):
        """Make the changes; the arguments are those of :meth:`_read` and its plan."""
        raise NotImplementedError

    # --- the file and what is shown of it --------------------------------------------

    @api.model
    def _check_may_govern(self):
        if not self.env.user.has_group("ipai_release_gates.group_governance_admin"):
            raise AccessError(
                self.env._("Governance administrators import files of governance.")
            )

    def _given(self):
        """The content and the name of the uploaded file.

        :raises governance.InvalidDocument: when there is no file, or it is too large
        """
        file = (self.filename or self._default_filename).splitlines()[0][:100]
        content = self.with_context(bin_size=False).content or b""
        # base64 encodes three bytes as four characters.
        if len(content) > self._max_bytes * 4 // 3 + 4:
            size = self._max_bytes // 1024
            message = self.env._("The file is larger than %s KB.", size)
        else:
            try:
                return base64.b64decode(content, validate=True), file
            except binascii.Error:
                message = self.env._("This is no file.")
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
        if value is None or value in ("", []):
            return "—"
        if isinstance(value, bool):
            return self.env._("yes") if value else self.env._("no")
        if isinstance(value, dict):
            return json.dumps(value, ensure_ascii=False, sort_keys=True)
        return ", ".join(value) if isinstance(value, list) else value
