from datetime import datetime

from odoo import api, models

from ... import policy
from .exception_tables import CONTROLLED_RISKS, COVERS_WHOLE_GATES, NEXT_STATES


class ReleaseException(models.Model):
    """Which exceptions there may be and how they live, for the policy files."""

    _inherit = "ipai.exception"

    @api.model
    def _definition(self):
        """What exceptions there may be and how they live, as plain values."""
        requirements = self.env["ipai.gate.requirement"]
        return {
            "types": {
                code: {
                    "name": label,
                    "risk": policy.level_of(code, None) or "as requested",
                    "waives": "any requirement"
                    if code in COVERS_WHOLE_GATES
                    else sorted(requirements._kinds_waived_by(code)),
                    "covers_whole_gates": code in COVERS_WHOLE_GATES,
                }
                for code, label in self._labels("exception_type").items()
            },
            "scope": {
                "of_one_revision": True,
                "covers": "requirements of the impacted gates that are waivable",
                "sealed_from": "requested",
            },
            "requested_by": self._requesting_personas(),
            "decided_by": "none of the requester, the authors of the revision and "
            "service accounts; one person counts once",
            "risk_levels": {
                level: self._risk_definition(level)
                for level in self._labels("risk_level")
            },
            "states": {
                state: {"name": label, "next": sorted(NEXT_STATES.get(state, ()))}
                for state, label in self._labels("state").items()
            },
            "review_states": list(self._labels("review_status")),
        }

    @api.model
    def _labels(self, field):
        """Codes and labels of a choice, in the source language."""
        return dict(self._fields[field].selection)

    @api.model
    def _risk_definition(self, level):
        risk = policy.RISKS[level]
        start = datetime(2026, 1, 1)
        reminder = start + risk.longest - policy.remind_at(start, start + risk.longest)
        return {
            "longest_life_hours": _hours(risk.longest),
            "approved_by_one_each": sorted(risk.personas),
            "compensating_controls_required": level in CONTROLLED_RISKS,
            "review_within_hours": _hours(risk.review_within),
            "reminder_hours_before_longest_life_ends": _hours(reminder),
        }

    @api.model
    def _requesting_personas(self):
        """The personas whose group may create exceptions."""
        # sudo: rights are published policy
        rights = self.env["ir.model.access"].sudo()
        granted = rights.search(
            [("model_id.model", "=", self._name), ("perm_create", "=", True)]
        )
        # An archived persona requests nothing.
        # sudo: rights are published policy
        personas = self.env["ipai.persona"].sudo()
        return sorted(
            personas.search([("group_id", "in", granted.group_id.ids)]).mapped("code")
        )


def _hours(time):
    if time is None:
        return None
    hours = time.total_seconds() / 3600
    return int(hours) if hours == int(hours) else round(hours, 2)
