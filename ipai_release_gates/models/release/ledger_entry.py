from odoo import api, fields, models, tools
from odoo.exceptions import AccessError
from odoo.fields import Domain

from ... import ledger
from ..terms import translate
from .ledger_head import GOVERNANCE


class LedgerEntry(models.Model):
    """What happened to a release, hash-chained; appended to, never changed.

    The head of a chain is on the release row (``ipai.release._append_to_ledger``), so
    the chain cannot fork: that row serialises two writers of one release. One more
    chain, without a release, records changes of the policy and of the roles; its head
    is the only row of ``ipai.ledger.head``.
    """

    _name = "ipai.ledger.entry"
    _inherit = "ipai.append.only.mixin"
    _description = "Ledger entry"
    _order = "release_id, sequence desc"
    _rec_name = "kind"
    _log_access = False

    release_id = fields.Many2one(
        "ipai.release",
        ondelete="restrict",
        readonly=True,
        help="Empty: an entry of the governance chain.",
    )
    sequence = fields.Integer(required=True, readonly=True)
    kind = fields.Selection("_select_kind", required=True, readonly=True)
    icon = fields.Char(compute="_compute_icon", export_string_translation=False)
    actor_id = fields.Many2one(
        "res.users",
        string="User",
        required=True,
        ondelete="restrict",
        readonly=True,
    )
    actor = fields.Char(required=True, readonly=True)
    occurred_at = fields.Char(required=True, readonly=True, help="UTC.")
    recorded_at = fields.Datetime(string="When", required=True, readonly=True)
    subject = fields.Char(required=True, readonly=True)
    body = fields.Text(required=True, readonly=True, help="Canonical JSON.")
    previous_hash = fields.Char(required=True, readonly=True)
    hash = fields.Char(required=True, readonly=True)
    chain = fields.Char(compute="_compute_chain", search="_search_chain")
    policy_company_id = fields.Many2one(
        "res.company",
        string="Company concerned",
        ondelete="restrict",
        readonly=True,
        help="Of a governance entry that speaks of one company's policy or people; "
        "empty: it concerns all of them.",
    )
    company_id = fields.Many2one(
        "res.company", compute="_compute_company_id", search="_search_company_id"
    )

    _release_sequence_unique = models.Constraint(
        "UNIQUE (release_id, sequence)", "A chain has one entry per sequence number."
    )
    # For the constraint above, rows without a release differ from each other.
    _governance_sequence_unique = models.UniqueIndex(
        "(sequence) WHERE release_id IS NULL",
        "The governance chain has one entry per sequence number.",
    )

    # --- kinds -----------------------------------------------------------------------

    @api.model
    def _kinds(self):
        """The kinds of entries that this database appends.

        Hook: a satellite adds its own to what ``super()`` returns. Entries of a kind
        that is not registered any more stay in their chain and stay verifiable.

        :returns: tuple of :class:`ledger.LedgerKind`, in the order of lists
        """
        return ledger.KINDS

    @api.model
    @tools.ormcache()
    def _kinds_by_code(self):
        return {kind.code: kind for kind in self._kinds()}

    @api.model
    def _select_kind(self):
        return [
            (kind.code, translate(self.env, kind.label, kind.module))
            for kind in self._kinds()
        ]

    @api.depends("kind")
    def _compute_icon(self):
        kinds = self._kinds_by_code()
        for entry in self:
            kind = kinds.get(entry.kind)
            entry.icon = kind.icon if kind else "fa-circle-o"

    # --- doors -----------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        raise AccessError(
            self.env._("The ledger is written together with what it records only.")
        )

    def write(self, vals):
        raise AccessError(self.env._("The ledger is never changed."))

    def unlink(self):
        # Not an ``ondelete`` hook, which a context key can switch off.
        raise AccessError(self.env._("The ledger is never changed."))

    @api.depends("sequence", "kind")
    def _compute_display_name(self):
        for entry in self:
            entry.display_name = f"#{entry.sequence} {entry.kind}"

    @api.depends("release_id.uuid")
    def _compute_chain(self):
        for entry in self:
            entry.chain = entry.release_id.uuid or GOVERNANCE

    def _search_chain(self, operator, value):
        if operator != "in":
            return NotImplemented
        domain = Domain("release_id.uuid", "in", list(value))
        if GOVERNANCE in value:
            domain |= Domain("release_id", "=", False)
        return domain

    @api.depends("release_id.company_id", "policy_company_id")
    def _compute_company_id(self):
        for entry in self:
            entry.company_id = entry.release_id.company_id or entry.policy_company_id

    def _search_company_id(self, operator, value):
        if operator in Domain.NEGATIVE_OPERATORS:
            return NotImplemented
        return (
            Domain("release_id.company_id", operator, value)
            & Domain("release_id", "!=", False)
        ) | (
            Domain("policy_company_id", operator, value)
            & Domain("release_id", "=", False)
        )

    def action_verify_governance(self):
        """Button: verify the governance chain, say that it is sound or open the faults.

        :raises AccessError: for who may not read that chain
        """
        return self.env["ipai.ledger.verification"]._verify_governance()._answer()

    @api.model
    def _record_governance(self, drafts):
        """Append to the governance chain, in the transaction of what is recorded.

        The row of the head is updated, so of two writers one gets a serialization
        error and is retried; an advisory lock would let the chain fork.

        :param drafts: list of ``(kind, subject, body)`` or ``(kind, subject, body,
            company)``; the subject is a record or already ``"model,id"``, the company
            the one whose policy or people the entry speaks of, empty for all
        :raises UserError: when the chain has no head
        """
        if not drafts:
            return
        head = self.env["ipai.ledger.head"]._of_governance(lock=True)
        entries, moved = self._extend(
            [(False, *head)],
            [(False, kind, subject, body) for kind, subject, body, *_company in drafts],
        )
        self.env["ipai.ledger.head"]._move(*moved[0][1:])
        companies = [
            company[0].id if company and company[0] else False
            for _kind, _subject, _body, *company in drafts
        ]
        self._store(entries, companies)

    @api.model
    def _extend(self, heads, drafts):
        """Chain drafts to the heads of their chains.

        :param heads: rows of ``(release id, sequence, hash)``; no id for governance
        :param drafts: list of ``(release id, kind, subject, body)``; the subject is a
            record or already ``"model,id"``
        :returns: the entries as ``(release id, ledger.Entry)`` and the new heads
        """
        at = ledger.timestamp(self.env.cr.now())
        actor = self.env.user.login
        uuid_of = {
            release.id: release.uuid
            for release in self.env["ipai.release"].browse(
                row[0] for row in heads if row[0]
            )
        }
        uuid_of[False] = GOVERNANCE
        per_release = {row[0]: [] for row in heads}
        for release_id, kind, subject, body in drafts:
            if not isinstance(subject, str):
                subject = f"{subject._name},{subject.id}"
            per_release[release_id].append(
                ledger.Draft(uuid_of[release_id], kind, actor, at, subject, body)
            )
        kinds = self._kinds_by_code()
        entries, moved = [], []
        for release_id, sequence, digest in heads:
            added = ledger.extend(sequence, digest, per_release[release_id], kinds)
            entries += [(release_id, entry) for entry in added]
            if added:
                sequence, digest = added[-1].sequence, added[-1].hash
            moved.append((release_id, sequence, digest))
        return entries, moved

    @api.model
    def _store(self, entries, companies=None):
        """Insert chained entries.

        :param entries: list of ``(release id, ledger.Entry)``
        :param companies: for governance entries, the company of each
        """
        if not entries:
            return
        now = self.env.cr.now()
        # sudo: nobody holds create rights here
        recorded = super(LedgerEntry, self.sudo()).create(  # pylint: disable=super-method-mismatch
            [
                {
                    "release_id": release_id,
                    "sequence": entry.sequence,
                    "kind": entry.kind,
                    "actor_id": self.env.uid,
                    "actor": entry.actor,
                    "occurred_at": entry.occurred_at,
                    "recorded_at": now,
                    "subject": entry.subject,
                    "body": ledger.canonical_json(entry.body).decode(),
                    "previous_hash": entry.previous_hash,
                    "hash": entry.hash,
                    "policy_company_id": company_id,
                }
                for (release_id, entry), company_id in zip(
                    entries, companies or [False] * len(entries), strict=True
                )
            ]
        )
        recorded._recorded()

    def _recorded(self):
        """React to entries that were just written, in their transaction.

        Hook: called once for all entries of one step, of any kind and chain, as
        superuser; costs no query unless an addon extends it.
        """
