import hashlib

from odoo import models


class Approval(models.Model):
    """What the ledger keeps of a decision's reasons: their digest."""

    _inherit = "ipai.approval"

    def _ledger_draft(self):
        release_id, kind, subject, body = super()._ledger_draft()
        # Approvals are closed to some who read the ledger. The digest shows that the
        # reasons are still those that were given, to whoever may read them.
        text = body.pop("rationale", "")
        digest = hashlib.sha256(text.encode()).hexdigest() if text else ""
        return release_id, kind, subject, {**body, "rationale_sha256": digest}
