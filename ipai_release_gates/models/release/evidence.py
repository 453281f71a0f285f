import base64
import binascii
import hashlib

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError

from ... import ingest
from ...ingest import fields as readers

MAX_BYTES = 10 * 1024 * 1024


class Evidence(models.Model):
    """A recorded proof: an address or a file, its hash, and what it speaks of.

    Only a ``reference`` may hang on nothing; everything else belongs to a release, a
    gate, a check, a deployment or a drill, in the database too.
    """

    _name = "ipai.evidence"
    _inherit = "ipai.fact.mixin"
    _description = "Evidence"

    release_id = fields.Many2one(required=False)
    revision_id = fields.Many2one(required=False)
    type_id = fields.Many2one("ipai.evidence.type", required=True, ondelete="restrict")
    type_code = fields.Char(required=True, readonly=True)
    gate_id = fields.Many2one(
        "ipai.gate",
        ondelete="restrict",
        help="Empty: it serves every gate of the release.",
    )
    check_id = fields.Many2one("ipai.check", ondelete="restrict", readonly=True)
    deployment_id = fields.Many2one(
        "ipai.deployment", ondelete="restrict", index="btree_not_null"
    )
    rollback_of_deployment = fields.Boolean(
        string="Of its rollback",
        readonly=True,
        help="Shows the rollback of the deployment.",
    )
    drill_id = fields.Many2one(
        "ipai.recovery.drill", ondelete="restrict", index="btree_not_null"
    )
    url = fields.Char(string="Address")
    content = fields.Binary(string="File", attachment=True)
    filename = fields.Char()
    sha256 = fields.Char(
        string="SHA-256", help="Of the file, or as sent for the address."
    )
    size = fields.Integer(string="Size (bytes)", readonly=True)
    metadata = fields.Json()
    metadata_text = fields.Text(
        string="Metadata lines", compute="_compute_metadata_text"
    )
    note = fields.Text()
    ingest_log_id = fields.Many2one(
        "ipai.ingest.log", ondelete="restrict", readonly=True, index="btree_not_null"
    )

    _linked = models.Constraint(
        "CHECK (type_code = 'reference' OR release_id IS NOT NULL"
        " OR gate_id IS NOT NULL OR check_id IS NOT NULL"
        " OR deployment_id IS NOT NULL OR drill_id IS NOT NULL)",
        "Only evidence of type reference may be linked to nothing.",
    )
    _revision_with_release = models.Constraint(
        "CHECK ((release_id IS NULL) = (revision_id IS NULL))",
        "Evidence on a release speaks of one of its revisions.",
    )
    _sha256_format = models.Constraint(
        "CHECK (sha256 IS NULL OR sha256 ~ '^[0-9a-f]{64}$')",
        "A SHA-256 has 64 hexadecimal digits.",
    )
    _latest = models.Index("(release_id, revision_id, type_code, gate_id, id DESC)")

    _creatable = frozenset(
        {
            "release_id",
            "type_id",
            "gate_id",
            "deployment_id",
            "drill_id",
            "url",
            "content",
            "filename",
            "sha256",
            "metadata",
            "note",
        }
    )

    _readers = {
        "url": readers.url,
        "filename": readers.filename,
        "sha256": readers.sha256,
        "metadata": readers.metadata,
        "note": readers.text,
    }

    @api.depends("metadata")
    def _compute_metadata_text(self):
        for evidence in self:
            evidence.metadata_text = "\n".join(
                f"{key}: {value}" for key, value in (evidence.metadata or {}).items()
            )

    @api.depends("type_id", "filename", "url")
    def _compute_display_name(self):
        for evidence in self:
            what = evidence.filename or evidence.url or ""
            evidence.display_name = f"{evidence.type_id.name or ''} {what}".strip()

    def _prepare_manual_fact(self, vals):
        vals = super()._prepare_manual_fact(vals)
        type_ = self.env["ipai.evidence.type"].browse(vals.get("type_id") or ())
        if not type_:
            raise UserError(self.env._("Evidence needs a type."))
        self._refuse_gate(vals.get("gate_id"), type_.code)
        problems = type_._metadata_errors(vals.get("metadata"))
        if problems:
            raise ValidationError(
                self.env._(
                    "The metadata does not fit %(type)s: %(problems)s",
                    type=type_.name,
                    problems="; ".join(f"{path}: {text}" for path, text in problems),
                )
            )
        self._refuse_foreign_deployment(vals)
        self._refuse_foreign_drill(vals)
        vals = {**vals, "type_code": type_.code}
        if vals.get("content"):
            vals.update(self._hashed_content(vals))
        return vals

    def _refuse_foreign_deployment(self, vals):
        """Evidence speaks of a deployment of its own release."""
        deployment = self.env["ipai.deployment"].browse(vals.get("deployment_id") or ())
        if not deployment:
            return
        if not vals.get("release_id"):
            deployment.check_access("read")
            return
        # sudo: readers of releases know deployments
        if deployment.sudo().exists().release_id.id != vals["release_id"]:
            raise UserError(
                self.env._("This deployment is not one of the evidence's release.")
            )

    def _refuse_foreign_drill(self, vals):
        """Evidence speaks of a drill of its own project that the person may read."""
        drill = self.env["ipai.recovery.drill"].browse(vals.get("drill_id") or ())
        if not drill:
            return
        drill.check_access("read")
        release = self.env["ipai.release"].browse(vals.get("release_id") or ())
        # sudo: read access checked above
        if release and release.sudo().project_id != drill.project_id:
            raise UserError(
                self.env._("This drill is not one of the evidence's project.")
            )

    def _refuse_gate(self, gate_id, type_code):
        """By hand, a role records evidence for the gates it may send evidence for.

        :param gate_id: database id of the gate, or nothing
        :param type_code: code of the type of evidence
        :raises AccessError: saying for which gates the user may
        """
        # Those two record nothing by themselves: who holds a persona beyond the four
        # beside them records where the access rights of its group let them.
        plane = self.env["ipai.control.plane"]
        roles = plane._roles()
        roles -= {"auditor", "governance_admin"}
        # sudo: codes of gates are public
        gate = self.env["ipai.gate"].sudo().browse(gate_id or ())
        refusal = roles and ingest.may_send(
            roles,
            "evidence",
            "manual",
            gate.code or None,
            type_code,
            plane._event_kinds_by_code(),
        )
        if refusal:
            # The message is the contract's own, the same on every transport.
            raise AccessError(refusal)  # pylint: disable=translation-required

    @api.model
    def _hashed_content(self, vals):
        """Hash a file and compare it with the hash that was sent along."""
        try:
            data = base64.b64decode(vals["content"], validate=True)
        except (binascii.Error, ValueError) as error:
            raise ValidationError(
                self.env._("File must be encoded as base64.")
            ) from error
        if len(data) > MAX_BYTES:
            raise ValidationError(
                self.env._(
                    "File is larger than 10 MiB; store it elsewhere and record its "
                    "address and SHA-256."
                )
            )
        digest = hashlib.sha256(data).hexdigest()
        if vals.get("sha256") and vals["sha256"].lower() != digest:
            raise ValidationError(
                self.env._(
                    "SHA-256 of the file is %(actual)s, not %(sent)s as was said.",
                    actual=digest,
                    sent=vals["sha256"],
                )
            )
        return {"sha256": digest, "size": len(data)}

    def _ledger_draft(self):
        body = {
            "type": self.type_code,
            "source_ref": self.source_ref,
            "gate": self.gate_id.code or "",
            "sha256": self.sha256 or "",
            "url": self.url or "",
            "stale": self.is_stale,
        }
        return self.release_id.id, "evidence", self, body
