import json

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError


class RecordEvidenceWizard(models.TransientModel):
    """Record one piece of evidence on each of some releases."""

    _name = "ipai.record.evidence.wizard"
    _description = "Record evidence"
    _inherit = "ipai.release.wizard"

    type_id = fields.Many2one("ipai.evidence.type", required=True)
    type_description = fields.Text(related="type_id.description")
    gate_id = fields.Many2one(
        "ipai.gate", help="Empty: it serves every gate of the release."
    )
    url = fields.Char(string="Address")
    content = fields.Binary(string="File", attachment=False)
    filename = fields.Char()
    sha256 = fields.Char(
        string="SHA-256",
        help="Of what the address points to. The hash of a file is computed.",
    )
    metadata_text = fields.Text(
        string="Metadata", help='A JSON object, for example {"status": "normal"}.'
    )
    metadata_hint = fields.Char(compute="_compute_metadata_hint")
    note = fields.Text()

    @api.depends("type_id")
    def _compute_metadata_hint(self):
        for wizard in self:
            schema = json.loads(wizard.type_id.metadata_schema or "{}")
            wizard.metadata_hint = "; ".join(
                f"{key}: {_in_words(rule)}"
                for key, rule in schema.get("properties", {}).items()
            )

    def action_record(self):
        """Record the evidence with the rights of the current user."""
        self.ensure_one()
        vals = {
            "type_id": self.type_id.id,
            "gate_id": self.gate_id.id,
            "url": self.url,
            "content": self.content,
            "filename": self.filename,
            "sha256": self.sha256,
            "metadata": self._metadata() or False,
            "note": self.note,
        }
        if not (vals["url"] or vals["content"] or vals["metadata"] or vals["note"]):
            raise UserError(
                self.env._("Give an address, a file, metadata or a note as evidence.")
            )
        targets = self.release_ids.ids or [False]
        self.env["ipai.evidence"].create(
            [{**vals, "release_id": release_id} for release_id in targets]
        )
        if not self.release_ids:
            return self._done(self.env._("%s recorded.", self.type_id.name))
        return self._done(
            self.env._(
                "%(type)s recorded on %(releases)s.",
                type=self.type_id.name,
                releases=", ".join(self.release_ids.mapped("name")),
            )
        )

    def _metadata(self):
        """The metadata as a dict.

        :raises ValidationError: with the place where the text is no JSON object
        """
        if not (self.metadata_text or "").strip():
            return {}
        try:
            metadata = json.loads(self.metadata_text)
        except json.JSONDecodeError as error:
            raise ValidationError(
                self.env._(
                    "Metadata is not valid JSON at line %(line)s, column %(column)s: "
                    '%(message)s. It looks like {"status": "normal"}.',
                    line=error.lineno,
                    column=error.colno,
                    message=error.msg,
                )
            ) from error
        if not isinstance(metadata, dict):
            raise ValidationError(
                self.env._(
                    'Metadata must be a JSON object, in braces: {"status": "normal"}.'
                )
            )
        return metadata


def _in_words(rule):
    """A JSON Schema rule of one property, short enough for a hint."""
    if "enum" in rule:
        return " | ".join(str(value) for value in rule["enum"])
    if "minimum" in rule and "maximum" in rule:
        return f"{rule['minimum']}–{rule['maximum']}"
    return str(rule.get("type", "…"))
