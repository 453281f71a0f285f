from odoo import api, models

from ...ingest import describe
from .evidence import MAX_BYTES


class Evidence(models.Model):
    _inherit = "ipai.evidence"

    @api.model
    def _definition(self):
        """What a piece of evidence consists of and what is checked, as plain values."""
        told = ("type_id", *sorted(self._creatable - {"type_id"}))
        return {
            "fields": {
                name: {
                    "label": self._fields[name].string,
                    "type": self._fields[name].type,
                    "required": bool(self._fields[name].required),
                    **(
                        {"takes": describe.words_of(self._readers[name])}
                        if name in self._readers
                        else {}
                    ),
                }
                for name in told
            },
            "largest_file_bytes": MAX_BYTES,
            "linked_to_nothing": ["reference"],
            "constraints": {
                name.removeprefix(f"{self._table}_"): each.message
                for name, each in sorted(self._table_objects.items())
                if isinstance(each, models.Constraint)
            },
        }
