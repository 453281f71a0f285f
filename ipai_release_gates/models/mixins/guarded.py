from odoo import api, models
from odoo.exceptions import AccessError

# What the engine shows to prove that a write is its own. Compared by identity: a value
# that arrives over RPC, from a default or from an import can never be this object.
_ENGINE = object()
_KEY = "ipai_engine"


def is_engine(env):
    """Whether an environment is the engine's own."""
    return env.context.get(_KEY) is _ENGINE


class GuardedMixin(models.AbstractModel):
    """Records of which people may set some fields, the engine the rest, nobody more.

    A subclass names what a caller may pass to ``create`` (:attr:`_creatable`) and to
    ``write`` (:attr:`_writable`). Everything else is refused whoever asks, the
    superuser included; records are neither deleted nor duplicated unless the subclass
    says so.
    """

    _name = "ipai.guarded.mixin"
    _description = "Guarded record"

    _creatable = frozenset()
    _writable = frozenset()

    @api.model
    def default_get(self, fields):
        defaults = super().default_get(fields)
        if self._is_engine():
            # Every user may store defaults for themselves, an administrator for all:
            # they fill in a form, where they are checked like anything typed, but what
            # the engine leaves out starts as the code says.
            for name in self.env["ir.default"]._get_model_defaults(self._name):
                defaults.pop(name, None)
                field = self._fields[name]
                if name in fields and field.default:
                    value = field.convert_to_cache(field.default(self), self)
                    value = field.convert_to_record(value, self)
                    defaults[name] = field.convert_to_write(value, self)
        return defaults

    @api.model_create_multi
    def create(self, vals_list):
        self = self._without_foreign_defaults()
        if not self._is_engine():
            for vals in vals_list:
                self._refuse_fields(vals, self._creatable)
        return super().create(vals_list)

    def write(self, vals):
        if not self._is_engine():
            self._refuse_fields(vals, self._writable)
        return super().write(vals)

    def copy(self, default=None):
        raise AccessError(self.env._("%s cannot be duplicated.", self._description))

    def unlink(self):
        # Not an ``ondelete`` hook: Odoo skips those for whoever sends the context key
        # that says a module is being uninstalled.
        if self and not self._is_engine():
            raise AccessError(
                self.env._(
                    "%s is kept for good: it cannot be deleted.", self._description
                )
            )
        return super().unlink()

    def _is_engine(self):
        return is_engine(self.env)

    def _people_set(self):
        """The fields for which a default of whoever calls counts."""
        return frozenset() if self._is_engine() else self._creatable

    @api.private
    def engine_create(self, vals_list):
        """Create records with fields that only the engine may set.

        :param vals_list: list of value dicts, as for ``create``
        :returns: the records, without the engine's mark in their context
        """
        records = self.with_context(**{_KEY: _ENGINE}).create(vals_list)
        return records.with_context(self._context_of_people())

    @api.private
    def engine_write(self, vals):
        """Write fields that only the engine may set."""
        return self.with_context(**{_KEY: _ENGINE}).write(vals)

    def _context_of_people(self):
        return {k: v for k, v in self.env.context.items() if k != _KEY}

    def _without_foreign_defaults(self):
        """Drop ``default_*`` context keys: a default must not set a guarded field.

        The engine passes every value explicitly; for people, defaults of the fields
        they may set anyway (a form opened from a release, say) stay.
        """
        allowed = self._people_set()
        context = {
            key: value
            for key, value in self.env.context.items()
            if not key.startswith("default_") or key.removeprefix("default_") in allowed
        }
        if len(context) == len(self.env.context):
            return self
        return self.with_context(context)

    def _refuse_fields(self, vals, allowed):
        for name in vals:
            if name not in allowed:
                label = self._fields[name].string if name in self._fields else name
                raise AccessError(
                    self.env._(
                        "“%(field)s” (%(name)s) of a %(model)s is set by the engine "
                        "from recorded facts; nobody can write it directly.",
                        field=label,
                        name=name,
                        model=self._description.lower(),
                    )
                )
