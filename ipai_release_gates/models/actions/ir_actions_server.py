import json

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError


class IrActionsServer(models.Model):
    """A server action that records evidence, with the rights of its user."""

    _inherit = "ir.actions.server"

    state = fields.Selection(
        selection_add=[
            ("ipai_record_evidence", "Record release evidence"),
        ],
        ondelete={"ipai_record_evidence": "cascade"},
    )
    ipai_evidence_type_id = fields.Many2one(
        "ipai.evidence.type", string="Evidence type"
    )
    ipai_gate_id = fields.Many2one(
        "ipai.gate", string="Gate", help="Empty: it serves every gate of the release."
    )
    ipai_evidence_url = fields.Char(
        string="Evidence address",
        help="May contain {uuid}, {name}, {project} and {source_ref} of the release.",
    )
    ipai_evidence_metadata = fields.Text(
        string="Evidence metadata", help='JSON object, e.g. {"status": "normal"}.'
    )

    @api.constrains(
        "state", "model_id", "ipai_evidence_type_id", "ipai_evidence_metadata"
    )
    def _validate_ipai_evidence(self):
        for action in self.filtered(lambda a: a.state == "ipai_record_evidence"):
            if action.model_id.model != "ipai.release":
                raise ValidationError(
                    self.env._("“Record release evidence” works on releases only.")
                )
            if not action.ipai_evidence_type_id:
                raise ValidationError(self.env._("Choose the type of evidence."))
            action._ipai_metadata()

    def _ipai_metadata(self):
        try:
            metadata = json.loads(self.ipai_evidence_metadata or "{}")
        except ValueError as error:
            raise ValidationError(
                self.env._("Evidence metadata is not valid JSON: %s", error)
            ) from error
        if not isinstance(metadata, dict):
            raise ValidationError(
                self.env._("Evidence metadata must be a JSON object.")
            )
        return metadata

    def _run_action_ipai_record_evidence_multi(self, eval_context=None):
        """Record the configured evidence on every release the action runs on.

        Odoo skips the access check of the records when an action is restricted to
        groups, so this method checks the releases. Evidence is created with the rights
        of the user.

        :raises AccessError: when the user may not read a release or record evidence
        """
        self.ensure_one()
        context = self.env.context
        releases = self.env["ipai.release"].browse(
            context.get("active_ids") or [context.get("active_id")]
        )
        # sudo: users may not read actions
        action = self.sudo()
        evidence = self.env["ipai.evidence"].with_context(
            {k: v for k, v in context.items() if not k.startswith("default_")}
        )
        releases = releases.sudo(False)  # sudo: back to the user's rights
        releases.check_access("read")
        # sudo: back to the user's rights
        evidence.sudo(False).create(
            [
                {
                    "release_id": release.id,
                    "type_id": action.ipai_evidence_type_id.id,
                    "gate_id": action.ipai_gate_id.id,
                    "url": action._ipai_url(release),
                    "metadata": action._ipai_metadata() or False,
                    "note": self.env._("Recorded by “%s”", action.name),
                }
                for release in releases
            ]
        )

    def _ipai_url(self, release):
        if not self.ipai_evidence_url:
            return False
        values = {
            "uuid": release.uuid,
            "name": release.name,
            "project": release.project_id.name,
            "source_ref": release.source_ref,
        }
        url = self.ipai_evidence_url
        for key, value in values.items():
            url = url.replace(f"{{{key}}}", value)
        if "{" in url:
            raise UserError(
                self.env._(
                    "The address of “%s” has a placeholder that is not one of uuid, "
                    "name, project, source_ref.",
                    self.name,
                )
            )
        return url
