from odoo import api, models

from ...errors import Rejected


class ControlPlane(models.AbstractModel):
    """Events about a release itself: a new revision, and the signature for a gate."""

    _inherit = "ipai.control.plane"

    @api.model
    def _take_revision(self, submission, lookup):
        envelope, release = submission.envelope, submission.release
        if not release.is_open:
            raise Rejected(
                "release_closed",
                self.env._("%s is closed: open a new release.", release.name),
                "release_id",
            )
        self._refuse_overtaken(submission, "ipai.revision", [])
        changed = release._revise(envelope.source_ref, envelope.payload["authors"])
        submission.revision = release.revision_id
        return {"changed": changed, "stage": release.stage_id.code}

    @api.model
    def _take_signoff(self, submission, lookup):
        payload = submission.envelope.payload
        gate = lookup.gate(submission)
        # Codes are public; the sign-off checks that the sender holds the persona.
        persona = (
            # sudo: personas are shared vocabulary
            self.env["ipai.persona"].sudo().search([("code", "=", payload["persona"])])
        )
        if not persona:
            raise Rejected(
                "invalid_field", self.env._("Unknown persona."), "payload.persona"
            )
        self._refuse_overtaken(
            submission,
            "ipai.approval",
            [
                ("revision_id", "=", submission.revision.id),
                ("gate_id", "=", gate.id),
                ("approver_id", "=", self.env.uid),
            ],
        )
        approval = self.env["ipai.approval"]._sign(
            submission.release.sudo(False),
            submission.revision,
            gate,
            persona,
            {
                "decision": payload["decision"],
                "rationale_text": payload.get("rationale_text"),
                "rationale_structured": payload.get("rationale_structured"),
                "source_system": submission.envelope.source_system,
                "ingest_log_id": submission.log.id,
            },
        )
        submission.created["approvals"] = approval.ids
