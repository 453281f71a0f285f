from odoo import models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import plaintext2html

from .deployment import FOLLOWING


class Deployment(models.Model):
    """The rollback of a deployment: by whom, why, with what outcome and evidence."""

    _inherit = "ipai.deployment"

    def _refuse_bare_rollback(self):
        """Refuse a rollback by hand that lacks its reason, outcome or evidence."""
        raise UserError(
            self.env._(
                "A rollback names its trigger, reason, outcome and evidence: use Roll "
                "Back."
            )
        )

    def action_roll_back(self, trigger, reason, outcome, evidence, restored_id=None):
        """Record that this deployment was rolled back.

        :param str trigger: ``incident``, ``health_check``, ``g4_deadline`` or
            ``manual``
        :param str reason: why, in words
        :param str outcome: ``restored``, ``partial`` or ``failed``
        :param dict evidence: at least one of ``url``, ``content`` (base64, with
            ``filename``) and ``note``; optionally ``sha256``
        :param int restored_id: database id of the earlier deployment of the
            environment that runs again
        :returns: the evidence
        :raises AccessError: unless the user is an SRE or a release manager
        :raises UserError: when something is missing, or it is rolled back already
        """
        self.ensure_one()
        self.check_access("read")
        user = self.env.user
        if not (
            user.has_group("ipai_release_gates.group_sre")
            or user.has_group("ipai_release_gates.group_release_manager")
        ):
            raise AccessError(
                self.env._("Only an SRE or a release manager rolls back.")
            )
        if "rolled_back" not in FOLLOWING[self.status]:
            raise UserError(self.env._("%s is rolled back already.", self.external_id))
        vals = {
            "rollback_trigger": self._one_of("rollback_trigger", trigger),
            "rollback_outcome": self._one_of("rollback_outcome", outcome),
            **self._read_entered({"rollback_reason": reason or " "}),
            "restored_id": self._restored(restored_id).id,
        }
        kept = self._keep_evidence_of_rollback(trigger, evidence)
        self._advance("rolled_back", **vals)
        # sudo: closes activities of all users
        self.sudo().release_id.activity_feedback(
            ["ipai_release_gates.activity_type_propose_rollback"],
            feedback=self.env._("%s was rolled back.", self.external_id),
        )
        return kept

    def _one_of(self, name, value):
        if value not in dict(self._fields[name].selection):
            raise ValidationError(
                self.env._(
                    "%(field)s must be one of %(known)s.",
                    field=self._fields[name].string,
                    known=", ".join(dict(self._fields[name].selection)),
                )
            )
        return value

    def _restored(self, restored_id):
        """The earlier deployment that runs again, if one is named."""
        if not restored_id:
            return self.browse()
        # sudo: the environment is readable
        found = self.sudo().search(
            [
                ("id", "=", restored_id),
                ("id", "!=", self.id),
                ("environment_id", "=", self.environment_id.id),
                ("status", "=", "succeeded"),
                ("deployed_at", "<=", self.deployed_at),
            ]
        )
        if not found:
            raise UserError(
                self.env._(
                    "What is restored is an earlier successful deployment to %s.",
                    self.environment_id.name,
                )
            )
        return found

    def _keep_evidence_of_rollback(self, trigger, evidence):
        """Record the evidence of a rollback, of the revision it took back."""
        evidence = evidence if isinstance(evidence, dict) else {}
        known = {"url", "content", "filename", "sha256", "note"}
        given = {k: v for k, v in evidence.items() if v}
        if set(evidence) - known or not given.keys() & {"url", "content", "note"}:
            raise UserError(
                self.env._("A rollback needs evidence: an address, a file or a note.")
            )
        code = "reference" if trigger == "manual" else "incident_report"
        Evidence = self.env["ipai.evidence"]
        Evidence.check_access("create")
        prepared = Evidence._prepare_manual_fact(
            {
                **given,
                "type_id": self.env.ref(f"ipai_release_gates.evidence_type_{code}").id,
                "release_id": self.release_id.id,
                "deployment_id": self.id,
            }
        )
        # The deployed revision, which may be another than the current one.
        prepared |= {
            "revision_id": self.sudo().revision_id.id,  # sudo: id of the revision
            "rollback_of_deployment": True,
        }
        return Evidence.system_create([prepared])

    def _propose_rollback(self, why):
        """Schedule activities, once, that propose to roll this deployment back.

        :param why: a sentence
        """
        self.ensure_one()
        release = self.release_id
        type_ = self.env.ref("ipai_release_gates.activity_type_propose_rollback")
        asked = release.activity_ids.filtered(
            lambda activity: activity.activity_type_id == type_
        ).user_id
        for user in self.environment_id._people_to_notify(release) - asked:
            release.activity_schedule(
                "ipai_release_gates.activity_type_propose_rollback",
                user_id=user.id,
                summary=self.env._("Roll %s back?", self.external_id),
                note=plaintext2html(why),
            )

    def action_open_roll_back(self):
        """Open the wizard that records the rollback of these deployments."""
        self.check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "ipai_release_gates.ipai_roll_back_wizard_action"
        )
        action["context"] = {
            "default_release_ids": self.release_id.ids,
            "default_deployment_ids": self.ids,
        }
        return action
