import json
import re

import jsonschema

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError


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

    def init(self):
        """Refuse in the database, too, that a code in use is renamed."""
        super().init()
        self.env.cr.execute(
            """
            CREATE OR REPLACE FUNCTION ipai_evidence_type_code_kept()
            RETURNS trigger AS $$
            BEGIN
                IF EXISTS (SELECT 1 FROM ipai_gate_requirement
                            WHERE evidence_type_id = OLD.id)
                   OR EXISTS (SELECT 1 FROM ipai_evidence WHERE type_id = OLD.id)
                   OR EXISTS (SELECT 1 FROM ir_model_data
                               WHERE model = 'ipai.evidence.type'
                                 AND res_id = OLD.id
                                 AND module NOT IN ('__export__', '__import__'))
                THEN
                    RAISE EXCEPTION 'the code of evidence type % is in use', OLD.code
                        USING ERRCODE = 'insufficient_privilege';
                END IF;
                RETURN NEW;
            END $$ LANGUAGE plpgsql;
            CREATE OR REPLACE TRIGGER ipai_evidence_type_code_kept
                BEFORE UPDATE ON ipai_evidence_type FOR EACH ROW
                WHEN (NEW.code IS DISTINCT FROM OLD.code)
                EXECUTE FUNCTION ipai_evidence_type_code_kept();
            """
        )

    def write(self, vals):
        if "code" in vals:
            self.check_access("write")
            for type_ in self.filtered(lambda each: each.code != vals["code"]):
                type_._refuse_renaming()
        return super().write(vals)

    def _refuse_renaming(self):
        """Refuse another code while something names this one.

        Recorded evidence keeps the code it was recorded under, events and addons name
        it, and requirements would ask for one that nobody sends.

        :raises UserError: naming what uses the code, and the way out
        """
        self.ensure_one()
        users = self._users_of_code()
        if users:
            raise UserError(
                self.env._(
                    "The code %(code)s cannot be changed: %(users)s use it. Define a "
                    "type with the other code, let the requirements ask for that one, "
                    "and archive this one; the name can be changed.",
                    code=self.code,
                    users=", ".join(users),
                )
            )

    def _users_of_code(self):
        """What names this type by its code, in words."""
        # sudo: all users count, readable or not
        every = self.sudo().with_context(active_test=False).env
        asking = every["ipai.gate.requirement"].search(
            [("evidence_type_id", "=", self.id)]
        )
        users = [requirement._policy_name() for requirement in asking]
        recorded = every["ipai.evidence"].search_count([("type_id", "=", self.id)])
        if recorded:
            users.append(self.env._("recorded evidence (%s)", recorded))
        addons = set(
            every["ir.model.data"]
            .search([("model", "=", self._name), ("res_id", "=", self.id)])
            .mapped("module")
        )
        return users + sorted(addons - {"__export__", "__import__"})

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
