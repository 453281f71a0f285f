import base64
import binascii
import json

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from .. import governance

_SHOWN = 60


class DocumentImport(models.AbstractModel):
    """Reads a file of governance: shows what would change, then does it.

    Nothing is written when anything is wrong, and what is done is what was shown.
    """

    _name = "ipai.document.import"
    _description = "Import of a file of governance"

    #: The name of a file that was given none, and how many bytes are taken of one.
    _default_filename = "document.yaml"
    _max_bytes = governance.MAX_BYTES

    content = fields.Binary(string="File", required=True, attachment=False)
    filename = fields.Char()
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
        """Button: do what was shown, all of it or, when anything fails, nothing.

        :raises UserError: for a file with problems, and when what is there or the file
            is not what was shown any more
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
            # What is wrong is said by file, line and field, the same in any language.
            raise UserError(str(invalid)) from invalid  # pylint: disable=translation-required
        return {"type": "ir.actions.client", "tag": "soft_reload"}

    # --- what each kind of file says -------------------------------------------------

    @api.model
    def _title(self):
        """What the dialog is called."""
        raise NotImplementedError

    def _read(self, content, file):
        """What a file says.

        :param bytes content: of the file
        :param str file: its name, for what is wrong
        :returns: the changes, each with ``path``, ``field``, ``before``, ``after`` and
            ``is_new``; lines to remark on; and the plan that
            :meth:`_apply` takes
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
        """The uploaded file: its content and its name.

        :raises governance.InvalidDocument: when there is none, or too much of it
        """
        file = (self.filename or self._default_filename).splitlines()[0][:100]
        content = self.with_context(bin_size=False).content or b""
        # base64 makes three bytes four characters.
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
