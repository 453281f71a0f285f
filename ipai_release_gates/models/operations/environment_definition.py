from odoo import api, models

from ..selections import ENVIRONMENT_CATEGORIES
from .environment_control import CONTROLS, CONTROLS_OF, DECIDED_BY
from .environment_event import EVENT_TYPES


class EnvironmentControl(models.Model):
    _inherit = "ipai.environment.control"

    @api.model
    def _definition(self):
        """Which controls there are, where, how they are checked, as plain values."""
        return {
            "categories": {
                code: {"name": label, "controls": list(CONTROLS_OF[code])}
                for code, label in ENVIRONMENT_CATEGORIES
            },
            "controls": {
                kind: {
                    "name": label,
                    "checked_by": self._checked_by(kind),
                    "result_of_event": sorted(
                        event for event, of in DECIDED_BY.items() if of == kind
                    ),
                }
                for kind, label in CONTROLS
            },
            "statuses": list(dict(self._fields["status"].selection)),
            "until_checked": self._fields["status"].default(self),
            "failed_check_needs_note": True,
            "lifetime": {
                "holds": "until expires_at, or without end when keep is set with a "
                "keep_reason",
                "judged_from": ["expires_at", "keep", "keep_reason"],
                "told_when_over": "ttl_expired",
            },
            "event_types": dict(EVENT_TYPES),
        }

    @api.model
    def _checked_by(self, kind):
        if kind == "lifetime":
            return "the clock"
        return (
            "an SRE, by hand or by event" if kind in DECIDED_BY.values() else "an SRE"
        )
