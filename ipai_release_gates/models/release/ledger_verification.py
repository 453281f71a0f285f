from odoo import api, fields, models
from odoo.exceptions import AccessError

#: The most faults of one chain that are kept in full.
_MAX_FAULTS = 200


class LedgerVerification(models.Model):
    """One verification of a chain: when, by whom, and what it found.

    A button creates one row. The nightly run creates one row for all chains, and one
    more for each chain that it finds faulty. ``ledger_comparison.py`` reads and judges
    chains, ``ledger_verification_nightly.py`` is the nightly run.
    """

    _name = "ipai.ledger.verification"
    _inherit = "ipai.guarded.mixin"
    _description = "Ledger verification"
    _order = "id desc"
    _rec_name = "started_at"

    scope = fields.Selection(
        [
            ("release", "Release"),
            ("governance", "Governance"),
            ("all", "Every chain"),
        ],
        required=True,
        readonly=True,
    )
    release_id = fields.Many2one(
        "ipai.release", ondelete="restrict", readonly=True, index="btree_not_null"
    )
    company_id = fields.Many2one(related="release_id.company_id", related_sudo=False)
    run_id = fields.Many2one(
        "ipai.ledger.verification",
        string="Nightly run",
        ondelete="restrict",
        readonly=True,
        index="btree_not_null",
    )
    faulty_ids = fields.One2many("ipai.ledger.verification", "run_id")
    user_id = fields.Many2one(
        "res.users",
        string="Verified by",
        required=True,
        ondelete="restrict",
        readonly=True,
    )
    started_at = fields.Datetime(required=True, readonly=True)
    finished_at = fields.Datetime(readonly=True)
    last_release_id = fields.Integer(
        readonly=True, help="How far a nightly run has come."
    )
    chain_count = fields.Integer(string="Chains", readonly=True)
    entry_count = fields.Integer(string="Entries", readonly=True)
    fault_count = fields.Integer(string="Faults", readonly=True)
    faults = fields.Json(string="Fault records", readonly=True)
    fault_text = fields.Text(string="What is wrong", compute="_compute_fault_text")
    result = fields.Selection(
        [("running", "Running"), ("sound", "Sound"), ("faulty", "Faulty")],
        required=True,
        readonly=True,
    )

    _release_with_scope = models.Constraint(
        "CHECK ((scope = 'release') = (release_id IS NOT NULL))",
        "The verification of a release names it, and no other does.",
    )
    _unfinished = models.Index("(id) WHERE scope = 'all' AND finished_at IS NULL")

    @api.depends("faults")
    def _compute_fault_text(self):
        for verification in self:
            faults = verification.faults or []
            lines = [fault["message"] for fault in faults]
            more = verification.fault_count - len(faults)
            if faults and more > 0:
                lines.append(self.env._("… and %s more", more))
            verification.fault_text = "\n".join(lines)

    @api.depends("scope", "release_id", "result")
    def _compute_display_name(self):
        scopes = dict(self._fields["scope"]._description_selection(self.env))
        results = dict(self._fields["result"]._description_selection(self.env))
        for verification in self:
            subject = verification.release_id.display_name or scopes.get(
                verification.scope, ""
            )
            verification.display_name = (
                f"{subject}: {results.get(verification.result, '')}"
            )

    # --- on request ------------------------------------------------------------------

    @api.model
    def _verify_release(self, release):
        """Verify the chain of one release now and keep what was found.

        :param release: a release the current user may read
        :raises AccessError: for who may not read the ledger
        """
        release.ensure_one()
        release.check_access("read")
        self.env["ipai.ledger.entry"].check_access("read")
        verifier = self.sudo()  # sudo: result must not depend on reader
        return verifier._keep("release", release, *verifier._inspect(release)).sudo(
            False
        )

    @api.model
    def _verify_governance(self):
        """Verify the governance chain now and keep what was found.

        :raises AccessError: for who may not read that chain
        """
        self.env["ipai.ledger.entry"].check_access("read")
        if not self._reads_governance():
            raise AccessError(
                self.env._("The governance chain is verified by those who read it.")
            )
        verifier = self.sudo()  # sudo: result must not depend on reader
        kept = verifier._keep("governance", None, *verifier._inspect_governance())
        return kept.sudo(False)

    @api.model
    def _reads_governance(self):
        user = self.env.user
        return any(
            user.has_group(f"ipai_release_gates.group_{role}")
            for role in ("release_manager", "auditor", "governance_admin")
        )

    def _answer(self):
        """What a button shows: a word when all is well, the record when it is not."""
        self.ensure_one()
        if self.result == "sound":
            return {
                "type": "ir.actions.client",
                "tag": "display_notification",
                "params": {
                    "type": "success",
                    "title": self.env._("The ledger is sound"),
                    "message": self.env._(
                        "%s entries, an unbroken chain that agrees with the records.",
                        self.entry_count,
                    ),
                },
            }
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("The ledger is faulty"),
            "res_model": self._name,
            "res_id": self.id,
            "views": [(False, "form")],
            "target": "current",
        }

    @api.model
    def _keep(self, scope, release, entries, faults, run=None):
        """Store the outcome for one chain."""
        now = self.env.cr.now()
        return self.system_create(
            [
                {
                    "scope": scope,
                    "release_id": release.id if release else False,
                    "run_id": run.id if run else False,
                    "user_id": self.env.uid,
                    "started_at": now,
                    "finished_at": now,
                    "chain_count": 1,
                    "entry_count": entries,
                    "fault_count": len(faults),
                    "faults": [
                        {
                            "code": fault.code,
                            # XML-RPC knows no null.
                            "sequence": fault.sequence or False,
                            "message": fault.message,
                        }
                        for fault in faults[:_MAX_FAULTS]
                    ],
                    "result": "faulty" if faults else "sound",
                }
            ]
        )
