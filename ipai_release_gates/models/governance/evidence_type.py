import json
import re

import jsonschema

from odoo import api, fields, models
from odoo.exceptions import ValidationError


class EvidenceType(models.Model):
    """A kind of evidence, with the JSON Schema its metadata must satisfy."""

    _name = "ipai.evidence.type"
    _description = "Evidence type"
    _inherit = "ipai.policy.mixin"
    _order = "sequence, id"

    code = fields.Char(required=True)
    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    description = fields.Text(translate=True)
    metadata_schema = fields.Text(
        string="Metadata schema",
        help="JSON Schema (2020-12) that the metadata of evidence of this type must "
        "satisfy. Empty: anything goes.",
    )
    active = fields.Boolean(default=True)

    _code_unique = models.Constraint(
        "UNIQUE (code)", "An evidence type with this code exists already."
    )

    # A new one is asked for by no requirement yet.
    _policy_deciding = frozenset({"code", "metadata_schema", "active"})

    @api.constrains("metadata_schema")
    def _validate_metadata_schema(self):
        for record in self.filtered("metadata_schema"):
            try:
                schema = json.loads(record.metadata_schema)
                jsonschema.Draft202012Validator.check_schema(schema)
            except (ValueError, RecursionError, jsonschema.SchemaError) as error:
                raise ValidationError(
                    self.env._(
                        "The metadata schema of %(type)s is not a valid JSON Schema: "
                        "%(error)s",
                        type=record.name,
                        error=getattr(error, "message", error),
                    )
                ) from error
            # A reference could make the server fetch a foreign address. Looked for
            # after parsing, where no escape can hide it.
            if re.search(r"\$(ref|dynamicRef|recursiveRef)\b", json.dumps(schema)):
                raise ValidationError(
                    self.env._(
                        "The metadata schema of %s must not use $ref.", record.name
                    )
                )

            if not isinstance(schema, dict) or _has_pattern(schema):
                # No bound can be put on the time that matching a pattern takes.
                raise ValidationError(
                    self.env._(
                        "The metadata schema of %s must be a JSON object without "
                        "pattern and patternProperties; an enum or a length does.",
                        record.name,
                    )
                )

    def _metadata_errors(self, metadata):
        """What is wrong with metadata for this type.

        :param metadata: dict as sent with the evidence
        :returns: list of ``(dotted path, message)``, empty when all is well
        """
        self.ensure_one()
        if not self.metadata_schema:
            return []
        validator = jsonschema.Draft202012Validator(json.loads(self.metadata_schema))
        return [
            (".".join(["metadata", *map(str, error.absolute_path)]), error.message)
            for error in validator.iter_errors(metadata or {})
        ]


def _has_pattern(schema):
    """Whether a schema, or one inside it, matches regular expressions."""
    if isinstance(schema, list):
        return any(map(_has_pattern, schema))
    if not isinstance(schema, dict):
        return False
    # A property may be called so; then what it holds is a schema, not text.
    return (
        isinstance(schema.get("pattern"), str)
        or "patternProperties" in schema
        or any(map(_has_pattern, schema.values()))
    )
