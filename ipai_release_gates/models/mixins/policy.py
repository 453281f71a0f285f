import json

from odoo import api, fields, models

from .deferred import ContextBatch

#: Shown in place of a value that not everybody who reads the ledger may know.
_HIDDEN = "***"


class PolicyBatch(ContextBatch):
    """Collects the releases that changed definitions bear on, to judge each once.

    An instance in the context defers the work of ``_rejudge_in_batches``.
    """

    key = "ipai_policy_batch"

    def __init__(self):
        self.release_ids = set()

    def record(self, env):
        """Judge every release once, and empty the batch."""
        release_ids, self.release_ids = self.release_ids, set()
        # sudo: policy binds every release
        env["ipai.release"].sudo().browse(sorted(release_ids))._rejudge_in_batches()


class PolicyMixin(models.AbstractModel):
    """Definitions that decide verdicts: gates, requirements, stages, freezes, …

    A change of a definition can change the verdict on every open release that it
    applies to. So the change updates the rows of those releases, as a fact does, and
    their gates are judged again. The governance chain records each changed value, with
    the value before.
    """

    _name = "ipai.policy.mixin"
    _description = "Policy a verdict rests on"

    #: The fields that can change a verdict; ``None``: every field, and every creation.
    _policy_deciding = None

    #: Fields whose changes the ledger records without their values.
    _policy_hidden = frozenset()

    @api.model_create_multi
    def create(self, vals_list):
        records = super().create(vals_list)
        names = self._policy_field_names()
        self._record_policy([(r, None, r._policy_state(names)) for r in records])
        if self._policy_deciding is None:
            records._policy_changed()
        return records

    def write(self, vals):
        names = [name for name in self._policy_field_names() if name in vals]
        former = {record: record._policy_state(names) for record in self}
        decides = self._policy_deciding is None or bool(
            self._policy_deciding & vals.keys()
        )
        before = self._affected_releases() if decides else None
        result = super().write(vals)
        self._record_policy(
            [(r, state, r._policy_state(names)) for r, state in former.items()]
        )
        if decides:
            (before | self._affected_releases())._rejudge_in_batches()
        return result

    def _update_field_translations(
        self, field_name, translations, digest=None, source_lang=""
    ):
        """Translate a field, and record that too: Odoo does not call ``write``."""
        translated = [self.with_context(lang=lang) for lang in sorted(translations)]
        names = [name for name in self._policy_field_names() if name == field_name]
        former = [(record, record._policy_state(names)) for record in translated]
        result = super()._update_field_translations(
            field_name, translations, digest=digest, source_lang=source_lang
        )
        self._record_policy([(r, was, r._policy_state(names)) for r, was in former])
        return result

    def unlink(self):
        names = self._policy_field_names()
        former = [(r, r._policy_state(names), None) for r in self]
        drafts = self._policy_drafts(former)
        decides = self._policy_deciding is None
        affected = self._affected_releases() if decides else None
        result = super().unlink()
        # sudo: only the system appends entries
        self.env["ipai.ledger.entry"].sudo()._record_governance(drafts)
        if decides:
            affected._rejudge_in_batches()
        return result

    def _policy_changed(self):
        self._affected_releases()._rejudge_in_batches()

    def _affected_releases(self):
        """The open releases whose verdict may change with these records."""
        # Archived releases too.
        # sudo: policy binds every release
        return (
            self.env["ipai.release"]
            .sudo()
            .search([("is_open", "=", True), ("active", "in", [True, False])])
        )

    # --- what the ledger records -----------------------------------------------------

    def _record_policy(self, changes):
        # sudo: only the system appends entries
        entries = self.env["ipai.ledger.entry"].sudo()
        entries._record_governance(self._policy_drafts(changes))

    @api.model
    def _policy_drafts(self, changes):
        """The governance entries of some changes.

        :param changes: list of ``(record, state before, state after)``, where a state
            is a dict by field, or ``None`` where there is no record
        :returns: drafts; none for what did not change
        """
        drafts = []
        for record, before, after in changes:
            record = record.sudo()  # sudo: name and company for the ledger
            if before is not None and after is not None:
                changed = [name for name in before if before[name] != after[name]]
                if not changed:
                    continue
                before = {name: before[name] for name in changed}
                after = {name: after[name] for name in changed}
            body = {
                "what": f"{record._name} {record._policy_name()}",
                "before": record._policy_shown(before),
                "after": record._policy_shown(after),
            }
            drafts.append(("policy_changed", record, body, record._policy_company()))
        return drafts

    @api.model
    def _policy_field_names(self):
        """The names of the fields that make up a definition, in order."""
        return sorted(
            name
            for name, field in self._fields.items()
            if field.store
            and name not in models.MAGIC_COLUMNS
            and not field.related
            and (not field.compute or not field.readonly)
            and field.type != "one2many"
        )

    def _policy_state(self, names):
        """The values of some fields, in a form that canonical JSON can hold."""
        # sudo: the ledger records full values
        record = self.sudo().with_context(active_test=False)
        return {name: record._policy_value_of(name) for name in names}

    def _policy_value_of(self, name):
        """The value of a field: text, number or list of texts; ``None`` when empty."""
        field, value = self._fields[name], self[name]
        if field.type == "boolean":
            return value
        if field.type == "integer":
            return value
        if field.type in ("float", "monetary"):
            return repr(float(value or 0.0))
        if field.type == "many2many":
            return sorted(map(word_for, value))
        if not value:
            return None
        if field.type == "many2one":
            return word_for(value)
        if field.type == "datetime":
            return fields.Datetime.to_string(value)
        if field.type == "json":
            return json.dumps(value, sort_keys=True, ensure_ascii=False)
        return value.decode() if isinstance(value, bytes) else str(value)

    def _policy_shown(self, state):
        """A state as the ledger shows it: without the values of secret fields."""
        if state is None:
            return None
        return {
            name: _HIDDEN
            if value is not None
            and (name in self._policy_hidden or self._fields[name].groups)
            else value
            for name, value in state.items()
        }

    def _policy_name(self):
        """The name of this definition in the ledger, the same in every language."""
        self.ensure_one()
        return self["code" if "code" in self._fields else self._rec_name] or ""

    def _policy_company(self):
        """The company of this definition; none when it applies to all companies."""
        self.ensure_one()
        if "company_id" in self._fields:
            return self.company_id
        return self.env["res.company"]


def word_for(record):
    """The name of a record in the ledger: its code, login or XML id, if it has one."""
    if isinstance(record, record.env.registry["ipai.policy.mixin"]):
        return record._policy_name()
    if record._name == "res.users":
        return record.login
    if record._name == "res.groups":
        return record.get_external_id()[record.id] or f"res.groups,{record.id}"
    return record.display_name
