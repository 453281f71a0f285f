import hashlib
import json

from odoo import api, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command

from ...governance import InvalidDocument, Problem, gatefile
from ..mixins.policy import PolicyBatch

#: Part of a file → the model its entries are records of. The order of writing: what
#: others refer to comes first.
MODELS = {
    "evidence_types": "ipai.evidence.type",
    "gates": "ipai.gate",
    "requirements": "ipai.gate.requirement",
    "stages": "ipai.release.stage",
}
#: What fields refer to → the model whose codes they are.
_CODES_OF = {
    "gates": "ipai.gate",
    "personas": "ipai.persona",
    "evidence_types": "ipai.evidence.type",
    "expertise_domains": "ipai.expertise.domain",
}
#: The words of choices → model and field that have them.
_WORDS_OF = {
    "requirement_kinds": ("ipai.gate.requirement", "kind"),
    "environment_categories": ("ipai.gate.requirement", "environment_category"),
    "deployment_aspects": ("ipai.gate.requirement", "deployment_aspect"),
    "drill_types": ("ipai.gate.requirement", "drill_type"),
    "release_statuses": ("ipai.release.stage", "release_status"),
}
_COLUMNS = {"movers": "persona_ids"}


class PolicyFile(models.AbstractModel):
    """The gate policy as files, and back into records.

    Everything is read and written with the rights of the user, and through the guards
    of the models.
    """

    _name = "ipai.policy.file"
    _description = "Gate policy as files"

    @api.model
    def _schemas(self):
        """The schemas of all policy files by name; see ``gatefile.schemas``."""
        return gatefile.schemas(self.env["ipai.gate.requirement"]._kinds_by_code())

    # --- out -------------------------------------------------------------------------

    @api.model
    def _export(self, name, generated_by="Exported from Odoo."):
        """A file of a schema, as the database has it.

        :param str name: a key of :meth:`_schemas`
        :param str generated_by: what the file says of where it comes from
        """
        schema = self._schemas()[name]
        return gatefile.to_yaml(schema, self._present(schema), generated_by)

    @api.model
    def _present(self, schema):
        """What there is, as ``gatefile.to_yaml`` takes it."""
        # Names as they are in the source language, archived records too.
        self = self.with_context(lang="en_US", active_test=False)
        found = {
            part.name: {
                record.code: self._entry(part, record)
                for record in self.env[MODELS[part.name]].search([])
            }
            for part in schema.parts
        }
        found["definitions"] = getattr(self, f"_define_{schema.name}")()
        return found

    @api.model
    def _entry(self, part, record):
        """A record as the entry of a file."""
        values = {}
        for name, about in part.fields.items():
            if about.kind == "entries":
                values[name] = {
                    inner.code: self._entry(about.entry, inner)
                    for inner in record[self._column(record, name)]
                }
            elif about.derived:
                values[name] = getattr(self, f"_derived_{name}")(record)
            else:
                values[name] = self._plain(about, record[self._column(record, name)])
        # What is stored for another kind than that of a requirement means nothing.
        return values | {
            name: part.fields[name].default for name in part.unused(values)
        }

    @api.model
    def _column(self, model, name):
        """The field of a model that a field of a file stands for."""
        column = _COLUMNS.get(name, name)
        for candidate in (column, f"{column}_id", f"{column.removesuffix('s')}_ids"):
            if candidate in model._fields:
                return candidate
        raise KeyError(name)

    @api.model
    def _plain(self, about, value):
        if about.kind == "codes":
            return sorted(value.mapped("code"))
        if about.kind == "code":
            return value.code or None
        if about.kind == "object":
            return json.loads(value) if value else None
        if about.kind in ("whole", "number", "boolean"):
            return value
        return value or None

    @api.model
    def _derived_asked_for_by(self, evidence_type):
        asking = self.env["ipai.gate.requirement"].search(
            [("evidence_type_id", "=", evidence_type.id), ("active", "=", True)]
        )
        return [requirement._policy_name() for requirement in asking]

    @api.model
    def _define_gate_schema(self):
        kinds = self.env["ipai.gate.requirement"]._kinds_by_code()
        return {
            "requirement_kinds": {
                code: {"name": kind.label, "parameters": list(kind.parameter_names)}
                for code, kind in kinds.items()
            },
            "empty_gate": "closed",
            "gates_to_enter_a_stage": "its own and those of all stages before",
        }

    @api.model
    def _define_evidence_schema(self):
        return self.env["ipai.evidence"]._definition()

    @api.model
    def _define_exception_schema(self):
        return self.env["ipai.exception"]._definition()

    @api.model
    def _define_environment_controls(self):
        return self.env["ipai.environment.control"]._definition()

    # --- in --------------------------------------------------------------------------

    @api.model
    def _known(self):
        """What the fields of files may refer to, by name; see ``gatefile.read``."""
        env = self.with_context(active_test=False).env
        known = {
            name: set(env[model].search([]).mapped("code"))
            for name, model in _CODES_OF.items()
        }
        known |= {
            name: set(env[model]._fields[field].get_values(env))
            for name, (model, field) in _WORDS_OF.items()
        }
        return known

    @api.model
    def _read(self, content, file):
        """What a file says, and what that would change.

        :param bytes content: the file
        :param str file: its name, for messages
        :returns: ``(schema, found, changes, notes, line)``, where ``line`` tells the
            line of a path
        :raises InvalidDocument: for a file with problems
        """
        schema = gatefile.schema_of(content, file, self._schemas())
        present = self._present(schema)
        found, line = gatefile.read(schema, content, file, present, self._known())
        return (
            schema,
            found,
            gatefile.changes(schema, present, found),
            list(schema.notes(gatefile.merged(schema, present, found))),
            line,
        )

    @api.model
    def _import(self, content, file, note):
        """Write what a file says, all of it or nothing, in this transaction.

        Affected releases are judged again once, at the end. The governance chain has
        the reason before the changes.

        :param bytes content: the file
        :param str file: its name, for messages
        :param str note: why the policy changes
        :returns: the changes
        :raises AccessError: unless the user is a governance administrator
        :raises InvalidDocument: for a file with problems, also when a model refuses
        """
        if not self.env.user.has_group("ipai_release_gates.group_governance_admin"):
            raise AccessError(
                self.env._("Governance administrators import the gate policy.")
            )
        schema, _found, changes, _notes, line = self._read(content, file)
        if not changes:
            return changes
        self._record_import(schema, content, note, changes)
        batch = PolicyBatch()
        importing = self.with_context(
            lang="en_US", active_test=False, **batch.context()
        )
        by_entry = {}
        for change in changes:
            by_entry.setdefault(change.path, []).append(change)
        order = list(MODELS)
        for path in sorted(by_entry, key=lambda path: order.index(path[-2])):
            try:
                importing._apply(schema, path, by_entry[path])
            except AccessError:
                raise
            except UserError as error:
                raise InvalidDocument(
                    [Problem(file, line(*path), ".".join(path), str(error))]
                ) from error
        batch.record(self.env)
        return changes

    @api.model
    def _apply(self, schema, path, changes):
        """Write the changes of one entry, or create its record."""
        part = next(each for each in schema.parts if each.name == path[0])
        Model = self.env[MODELS[path[-2]]]
        domain = [("code", "=", path[-1])]
        identity = {"code": path[-1]}
        if len(path) > 2:
            outer = self.env[MODELS[path[0]]].search([("code", "=", path[1])])
            part = part.fields[path[2]].entry
            domain.append(("gate_id", "=", outer.id))
            identity["gate_id"] = outer.id
        # A new record has every field, so that no default of a caller enters it.
        new = changes[0].is_new
        wanted = {change.field: change.after for change in changes}
        if new:
            wanted = {
                name: wanted.get(name, about.default)
                for name, about in part.fields.items()
                if about.kind != "entries" and not about.derived
            }
        vals = {
            self._column(Model, name): self._stored(part.fields[name], value)
            for name, value in wanted.items()
        }
        if new:
            record = Model.create({**identity, **vals})
        else:
            record = Model.search(domain)
            record.write(vals)
        record.flush_recordset()

    @api.model
    def _stored(self, about, value):
        """A value of a file as the record's field takes it."""
        if about.kind == "codes":
            records = self.env[_CODES_OF[about.of]].search([("code", "in", value)])
            return [Command.set(records.ids)]
        if about.kind == "code":
            if value is None:
                return False
            return self.env[_CODES_OF[about.of]].search([("code", "=", value)]).id
        if about.kind == "object":
            return json.dumps(value, ensure_ascii=False) if value is not None else False
        return False if value is None else value

    @api.model
    def _record_import(self, schema, content, note, changes):
        """Append to the governance chain why the policy changes, and by which file."""
        # The settings stand for the policy as a whole.
        # sudo: appending is a system write
        subject = self.env["ipai.settings"].sudo().search([], limit=1)
        body = {
            "what": f"import of {schema.filename}",
            "before": None,
            "after": {
                "note": note,
                "sha256": hashlib.sha256(content).hexdigest(),
                "changes": len(changes),
            },
        }
        # sudo: appending is a system write
        self.env["ipai.ledger.entry"].sudo()._record_governance(
            [("policy_changed", subject or f"{self._name},0", body)]
        )
