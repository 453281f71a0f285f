from odoo import api, models
from odoo.exceptions import AccessError

# What the engine shows to prove that a write is its own. Compared by identity: a value
# that arrives over RPC, from a default or from an import can never be this object.
_ENGINE = object()
_KEY = "ipai_engine"


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
        raise AccessError(
            self.env._("%s cannot be duplicated.", self._description)
        )

    @api.ondelete(at_uninstall=False)
    def _refuse_unlink(self):
        if not self._is_engine():
            raise AccessError(
                self.env._(
                    "%s is kept for good: it cannot be deleted.", self._description
                )
            )

    def _is_engine(self):
        return self.env.context.get(_KEY) is _ENGINE

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
        allowed = frozenset() if self._is_engine() else self._creatable
        context = {
            key: value
            for key, value in self.env.context.items()
            if not key.startswith("default_")
            or key.removeprefix("default_") in allowed
        }
        if len(context) == len(self.env.context):
            return self
        return self.with_context(context)

    def _refuse_fields(self, vals, allowed):
        for name in vals:
            if name not in allowed:
                label = (
                    self._fields[name].string if name in self._fields else name
                )
                raise AccessError(
                    self.env._(
                        "“%(field)s” (%(name)s) of a %(model)s is set by the engine "
                        "from recorded facts; nobody can write it directly.",
                        field=label,
                        name=name,
                        model=self._description.lower(),
                    )
                )
