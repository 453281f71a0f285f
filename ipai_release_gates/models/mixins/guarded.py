import contextlib

from odoo import api, models
from odoo.exceptions import AccessError, ValidationError

from ...ingest.fields import Invalid, path_of

_KEY = "ipai_engine"


class _Mark:
    """Proves, for one call, that a create or a write is a system write.

    A value that arrives over RPC, from a default or from an import is never of this
    class. The guard accepts a mark once, so that code that runs later in the same
    environment, such as an automation rule, has no system rights.
    """

    __slots__ = ("spent", "under_way")

    def __init__(self):
        self.spent = self.under_way = False


def _mark_of(env):
    mark = env.context.get(_KEY)
    return mark if isinstance(mark, _Mark) else None


def system_under_way(env):
    """Whether a system write is storing its records right now."""
    mark = _mark_of(env)
    return mark is not None and mark.under_way


class GuardedMixin(models.AbstractModel):
    """Records with fields that users may set, and others that only system writes set.

    A subclass names the fields that a caller may pass to ``create``
    (:attr:`_creatable`) and to ``write`` (:attr:`_writable`). All other fields are
    refused to every user, the superuser included. Records can be neither deleted nor
    duplicated unless the subclass allows it.
    """

    _name = "ipai.guarded.mixin"
    _description = "Guarded record"

    _creatable = frozenset()
    _writable = frozenset()

    #: Field → the reader that checks its value, as for the fields of an event.
    _readers = {}

    @api.model_create_multi
    def create(self, vals_list):
        self = self._without_foreign_defaults()
        if not self._is_system():
            for vals in vals_list:
                self._refuse_fields(vals, self._creatable)
        with self._spending_mark():
            return super().create(vals_list)

    def write(self, vals):
        if not self._is_system():
            self._refuse_fields(vals, self._writable)
        with self._spending_mark():
            return super().write(vals)

    def copy(self, default=None):
        raise AccessError(self.env._("%s cannot be duplicated.", self._description))

    def unlink(self):
        # Not an ``ondelete`` hook: a caller could skip it by the context key of an
        # uninstallation.
        if self:
            raise AccessError(
                self.env._(
                    "%s is kept for good: it cannot be deleted.", self._description
                )
            )
        return super().unlink()

    def _is_system(self):
        mark = _mark_of(self.env)
        return mark is not None and not mark.spent

    @contextlib.contextmanager
    def _spending_mark(self):
        mark = _mark_of(self.env)
        if mark is None or mark.spent:
            yield
            return
        mark.spent = mark.under_way = True
        try:
            yield
        finally:
            mark.under_way = False

    def _people_set(self):
        """The fields for which defaults of the caller count."""
        # A system write passes every value, so no default has an effect.
        return frozenset() if _mark_of(self.env) else self._creatable

    @api.private
    def system_create(self, vals_list):
        """Create records with fields that only system writes may set.

        :param vals_list: list of value dicts, as for ``create``
        :returns: the records, without system rights in their context
        """
        records = self.with_context(**{_KEY: _Mark()}).create(vals_list)
        return records.with_context(self._context_of_people())

    @api.private
    def system_write(self, vals):
        """Write fields that only system writes may set."""
        return self.with_context(**{_KEY: _Mark()}).write(vals)

    def _context_of_people(self):
        return {k: v for k, v in self.env.context.items() if k != _KEY}

    def _without_foreign_defaults(self):
        """Drop ``default_*`` context keys: a default must not set a guarded field.

        A system write passes every value. For users, defaults of the fields that they
        may set remain, such as those of a form opened from a release.
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

    def _read_entered(self, vals):
        """The values that have a reader, as their readers return them.

        :raises ValidationError: naming the field that cannot be read
        """
        entered = {}
        for name in self._readers.keys() & vals.keys():
            # An empty field of a form arrives as False.
            if vals[name] is None or vals[name] is False:
                continue
            try:
                entered[name] = self._readers[name](vals[name])
            except Invalid as invalid:
                at, message, _code = invalid.problems[0]
                field = ".".join(filter(None, (self._fields[name].string, path_of(at))))
                # The text of the contract is the same on every transport.
                raise ValidationError(  # pylint: disable=translation-required
                    f"{field}: {message}"
                ) from invalid
        return entered

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
