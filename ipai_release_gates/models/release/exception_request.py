from odoo import models
from odoo.exceptions import UserError, ValidationError

from .exception_tables import CONTROLLED_RISKS, COVERS_WHOLE_GATES


class ReleaseException(models.Model):
    """Requesting an exception, and requesting a longer one."""

    _inherit = "ipai.exception"

    def action_request(self):
        """Ask for the approvals that the risk demands; what is asked for is sealed."""
        self.check_access("write")
        for exception in self:
            exception._require_requester()
            exception._validate_request()
            release = exception.release_id
            # sudo: right to request checked above
            exception.sudo()._become(
                "requested",
                requested_at=self.env.cr.now(),
                # sudo: revision belongs to this release
                revision_id=release.sudo().revision_id.id,
            )
            exception._post_on_release(
                self.env._("%(exception)s was requested by %(user)s: %(why)s"),
                why=exception.rationale,
            )
        return True

    def _validate_request(self):
        """Refuse a request that could never cover anything, naming what is wrong."""
        self.ensure_one()
        now = self.env.cr.now()
        if not self.release_id.sudo().is_open:  # sudo: requester reads this release
            raise UserError(self.env._("%s is closed.", self.release_id.name))
        if not self.gate_ids:
            raise ValidationError(
                self.env._("Impacted gates: name the gates it is about.")
            )
        if self.expires_at <= now:
            raise ValidationError(
                self.env._("Expires at: %s is over already.", self.expires_at)
            )
        if self.risk_level in CONTROLLED_RISKS and not self.compensating_controls:
            raise ValidationError(
                self.env._(
                    "Compensating controls: say what keeps the risk small meanwhile; "
                    "%s risk needs that.",
                    self.risk_level,
                )
            )
        foreign = self.requirement_ids.filtered(
            lambda requirement: requirement.gate_id not in self.gate_ids
        )
        if foreign:
            raise ValidationError(
                self.env._(
                    "Waived requirements: %s are not of the impacted gates.",
                    ", ".join(foreign.mapped("name")),
                )
            )
        fixed = self.requirement_ids.filtered(lambda r: not r.waivable)
        if fixed:
            raise ValidationError(
                self.env._(
                    "Waived requirements: no exception can cover %s.",
                    ", ".join(fixed.mapped("name")),
                )
            )
        if self.exception_type in COVERS_WHOLE_GATES:
            return
        if not self.requirement_ids:
            raise ValidationError(
                self.env._(
                    "Waived requirements: name them; only a gate bypass and an "
                    "emergency cover whole gates."
                )
            )
        kinds = self.requirement_ids._kinds_waived_by(self.exception_type)
        unfit = self.requirement_ids.filtered(
            lambda requirement: requirement.kind not in kinds
        )
        if unfit:
            raise ValidationError(
                self.env._(
                    "Type: %(type)s cannot waive %(requirements)s; choose another "
                    "type, a gate bypass say.",
                    type=dict(self._fields["exception_type"].selection)[
                        self.exception_type
                    ],
                    requirements=", ".join(unfit.mapped("name")),
                )
            )

    def action_extend(self, expires_at, rationale):
        """Request the same exception for longer: a new one, with its own approvals.

        :param expires_at: when the new one ends
        :param str rationale: why it is needed longer
        :returns: the new exception, requested
        :raises UserError: when this one is not in force any more
        """
        self.ensure_one()
        self.check_access("read")
        if self.status not in ("active", "scheduled") or self.is_stale:
            raise UserError(
                self.env._(
                    "%s is not in force: what has ended is not revived. Request a new "
                    "exception.",
                    self.display_name,
                )
            )
        now = self.env.cr.now()
        extension = self.create(
            [
                {
                    "release_id": self.release_id.id,
                    "exception_type": self.exception_type,
                    "risk_level": self.risk_level,
                    "rationale": rationale,
                    "risk_statement": self.risk_statement,
                    "compensating_controls": self.compensating_controls,
                    "gate_ids": [(6, 0, self.gate_ids.ids)],
                    "requirement_ids": [(6, 0, self.requirement_ids.ids)],
                    "effective_from": max(now, self.effective_from),
                    "expires_at": expires_at,
                }
            ]
        )
        extension.system_write({"extension_of_id": self.id})
        extension.action_request()
        return extension
